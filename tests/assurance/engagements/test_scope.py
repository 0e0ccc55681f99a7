"""An auditor of some SOC 2 criteria sees only those, their controls and what depends on them.

Evidence has its own tests. Every address of the application is requested; those that stay open to
the auditor are on a list, with the reason.
"""

import io
import re
import zipfile
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from governance.app import schedule
from governance.assurance.assessments import (
    assessment_actions,
    assessment_queries,
    conclusion_actions,
)
from governance.assurance.collectors import actions as collecting
from governance.assurance.controls import control_test_actions
from governance.assurance.controls.queries import find_control
from governance.assurance.engagements import queries
from governance.assurance.frameworks import actions as adopting
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.jobs import actor_of
from governance.foundation.populations.collector import every_collector
from governance.foundation.populations.periods import previous_period
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from governance.publishing.reports import actions as reporting
from governance.publishing.reports import queries as reports
from governance.publishing.reports.type2 import snapshot as type2
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.evidence import evidence_helpers
from tests.conftest import visitor
from tests.route_helpers import call_route, objects_in, route_methods  # noqa: F401 - the fixture

assert schedule.HANDLERS  # Loading the schedule lets collectors run.
SOC2, RMF = "soc2-tsc-2017", "nist-ai-rmf-1.0"
OUTSIDE = re.compile(r"ZZ-\d\d|[Yy]onder|OPS-08|MEASURE.2\.7")


def create_control(ref, title, *answers):
    made = evidence_helpers.create_control(ref, title)
    for key, name in answers:
        engagement_helpers.map_control(made, name, key=key)
    return made


def create_assessment(key, title, said):
    """Start an assessment, with a conclusion on each of these refs."""
    today = clock.today()
    with make.acting("compliance_officer"):
        held = assessment_actions.start_assessment(
            frameworks.framework(key).id,
            title=title,
            period_from=today - timedelta(days=300),
            period_to=today,
        ).id
    with make.acting("compliance_officer"):
        rows = {each.ref: each.row.id for each in assessment_queries.items(held)}
        for ref, text in said.items():
            conclusion_actions.conclude(
                assessment_queries.item(rows[ref], lock=True), level=1, rationale=text, revision=0
            )
    return held


def freeze_matrix(*refs):
    """Freeze a Type II matrix with these controls."""
    today = clock.today()
    with make.acting("compliance_officer"):
        run = reporting.request_matrix(since=today - timedelta(days=90), until=today)
        said = {
            "controls": [{"ref": ref} for ref in refs],
            "document": {"number": f"ACME-{refs[-1]}", "version": "1.0"},
        }
        reporting.freeze(run, said, "f" * 64)
        run.title = f"Matrix of {refs[-1]}"
        run.parameters = run.parameters | {
            "of": list(refs)
        }  # Otherwise the next of these months is the current one.
        return run.id


def run_collector(key):
    with make.acting("compliance_officer"):
        found = every_collector()[key]
        run = collecting.request_run(found, previous_period(found.schedule, clock.today()))
        made = run.id, run.work_item_id
    jobs.drain(actor_of)
    return made


@pytest.fixture
def inside_and_outside(database):
    """Create everything twice in Acme: inside the criteria CC6 of SOC 2, and outside them."""
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    with make.acting("compliance_officer"):
        adopting.adopt_framework(SOC2)
        adopting.adopt_framework(RMF)
    inside = create_control("ACC-01", "Members and roles", (SOC2, "CC6.1"), (RMF, "MEASURE 2.7"))
    criterion = create_control("ZZ-01", "Yonder the criteria", (SOC2, "A1.2"))
    drills = create_control("OPS-08", "Yonder drills", (RMF, "MEASURE 2.7"))
    file = evidence_helpers.upload_version(
        evidence_helpers.create_evidence("List of members", supports=[inside]),
        b"a,b\n1,2\n",
        "members.csv",
    )
    evidence_helpers.upload_version(
        evidence_helpers.create_evidence("Minutes", supports=[criterion, drills])
    )
    with make.acting("compliance_officer"):
        control_test_actions.record_test(
            find_control(criterion, lock=True),
            tested_on=clock.today(),
            sample=9,
            failed=1,
            finding="Yonder finding",
        )
    soc2 = create_assessment(
        SOC2, "Criteria of the year", {"CC6.1": "Inside it holds", "A1.2": "Yonder it does not"}
    )
    rmf = create_assessment(RMF, "Yonder assessment", {"MEASURE 2.7": "Yonder too"})
    closed = create_assessment(
        SOC2, "Criteria before", {"CC6.1": "Inside it held", "A1.2": "Yonder it did not"}
    )
    with make.acting("compliance_officer"):
        assessment_actions.close_assessment(
            assessment_queries.assessment(closed, lock=True), accept_open=True
        )
    member, drill = run_collector("members"), run_collector("switch-drills")
    ours, theirs = freeze_matrix("ACC-01"), freeze_matrix("ACC-01", "ZZ-01")
    with make.acting("compliance_officer"):
        today = clock.today()
        readiness = reporting.request_readiness(until=today, categories=["security"]).id
        risks = reporting.request_ai_rmf(assessment_queries.assessment(rmf)).id
        policy = reporting.request_attestation(until=today).id
        for run_id, title in (
            (readiness, "Yonder readiness"),
            (risks, "Yonder compliance"),
            (policy, "Yonder attestation"),
        ):
            reports.run(run_id).row.title = title
        work = {run: reports.run(run).row.work_item_id for run in (ours, theirs, readiness)}
        by_ref = {each.ref: each.row.id for each in assessment_queries.items(soc2)}
    engagement = engagement_helpers.create_engagement(
        auditor="auditor", framework_id=_id(SOC2), criteria=["CC6"]
    )
    return SimpleNamespace(
        inside=inside,
        criterion=criterion,
        drills=drills,
        soc2=soc2,
        rmf=rmf,
        closed=closed,
        ours=ours,
        theirs=theirs,
        risks=risks,
        policy=policy,
        readiness=readiness,
        work=work,
        engagement=engagement,
        file=file,
        items=by_ref,
        member=member,
        drill=drill,
    )


def _id(key):
    with make.acting("compliance_officer"):
        return frameworks.framework(key).id


def lists_of_inside(house):
    """Return every page and file that lists or describes what is inside."""
    return [
        "controls/",
        "controls/?framework=soc2-tsc-2017",
        "controls/export.csv",
        f"controls/{house.inside}",
        "frameworks/",
        f"frameworks/{SOC2}",
        f"frameworks/{SOC2}?sel=CC6.1",
        f"frameworks/{SOC2}/requirements",
        f"frameworks/{SOC2}/requirements.csv",
        f"frameworks/{SOC2}/CC6.1",
        f"frameworks/{SOC2}/versions",
        f"frameworks/{SOC2}/crosswalk",
        "assessments/",
        f"assessments/{house.soc2}",
        f"assessments/{house.closed}",
        "evidence/collectors/",
        "evidence/collectors/members",
        "reports/",
        f"reports/{house.ours}",
        "evidence/type-ii",
        "engagements/",
        f"engagements/{house.engagement}",
        "jump?q=e",
        "jump?q=yonder",
        "jump?q=measure",
    ]


def addresses_outside(house):
    """Return the addresses of what is outside."""
    kept = [f"controls/{house.criterion}", f"controls/{house.drills}"]
    of = [
        f"frameworks/{RMF}{tail}"
        for tail in (
            "",
            "/requirements",
            "/requirements.csv",
            "/requirements.xlsx",
            "/crosswalk",
            "/versions",
            "/MEASURE-2.7",
            "/MEASURE",
        )
    ]
    judged = [
        f"frameworks/{SOC2}/A1.2",
        f"assessments/{house.rmf}",
        f"assessments/{house.rmf}/frozen.json",
        f"assessments/{house.closed}/frozen.json",
    ]
    made = [f"reports/{run}" for run in (house.theirs, house.risks, house.policy, house.readiness)]
    watched = [
        f"work/{house.work[house.theirs]}",
        f"work/{house.work[house.readiness]}/events",
        f"work/{house.drill[1]}",
    ]
    return [*kept, *of, *judged, *made, *watched, "evidence/collectors/switch-drills"]


def test_what_is_outside_is_not_there(app, inside_and_outside):
    auditor_browser, officer = visitor(app, "auditor"), visitor(app, "compliance_officer")
    for path in addresses_outside(inside_and_outside):
        auditor_browser.get(path, then=404)
        if "frozen" not in path and not path.endswith("/MEASURE"):
            officer.get(path)
    for run in (
        inside_and_outside.theirs,
        inside_and_outside.risks,
        inside_and_outside.policy,
        inside_and_outside.readiness,
    ):
        for what in ("pdf", "signature"):
            auditor_browser.post(f"reports/{run}/{what}", then=404)
    auditor_browser.get(f"work/{inside_and_outside.work[inside_and_outside.ours]}")
    auditor_browser.get(f"work/{inside_and_outside.member[1]}")


def test_no_list_and_no_file_tells_of_what_is_outside(app, inside_and_outside):
    auditor_browser, officer = visitor(app, "auditor"), visitor(app, "compliance_officer")
    told = {}
    for path in lists_of_inside(inside_and_outside):
        text = auditor_browser.get(path).get_data(as_text=True)
        if path in {
            f"controls/{inside_and_outside.inside}",
            f"frameworks/{SOC2}/CC6.1",
        }:  # The history is part of the log, which auditors read completely.
            text, cut = re.subn(r">History</h2>.*?</section>", ">", text, flags=re.DOTALL)
            assert cut == 1
        told[path] = sorted(set(OUTSIDE.findall(text)))
    assert {path: found for path, found in told.items() if found} == {}
    everything = "".join(
        officer.get(path).get_data(as_text=True) for path in lists_of_inside(inside_and_outside)
    )
    assert {"ZZ-01", "OPS-08", "Yonder", "MEASURE 2.7"} <= set(OUTSIDE.findall(everything))


def test_the_workbooks_hold_what_is_inside_alone(app, inside_and_outside):
    auditor_browser = visitor(app, "auditor")
    for path in ("controls/export.xlsx", f"frameworks/{SOC2}/requirements.xlsx"):
        with zipfile.ZipFile(io.BytesIO(auditor_browser.get(path).data)) as book:
            text = " ".join(book.read(name).decode() for name in book.namelist())
        assert (
            "ACC-01" in text and "CC6.1" in text and not OUTSIDE.search(text) and "A1.2" not in text
        )


def test_what_is_inside_is_shown_as_members_see_it(app, inside_and_outside):
    auditor_browser = visitor(app, "auditor")
    said = auditor_browser.get(f"frameworks/{SOC2}/CC6.1").text
    assert "ACC-01" in said and "Inside it holds" in said and "List of members" in said
    assert (
        "Inside it held" not in auditor_browser.get(f"assessments/{inside_and_outside.soc2}").text
    )
    assert "1 of 8" in auditor_browser.get("assessments/").text  # The criteria CC6.1 to CC6.8.
    assert (
        "0 of 8 conclusions signed off"
        in auditor_browser.get(f"assessments/{inside_and_outside.soc2}").text
    )
    assert "Matrix of ACC-01" in auditor_browser.get("reports/").text
    assert "CC6.1" in auditor_browser.get(f"controls/{inside_and_outside.inside}").text
    found = auditor_browser.get("jump?q=access protection").json
    assert [each["href"] for each in found] == [f"/t/acme/frameworks/{SOC2}/CC6.1"]


def test_counts_are_those_of_the_scope(app, inside_and_outside):
    auditor_browser = visitor(app, "auditor")
    assert "of 1 control" in auditor_browser.get("controls/").text
    assert "of 8 requirements" in auditor_browser.get(f"frameworks/{SOC2}").text
    assert auditor_browser.get(f"frameworks/{SOC2}/requirements.csv").text.count("\r\n") == 1 + 8


def test_the_lists_say_so_when_nothing_maps_to_the_auditors_criteria(
    app, inside_and_outside, acting
):
    with acting("compliance_officer"):
        held = queries.engagement(inside_and_outside.engagement, lock=True)
        held.framework_id, held.criteria = frameworks.framework("owasp-llm-2025").id, []
    auditor_browser = visitor(app, "auditor")
    assert (
        "No controls are in the scope of your engagement" in auditor_browser.get("controls/").text
    )
    assert "No assessments of your framework yet" in auditor_browser.get("assessments/").text
    assert "No report covers your engagement yet" in auditor_browser.get("reports/").text
    assert (
        "No collector supports a control in the scope of your engagement"
        in auditor_browser.get("evidence/collectors/").text
    )


def test_auditors_start_at_their_engagements_because_the_overview_counts_everything(
    app, inside_and_outside
):
    auditor_browser = visitor(app, "auditor")
    assert auditor_browser.get("", then=302).location.endswith("/t/acme/engagements/")
    page = auditor_browser.get("engagements/").text
    assert (
        "Overview" not in page
        and 'href="/t/acme/inbox/"' in page
        and 'href="/t/acme/controls/"' in page
    )
    assert (
        "Overview"
        not in auditor_browser.get(f"controls/{inside_and_outside.criterion}", then=404).text
    )


def test_several_engagements_add_up(app, inside_and_outside):
    engagement_helpers.create_engagement(
        "Second firm", auditor="auditor", framework_id=_id(SOC2), criteria=["A1"]
    )
    auditor_browser = visitor(app, "auditor")
    for path in (
        f"controls/{inside_and_outside.criterion}",
        f"controls/{inside_and_outside.inside}",
        f"frameworks/{SOC2}/A1.2",
        f"reports/{inside_and_outside.theirs}",
    ):
        auditor_browser.get(path)
    for path in (
        f"controls/{inside_and_outside.drills}",
        f"frameworks/{RMF}",
        f"assessments/{inside_and_outside.rmf}",
        f"reports/{inside_and_outside.risks}",
    ):
        auditor_browser.get(path, then=404)
    engagement_helpers.create_engagement("Third firm", auditor="auditor", framework_id=_id(RMF))
    for path in (
        f"controls/{inside_and_outside.drills}",
        f"frameworks/{RMF}",
        f"assessments/{inside_and_outside.rmf}",
        f"reports/{inside_and_outside.risks}",
    ):
        auditor_browser.get(path)
    auditor_browser.get(f"reports/{inside_and_outside.policy}", then=404)


def test_a_whole_framework_brings_its_reports_and_what_was_frozen(app, inside_and_outside):
    engagement_helpers.create_engagement("Second firm", auditor="auditor", framework_id=_id(SOC2))
    auditor_browser = visitor(app, "auditor")
    auditor_browser.get(f"reports/{inside_and_outside.readiness}")
    auditor_browser.get(f"assessments/{inside_and_outside.closed}/frozen.json")
    assert (
        "Download frozen results"
        in auditor_browser.get(f"assessments/{inside_and_outside.closed}").text
    )


def test_an_auditor_reads_a_matrix_of_their_own_framework_only(app, inside_and_outside, acting):
    engagement_helpers.create_engagement(auditor="auditor", framework_id=_id(SOC2))
    with acting("compliance_officer"):
        today = clock.today()
        asked = {
            each: reporting.request_matrix(since=today, until=today, framework=each)
            for each in (SOC2, RMF, None)
        }
        for each, run in asked.items():
            reporting.freeze(
                run,
                type2.snapshot(today.replace(day=1), today, each)
                | {"document": {"number": str(each), "version": "1.0"}},
                "f" * 64,
            )
        told = {
            each: {row["ref"] for row in run.snapshot["controls"]} for each, run in asked.items()
        }
        runs = {each: run.id for each, run in asked.items()}
    assert told == {
        SOC2: {"ACC-01", "ZZ-01"},
        RMF: {"ACC-01", "OPS-08"},
        None: {"ACC-01", "ZZ-01", "OPS-08"},
    }
    auditor_browser = visitor(app, "auditor")
    auditor_browser.get(f"reports/{runs[SOC2]}")
    for other in (RMF, None):
        auditor_browser.get(f"reports/{runs[other]}", then=404)


def test_reports_outside_the_period_are_hidden_from_the_auditor(app, inside_and_outside, acting):
    with acting("compliance_officer"):
        held = queries.engagement(inside_and_outside.engagement, lock=True)
        held.period_from, held.period_to = (
            clock.today() + timedelta(days=100),
            clock.today() + timedelta(days=200),
        )
    visitor(app, "auditor").get(f"reports/{inside_and_outside.ours}", then=404)


def test_an_engagement_over_everything_shows_everything(app, inside_and_outside):
    engagement_helpers.create_engagement("Second firm", auditor="auditor")
    auditor_browser = visitor(app, "auditor")
    for path in ["", *addresses_outside(inside_and_outside)]:
        if "frozen" not in path and not path.endswith("/MEASURE"):
            auditor_browser.get(path)


def test_when_the_window_closes_every_door_is_shut(app, inside_and_outside, acting):
    auditor_browser = visitor(app, "auditor")
    auditor_browser.get("controls/")
    with acting("admin"):
        closes = queries.engagement(inside_and_outside.engagement).closes_at
    with clock.frozen(closes):
        again = visitor(app, "auditor")
        assert (
            "Your access ended" in again.get(f"controls/{inside_and_outside.inside}", then=403).text
        )
        again.get("reports/", then=302)


def test_what_an_auditor_views_and_downloads_is_in_the_tenants_log(app, inside_and_outside, acting):
    auditor_browser = visitor(app, "auditor")
    auditor_browser.get(f"controls/{inside_and_outside.inside}")
    auditor_browser.get(f"controls/{inside_and_outside.criterion}", then=404)
    auditor_browser.post(f"evidence/versions/{inside_and_outside.file}/download", then=200)
    with acting("admin"):
        taken = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "engagement.file.downloaded"))
            .one()
        )
        assert (taken.facts["object"], taken.facts["size"]) == (
            str(inside_and_outside.file),
            len(b"a,b\n1,2\n"),
        )
        entries = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "tenant.page.viewed"))
            .all()
        )
        seen = [(e.facts["page"], e.facts["object"]) for e in entries]
    assert seen == [("controls.control", str(inside_and_outside.inside))]


def test_the_log_is_read_whole_and_links_to_pages_in_scope_only(app, inside_and_outside, acting):
    with acting("admin"):
        made = select(AuditEntry).where(AuditEntry.action == "control.created")
        entries = {e.target_id: e.id for e in session().scalars(made)}
    auditor_browser, officer = visitor(app, "auditor"), visitor(app, "compliance_officer")
    for control, there in ((inside_and_outside.inside, True), (inside_and_outside.drills, False)):
        path, link = f"audit/entries/{entries[control]}", f'href="/t/acme/controls/{control}"'
        assert link in officer.get(path).text
        assert (link in auditor_browser.get(path).text) is there


# ---- every address

STAYS = {
    "logbook": "the log is read whole, under pseudonyms: a log that is cut proves nothing",
    "log_exports": "the same, as a file",
    "anchors": "who else keeps the log's checkpoints",
    "policies": "the rules over everything that is governed here; they belong to no framework",
    "systems": "the register that the rules are about",
    "waivers": "where those rules allow less, and until when",
    "switches": "what is stopped, by the same rules",
    "drills": "whether stopping works",
    "intake": "which systems are proposed for the register",
    "explanations": "what anyone may know about a system of the register",
    "change_log": "what customers are told about the systems of the register",
    "rollouts": "how releases of the systems of the register reach people",
    "datasets": "what the systems of the register are made from",
    "evaluations": "how well the systems of the register do, in figures",
    "evaluation_requests": "which runs a person asked for",
    "red_teams.of_system": "the same; it lists the red teams of the auditor's own engagements alone",
    "evaluation_findings.of_system": "the same; it lists the findings of the auditor's controls alone",
}


def _stays(route) -> set[str]:
    """Return the entries of STAYS for a route: those of its feature, or its own."""
    return {route.rule.endpoint.split(".")[0], route.rule.endpoint} & STAYS.keys()


def test_no_address_leads_an_auditor_outside_the_scope(app, inside_and_outside, acme_ids):  # noqa: F811
    """Request one object of every kind that the application knows.

    None is about the auditor's criteria.
    """
    auditor_browser = visitor(app, "auditor")
    auditor_routes = [
        each
        for each in route_methods(app, "tenant")
        if objects_in(each) and "auditor" in each.needs.roles
    ]
    walked = [each for each in auditor_routes if not _stays(each)]
    answers = {
        str(each): (
            call_route(auditor_browser, each, each.address(app, "acme", acme_ids)).status_code
        )
        for each in walked
    }
    assert len(answers) > 20
    assert {where: status for where, status in answers.items() if status != 404} == {}
    assert STAYS.keys() == set().union(*map(_stays, auditor_routes)), "a reason for nothing"
