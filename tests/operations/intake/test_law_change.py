"""A change of the law: a person confirms or reclassifies each classified system."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.kernel.clock import frozen
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.operations.intake import law, law_actions, law_queries, queries
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.browser import field_value
from tests.bulk_helpers import confirmation_fields
from tests.operations.intake.intake_helpers import approval_of, decide, propose

AMENDED_AT = datetime(2026, 7, 27, tzinfo=UTC)
LIST = "intake/law-changes"
CONFIRM = f"{LIST}/confirm"


def classified(key: str, slug: str = "acme", *, eu_class: str = "high_risk") -> UUID:
    """Add a system that a person classified before the version of the law was stored."""
    with make.acting("admin", slug):
        made = systems.register(
            key=key,
            stage="live",
            name=key.replace("-", " ").capitalize(),
            lane="high_risk",
            purpose="Sorts claims.",
            owner_id=None,
        )
        made.ai_act_class, made.ai_act_reason = eu_class, "Annex III, point 5."
        session().flush()
        return made.id


def approved(as_contributor, as_officer, *, contact: tuple[str, ...] = ("none",), **answers) -> str:
    """Propose a system with these answers under the former law and approve it. Return its slug."""
    made = propose(as_contributor, **answers)
    decide(as_officer, approval_of(as_officer, made))
    with make.acting("compliance_officer"):
        proposal = queries.proposal(made)
        asked = {key: value for key, value in proposal.answers.items() if key != "role"}
        asked.pop("safeguards", None)
        proposal.answers = asked | {"contact": list(contact)}
        proposal.law_version, proposal.role = law.ORIGINAL, None
        system = register.system(proposal.key)
        system.law_version, system.eu_role = law.ORIGINAL, ""
        session().flush()
        return system.key


def state(key, slug="acme"):
    with make.acting("viewer", slug, read_only=True):
        found = register.system(key)
        return found.ai_act_class, found.law_version, found.version


def entries(slug="acme"):
    with make.acting("admin", slug, read_only=True):
        query = select(AuditEntry).where(AuditEntry.action == "system.law.confirmed")
        return [each.facts for each in session().scalars(query.order_by(AuditEntry.at))]


def test_the_inbox_counts_the_systems_to_confirm_for_who_may_classify(
    as_officer, as_contributor, as_neighbour
):
    classified("claims-triage")
    classified("underwriting")
    classified("elsewhere", "globex")
    title = "The law changed: 2 systems to confirm"
    assert title in main_text(as_officer.get("inbox/"))
    assert "The law changed" not in main_text(as_contributor.get("inbox/"))
    assert "The law changed: 1 system to confirm" in main_text(as_neighbour.get("inbox/"))
    text = main_text(as_officer.get(LIST))
    assert title in text and "Claims triage" in text and "Elsewhere" not in text
    assert "Annex III, point 5." in text and "2 new prohibited practices" in text


def test_a_class_is_confirmed_with_what_changed_and_is_never_changed(as_officer):
    made = classified("claims-triage")
    before = state("claims-triage")
    duties = main_text(as_officer.get("systems/claims-triage/duties"))
    assert "given under an earlier law" in duties
    # Duties of Articles 72, 73 and 86.
    assert "2 December 2027" in duties and "2 August 2026" in duties
    assert "Article 9 Provider 2 December 2027" in duties
    page = as_officer.get(f"{LIST}/{made}")
    text = main_text(page)
    assert "Risk management over the life cycle" in text
    assert "2 August 2026" in text and "2 December 2027" in text
    assert "Create or alter sexual material of children" in text
    assert state("claims-triage") == before
    as_officer.post(CONFIRM, seen=field_value(page.text, "seen"))
    assert state("claims-triage") == ("high_risk", law.AMENDED, before[2] + 1)
    [facts] = entries()
    assert facts["system"] == "claims-triage"
    assert (facts["from"], facts["to"]) == (law.ORIGINAL, law.AMENDED)
    assert "Every class is under the law as amended" in main_text(as_officer.get(LIST))
    text = main_text(as_officer.get(f"{LIST}/{made}"))
    assert "Its class is under Regulation (EU) 2024/1689 as amended" in text
    assert "What differs" not in text and "from now on" not in text
    assert "The law changed" not in main_text(as_officer.get("inbox/"))
    diff = main_text(as_officer.get(f"systems/claims-triage/versions/{before[2] + 1}"))
    assert "Class under the law" in diff and "As of 27 July 2026" in diff


def test_a_class_is_kept_under_the_law_of_its_day(as_officer):
    """Use the version of that day, even in a process that started before it took effect."""
    days = {"earlier": datetime(2026, 7, 26, 12, tzinfo=UTC), "later": AMENDED_AT}
    for key, at in days.items():
        with frozen(at), make.acting("admin"):
            systems.register(
                key=key,
                stage="live",
                name=key.capitalize(),
                lane="high_risk",
                purpose="Sorts claims.",
                owner_id=None,
                facts={"ai_act_class": "high_risk", "ai_act_reason": "Annex III, point 5."},
            )
    assert (state("earlier")[1], state("later")[1]) == (law.ORIGINAL, law.AMENDED)
    with frozen(days["earlier"]):
        assert "The law changed" not in main_text(as_officer.get("inbox/"))
    with frozen(AMENDED_AT):
        assert "The law changed: 1 system to confirm" in main_text(as_officer.get("inbox/"))
        text = main_text(as_officer.get(LIST))
    assert "Earlier" in text and "Later" not in text
    page = as_officer.get("intake/")
    assert "/intake/law-changes" in page.text


def test_only_duties_of_the_stated_role_differ(as_officer):
    made = classified("claims-triage")
    everyone = main_text(as_officer.get(f"{LIST}/{made}"))
    assert "Checks by importers" in everyone and "Your role isn’t stated" in everyone
    with make.acting("compliance_officer"):
        register.system("claims-triage").eu_role = "deployer"
        session().flush()
    ours = main_text(as_officer.get(f"{LIST}/{made}"))
    assert "Use it as instructed" in ours and "as deployer" in ours
    assert "Checks by importers" not in ours and "Technical file" not in ours


def test_several_are_confirmed_at_once_after_a_preview(as_officer):
    ids = [classified("claims-triage"), classified("underwriting")]
    page = as_officer.post(CONFIRM, then=200, ids=[str(each) for each in ids])
    assert "Confirm 2 classes" in main_text(page) and entries() == []
    as_officer.post(CONFIRM, **confirmation_fields(page.text))
    assert {state("claims-triage")[1], state("underwriting")[1]} == {law.AMENDED}
    assert len(entries()) == 2


def test_a_confirmation_sent_twice_and_one_that_was_overtaken(as_officer, as_reviewer):
    made = classified("claims-triage")
    seen = field_value(as_officer.get(f"{LIST}/{made}").text, "seen")
    other = field_value(as_reviewer.get(f"{LIST}/{made}").text, "seen")
    with make.acting("compliance_officer"):
        found = register.system("claims-triage")
        systems.assign(found, make.person_id("contributor"))
    reply = as_officer.post(CONFIRM, then=409, seen=seen)
    assert "Changed since you opened the preview" in main_text(reply)
    assert entries() == []
    seen = field_value(as_officer.get(f"{LIST}/{made}").text, "seen")
    as_officer.post(CONFIRM, seen=seen)
    as_officer.post(CONFIRM, seen=seen)
    as_reviewer.post(CONFIRM, seen=other)
    assert len(entries()) == 1
    as_officer.post(CONFIRM, then=422)


def test_a_system_whose_class_would_change_is_classified_again(as_contributor, as_officer):
    key = approved(as_contributor, as_officer, contact=("creates",))
    with make.acting("viewer", read_only=True):
        made = register.system(key).id
    before = state(key)
    text = main_text(as_officer.get(LIST))
    assert "Classify again" in text and "nobody was asked yet whether safeguards" in text
    page = as_officer.get(f"{LIST}/{made}")
    assert field_value(page.text, "seen") is None and "can’t be confirmed" in main_text(page)
    reply = as_officer.post(CONFIRM, then=200, ids=str(made))
    assert "Nothing would change" in main_text(reply)
    as_officer.post(CONFIRM, then=409, seen=f"{made}.{'0' * 16}")
    with make.acting("compliance_officer"), pytest.raises(DomainError, match="can't be confirmed"):
        law_actions.confirm([made])
    assert state(key) == before and entries() == []
    form = as_officer.get(f"systems/{key}/edit")
    fields = {name: field_value(form.text, name) for name in ("seen", "name")}
    as_officer.post(
        f"systems/{key}/edit",
        **fields,
        purpose="Suggests premiums.",
        kind="system",
        ai_act_class="high_risk",
        ai_act_reason="Annex III, point 5(c). Run 12 shows that safeguards hold.",
    )
    assert state(key)[:2] == ("high_risk", law.AMENDED)
    assert "Every class is under the law as amended" in main_text(as_officer.get(LIST))


def test_answers_under_the_former_law_that_lead_to_the_same_class_are_confirmed(
    as_contributor, as_officer
):
    key = approved(as_contributor, as_officer)
    with make.acting("viewer", read_only=True):
        found = register.system(key)
        change, made = law_queries.change_of(found), found.id
    assert change.class_before == change.class_after == "high_risk"
    page = as_officer.get(f"{LIST}/{made}")
    assert "Annex III(5)" in main_text(page)
    as_officer.post(CONFIRM, seen=field_value(page.text, "seen"))
    assert state(key)[1] == law.AMENDED


def test_a_system_approved_under_the_law_as_amended_needs_no_confirmation(
    as_contributor, as_officer
):
    made = propose(as_contributor, role="deployer", placed_on="2026-05-04")
    decide(as_officer, approval_of(as_officer, made))
    assert "The law changed" not in main_text(as_officer.get("inbox/"))
    with make.acting("viewer", read_only=True):
        found = register.system("premium-advisor")
        assert (found.eu_role, found.law_version) == ("deployer", law.AMENDED)
        assert found.placed_on.isoformat() == "2026-05-04"


def test_nobody_else_confirms_and_nothing_of_another_tenant(
    as_officer, as_contributor, as_viewer, as_auditor, as_neighbour, as_stranger
):
    made = classified("claims-triage")
    seen = field_value(as_officer.get(f"{LIST}/{made}").text, "seen")
    for visitor in (as_contributor, as_viewer, as_auditor):
        page = visitor.get(f"{LIST}/{made}")
        assert field_value(page.text, "seen") is None
        visitor.post(CONFIRM, then=403, seen=seen)
    as_neighbour.get(f"{LIST}/{made}", then=404)
    as_neighbour.post(CONFIRM, then=404, seen=seen)
    as_neighbour.post(CONFIRM, then=404, ids=str(made))
    as_stranger.get(LIST, then=404)
    assert entries() == [] and state("claims-triage")[1] == ""


def test_a_retired_system_isnt_confirmed(as_officer):
    made = classified("claims-triage")
    seen = field_value(as_officer.get(f"{LIST}/{made}").text, "seen")
    with make.acting("compliance_officer"):
        systems.retire(register.system("claims-triage"), reason="Replaced.")
    as_officer.post(CONFIRM, then=409, seen=seen)
    assert entries() == []
    assert "The law changed" not in main_text(as_officer.get("inbox/"))
