"""Controls through the front door: adopt, edit, map, test, retire; and permissions."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from governance.assurance.controls import (
    actions,
    adoption_actions,
    control_test_actions,
    mapping_actions,
    queries,
)
from governance.assurance.controls.control_record import ControlContent
from governance.assurance.controls.models import Control, ControlMapping, ControlTest
from governance.assurance.controls.starter_pack import pack
from governance.assurance.evidence.models import Evidence, EvidenceLink
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from tests import make
from tests.assurance.evidence import evidence_helpers

EDIT = {
    "title": "Penetration test",
    "does": "From outside.",
    "kind": "detective",
    "automation": "manual",
    "cadence": "quarterly",
    "version": "1",
}


def count_rows(model, *where):
    with make.acting("compliance_officer", read_only=True):
        return session().scalar(select(func.count()).select_from(model).where(*where))


def entries_of_action(action):
    with make.acting("compliance_officer", read_only=True):
        found = session().scalars(select(AuditEntry).where(AuditEntry.action == action)).all()
        session().expunge_all()
        return found


def requirement_id(ref="MEASURE 2.7"):
    with make.acting("compliance_officer", read_only=True):
        return frameworks.requirement("nist-ai-rmf-1.0", ref).id


# ---- the starter pack


def test_the_starter_pack_is_adopted_once_however_often_it_is_sent(as_officer):
    assert "No controls yet" in as_officer.get("controls/").text
    as_officer.get("controls/starter")
    refs = [each.ref for each in pack()]
    page = as_officer.post("controls/starter", refs=refs, with_evidence="y", follow=True)
    assert "60 controls adopted" in page.text
    titles = {title for each in pack() for title in each.evidence}
    assert count_rows(Evidence) == len(titles)
    assert count_rows(EvidenceLink) == sum(len(set(each.evidence)) for each in pack())
    assert count_rows(ControlMapping) == sum(len(each.mappings) for each in pack())
    again = as_officer.post("controls/starter", refs=refs, with_evidence="y", follow=True)
    assert "0 controls adopted. 60 already existed" in again.text
    assert count_rows(Control) == 60 and count_rows(Evidence) == len(titles)
    assert "You have adopted the whole starter pack" in as_officer.get("controls/starter").text


def test_chosen_controls_only_and_what_is_there_stays(as_officer):
    with make.acting():
        actions.create(
            "SEC-01",
            ControlContent(
                title="Ours",
                does="Ours.",
                kind="detective",
                automation="manual",
                cadence="monthly",
            ),
        )
    as_officer.post("controls/starter", refs=["GOV-01", "GOV-02"])
    assert count_rows(Control) == 3 and count_rows(Evidence) == 0
    assert "select at least one" in as_officer.post("controls/starter", then=422).text.lower()
    as_officer.post("controls/starter", then=422, refs=["NOT-99"])


@pytest.mark.parametrize("path", ["controls/starter", "controls/new"])
@pytest.mark.parametrize("who", ["as_contributor", "as_viewer", "as_auditor"])
def test_others_neither_adopt_nor_create(database, who, path, request):
    visitor = request.getfixturevalue(who)
    visitor.get(path, then=403)
    visitor.post(path, then=403, refs=["GOV-01"])
    assert "Starter pack" not in visitor.get("controls/").text
    assert count_rows(Control) == 0


# ---- own controls


def test_an_officer_creates_a_control(as_officer):
    form = {
        "ref": "sec-12",
        "title": "Filter in front of tools",
        "does": "Blocks.",
        "kind": "preventive",
        "automation": "automated",
        "cadence": "daily",
    }
    page = as_officer.post(
        "controls/new", follow=True, owner_id=str(make.person_id("contributor")), **form
    )
    assert (
        "SEC-12" in page.text
        and "Anna Rossi" in page.text
        and "No evidence is linked." in page.text
    )
    assert "SEC-12 is already used" in as_officer.post("controls/new", then=422, **form).text
    assert entries_of_action("control.created")[0].facts["ref"] == "SEC-12"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ref", "sec 12"),
        ("ref", ""),
        ("title", ""),
        ("title", "x" * 161),
        ("does", ""),
        ("kind", "magic"),
        ("cadence", "never"),
        ("owner_id", str(UUID(int=7))),
    ],
)
def test_what_a_control_may_not_be(as_officer, field, value):
    form = {
        "ref": "SEC-12",
        "title": "Filter",
        "does": "Blocks.",
        "kind": "preventive",
        "automation": "automated",
        "cadence": "daily",
    }
    assert "data-errors" in as_officer.post("controls/new", then=422, **form | {field: value}).text
    assert count_rows(Control) == 0


def test_two_people_edit_and_nothing_is_lost(as_officer, as_reviewer):
    c = evidence_helpers.create_control()
    as_officer.get(f"controls/{c}/edit")
    as_reviewer.post(
        f"controls/{c}/edit", **EDIT | {"does": "Theirs, every week.", "cadence": "weekly"}
    )
    late = as_officer.post(f"controls/{c}/edit", then=409, **EDIT | {"does": "Mine, from outside."})
    assert (
        "Mine, from outside." in late.text
        and "Theirs, every week." in late.text
        and 'value="2"' in late.text
    )
    assert count_rows(Control, Control.does == "Theirs, every week.") == 1
    as_officer.post(f"controls/{c}/edit", **EDIT | {"does": "Mine, from outside.", "version": "2"})
    assert count_rows(Control, Control.does == "Mine, from outside.") == 1
    assert len(entries_of_action("control.changed")) == 2


def test_the_same_edit_twice_is_one_edit(as_officer):
    c = evidence_helpers.create_control()
    for _ in range(2):
        as_officer.post(f"controls/{c}/edit", **EDIT)
    assert len(entries_of_action("control.changed")) == 1


def test_a_contributor_works_on_what_is_their_only(as_contributor):
    mine, theirs = (
        evidence_helpers.create_control(),
        evidence_helpers.create_control("SEC-05", "Another", owner="compliance_officer"),
    )
    as_contributor.post(f"controls/{mine}/edit", **EDIT)
    assert (
        "Only its owner, a tenant admin or a compliance officer can edit"
        in as_contributor.post(f"controls/{theirs}/edit", then=403, **EDIT).text
    )
    as_contributor.post(
        f"controls/{theirs}/tests/new",
        then=403,
        tested_on=str(clock.today()),
        sample="1",
        failed="0",
    )
    assert "Record test" in as_contributor.get(f"controls/{mine}").text
    assert "Record test" not in as_contributor.get(f"controls/{theirs}").text
    as_contributor.post(f"controls/{mine}/owner", then=403, owner_id="")


@pytest.mark.parametrize(
    ("who", "status"), [("as_viewer", 403), ("as_auditor", 403), ("as_stranger", 404)]
)
@pytest.mark.parametrize("path", ["edit", "tests/new", "mapping", "retirement", "owner"])
def test_nobody_else_changes_a_control(database, who, status, path, request):
    c = evidence_helpers.create_control()
    form = {
        "reason": "x",
        "requirement_id": str(requirement_id()),
        "coverage": "full",
        "tested_on": str(clock.today()),
        "sample": "1",
        "failed": "0",
        **EDIT,
    }
    request.getfixturevalue(who).post(f"controls/{c}/{path}", then=status, **form)
    assert (
        count_rows(ControlTest)
        + count_rows(ControlMapping)
        + count_rows(Control, Control.retired_at.is_not(None))
        == 0
    )


def test_retiring_shows_who_notices_and_needs_a_reason(as_officer):
    c = evidence_helpers.create_control()
    as_officer.post(f"controls/{c}/mapping", requirement_id=str(requirement_id()), coverage="full")
    page = as_officer.get(f"controls/{c}/retirement").text
    assert "requirement loses this control" in page and "of them has no other control" in page
    assert (
        "Enter a reason" in as_officer.post(f"controls/{c}/retirement", then=422, reason=" ").text
    )
    as_officer.post(f"controls/{c}/retirement", reason="bought as a service")
    assert (
        "SEC-04 was retired on"
        in as_officer.post(f"controls/{c}/retirement", then=422, reason="again").text
    )
    assert "bought as a service" in as_officer.get(f"controls/{c}").text
    assert "SEC-04" not in as_officer.get("controls/").text.replace("SEC-04 was retired", "")


# ---- mappings


def test_mapping_twice_is_one_mapping_and_another_coverage_takes_its_place(as_officer):
    c, node = evidence_helpers.create_control(), str(requirement_id())
    for _ in range(2):
        as_officer.post(f"controls/{c}/mapping", requirement_id=node, coverage="full")
    assert count_rows(ControlMapping) == 1 and len(entries_of_action("control.mapped")) == 1
    as_officer.post(f"controls/{c}/mapping", requirement_id=node, coverage="partial")
    assert (
        count_rows(ControlMapping) == 2
        and count_rows(ControlMapping, ControlMapping.removed_at.is_(None)) == 1
    )
    page = as_officer.get(f"controls/{c}/mapping").text
    assert "MEASURE 2.7" in page and "partial" in page
    for _ in range(2):
        as_officer.post(f"controls/{c}/mapping/{node}/remove")
    assert (
        count_rows(ControlMapping, ControlMapping.removed_at.is_(None)) == 0
        and len(entries_of_action("control.unmapped")) == 1
    )


def test_a_group_or_an_unknown_requirement_is_no_choice(as_officer):
    c = evidence_helpers.create_control()
    for node in (requirement_id("MEASURE 2"), uuid4(), "nonsense", ""):
        as_officer.post(
            f"controls/{c}/mapping", then=422, requirement_id=str(node), coverage="full"
        )
    as_officer.post(
        f"controls/{c}/mapping", then=422, requirement_id=str(requirement_id()), coverage="whole"
    )
    assert count_rows(ControlMapping) == 0


def test_a_control_is_mapped_from_the_requirement(as_officer):
    c, node, foreign = (
        evidence_helpers.create_control(),
        requirement_id(),
        evidence_helpers.create_control(owner=None, slug="globex"),
    )
    assert (
        "0 controls are mapped to MEASURE 2.7" in as_officer.get(f"controls/answering/{node}").text
    )
    reply = as_officer.post(f"controls/answering/{node}", control_id=str(c), coverage="partial")
    assert reply.location.endswith("/frameworks/nist-ai-rmf-1.0/MEASURE-2.7")
    as_officer.post(
        f"controls/answering/{node}", then=422, control_id=str(foreign), coverage="partial"
    )
    as_officer.get(f"controls/answering/{uuid4()}", then=404)


# ---- tests


def test_a_failed_item_opens_a_finding_and_a_retest_closes_it(as_officer):
    c = evidence_helpers.create_control()
    form = {
        "tested_on": str(clock.today() - timedelta(days=3)),
        "sample": "25",
        "failed": "1",
        "finding": "Release 2026.11.2",
        "retest_by": str(clock.today()),
    }
    as_officer.get(f"controls/{c}/tests/new")
    for _ in range(2):
        as_officer.post(f"controls/{c}/tests/new", **form)
    page = as_officer.get(f"controls/{c}").text
    assert (
        "1 of 25 samples failed." in page
        and "EXC-01" in page
        and "24 of 25" in page
        and "1 of 25 failed" in page
    )
    assert count_rows(ControlTest) == 1
    as_officer.post(
        f"controls/{c}/tests/new", tested_on=str(clock.today()), sample="25", failed="0"
    )
    assert "1 of 25 samples failed." not in as_officer.get(f"controls/{c}").text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tested_on": timedelta(2)}, "in the future"),
        ({"tested_on": "monday"}, "“monday” isn"),
        ({"sample": "0"}, "at least one"),
        ({"sample": "many"}, "data-errors"),
        ({"failed": "26"}, "0 to 25 failed items"),
        ({"failed": "-1"}, "0 or more failed items"),
        ({"failed": "1"}, "Describe what failed"),
        ({"failed": "1", "finding": "x", "retest_by": "2020-01-01"}, "on or after the test"),
        ({"sample": "9" * 30}, "data-errors"),
    ],
)
def test_tests_that_cannot_be(as_officer, change, says):
    c = evidence_helpers.create_control()
    form = {"tested_on": timedelta(0), "sample": "25", "failed": "0"} | change
    form = {
        field: str(clock.today() + value) if isinstance(value, timedelta) else value
        for field, value in form.items()
    }
    assert says in as_officer.post(f"controls/{c}/tests/new", then=422, **form).text
    assert count_rows(ControlTest) == 0


# ---- the list, and the posture behind it


def a_proven_control():
    c = evidence_helpers.create_control()
    evidence_helpers.accept_version(
        evidence_helpers.upload_version(evidence_helpers.create_evidence(supports=[c]))
    )
    with make.acting():
        row = queries.find_control(c)
        mapping_actions.map_to(
            row, frameworks.requirement("nist-ai-rmf-1.0", "MEASURE 2.7").id, "full"
        )
        control_test_actions.record_test(row, tested_on=clock.today(), sample=25, failed=0)
    return c


def test_the_list_filters_sorts_and_exports_what_is_filtered(as_officer):
    a_proven_control()
    evidence_helpers.create_control("SEC-05", "Attack suite", owner=None)
    page = as_officer.get("controls/").text
    assert (
        "No controls are failing; 1 of 2 controls has no evidence" in page
        and "Effective" in page
        and "25 of 25" in page
    )
    for address, there in (
        ("?status=effective", "SEC-04"),
        ("?q=attack", "SEC-05"),
        ("?owner=nobody", "SEC-05"),
        ("?framework=nist-ai-rmf-1.0", "SEC-04"),
        ("?kind=detective&q=pen", "SEC-04"),
    ):
        shown = set(re.findall(r"SEC-0\d", as_officer.get(f"controls/{address}").text))
        assert shown == {there}, address
    assert "No controls match" in as_officer.get("controls/?q=zebra").text
    as_officer.get("controls/?sort=-status")
    as_officer.get("controls/?sort=secret", then=422)
    rows = as_officer.get("controls/export.csv?status=effective").text.splitlines()
    assert len(rows) == 2 and "MEASURE 2.7" in rows[1] and "EV-0001" in rows[1]
    assert as_officer.get("controls/export.xlsx").data.startswith(b"PK")


def test_the_page_of_a_control_shows_all_that_its_status_follows_from(as_viewer):
    c = a_proven_control()
    page = as_viewer.get(f"controls/{c}").text
    for words in (
        "Effective: the last test passed",
        "EV-0001",
        "MEASURE 2.7",
        "25 of 25",
        "tested a control",
        "Ines Duarte",
        "Show as table",
    ):
        assert words in page, words
    assert "Retire…" not in page and "Record test" not in page


def test_posture_costs_two_statements_whatever_there_is(app, acting):
    with acting():
        adoption_actions.adopt()
    with acting(read_only=True):
        assert len(queries.posture()) == 60


def test_posture_as_of_an_instant_shows_what_was_known_then(app, acting):
    c = a_proven_control()
    with acting():
        row = queries.find_control(c)
        session().expunge_all()
    with acting(read_only=True):
        assert queries.posture(row.created_at - timedelta(seconds=1)) == []
        (then,) = queries.posture(row.created_at)
        (now,) = queries.posture()
    assert (then.mappings, then.proofs, then.tests) == ((), (), ())
    assert (len(now.mappings), len(now.proofs), len(now.tests)) == (1, 1, 1)
    assert now.proofs[0].versions[0].review == "accepted"
    later = clock.now() + timedelta(days=1)
    with clock.frozen(later), acting():
        actions.retire(queries.find_control(c), reason="gone")
    with acting(read_only=True):
        assert [f.ref for f in queries.posture(later - timedelta(hours=1))] == ["SEC-04"]
        assert queries.posture(later) == []


def test_another_tenants_controls_are_nothing_here(as_officer, as_neighbour):
    theirs = evidence_helpers.create_control(owner=None, slug="globex")
    evidence_helpers.create_control("SEC-07", "Ours")
    for path in ("", "/edit", "/mapping", "/tests/new", "/retirement"):
        as_officer.get(f"controls/{theirs}{path}", then=404)
    as_officer.post(
        f"controls/{theirs}/mapping",
        then=404,
        requirement_id=str(requirement_id()),
        coverage="full",
    )
    assert "SEC-07" not in as_neighbour.get("controls/").text


@pytest.mark.parametrize(
    "path",
    [
        "controls/?owner=nobody&status=missing",
        "evidence/?owner=nobody&state=missing",
        "evidence/inbox",
    ],
)
def test_a_list_page_costs_the_same_with_sixty_rows_as_with_one(
    as_officer, acting, statements, path
):
    with acting():
        adoption_actions.adopt(["GOV-01"])
    as_officer.get(path)
    with statements() as one:
        as_officer.get(path)
    with acting():
        adoption_actions.adopt()
    with statements() as sixty:
        as_officer.get(path)
    assert len(sixty) == len(one)
