"""An auditor's evidence: that of their framework's controls, and files provided to them.

No page reveals that other evidence exists.
"""

import io
import zipfile
from dataclasses import dataclass
from uuid import UUID

import pytest

from governance.assurance.controls import mapping_actions
from governance.assurance.controls.queries import find_control
from governance.assurance.evidence import (
    item_history,
    link_actions,
    queries,
    review_queue,
)
from governance.assurance.evidence.queries import find_by_ref
from governance.assurance.frameworks import queries as frameworks
from governance.kernel.errors import NotFound
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.evidence import evidence_helpers
from tests.conftest import visitor


@dataclass
class World:
    """Items that are visible to the auditor in full, in part, and not at all.

    `inside` supports a control in scope; of `partly`, the first of two versions was provided.
    """

    him: object
    inside: UUID
    inside_version: UUID
    partly: UUID
    given: UUID
    kept: UUID
    outside: UUID
    outside_version: UUID
    his_control: UUID
    other_control: UUID


@pytest.fixture
def world(app, acting, database):
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    with acting("compliance_officer"):
        soc2 = frameworks.framework("soc2-tsc-2017")
    engagement = engagement_helpers.create_engagement(auditor="auditor", framework_id=soc2.id)
    his, other = (
        evidence_helpers.create_control("SEC-77", "In scope"),
        evidence_helpers.create_control("SEC-78", "Out of scope"),
    )
    with acting("compliance_officer"):
        requirement = next(r for r in frameworks.requirements(soc2.id) if r.assessable)
        mapping_actions.map_to(find_control(his, lock=True), requirement.id, coverage="full")
    inside = evidence_helpers.create_evidence("Inside report", supports=[his, other])
    partly, outside = (
        evidence_helpers.create_evidence("Partly report", supports=[other]),
        evidence_helpers.create_evidence("Outside report", supports=[other]),
    )
    inside_version = evidence_helpers.upload_version(inside, b"a,b\n1,2\n", "inside.csv")
    given, kept = (
        evidence_helpers.upload_version(partly, b"a,b\n3,4\n", "given.csv"),
        evidence_helpers.upload_version(partly, b"a,b\n5,6\n", "kept.csv"),
    )
    outside_version = evidence_helpers.upload_version(outside, b"a,b\n7,8\n", "outside.csv")
    asked = engagement_helpers.create_request(engagement)
    with acting(
        "compliance_officer"
    ):  # It supported a control in scope when it was provided, and no longer does.
        link_actions.link(queries.find_evidence(partly), his)
    engagement_helpers.attach_version(engagement, asked, given)
    engagement_helpers.provide_request(engagement, asked)
    with acting("compliance_officer"):
        link_actions.unlink(queries.find_evidence(partly), his)
    return World(
        visitor(app, "auditor"),
        inside,
        inside_version,
        partly,
        given,
        kept,
        outside,
        outside_version,
        his,
        other,
    )


def test_lists_counts_and_tabs_are_of_what_they_sees(world, as_officer):
    page, whole = world.him.get("evidence/").text, as_officer.get("evidence/").text
    assert "Inside report" in page and "Partly report" in page and "Outside report" not in page
    assert (
        "Outside report" in whole
        and "3 of 3 evidence items" in whole
        and "2 of 2 evidence items" in page
    )
    assert "SEC-77" in page and "SEC-78" not in page and "SEC-78" in whole
    inbox = world.him.get("evidence/inbox").text
    assert (
        "2 versions await review" in inbox
        and "Outside report" not in inbox
        and "SEC-78" not in inbox
    )
    assert "4 versions await review" in as_officer.get("evidence/inbox").text


def test_who_asked_before_changes_nothing_of_what_they_see(world, as_officer, as_viewer):
    """Keep the officer's page, which is cached for those who see everything, from others."""
    for _ in range(2):
        assert "Outside report" in as_officer.get("evidence/").text
        assert "Outside report" in as_viewer.get("evidence/").text
        page = world.him.get("evidence/").text
        assert "Inside report" in page and "Outside report" not in page and "SEC-78" not in page


@pytest.mark.parametrize("asked", ["q=outside", "q=EV-0003", "state=in+review&q=outside"])
def test_no_filter_finds_what_is_out_of_scope(world, as_officer, asked):
    assert "Outside report" not in world.him.get(f"evidence/?{asked}").text
    assert "Outside report" in as_officer.get(f"evidence/?{asked}").text


def test_a_control_out_of_scope_filters_to_nothing(world, as_officer):
    assert (
        "No evidence items match" in world.him.get(f"evidence/?control={world.other_control}").text
    )
    assert "Inside report" in world.him.get(f"evidence/?control={world.his_control}").text
    assert "Inside report" in as_officer.get(f"evidence/?control={world.other_control}").text


def test_exports_hold_what_they_sees(world, as_officer):
    lines = world.him.get("evidence/export.csv").text
    assert "Inside report" in lines and "Outside" not in lines and "SEC-78" not in lines
    [partly] = [line for line in lines.splitlines() if "Partly report" in line]
    assert partly.split(",")[8] == "1"
    assert "Outside report" in as_officer.get("evidence/export.csv").text
    with zipfile.ZipFile(io.BytesIO(world.him.get("evidence/export.xlsx").data)) as book:
        texts = book.read("xl/sharedStrings.xml").decode()
    assert "Inside report" in texts and "Partly report" in texts and "Outside report" not in texts


def test_a_piece_in_scope_is_shown_whole_and_names_no_control_beyond(world, as_officer):
    page = world.him.get(f"evidence/{world.inside}").text
    assert (
        "inside.csv" in page
        and "SEC-77" in page
        and "SEC-78" not in page
        and "Only what was provided" not in page
    )
    assert "SEC-78" in as_officer.get(f"evidence/{world.inside}").text
    with make.acting():
        link_actions.unlink(queries.find_evidence(world.inside, lock=True), world.other_control)
    assert "SEC-78" not in world.him.get(f"evidence/{world.inside}").text
    assert "SEC-78" in as_officer.get(f"evidence/{world.inside}").text


def test_of_a_piece_out_of_scope_only_the_provided_version_is_there(world, as_officer):
    page = world.him.get(f"evidence/{world.partly}").text
    assert (
        "given.csv" in page
        and "kept.csv" not in page
        and "You see only the versions that were provided to you." in page
        and "SEC-78" not in page
    )
    assert "kept.csv" in as_officer.get(f"evidence/{world.partly}").text
    assert (
        world.him.post(f"evidence/versions/{world.given}/download", then=200).data == b"a,b\n3,4\n"
    )
    world.him.post(f"evidence/versions/{world.kept}/download", then=404)
    as_officer.post(f"evidence/versions/{world.kept}/download", then=200)


def test_what_is_out_of_scope_is_not_there(world, as_officer):
    world.him.get(f"evidence/{world.outside}", then=404)
    world.him.post(f"evidence/versions/{world.outside_version}/download", then=404)
    as_officer.get(f"evidence/{world.outside}")
    assert (
        world.him.post(f"evidence/versions/{world.inside_version}/download", then=200).data
        == b"a,b\n1,2\n"
    )


def test_the_rows_behind_verbs_obey_as_pages_do(world):
    with make.acting("auditor", read_only=True):
        assert (
            find_by_ref("EV-0001").id == world.inside and find_by_ref("EV-0002").id == world.partly
        )
        for deed in (
            lambda: find_by_ref("EV-0003"),
            lambda: queries.find_evidence(world.outside),
            lambda: queries.find_version(world.outside_version),
            lambda: queries.find_version(world.kept),
        ):
            with pytest.raises(NotFound):
                deed()
        assert len(item_history.evidence_items()) == 3  # Statuses derive from the complete history.
    with make.acting(read_only=True):
        assert find_by_ref("EV-0003").id == world.outside


def test_the_palette_jumps_to_what_they_sees(world, as_officer):
    def labels(who):
        return {
            each["label"]
            for each in who.get("jump", query_string={"q": "report"}).json
            if each["hint"] == "evidence"
        }

    assert labels(world.him) == {"EV-0001 Inside report", "EV-0002 Partly report"}
    assert labels(as_officer) == {
        "EV-0001 Inside report",
        "EV-0002 Partly report",
        "EV-0003 Outside report",
    }


def test_their_pages_cost_a_fixed_number_of_statements(world, statements, acting):
    def cost():
        with acting("auditor", read_only=True), statements() as seen:
            queries.library()
            review_queue.queue_page({})
            review_queue.late_evidence(most=10)
        return len(seen)

    evidence_helpers.create_evidence("One that is missing", supports=[world.his_control])
    before = cost()
    for n in range(5):
        evidence_helpers.create_evidence(f"More {n}", supports=[world.his_control])
    assert cost() == before <= 17  # Includes the names of owners and uploaders.
