"""Panels next to the matrix: the engagement, evidence awaiting review, running work, key sample."""

import re
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import update

from governance.assurance.controls import mapping_actions
from governance.assurance.engagements import actions as engaging
from governance.assurance.engagements import queries as engagements
from governance.assurance.engagements.models import Engagement
from governance.assurance.engagements.packages import actions as packages
from governance.assurance.engagements.requests import actions as requesting
from governance.assurance.frameworks import queries as frameworks
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work.jobs import WorkItem
from governance.publishing.reports.models import ReportRun
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.assurance.testing import type2_helpers
from tests.conftest import visitor

PAGE = "evidence/type-ii"
SOC2 = "soc2-tsc-2017"


def open_engagement(firm="Halden & Co", framework=SOC2, begins=-10, criteria=()):
    """Open another engagement, over the twelve months that end now."""
    today = clock.today()
    with make.acting():
        return engaging.open_engagement(
            firm,
            framework_id=frameworks.framework(framework).id if framework else None,
            criteria=criteria,
            period_from=today - timedelta(days=330),
            period_to=today,
            fieldwork_from=today + timedelta(days=begins),
            fieldwork_to=today + timedelta(days=begins + 20),
        ).id


@contextmanager
def world_engagement_ended():
    """End the engagement that gives the test's auditor access."""
    with make.acting():
        session().execute(
            update(Engagement)
            .where(Engagement.firm == make.FIRM)
            .values(ended_at=clock.now() - timedelta(days=1))
        )
    yield


def create_mapped_control(ref, *wanted):
    control_id = type2_helpers.create_control(ref, "monthly")
    with make.acting():
        for requirement in wanted:
            mapping_actions.map_to(
                controls_of(control_id), frameworks.requirement(SOC2, requirement).id, "full"
            )
    return control_id


def controls_of(control_id):
    from governance.assurance.controls.queries import find_control

    return find_control(control_id)


def tabs(page):
    shown = re.search(r'<nav class="c-tabs".*?</nav>', page.text, re.DOTALL)[0]
    return " ".join(re.sub(r"<[^>]+>", " ", shown).split())


def panel(page, name):
    found = re.search(rf'<section[^>]*aria-labelledby="{name}".*?</section>', page.text, re.DOTALL)[
        0
    ]
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


# ---- the engagement


def test_the_line_over_the_headline_names_the_engagement_that_is_open(as_officer, isolated):
    with world_engagement_ended():
        open_engagement("Later & Co", begins=40)
        held = open_engagement()
    create_mapped_control("SEC-01", "CC6.1")
    page = as_officer.get(PAGE)
    assert (
        "SOC 2 Type II · Halden &amp; Co · period " in page.text and "fieldwork until" in page.text
    )
    assert (
        f"engagements/{held}/packages" in page.text
        and "Generate package" in page.text
        and "Upload" in page.text
    )


def test_without_an_open_one_it_names_the_next_and_without_any_none(as_officer, isolated):
    with world_engagement_ended():
        pass
    create_mapped_control("SEC-01", "CC6.1")
    page = as_officer.get(PAGE)
    assert "Type II · period" in page.text and "Generate package" not in page.text
    open_engagement("Later & Co", begins=40)
    page = as_officer.get(PAGE)
    assert "Later &amp; Co" in page.text and "fieldwork from" in page.text


def test_the_matrix_shows_its_framework_until_the_filter_is_taken_away(as_officer, isolated):
    with world_engagement_ended():
        open_engagement()
    create_mapped_control("SEC-01", "CC6.1")
    type2_helpers.create_control("SEC-02", "monthly")
    page = as_officer.get(PAGE)
    assert (
        "cell=SEC-01" in page.text
        and "cell=SEC-02" not in page.text
        and "Framework: <b>SOC 2" in page.text
    )
    assert "cell=SEC-02" in as_officer.get(f"{PAGE}?framework=all").text
    assert (
        b"SEC-02" not in as_officer.get(f"{PAGE}.csv").data
        and b"SEC-02" in as_officer.get(f"{PAGE}.csv?framework=all").data
    )
    assert "framework=all" in as_officer.get(f"{PAGE}?q=nothing-like-it").text


def test_who_does_not_see_engagements_is_told_of_none(as_viewer, isolated):
    with world_engagement_ended():
        open_engagement()
    type2_helpers.create_control("SEC-02", "monthly")
    page = as_viewer.get(PAGE)
    assert (
        "Halden" not in page.text
        and "Generate package" not in page.text
        and "Upload" not in page.text
    )
    assert "cell=SEC-02" in page.text and "Requests" not in tabs(page)


# ---- the tabs


def test_the_tabs_count_what_there_is_on_every_page_of_evidence(as_officer, as_neighbour, isolated):
    control = type2_helpers.create_control("SEC-04", "monthly")
    evidence_helpers.upload_version(evidence_helpers.create_evidence(supports=[control]))
    with make.acting():
        held = engagements.engagements()[0]
        requesting.add_request(held, title="Restore tests", criteria=[], due_on=None)
    for path in (PAGE, "evidence/", "evidence/inbox", "engagements/", "evidence/collectors/"):
        said = tabs(as_officer.get(path))
        assert said == "Inbox 1 Library 1 Type II 1 control Requests 1 open Collectors 9", path
    assert "Inbox 0 Library 0 Type II 0 controls Requests 0 open" in tabs(
        as_neighbour.get(f"/t/globex/{PAGE}")
    )


def test_an_auditor_counts_and_reads_only_their_scope(as_auditor, isolated):
    inside, outside = (
        create_mapped_control("SEC-01", "CC6.1"),
        create_mapped_control("SEC-02", "CC8.1"),
    )
    evidence_helpers.upload_version(evidence_helpers.create_evidence("Inside", supports=[inside]))
    evidence_helpers.upload_version(evidence_helpers.create_evidence("Outside", supports=[outside]))
    type2_helpers.draw_sample(type2_helpers.freeze_population(outside))
    with make.acting():
        held = engagements.engagements()[0]
        held.framework_id, held.criteria = frameworks.framework(SOC2).id, ["CC6.1"]
    page = as_auditor.get(PAGE)
    assert tabs(page).startswith("Inbox 1 Library 1 Type II 1 control")
    assert (
        "Inside" in panel(page, "inbox")
        and "Outside" not in page.text
        and "SEC-02" not in page.text
    )
    assert "Review one by one" not in page.text, "an auditor reviews nothing"


# ---- the inbox


def test_the_inbox_stands_under_the_matrix_with_the_oldest_first(as_officer, isolated):
    control = type2_helpers.create_control("SEC-04", "monthly")
    with clock.frozen(clock.now() - timedelta(days=6)):
        first = evidence_helpers.upload_version(
            evidence_helpers.create_evidence("Restore drill", supports=[control])
        )
    for n in range(8):
        evidence_helpers.upload_version(
            evidence_helpers.create_evidence(f"Report {n}", supports=[control])
        )
    page = as_officer.get(PAGE)
    said = panel(page, "inbox")
    assert "9 versions await review, the oldest for 6 days" in said and "View all 9" in said
    assert (
        said.index("Restore drill") < said.index("Report 0")
        and "Report 6" not in said
        and "SEC-04" in said
    )
    assert f"evidence/versions/{first}/review" in page.text and "Review one by one" in said


def test_nobody_is_offered_to_review_what_they_brought_in(app, isolated):
    version = evidence_helpers.upload_version(
        evidence_helpers.create_evidence(
            supports=[type2_helpers.create_control("SEC-04", "monthly")]
        ),
        by="compliance_officer",
    )
    page = visitor(app, "compliance_officer").get(PAGE)
    assert f"versions/{version}/review" not in page.text and "your upload" in panel(page, "inbox")
    assert f"versions/{version}/review" in visitor(app, "reviewer").get(PAGE).text


# ---- running now


def queue_work(kind="evidence package"):
    item = WorkItem(
        kind=kind,
        target_id=None,
        params={},
        state="running",
        step="file 212 of 340, hashing",
        done=212,
        total=340,
    )
    session().add(item)
    session().flush()
    return item


def test_packages_and_reports_that_are_being_made_stand_with_their_progress(
    as_officer, as_auditor, isolated
):
    type2_helpers.create_control("SEC-04", "monthly")
    with make.acting():
        packages.request_package(engagements.engagements()[0])
        run = ReportRun(
            kind="type2",
            title="Type II report",
            work_item_id=queue_work("report").id,
            as_of=clock.now(),
            parameters={},
        )
        session().add(run)
        session().add(queue_work("log export") and run)
    page = as_officer.get(PAGE)
    said = panel(page, "running")
    assert (
        "Evidence package, Halden &amp; Co" in said
        and "Type II report" in said
        and "file 212 of 340, hashing" in said
    )
    assert page.text.count("data-progress=") == 2, "only packages and reports"
    seen = panel(as_auditor.get(PAGE), "running")
    assert "Evidence package" in seen and "Type II report" not in seen, "reports are the tenant's"


def test_when_nothing_runs_it_says_what_would(as_viewer, isolated):
    type2_helpers.create_control("SEC-04", "monthly")
    assert "Nothing is running. Packages and reports" in panel(as_viewer.get(PAGE), "running")


def test_the_newest_sample_with_a_failure_stands_with_its_exception(as_officer, isolated):
    _, sample, exception = type2_helpers.create_failed_sample()
    later = type2_helpers.draw_sample(
        type2_helpers.freeze_population(type2_helpers.create_control("SEC-08")), seed="1"
    )
    type2_helpers.record_results(later)
    page = as_officer.get(PAGE)
    said = panel(page, "running")
    assert (
        "Sample SEC-07: 1 of 25 failed" in said
        and "seed 4417 90ce" in said
        and "Population of 61" in said
    )
    assert "Item 17 failed: Release without sign-off. EXC-01" in said
    assert f"samples/{sample}" in page.text and f"exceptions/{exception}" in page.text
    assert "25 items: 24 passed, 1 failed (17)" in page.text


@pytest.mark.parametrize("role", ["compliance_officer", "auditor"])
def test_all_of_it_is_read_in_a_fixed_number_of_statements(app, role, statements):
    who = visitor(app, role)
    type2_helpers.create_failed_sample()
    evidence_helpers.upload_version(
        evidence_helpers.create_evidence(
            supports=[type2_helpers.create_control("SEC-04", "monthly")]
        )
    )
    who.get(PAGE)
    with statements() as few:
        who.get(PAGE)
    for n in range(10):
        evidence_helpers.upload_version(
            evidence_helpers.create_evidence(
                f"Report {n}", supports=[type2_helpers.create_control(f"MON-{n:02}", "monthly")]
            )
        )
    with statements() as many:
        who.get(PAGE)
    assert len(many) == len(few), "\n".join(many)
