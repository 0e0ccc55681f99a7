"""The register of AI systems, through the front door."""

import csv
import io
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select

from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.systems import actions, queries
from governance.operations.systems.models import AISystem
from tests import make
from tests.assurance.frameworks.framework_files import main_text

TRIAGE = {
    "name": "Claims triage",
    "key": "claims-triage",
    "lane": "high_risk",
    "purpose": "Sorts incoming claims for adjusters.",
    "stage": "live",
}
SENT = {**TRIAGE, "since": "2020-03-01"}  # As the form sends it.


@pytest.fixture
def registered_system(acting):
    with acting("compliance_officer"):
        actions.register(**TRIAGE, owner_id=make.person_id("contributor"))


def entries_of_action(acting, name: str) -> list[dict]:
    with acting("compliance_officer", read_only=True):
        return [
            e.facts for e in session().scalars(select(AuditEntry).where(AuditEntry.action == name))
        ]


# ---- registering


def test_a_system_is_registered_shown_and_recorded(as_officer, acting):
    reply = as_officer.post(
        "systems/new", **SENT, owner_id=str(make.person_id("contributor")), follow=True
    )
    text = main_text(reply)
    assert "Claims triage" in text and "High risk" in text and "Anna Rossi" in text
    assert "Ines Duarte registered an AI system" in text
    [facts] = entries_of_action(acting, "system.registered")
    assert facts == {**TRIAGE, "since": "2020-03-01"}
    assert "1 AI system, 1 high risk" in main_text(as_officer.get("systems/"))


def test_nothing_is_live_that_nobody_stated(as_officer, acting):
    """Ask for the stage and its day without a default, since the register is evidence."""
    form = BeautifulSoup(as_officer.get("systems/new").text, "html.parser").select("[name=stage]")
    assert [each["value"] for each in form] == ["proposed", "in_review", "live", "restricted"]
    assert not [each for each in form if each.has_attr("checked")]
    for missing, says in (("stage", "Choose a lifecycle stage."), ("since", "choose a date")):
        sent = {name: value for name, value in SENT.items() if name != missing}
        assert says in main_text(as_officer.post("systems/new", **sent, then=422))
    for wrong in ({"stage": "retired"}, {"stage": "unstated"}, {"since": "2999-01-01"}):
        as_officer.post("systems/new", **{**SENT, **wrong}, then=422)
    tomorrow = str(clock.today() + timedelta(days=1))
    reply = as_officer.post("systems/new", **{**SENT, "since": tomorrow}, then=422)
    assert "Enter today or an earlier day." in main_text(reply)
    assert entries_of_action(acting, "system.registered") == []
    as_officer.post("systems/new", **{**SENT, "stage": "in_review"})
    text = main_text(as_officer.get("systems/claims-triage"))
    assert "In review" in text and "since 1 March 2020" in text and "Live since" not in text


def test_a_stage_that_nobody_stated_is_shown_as_that_until_somebody_does(
    as_officer, as_stranger, registered_system, acting
):
    with acting("admin"):
        system = queries.system("claims-triage", lock=True)
        system.stage, system.stage_since = "unstated", None  # A migrated row looks like this.
    for page in ("systems/", "systems/claims-triage"):
        assert "Not stated" in main_text(as_officer.get(page))
    assert "Live" not in as_officer.get("systems/export.csv").text
    as_stranger.get("systems/claims-triage", then=404)
    page = "systems/claims-triage/stage"
    assert "lifecycle stage isn't stated" in main_text(as_officer.get(page))
    as_officer.post(page, stage="live", since="2021-05-04", reason="In use since the pilot.")
    assert "since 4 May 2021" in main_text(as_officer.get("systems/claims-triage"))
    reply = as_officer.post(
        page, stage="restricted", since="2021-05-03", reason="Only two teams.", then=422
    )
    assert "The present stage began on 4 May 2021." in main_text(reply)


def test_sent_twice_it_is_there_once_and_the_second_keeps_what_was_typed(as_officer, acting):
    as_officer.post("systems/new", **SENT)
    reply = as_officer.post("systems/new", **SENT, then=422)
    assert "Claims triage already has the slug claims-triage." in main_text(reply)
    assert "Sorts incoming claims" in reply.text
    assert len(entries_of_action(acting, "system.registered")) == 1


@pytest.mark.parametrize(
    "key",
    [
        "x",
        "Claims",
        "9lives",
        "a b",
        "claims_triage",
        "a" * 42,
        "new",
        "../x",
        "claims-triage\n",
        "a1b2c3d4-0000-4000-8000-1234567890ab",
        "a1b2c3d4000040008000123456789012",
    ],
)
def test_a_short_name_must_fit_an_address(as_officer, acting, key):
    as_officer.post(
        "systems/new", **{**SENT, "key": key}, then=303 if key.strip() == "claims-triage" else 422
    )
    with acting("compliance_officer", read_only=True):
        assert all(actions.SLUG.match(k) for k in session().scalars(select(AISystem.key)))


@pytest.mark.parametrize("field", ["name", "key", "purpose"])
def test_what_is_missing_is_named(as_officer, field):
    reply = as_officer.post("systems/new", **{**SENT, field: "   "}, then=422)
    assert 'id="errors"' in reply.text and f'href="#{field}"' in reply.text


@pytest.mark.parametrize("lane", ["fast", ""])
def test_only_the_two_lanes_are_choices(as_officer, lane):
    as_officer.post("systems/new", **{**SENT, "lane": lane}, then=422)


def test_somebody_of_another_tenant_is_no_owner(as_officer):
    as_officer.post(
        "systems/new", **SENT, owner_id=str(make.person_id("admin", "globex")), then=422
    )
    as_officer.post("systems/new", **SENT, owner_id="nobody", then=422)


def test_two_tenants_may_use_one_short_name(as_officer, as_neighbour, acting):
    as_officer.post("systems/new", **SENT)
    as_neighbour.post("systems/new", **{**SENT, "name": "Another"})
    assert "Another" not in as_officer.get("systems/").text


# ---- the list


def test_an_empty_register_says_what_it_is_for(as_viewer, as_officer):
    assert "No AI systems yet" in main_text(as_viewer.get("systems/"))
    assert "systems/new" not in as_viewer.get("systems/").text
    assert "systems/new" in as_officer.get("systems/").text


def test_the_list_costs_the_same_however_long_it_is(as_viewer, acting, statements):
    def fill(start: int, stop: int) -> None:
        with acting("compliance_officer"):
            for n in range(start, stop):
                actions.register(
                    **{**TRIAGE, "key": f"system-{n:03}"}, owner_id=make.person_id("contributor")
                )

    def about() -> int:
        with statements() as seen:
            as_viewer.get("systems/")
        return len([s for s in seen if "ai_systems" in s or "FROM people" in s])

    fill(0, 2)
    few = about()
    fill(2, 60)
    assert about() == few <= 4


def test_pages_follow_one_another_without_gaps(as_viewer, acting):
    with acting("compliance_officer"):
        for n in range(60):
            actions.register(**{**TRIAGE, "key": f"system-{n:03}"}, owner_id=None)
    first = as_viewer.get("systems/")
    onward = (
        first.text.split('rel="next"')[0]
        .rpartition('href="')[2]
        .partition('"')[0]
        .replace("&amp;", "&")
    )
    second = as_viewer.get(onward)
    seen = [f"system-{n:03}" for n in range(60) if f"/systems/system-{n:03}" in first.text]
    rest = [f"system-{n:03}" for n in range(60) if f"/systems/system-{n:03}" in second.text]
    assert len(seen) == 50 and len(rest) == 10 and not set(seen) & set(rest)
    as_viewer.get("systems/?after=rubbish", then=422)


def test_filters_live_in_the_address_and_can_be_taken_off(as_viewer, registered_system, acting):
    with acting("compliance_officer"):
        actions.register(
            name="Ad copy",
            stage="live",
            key="ad-copy",
            lane="standard",
            purpose="Drafts 100% of adverts.",
            owner_id=None,
        )
    assert "Ad copy" not in main_text(as_viewer.get("systems/?lane=high_risk"))
    assert "Claims triage" not in main_text(as_viewer.get("systems/?q=100%25"))
    assert "No systems match" in main_text(as_viewer.get("systems/?q=%25%25%25"))
    assert (
        "Remove the filter Risk class: High risk" in as_viewer.get("systems/?lane=high_risk").text
    )
    assert "Claims triage" in main_text(as_viewer.get("systems/?lane=nonsense&state=nonsense"))


def test_the_export_holds_what_is_filtered_and_runs_no_formula(
    as_viewer, registered_system, acting
):
    with acting("compliance_officer"):
        actions.register(
            name="=HYPERLINK(1)",
            stage="live",
            key="formula",
            lane="standard",
            purpose="+1",
            owner_id=None,
        )
    rows = list(
        csv.reader(io.StringIO(as_viewer.get("systems/export.csv").data.decode("utf-8-sig")))
    )
    assert rows[0][0] == "Slug" and [r[0] for r in rows[1:]] == ["claims-triage", "formula"]
    assert rows[2][1] == "'=HYPERLINK(1)"
    assert len(as_viewer.get("systems/export.csv?lane=high_risk").text.splitlines()) == 2


# ---- retiring


def test_retiring_needs_a_reason_and_is_recorded_with_it(
    as_officer, as_auditor, registered_system, acting
):
    as_officer.post("systems/claims-triage/retire", reason="  ", then=422)
    reply = as_officer.post(
        "systems/claims-triage/retire", reason="Replaced by triage two.", follow=True
    )
    assert "Replaced by triage two." in main_text(reply) and "Retired on" in main_text(reply)
    assert "systems/claims-triage/retire" not in reply.text
    assert "Replaced by" not in main_text(as_auditor.get("systems/claims-triage"))
    assert "Claims triage" not in main_text(as_officer.get("systems/"))
    assert "Claims triage" in main_text(as_officer.get("systems/?state=retired"))
    assert entries_of_action(acting, "system.retired") == [
        {"key": "claims-triage", "name": "Claims triage"}
    ]


def test_retiring_twice_is_refused_and_recorded_once(
    as_officer, as_reviewer, registered_system, acting
):
    as_officer.post("systems/claims-triage/retire", reason="Replaced.")
    reply = as_reviewer.post("systems/claims-triage/retire", reason="Mine.", then=422)
    assert "Claims triage was retired on" in main_text(reply)
    assert "Retired already" in main_text(as_reviewer.get("systems/claims-triage/retire"))
    assert len(entries_of_action(acting, "system.retired")) == 1


def test_a_retired_short_name_is_not_given_again(as_officer, registered_system):
    as_officer.post("systems/claims-triage/retire", reason="Replaced.")
    as_officer.post("systems/new", **SENT, then=422)


def test_a_retired_system_is_no_choice_any_more(registered_system, acting, as_officer):
    with acting("compliance_officer", read_only=True):
        [(system_id, name)] = queries.choices()
    as_officer.post("systems/claims-triage/retire", reason="Replaced.")
    with acting("compliance_officer", read_only=True):
        assert queries.choices() == [] and queries.names([system_id, None]) == {system_id: name}


def test_a_systems_id_leads_to_its_address(as_viewer, as_neighbour, registered_system, acting):
    with acting("compliance_officer", read_only=True):
        [(system_id, _)] = queries.choices()
    assert as_viewer.get(f"systems/{system_id}", then=302).location.endswith(
        "/systems/claims-triage"
    )
    as_neighbour.get(f"systems/{system_id}", then=404)


# ---- people and tenants


@pytest.mark.parametrize("who", ["as_viewer", "as_auditor", "as_contributor"])
def test_readers_see_and_change_nothing(request, who, registered_system, acting):
    reader = request.getfixturevalue(who)
    assert "Claims triage" in reader.get("systems/").text
    assert "/retire" not in reader.get("systems/claims-triage").text
    reader.get("systems/new", then=403)
    reader.post("systems/new", **{**SENT, "key": "mine"}, then=403)
    reader.get("systems/claims-triage/retire", then=403)
    reader.post("systems/claims-triage/retire", reason="x", then=403)
    with acting("compliance_officer", read_only=True):
        assert (
            session().scalar(
                select(func.count()).select_from(AISystem).where(AISystem.retired_at.is_(None))
            )
            == 1
        )


def test_another_tenant_finds_nothing(as_stranger, as_neighbour, registered_system):
    for path in ("systems/", "systems/claims-triage", "systems/export.csv"):
        as_stranger.get(path, then=404)
    as_neighbour.get("systems/claims-triage", then=404)
    as_neighbour.post("systems/claims-triage/retire", reason="x", then=404)


def test_hostile_words_stay_words(as_officer):
    reply = as_officer.post(
        "systems/new",
        **{**SENT, "name": "<img src=x>", "purpose": "'; DROP TABLE x; --"},
        follow=True,
    )
    assert "<img" not in reply.text and "DROP TABLE" in main_text(reply)
