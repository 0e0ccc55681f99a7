"""Lifecycle stages and their transitions; recertification of agents and MCP servers."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.operations.systems import actions, queries
from tests import make
from tests.assurance.frameworks.framework_files import main_text

AGENT = "systems/refund-agent"
pytestmark = pytest.mark.usefixtures("database")


def register(**more):
    with make.acting("compliance_officer"):
        return actions.register(
            **{
                "key": "refund-agent",
                "name": "Refund agent",
                "lane": "standard",
                "purpose": "Refunds small amounts.",
                "owner_id": None,
                "kind": "agent",
                "stage": "live",
                **more,
            }
        ).key


def stage_of():
    with make.acting("admin", read_only=True):
        return queries.system("refund-agent").stage


def entries(action):
    with make.acting("admin", read_only=True):
        query = select(AuditEntry).where(AuditEntry.action == action)
        return [each.changes for each in session().scalars(query)]


# ---- stages


def test_a_system_goes_from_proposal_to_live_and_back_to_restricted(as_officer):
    register(stage="proposed")
    for stage in ("in_review", "live", "restricted", "live"):
        as_officer.post(f"{AGENT}/stage", stage=stage, reason="Agreed in review.")
        assert stage_of() == stage
    assert len(entries("system.stage.changed")) == 4
    assert "Agreed in review." in main_text(as_officer.get(AGENT))


@pytest.mark.parametrize(
    ("stage", "to"),
    [
        ("proposed", "live"),
        ("proposed", "restricted"),
        ("in_review", "restricted"),
        ("live", "proposed"),
        ("live", "in_review"),
        ("live", "live"),
        ("restricted", "in_review"),
        ("live", "retired"),
        ("live", "nonsense"),
    ],
)
def test_a_move_that_is_not_allowed_is_refused_and_changes_nothing(as_officer, stage, to):
    register(stage=stage)
    page = as_officer.post(f"{AGENT}/stage", then=422, stage=to, reason="Now.")
    assert 'href="#stage"' in page.text and stage_of() == stage
    assert entries("system.stage.changed") == []


def test_a_move_needs_a_reason_and_a_second_click_is_told(as_officer):
    register()
    as_officer.post(f"{AGENT}/stage", then=422, stage="restricted", reason=" ")
    as_officer.post(f"{AGENT}/stage", stage="restricted", reason="The limit is missed.")
    as_officer.post(f"{AGENT}/stage", then=422, stage="restricted", reason="The limit is missed.")
    assert len(entries("system.stage.changed")) == 1


def test_a_retired_system_neither_moves_nor_is_recertified(as_officer):
    register()
    as_officer.post(f"{AGENT}/retire", reason="Replaced.")
    assert stage_of() == "retired"
    as_officer.post(f"{AGENT}/stage", then=422, stage="live", reason="Again.")
    day = (clock.today() + timedelta(days=90)).isoformat()
    as_officer.post(f"{AGENT}/recertify", then=422, valid_until=day, reason="Checked.")
    assert "Retired already" in main_text(as_officer.get(f"{AGENT}/stage"))


@pytest.mark.parametrize("stage", ["retired", "nonsense", ""])
def test_nothing_is_registered_as_retired(stage):
    with make.acting("compliance_officer"), pytest.raises(Invalid):
        actions.register(
            key="x1", name="X", lane="standard", purpose="x", owner_id=None, stage=stage
        )


@pytest.mark.parametrize("who", ["as_viewer", "as_auditor", "as_contributor"])
@pytest.mark.parametrize("path", ["stage", "recertify"])
def test_readers_neither_move_nor_recertify(request, who, path):
    register()
    reader = request.getfixturevalue(who)
    reader.get(f"{AGENT}/{path}", then=403)
    reader.post(f"{AGENT}/{path}", then=403, stage="restricted", reason="x")
    assert f"{AGENT}/{path}" not in reader.get(AGENT).text and stage_of() == "live"


# ---- recertification


def day(days):
    return (clock.today() + timedelta(days=days)).isoformat()


def test_an_agent_is_recertified_with_what_was_checked(as_officer):
    register(valid_until=clock.today() + timedelta(days=9), facts={"tools": "refund\nread-order"})
    assert "read-order" in main_text(as_officer.get(f"{AGENT}/recertify"))
    assert "Valid until" in main_text(as_officer.get(AGENT))
    as_officer.post(f"{AGENT}/recertify", valid_until=day(180), reason="Tools and limits checked.")
    as_officer.post(
        f"{AGENT}/recertify", then=422, valid_until=day(180), reason="Tools and limits checked."
    )
    with make.acting("admin", read_only=True):
        assert queries.system("refund-agent").valid_until.isoformat() == day(180)
    assert [each["valid_until"][-1] for each in entries("system.recertified")] == [day(180)]


@pytest.mark.parametrize("days", [-1, 0, 5, 20, 733])
def test_a_day_in_the_past_before_the_present_end_or_too_far_is_refused(as_officer, days):
    register(valid_until=clock.today() + timedelta(days=20))
    page = as_officer.post(f"{AGENT}/recertify", then=422, valid_until=day(days), reason="Checked.")
    assert 'href="#valid_until"' in page.text and entries("system.recertified") == []


@pytest.mark.parametrize("typed", ["", "soon", "2026-02-30", "0001-01-01", "9999-99-99"])
def test_what_is_no_day_is_refused(as_officer, typed):
    register()
    as_officer.post(f"{AGENT}/recertify", then=422, valid_until=typed, reason="Checked.")


def test_only_agents_and_mcp_servers_are_recertified(as_officer):
    register(kind="system")
    as_officer.post(f"{AGENT}/recertify", then=422, valid_until=day(90), reason="Checked.")
    assert "Only agents and MCP servers" in main_text(as_officer.get(f"{AGENT}/recertify"))
    assert f"{AGENT}/recertify" not in as_officer.get(AGENT).text


def test_an_expired_agent_says_so(as_viewer):
    with clock.frozen(clock.now() - timedelta(days=10)):
        register(valid_until=clock.today() + timedelta(days=9))
    assert "Expired on" in main_text(as_viewer.get(AGENT))
