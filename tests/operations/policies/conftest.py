"""Systems of acme and globex, active versions, and a second operator, for tests of policies."""

from datetime import timedelta

import pytest

from governance.foundation.approvals import kinds
from governance.foundation.approvals.queries import open_approval
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.policies import actions, draft_actions, queries
from governance.operations.policies.dimensions import read
from governance.operations.policies.effective_policies import Content
from governance.operations.policies.policy_diff import with_tier, with_value
from governance.operations.systems import actions as registering
from tests import make
from tests.browser import field_value
from tests.foundation.approvals import approval_helpers

SYSTEMS = (
    ("support-assistant", "Support assistant", "standard"),
    ("claims-triage", "Claims triage", "high_risk"),
    ("ad-copywriter", "Ad copywriter", "standard"),
)
REASON = "Board decision of 19 November"


def register_systems(slug: str = "acme") -> dict[str, object]:
    """Register the systems. Return key → id."""
    with make.acting("compliance_officer", slug):
        made = {
            key: registering.register(
                key=key, stage="live", name=name, lane=lane, purpose="x", owner_id=None
            )
            for key, name, lane in SYSTEMS
        }
        session().flush()
        return {key: system.id for key, system in made.items()}


@pytest.fixture
def systems(database):
    return register_systems()


def policy_content(tier: str = "standard", overrides=(), on=()) -> Content:
    """Return content.

    `overrides` are (dimension, value), `on` are (system id, dimension, value).
    """
    found = with_tier(Content(), tier)
    for key, value in dict(overrides).items():
        found = with_value(found, None, key, read(key, value))
    for system_id, key, value in on:
        found = with_value(found, system_id, key, read(key, value))
    return found


def put_in_force(wanted: Content, slug: str = "acme") -> int:
    """Publish that content the way its direction requires. Return its number."""
    with make.acting("admin", slug):
        now = queries.current_policy()
        try:
            return actions.tighten_now(wanted, base=now.number, reason=REASON).number or 0
        except actions.NeedsSecondPerson:
            pass
    with make.acting("admin", slug):
        row_id = actions.request_approval(wanted, seen="", reason=REASON).id
    approve_version(row_id, slug=slug)
    with make.acting("compliance_officer", slug, read_only=True):
        return queries.policy_version(row_id).number or 0


def request_version(wanted: Content, **options) -> object:
    """Request approval of a version. Return its id."""
    with make.acting("admin"):
        return actions.request_approval(
            wanted, seen=draft_actions.revision(queries.draft()), reason=REASON, **options
        ).id


def approve_version(version_id, role: str = "compliance_officer", slug: str = "acme") -> None:
    """Approve as another person, with the current fingerprint."""
    approval_helpers.approve_below_pages(
        approval_of(queries.POLICY, version_id, role, slug), role, slug
    )


def fingerprint_of_version(version_id) -> str:
    """Return the fingerprint that the approval's page carries."""
    with make.acting("compliance_officer", read_only=True):
        return kinds.fingerprint_seen(open_approval(queries.POLICY, version_id))


def effective_policy(slug: str = "acme"):
    with make.acting("compliance_officer", slug, read_only=True):
        return queries.current_policy()


def days_from_now(days: float = 0, **more) -> object:
    return clock.now() + timedelta(days=days, **more)


def hidden_value(page: str, name: str) -> str:
    value = field_value(page, name)
    assert value is not None, f"no field {name}"
    return value


def confirm_change(visitor, address: str, verb: str, then: int = 303, **more):
    page = visitor.get(address).text
    sent = {name: hidden_value(page, name) for name in ("tier", "on", "base", "seen")}
    return visitor.post("policies/change", then=then, **sent, verb=verb, **more)


def approval_of(kind: str, target_id, role: str = "admin", slug: str = "acme"):
    """Return the id of the open approval for that target."""
    with make.acting(role, slug, read_only=True):
        return open_approval(kind, target_id).id


def approve_waiver(waiver_id, *roles: str) -> None:
    """Approve as these people; a waiver needs two."""
    for role in roles:
        approval_helpers.approve_below_pages(approval_of(queries.WAIVER, waiver_id), role)


@pytest.fixture
def second_operator(app, isolated):
    """Return another operator, in addition to Eva, signed in."""
    make.add_member("second_operator", "console")
    from tests.conftest import visitor

    return visitor(app, "second_operator", "console")
