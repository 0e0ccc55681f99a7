"""The report of a red team as a signed PDF: generated in the background, verified, downloaded."""

import io
import json
import zipfile
from datetime import timedelta
from uuid import UUID

import pdfplumber
import pikepdf
import pytest

from governance.assurance.red_teams import actions, coverage, evidence_actions
from governance.assurance.red_teams import queries as red_teams
from governance.foundation.audit import queries as audit
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.work import jobs
from governance.publishing.red_team_reports import queries
from governance.publishing.reports import queries as reports
from governance.publishing.reports.signatures import signing
from tests import make
from tests.assurance.evidence.evidence_helpers import create_evidence, upload_version
from tests.assurance.frameworks.framework_files import main_text
from tests.assurance.red_teams.red_team_helpers import (
    FIXED,
    NOW,
    OLD,
    VECTOR,
    attempted,
    join_as_auditor,
    pin,
    planned,
    reported,
    runs,
    step,
)
from tests.operations.evaluations.evaluation_helpers import published_suite, system


@pytest.fixture(autouse=True)
def _system(app, isolated):
    with clock.frozen(NOW - timedelta(days=30)), make.acting("admin"):
        published_suite()
        system()
    with clock.frozen(NOW):
        yield


def generated(visitor, team):
    """Return the id of the file that the page generates."""
    visitor.post(f"red-teams/{team}/reports/", then=303)
    jobs.drain(actor_of)
    return file_ids(team)[0]


def file_ids(team):
    with make.acting("compliance_officer", read_only=True):
        return [each.row.id for each in queries.files_of(team)]


def downloaded(visitor, file_id):
    """Return the PDF, its signature, its text and its data."""
    reply = visitor.post(f"red-team-files/{file_id}/download", then=200)
    archive = zipfile.ZipFile(io.BytesIO(reply.data))
    name, signature = archive.namelist()
    assert signature == f"{name}.sig"
    content = archive.read(name)
    with pikepdf.open(io.BytesIO(content)) as document:
        data = json.loads(document.attachments["snapshot.json"].get_file().read_bytes())
    with pdfplumber.open(io.BytesIO(content)) as printed:
        text = " ".join(" ".join(page.extract_text() or "" for page in printed.pages).split())
    return name, archive.read(signature).decode(), text, data


def closed_red_team():
    """Return the id of a finished red team.

    Two runs closed its one finding, and one scenario was never tried.
    """
    team, scenario, _never = planned()
    found = reported(team, attempted(team, scenario))
    step(found, "confirm")
    runs()
    pin(found)
    step(found, "fix", by="contributor", release=FIXED)
    version_id = upload_version(create_evidence("Recording of the attack"))
    with make.acting("contributor"):
        evidence_actions.link(red_teams.finding(found), version_id)
    step(found, "close")
    with make.acting("compliance_officer"):
        row = red_teams.red_team(team)
        run, _, measure = coverage.run_choices(row.system_id)[0][0].partition(" ")
        actions.link_run(row, red_teams.scenario(team, scenario), run_id=UUID(run), measure=measure)
        actions.finish(row, summary="An invoice approved itself; the fix is proved.")
    return team


def test_the_report_of_a_finished_red_team_says_what_was_tried_and_what_closed_each_finding(
    as_officer, database
):
    team = closed_red_team()
    page = as_officer.get(f"red-teams/{team}").text
    assert f"red-teams/{team}/reports/" in page
    name, note, text, data = downloaded(as_officer, generated(as_officer, team))
    assert name == f"RT-1-claims-triage-{NOW:%Y-%m-%d}.pdf"
    with make.acting("compliance_officer", read_only=True):
        key = reports.signing_key()
        assert signing.open_note(note, signing.VerifierKey(key.name, key.public)).filename == name
    assert (
        "no finding is open; one scenario was never tried" in text
        and "Draft" not in text
        and "draft" not in text
    )
    assert "An invoice approved itself; the fix is proved." in text
    assert f"Release attacked {OLD}" in text and "Internal" in text
    assert "23 November 2026 to 30 November 2026" in text.replace("\xa0", " ")
    assert "One of two scenarios was never tried" in text and "□ AML.T0051.001" in text
    assert VECTOR in text and "7.1 High" in text and "Upload the invoice of case 9." in text
    assert f"Release {OLD} ● Fails, as it has to: run 1" in text
    assert f"Release {FIXED} ● Passes, as it has to: run 2" in text
    assert [each["attempts"] > 0 for each in data["scenarios"]] == [False, True]
    (finding,) = data["findings"]
    assert [(each["number"], each["case"]) for each in finding["runs"]] == [
        (1, "Fails"),
        (2, "Passes"),
    ]
    (shown,) = finding["evidence"]
    assert f"{shown['ref']} version 1, Recording of the attack" in text
    assert f"SHA-256 {shown['sha256'][:8]}" in text and shown["is_usable"]
    assert len(data["runs"]) == 1 and data["coverage"][0]["attempts"] == 11
    assert "Draft" not in main_text(as_officer.get(f"red-teams/{team}/reports/"))


def test_the_report_of_an_open_red_team_is_named_as_a_draft(as_officer, database):
    team, scenario, _never = planned()
    reported(team, attempted(team, scenario))
    name, _note, text, data = downloaded(as_officer, generated(as_officer, team))
    assert name == f"RT-1-claims-triage-draft-{NOW:%Y-%m-%d}.pdf" and data["is_draft"]
    assert "This is a draft." in text and "one finding is open" in text
    assert "none is pinned" in text and "Pin a regression case first." in text
    assert "Draft" in main_text(as_officer.get(f"red-teams/{team}/reports/"))


def test_the_report_of_a_third_party_names_its_firm_and_says_when_nothing_was_found(
    as_officer, database
):
    team, scenario, other = planned(kind="third_party", firm="Brook Security")
    attempted(team, scenario, "held")
    attempted(team, other, "unclear")
    text = downloaded(as_officer, generated(as_officer, team))[2]
    assert "Third party: Brook Security" in text and "nothing was reported" in text
    assert "Every scenario was tried: 2 of 2" in text
    assert "No attempt was reported as a finding." in text


def test_a_red_team_that_is_planned_or_cancelled_has_nothing_to_report(as_officer):
    team, _first, _second = planned(opens_on=NOW.date() + timedelta(days=1))
    assert "Generate" not in main_text(as_officer.get(f"red-teams/{team}/reports/"))
    as_officer.post(f"red-teams/{team}/reports/", then=409)
    assert file_ids(team) == []


def test_only_those_who_may_export_do_and_each_step_is_in_the_log(
    as_officer, as_contributor, as_neighbour, as_auditor, database
):
    team, scenario, _never = planned(kind="third_party", firm="Brook Security")
    attempted(team, scenario)
    join_as_auditor(team)
    home = f"red-teams/{team}/reports/"
    for visitor in (as_contributor, as_auditor):
        visitor.get(home, then=403)
        visitor.post(home, then=403)
    assert "Reports" not in main_text(as_contributor.get(f"red-teams/{team}"))
    as_neighbour.post(home, then=404)
    as_officer.post(home, then=303)
    as_officer.post(home, then=303)  # The second of two clicks watches the first.
    (made,) = file_ids(team)
    as_officer.post(f"red-team-files/{made}/download", then=409)  # Not ready yet.
    jobs.drain(actor_of)
    as_neighbour.post(f"red-team-files/{made}/download", then=404)
    as_contributor.post(f"red-team-files/{made}/download", then=403)
    as_officer.post(f"red-team-files/{made}/download", then=200)
    with make.acting("compliance_officer", read_only=True):
        said = {each.action for each in audit.entries_about([made])}
    assert said == {
        "red_team.report.requested",
        "red_team.report.generated",
        "red_team.report.downloaded",
    }
