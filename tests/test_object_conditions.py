"""Object conditions of the permission table: each allowed and denied, on pages and in lists."""

import io
from collections.abc import Callable
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Uuid, bindparam, select

from governance.assurance.access_reviews import actions as reviews
from governance.assurance.access_reviews import permissions as reviewing
from governance.assurance.access_reviews import queries as review_queries
from governance.assurance.access_reviews.models import AccessReviewItem
from governance.assurance.assessments import (
    assessment_actions,
    assessment_queries,
    conclusion_actions,
)
from governance.assurance.assessments import permissions as assessment_permissions
from governance.assurance.assessments.models import Conclusion
from governance.assurance.controls import permissions as controlling
from governance.assurance.controls.models import Control
from governance.assurance.engagements import permissions as engaging
from governance.assurance.engagements.models import AuditRequest
from governance.assurance.evidence import permissions as evidencing
from governance.assurance.evidence import queries as evidence_queries
from governance.assurance.evidence import version_actions
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.incidents import permissions as incident_permissions
from governance.assurance.incidents import queries as incidents
from governance.assurance.incidents.models import Incident
from governance.assurance.red_teams import permissions as red_team_permissions
from governance.assurance.red_teams.models import RedTeam
from governance.assurance.risks import permissions as risk_permissions
from governance.assurance.testing import exception_actions, exception_queries, sample_queries
from governance.assurance.testing import permissions as testing_permissions
from governance.assurance.testing.models import Finding
from governance.foundation.api_keys import actions as keys
from governance.foundation.comments import permissions as commenting
from governance.foundation.comments.models import ObjectComment
from governance.foundation.people import permissions as people
from governance.foundation.people import queries as people_queries
from governance.foundation.people.models import Person
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import Forbidden
from governance.kernel.safety.access import (
    Permission,
    allowed,
    matching,
    not_excluded,
    registry,
    require,
)
from governance.kernel.safety.conditions import Condition, is_owner
from governance.operations.intake import permissions as intake_permissions
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.evidence import evidence_helpers
from tests.assurance.incidents import incident_helpers
from tests.assurance.red_teams import red_team_helpers
from tests.assurance.risks import risk_helpers
from tests.assurance.testing import type2_helpers
from tests.browser import Visitor
from tests.operations.evaluations.evaluation_helpers import system
from tests.operations.intake import intake_helpers

HERE = Path(__file__).parent.parent
TRIED: set[tuple[str, str]] = set()


def shows_condition(needs: Permission, predicate: Condition) -> Callable[[Any], Any]:
    """Mark a test that shows this condition of this permission, both allowed and denied."""
    TRIED.add((needs.name, predicate.name))
    return lambda test: test


def share_address(role: str, *, with_: str) -> None:
    """Give the two accounts one email address, in another spelling."""
    who = make.person_id(role)
    with current.acting_as(make.system_actor("acme")), transaction(person_id=who):
        session().get_one(Person, who).email = make.PEOPLE["acme", with_][1].upper()


# ---- incidents


@shows_condition(incident_permissions.MANAGE, incident_permissions.has_role)
@shows_condition(incident_permissions.DRAFT, incident_permissions.has_role)
def test_a_contributor_runs_the_incidents_in_which_they_have_a_role(as_contributor):
    own, other = incident_helpers.declare(by="contributor"), incident_helpers.declare()
    as_contributor.post(f"incidents/{own}/state", state="identified")
    as_contributor.post(f"incidents/{own}/updates")
    refused = as_contributor.post(f"incidents/{other}/state", then=403, state="identified")
    assert "You have no role in INC-2. Only its lead, communications or scribe" in refused.text
    as_contributor.post(f"incidents/{other}/updates", then=403)
    for incident in (own, other):
        as_contributor.post(f"incidents/{incident}/figures", figure="231", meaning="letters")
    with make.acting("contributor"):
        mine, theirs = (incidents.figures(each)[0].id for each in (own, other))
    as_contributor.post(f"incidents/{own}/figures/{mine}/remove")
    as_contributor.post(f"incidents/{other}/figures/{theirs}/remove", then=403)
    with make.acting("contributor"):
        for needs in (incident_permissions.MANAGE, incident_permissions.DRAFT):
            listed = session().scalars(select(Incident.id).where(matching(needs, Incident)))
            assert list(listed) == [own]


# ---- evidence


@shows_condition(evidencing.UPLOAD, is_owner)
def test_a_contributor_uploads_to_the_evidence_they_own(as_contributor, as_reviewer):
    own, other = (
        evidence_helpers.create_evidence(),
        evidence_helpers.create_evidence("Minutes", owner="compliance_officer"),
    )
    as_contributor.post(f"evidence/{own}/versions/new", **evidence_helpers.version_form())
    refused = as_contributor.post(
        f"evidence/{other}/versions/new", then=403, **evidence_helpers.version_form()
    )
    assert (
        "Only its owner, a tenant admin or a compliance officer can upload versions of evidence."
        in refused.text
    )
    as_reviewer.post(f"evidence/{other}/versions/new", **evidence_helpers.version_form())
    for page, links in ((f"evidence/{own}", True), (f"evidence/{other}", False)):
        assert (f"{page}/versions/new" in as_contributor.get(page).text) is links


@shows_condition(evidencing.UPLOAD, is_owner)
def test_a_control_offers_the_upload_to_the_owner_and_not_to_their_namesake(as_contributor):
    """Compare ids, since two people may have one name."""
    control = evidence_helpers.create_control()
    own = evidence_helpers.create_evidence(supports=[control])
    other = evidence_helpers.create_evidence(
        "Minutes", owner="compliance_officer", supports=[control]
    )
    with (
        current.acting_as(make.system_actor("acme")),
        transaction(person_id=make.person_id("compliance_officer")),
    ):
        session().get_one(Person, make.person_id("compliance_officer")).name = make.PEOPLE[
            "acme", "contributor"
        ][0]
    page = as_contributor.get(f"controls/{control}").text
    assert f"evidence/{own}/versions/new" in page and f"evidence/{other}/versions/new" not in page


def review_version(who: Visitor, version: Any, *, then: int) -> str:
    return who.post(f"evidence/versions/{version}/review", decision="accepted", then=then).text


@shows_condition(evidencing.REVIEW, evidencing.is_uploader)
def test_another_person_than_the_uploader_reviews(as_officer, as_reviewer):
    piece = evidence_helpers.create_evidence(supports=[evidence_helpers.create_control()])
    version = evidence_helpers.upload_version(piece, by="compliance_officer")
    assert "You uploaded this version" in review_version(as_officer, version, then=403)
    assert "You uploaded this version" in as_officer.get(f"evidence/versions/{version}/review").text
    for page in (f"evidence/{piece}", "evidence/inbox", "evidence/type-ii"):
        assert f"{version}/review" not in as_officer.get(page).text
        assert f"{version}/review" in as_reviewer.get(page).text
    review_version(as_reviewer, version, then=303)


def pushed_version(by: str) -> Any:
    """Upload a version by a machine, with a key whose secret that person saw."""
    piece = evidence_helpers.create_evidence(supports=[evidence_helpers.create_control()])
    with make.acting(by):
        key = keys.create("pipeline", ["evidence:write"])[0].id
    base = make.system_actor("acme")
    machine = Actor(
        base.tenant_id,
        "acme",
        base.tenant_name,
        None,
        "pipeline",
        "api_key",
        kind="api_key",
        key_id=key,
        scopes=frozenset({"evidence:write"}),
    )
    with current.acting_as(machine), transaction():
        found = evidence_queries.find_evidence(piece)
        return version_actions.upload_version(
            found,
            io.BytesIO(evidence_helpers.PDF),
            "report.pdf",
            **evidence_helpers.version_dates(),
        ).id


@shows_condition(evidencing.REVIEW, evidencing.knows_its_key)
def test_another_person_than_who_was_shown_the_keys_secret_reviews(as_admin, as_officer):
    version = pushed_version(by="admin")
    assert "API key pipeline uploaded it. You have seen the secret of that key" in review_version(
        as_admin, version, then=403
    )
    for page in ("evidence/inbox", "evidence/type-ii"):
        assert f"{version}/review" not in as_admin.get(page).text
        assert f"{version}/review" in as_officer.get(page).text
    review_version(as_officer, version, then=303)


@shows_condition(evidencing.REVIEW, evidencing.has_address_of_uploader)
@pytest.mark.parametrize(
    "upload",
    [
        lambda by: evidence_helpers.upload_version(
            evidence_helpers.create_evidence(supports=[evidence_helpers.create_control()]), by=by
        ),
        pushed_version,
    ],
)
def test_a_second_account_of_the_uploader_does_not_review(as_officer, as_reviewer, upload):
    version = upload(by="admin")
    share_address("reviewer", with_="admin")
    assert "You have the same email address as the person who uploaded it" in review_version(
        as_reviewer, version, then=403
    )
    for page in ("evidence/inbox", "evidence/type-ii"):
        assert f"{version}/review" not in as_reviewer.get(page).text
        assert f"{version}/review" in as_officer.get(page).text
    review_version(as_officer, version, then=303)


# ---- controls

EDIT = {
    "title": "Penetration test",
    "does": "From outside.",
    "kind": "detective",
    "automation": "manual",
    "cadence": "quarterly",
    "version": "1",
}


@shows_condition(controlling.WORK, is_owner)
def test_a_contributor_edits_the_control_they_own(as_contributor, as_officer):
    own, other = (
        evidence_helpers.create_control(),
        evidence_helpers.create_control("SEC-05", owner=None),
    )
    as_contributor.post(f"controls/{own}/edit", **EDIT)
    refused = as_contributor.post(f"controls/{other}/edit", then=403, **EDIT)
    assert (
        "Only its owner, a tenant admin or a compliance officer can edit a control" in refused.text
    )
    as_officer.post(f"controls/{other}/edit", **EDIT)


@shows_condition(risk_permissions.WORK, is_owner)
def test_a_contributor_edits_the_risk_they_own(as_contributor, as_officer):
    own, other = risk_helpers.create_risk(), risk_helpers.create_risk("reviewer", title="Another")
    form = risk_helpers.FORM | {"version": "1", "impact": "3"}
    as_contributor.post(f"risks/{own}/edit", **form)
    refused = as_contributor.post(f"risks/{other}/edit", then=403, **form)
    assert "Only its owner, a tenant admin or a compliance officer can edit a risk" in refused.text
    as_officer.post(f"risks/{other}/edit", **form | {"title": "Another"})
    for risk, links in ((own, True), (other, False)):
        assert (f"risks/{risk}/edit" in as_contributor.get(f"risks/{risk}").text) is links


@shows_condition(controlling.TEST, is_owner)
def test_a_contributor_tests_the_control_they_own(as_contributor, as_officer):
    own, other = (
        evidence_helpers.create_control(),
        evidence_helpers.create_control("SEC-05", owner="reviewer"),
    )
    tested = {"tested_on": str(clock.today()), "sample": "1", "failed": "0"}
    as_contributor.post(f"controls/{own}/tests/new", **tested)
    assert (
        "Only its owner"
        in as_contributor.post(f"controls/{other}/tests/new", then=403, **tested).text
    )
    as_officer.post(f"controls/{other}/tests/new", **tested)
    for control, links in ((own, True), (other, False)):
        assert (
            f"controls/{control}/tests/new" in as_contributor.get(f"controls/{control}").text
        ) is links


# ---- assessments


def conclude_requirement(by: str = "compliance_officer") -> Any:
    """Conclude on a requirement as that person. Return the requirement's item."""
    today = clock.today()
    with make.acting(by):
        framework = frameworks.framework("nist-ai-rmf-1.0")
        held = assessment_actions.start_assessment(
            framework.id, title="Q4", period_from=today - timedelta(days=90), period_to=today
        )
        item = next(
            each.row for each in assessment_queries.items(held.id) if each.ref == "MEASURE 2.7"
        )
        conclusion_actions.conclude(
            assessment_queries.item(item.id), level=1, rationale="Designed, not proved.", revision=0
        )
        return item.id


def return_reason(item: Any) -> str | None:
    with make.acting("admin", read_only=True):
        query = select(Conclusion.return_reason).where(Conclusion.item_id == item)
        return session().scalars(query.order_by(Conclusion.revision.desc())).first()


def is_refused_to_sign(who: Visitor, item: Any, sentence: str) -> None:
    for verb, sent in (("signature", {}), ("return", {"reason": "Say more."})):
        assert (
            sentence
            in who.post(f"assessments/items/{item}/{verb}", revision="1", then=403, **sent).text
        )
    page = who.get("frameworks/nist-ai-rmf-1.0/MEASURE-2.7").text
    assert sentence in page and f"{item}/return" not in page and f"{item}/signature" not in page


@shows_condition(assessment_permissions.SIGN, assessment_permissions.is_assessor)
def test_another_person_than_the_assessor_signs_off_or_returns(as_officer, as_reviewer):
    item = conclude_requirement()
    is_refused_to_sign(as_officer, item, "You wrote the conclusion")
    assert return_reason(item) is None
    as_reviewer.post(f"assessments/items/{item}/return", revision="1", reason="Say more.")
    assert return_reason(item) == "Say more."


@shows_condition(assessment_permissions.SIGN, assessment_permissions.has_address_of_assessor)
def test_a_second_account_of_the_assessor_neither_signs_off_nor_returns(as_admin, as_reviewer):
    item = conclude_requirement()
    share_address("reviewer", with_="compliance_officer")
    is_refused_to_sign(
        as_reviewer, item, "You have the same email address as the person who wrote the conclusion"
    )
    assert return_reason(item) is None
    as_admin.post(f"assessments/items/{item}/return", revision="1", reason="Say more.")
    assert return_reason(item) == "Say more."


# ---- access reviews


def row_of(review_id: Any, name: str) -> Any:
    with make.acting("admin"):
        return next(
            row.item.id for row in review_queries.reviewed_access(review_id) if row.name == name
        )


def decide(who: Visitor, review_id: Any, name: str) -> str:
    """Return the preview's text about keeping that person's or key's access."""
    sent = {f"row-{row_of(review_id, name)}": "keep"}
    return who.post(f"settings/access-reviews/{review_id}/decisions", then=200, **sent).text


def start_review() -> Any:
    with make.acting("compliance_officer"):
        return reviews.start_review("Q4", due_on=clock.today() + timedelta(days=14)).id


@shows_condition(reviewing.DECIDE, reviewing.is_own_access)
def test_another_person_decides_on_a_members_access(as_officer, as_admin):
    held = start_review()
    assert "review your own access. Another person must decide." in decide(
        as_officer, held, "Ines Duarte"
    )
    assert "nother person must decide" not in decide(as_admin, held, "Ines Duarte")
    assert (
        f"row-{row_of(held, 'Ines Duarte')}"
        not in as_officer.get(f"settings/access-reviews/{held}").text
    )


@shows_condition(reviewing.DECIDE, reviewing.created_key)
def test_another_person_decides_on_a_key_than_who_created_it(as_officer, as_admin):
    with make.acting("admin"):
        keys.create("pipeline", ["evidence:write"])
    held = start_review()
    assert "You created the API key pipeline, so another person must decide." in decide(
        as_admin, held, "pipeline"
    )
    assert "nother person must decide" not in decide(as_officer, held, "pipeline")


@shows_condition(reviewing.DECIDE, reviewing.has_address_of_holder)
def test_a_second_account_of_a_member_does_not_decide_on_their_access(as_officer, as_admin):
    held = start_review()
    share_address("contributor", with_="compliance_officer")
    assert "Anna Rossi has the same email address as you" in decide(as_officer, held, "Anna Rossi")
    assert "nother person must decide" not in decide(as_admin, held, "Anna Rossi")


# ---- engagements and testing


@shows_condition(engaging.PROVIDE, is_owner)
def test_a_contributor_answers_the_request_they_own(as_contributor, as_officer):
    held = engagement_helpers.world_engagement()
    own, other = (
        f"engagements/{held}/requests/{engagement_helpers.create_request(held, owner=who)}"
        for who in ("contributor", None)
    )
    engagement_helpers.change_request_state(as_contributor, own, "provide", text="Here it is.")
    version = engagement_helpers.version_on_page(as_officer, other)
    refused = as_contributor.post(f"{other}/provide", version=version, text="Here it is.", then=403)
    assert (
        "Only its owner, a tenant admin or a compliance officer can respond to audit requests"
        in refused.text
    )
    assert f"{other}/provide" not in as_contributor.get(other).text
    engagement_helpers.change_request_state(as_officer, other, "provide", text="Here it is.")


def red_teams() -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Create a third party's red team, whose tester is the auditor, and an own one.

    Return (id, scenario) of each.
    """
    with make.acting("admin"):
        system()
    own, scenario, _ = red_team_helpers.planned(kind="third_party", firm="Orca Labs")
    other, other_scenario, _ = red_team_helpers.planned()
    red_team_helpers.join_as_auditor(own)
    return (own, scenario), (other, other_scenario)


@shows_condition(red_team_permissions.ATTACK, red_team_permissions.is_tester)
def test_an_auditor_attacks_in_their_own_red_team_alone(as_auditor):
    (own, scenario), (other, other_scenario) = red_teams()
    sent = {"release": "2026.11.2", "what": "An invoice.", "outcome": "held"}
    as_auditor.post(f"red-teams/{own}/attempts/new", scenario_id=str(scenario), then=303, **sent)
    page = f"red-teams/{other}/attempts/new"
    refused = as_auditor.post(page, scenario_id=str(other_scenario), then=403, **sent)
    assert "a tester of RT-2. Only its testers" in refused.text


def create_finding(owner: str, *, remedied_by: str | None = None) -> tuple[Any, Any]:
    """Create a finding of a control that failed. Return (finding, exception)."""
    _, _, exception = type2_helpers.create_failed_sample()
    with make.acting():
        held = exception_queries.exception(exception)
        found = exception_actions.raise_finding(
            held, title="T", plan="P", owner_id=make.person_id(owner), due_on=clock.today()
        ).id
    if remedied_by:
        with make.acting(remedied_by):
            exception_actions.report_fixed(
                exception_queries.finding(found)[0], "The switch is gone."
            )
    return found, exception


@shows_condition(testing_permissions.REMEDY, is_owner)
@pytest.mark.parametrize("owner", ["contributor", "compliance_officer"])
def test_a_contributor_reports_the_finding_they_own_as_fixed(as_contributor, as_officer, owner):
    found, exception = create_finding(owner)
    address = f"evidence/type-ii/findings/{found}/remedy"
    own = owner == "contributor"
    assert (address in as_contributor.get(f"evidence/type-ii/exceptions/{exception}").text) is own
    reply = as_contributor.post(address, remedy="The switch is gone.", then=303 if own else 403)
    if not own:
        assert "Only its owner" in reply.text
        as_officer.post(address, remedy="The switch is gone.")


@shows_condition(testing_permissions.RETEST, testing_permissions.is_fixer)
@pytest.mark.parametrize(
    ("owner", "fixer"), [("compliance_officer", "admin"), ("contributor", "compliance_officer")]
)
def test_another_person_than_who_owns_or_fixed_it_retests(as_officer, as_reviewer, owner, fixer):
    found, exception = create_finding(owner, remedied_by=fixer)
    tried = {"tested_on": str(clock.today()), "sample": "10", "failed": "0", "note": "Ten releases"}
    address, page = (
        f"evidence/type-ii/findings/{found}/retest",
        f"evidence/type-ii/exceptions/{exception}",
    )
    assert "another person must retest it" in as_officer.post(address, then=403, **tried).text
    assert address not in as_officer.get(page).text and address in as_reviewer.get(page).text
    as_reviewer.post(address, **tried)


@shows_condition(testing_permissions.REPLACE, testing_permissions.is_own_result)
@pytest.mark.parametrize("tester", ["auditor", "reviewer"])
def test_only_an_auditor_replaces_what_an_auditor_found(as_officer, as_auditor, tester):
    sample = type2_helpers.draw_sample(
        type2_helpers.freeze_population(type2_helpers.create_control())
    )
    type2_helpers.record_results(sample, {4}, by=tester)
    with make.acting(read_only=True):
        item = next(v.item.id for v in sample_queries.items(sample) if v.item.number == 4)
    address, again = (
        f"evidence/type-ii/items/{item}",
        {"a0": "yes", "a1": "yes", "note": "Once more."},
    )
    reply = as_officer.post(address, then=403 if tester == "auditor" else 303, **again)
    assert ("An auditor tested item 4." in reply.text) is (tester == "auditor")
    as_auditor.post(address, **again)


@shows_condition(testing_permissions.TEST, testing_permissions.is_in_window)
def test_an_auditor_tests_while_an_engagement_of_theirs_is_open(as_auditor, as_reviewer):
    """Close the pages outside the engagement, and deny every caller of the action."""
    control = type2_helpers.create_control()
    population = type2_helpers.freeze_population(control)
    draw = f"evidence/type-ii/populations/{population}/samples"
    type2_helpers.draw_sample(population, seed="in the window", by="auditor")
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    as_auditor.post(draw, then=302, seed="late")
    with make.acting("auditor"), pytest.raises(Forbidden, match="You have no open engagement"):
        require(
            testing_permissions.TEST,
            on=session().get_one(Control, (make.system_actor("acme").tenant_id, control)),
        )
    type2_helpers.draw_sample(population, seed="by the tenant", by="reviewer")


@shows_condition(testing_permissions.TEST, testing_permissions.is_in_scope)
def test_an_auditor_tests_the_controls_of_their_engagement(as_auditor, as_reviewer):
    """Answer 404 for other controls, and deny every caller of the action."""
    inside, outside = type2_helpers.create_control(), type2_helpers.create_control("SEC-08")
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    with make.acting():
        soc2 = frameworks.framework("soc2-tsc-2017").id
    engagement_helpers.map_control(inside, "CC6.1")
    engagement_helpers.create_engagement(framework_id=soc2, criteria=("CC6",), auditor="auditor")
    with make.acting("auditor") as who:
        one, other = (
            session().get_one(Control, (who.tenant_id, each)) for each in (inside, outside)
        )
        assert allowed(testing_permissions.TEST, on=one)
        with pytest.raises(Forbidden, match="isn.t in the scope of your engagement"):
            require(testing_permissions.TEST, on=other)
    with make.acting("reviewer") as who:
        assert allowed(
            testing_permissions.TEST, on=session().get_one(Control, (who.tenant_id, outside))
        )


# ---- people


@shows_condition(people.END_SESSION, people.is_own_session)
def test_a_member_ends_their_own_session_and_an_admin_anyones(as_contributor, as_officer, as_admin):
    def live(role: str) -> Any:
        with make.acting(role, read_only=True):
            return people_queries.live_sessions(make.person_id(role))[0].id

    officers, own = live("compliance_officer"), live("contributor")
    assert (
        "This session doesn&#39;t exist or has ended."
        in as_contributor.post(f"settings/sessions/{officers}/end", then=404).text
    )
    as_contributor.post(f"settings/sessions/{own}/end")
    as_admin.post(f"settings/sessions/{officers}/end")
    as_officer.get("settings/sessions", then=302)


@shows_condition(commenting.EDIT, commenting.is_writer)
@shows_condition(commenting.REMOVE, commenting.is_writer)
def test_its_writer_edits_and_removes_a_comment_and_an_admin_removes_any(
    as_contributor, as_officer, as_admin, database
):
    as_contributor.post(f"comments/control/{evidence_helpers.create_control()}", text="First")
    with make.acting("admin", read_only=True):
        comment = session().scalars(select(ObjectComment.id)).one()
    for stranger in (as_officer, as_admin):
        stranger.post(f"comments/{comment}/edit", then=403, text="Not mine")
    as_officer.post(f"comments/{comment}/remove", then=403)
    as_contributor.post(f"comments/{comment}/edit", text="Second")
    as_admin.post(f"comments/{comment}/remove")
    as_contributor.post(f"comments/control/{evidence_helpers.create_control('SEC-09')}", text="x")
    with make.acting("admin", read_only=True):
        own = session().scalars(select(ObjectComment.id).where(ObjectComment.text == "x")).one()
    as_contributor.post(f"comments/{own}/remove")


# ---- intake


@shows_condition(intake_permissions.EDIT, intake_permissions.is_proposer)
@shows_condition(intake_permissions.CLASSIFY, intake_permissions.is_own_proposal)
def test_its_proposer_changes_a_proposal_and_another_person_sets_its_classes(
    as_officer, as_reviewer, database
):
    made = intake_helpers.propose(as_officer)
    changed = {"seen": "1", **intake_helpers.form(users="Brokers")}
    classes = {"eu_class": "minimal", "risk_class": "standard", "reason": "A narrow task."}
    refused = as_reviewer.post(f"intake/{made}/edit", then=403, **changed)
    assert "Only the person who proposed PRO-1 can" in refused.text
    as_officer.post(f"intake/{made}/classes", then=403, seen="1", **classes)
    as_officer.post(f"intake/{made}/edit", **changed)
    as_reviewer.post(f"intake/{made}/classes", seen="2", **classes)
    for visitor, page, links in (
        (as_officer, "edit", True),
        (as_officer, "classes", False),
        (as_reviewer, "edit", False),
        (as_reviewer, "classes", True),
    ):
        assert (f"{made}/{page}" in visitor.get(f"intake/{made}").text) is links


def test_every_object_condition_is_tried(app):
    declared = {
        (p.name, each.name) for p in registry.values() for each in chain(*p.only.values(), p.unless)
    }
    assert declared == TRIED


# ---- the same in lists

ROLES = ("admin", "compliance_officer", "reviewer", "contributor", "viewer", "auditor")


def versions() -> None:
    for who in ("admin", "compliance_officer", "contributor"):
        evidence_helpers.upload_version(
            evidence_helpers.create_evidence(f"By {who}"),
            content=evidence_helpers.PDF + who.encode(),
            by=who,
        )
    pushed_version(by="admin")
    share_address("reviewer", with_="compliance_officer")


def owned() -> None:
    held = engagement_helpers.world_engagement()
    for n, owner in enumerate(("contributor", "compliance_officer", None)):
        evidence_helpers.create_evidence(f"Of {owner}", owner=owner)
        evidence_helpers.create_control(f"SEC-1{n}", owner=owner)
        engagement_helpers.create_request(held, f"Of {owner}", owner=owner)


LISTS = [
    (evidencing.REVIEW, EvidenceVersion, versions),
    (evidencing.UPLOAD, Evidence, owned),
    (controlling.WORK, Control, owned),
    (engaging.PROVIDE, AuditRequest, owned),
    (testing_permissions.REMEDY, Finding, lambda: create_finding("contributor")),
    (
        testing_permissions.RETEST,
        Finding,
        lambda: create_finding("compliance_officer", remedied_by="admin"),
    ),
    (testing_permissions.RETEST, Finding, lambda: create_finding("contributor")),
    (red_team_permissions.ATTACK, RedTeam, red_teams),
]


@pytest.mark.parametrize(("needs", "model", "fill"), LISTS)
def test_a_list_shows_exactly_what_the_condition_allows(app, isolated, needs, model, fill):
    fill()
    seen = set()
    for role in ROLES:
        with make.acting(role, read_only=True) as who:
            rows = session().scalars(select(model)).all()
            listed = set(session().scalars(select(model.id).where(matching(needs, model))))
            assert rows and listed == {row.id for row in rows if allowed(needs, on=row)}, role
            seen.add(len(listed))
            if not needs.only and allowed(needs):
                me = bindparam("me", who.person_id, Uuid)
                assert listed == set(
                    session().scalars(select(model.id).where(not_excluded(needs, model, me)))
                ), role
    assert len(seen) > 1  # Otherwise it would prove nothing.
    with make.acting("admin", "globex", read_only=True):
        assert session().scalars(select(model.id).where(matching(needs, model))).all() == []


def test_the_inbox_counts_exactly_the_rows_of_a_review_that_one_may_decide_on(app, isolated):
    for who in ("admin", "compliance_officer"):
        with make.acting(who):
            keys.create(f"of {who}", ["evidence:write"])
    share_address("reviewer", with_="admin")
    review_id = start_review()
    for role in ROLES:
        with make.acting(role, read_only=True):
            rows = review_queries.reviewed_access(review_id)
            query = select(AccessReviewItem.id).where(matching(reviewing.DECIDE, AccessReviewItem))
            assert set(session().scalars(query)) == {
                row.item.id for row in rows if allowed(reviewing.DECIDE, on=row)
            }, role
