"""Versions of the rules: approved by two people, from a month on, never for a closed one."""

from decimal import Decimal as D
from uuid import UUID

import pytest
from sqlalchemy import select

from governance.economics.allocation import actions, queries
from governance.economics.allocation.models import AllocationRules
from governance.economics.formulas.allocation import Driver, Pool, TenantMonth
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.actions import Blocked
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid, Stale
from governance.kernel.months import Month
from tests.economics.allocation.allocation_helpers import (
    NOVEMBER,
    NOW,
    all_by,
    approve_rules,
    close,
    rules,
)
from tests.foundation.approvals.approval_helpers import approve_below_pages


@pytest.fixture(autouse=True)
def _now(database):
    with clock.frozen(NOW):
        yield


def propose(acting, driver=Driver.TOKENS, since=NOVEMBER, base=0, reason="Fairer.") -> UUID:
    """Propose rules as finance. Return the id of the approval."""
    with acting("operator_finance", "console"):
        made = actions.propose(all_by(driver), since=since, base=base, reason=reason)
        return session().scalars(select(Approval.id).where(Approval.target_id == made.id)).one()


def entries(acting, name) -> list[dict]:
    with acting("operator_admin", "console"):
        query = select(AuditEntry.facts).where(AuditEntry.action == name)
        return list(session().scalars(query))


def test_a_version_is_in_force_from_its_month_once_another_person_approved_it(acting):
    request = propose(acting)
    with acting("operator_admin", "console"):
        assert queries.rules_in_force(NOVEMBER).number == 0
    approve_below_pages(request, "operator_admin", "console")
    with acting("operator_admin", "console"):
        found = queries.rules_in_force(NOVEMBER)
        assert (found.number, found.since) == (1, NOVEMBER)
        assert found.rules == all_by(Driver.TOKENS)
        assert queries.rules_in_force(Month(2027, 3)).number == 1
        assert queries.rules_in_force(Month(2026, 10)).rules == {}
    [entry] = entries(acting, "allocation_rules.changed")
    assert (entry["number"], entry["since"]) == (1, "2026-11")
    assert entry["lines"] == [["All pools", "No rule: all of it is residue", "Tokens"]]


def test_who_proposed_the_rules_cannot_approve_them(acting):
    request = propose(acting)
    with pytest.raises(Forbidden):
        approve_below_pages(request, "operator_finance", "console")
    assert [each.state for each in rules()] == ["requested"]


def test_a_later_version_leaves_earlier_months_as_they_were(acting):
    approve_rules(Driver.TOKENS)
    approve_rules(Driver.EQUAL, since=Month(2027, 2))
    with acting("operator_admin", "console"):
        assert queries.rules_in_force(Month(2027, 1)).rules == all_by(Driver.TOKENS)
        assert queries.rules_in_force(Month(2027, 2)).rules == all_by(Driver.EQUAL)
        assert queries.newest_rules().number == 2


def test_a_month_is_allocated_by_its_rules_to_the_cent(acting):
    approve_rules(Driver.TOKENS)
    tenants = {UUID(int=1): TenantMonth(tokens=36), UUID(int=2): TenantMonth(tokens=18)}
    with acting("operator_finance", "console"):
        found = queries.allocate_month(NOVEMBER, {Pool.SUPPORT: D(28)}, tenants)
        before = queries.allocate_month(Month(2026, 10), {Pool.SUPPORT: D(28)}, tenants)
    assert found.share_of(UUID(int=1)) == D("18.67") and found.residue == 0
    assert before.allocated == 0 and before.residue == 28


def test_a_closed_month_never_changes(acting):
    close(Month(2026, 10))
    for month in (Month(2026, 9), Month(2026, 10)):
        with pytest.raises(Invalid, match="October 2026 is closed") as found:
            propose(acting, since=month)
        assert found.value.field == "since"
    approve_rules(since=NOVEMBER)
    assert [each.number for each in rules()] == [1]


def test_a_month_that_was_closed_meanwhile_blocks_the_approval(acting):
    request = propose(acting, since=NOVEMBER)
    close(NOVEMBER)
    with pytest.raises(Blocked, match="November 2026 is closed"):
        approve_below_pages(request, "operator_admin", "console")
    assert [each.number for each in rules()] == [None]


def test_what_cannot_be_proposed(acting):
    approve_rules(since=Month(2027, 1))
    with pytest.raises(Invalid, match="newest version begins in January 2027"):
        propose(acting, Driver.EQUAL, since=NOVEMBER, base=1)
    with pytest.raises(Stale, match="Version 1 was approved"):
        propose(acting, Driver.EQUAL, since=Month(2027, 2), base=0)
    with pytest.raises(DomainError, match="Nothing would change"):
        propose(acting, Driver.TOKENS, since=Month(2027, 2), base=1)
    with pytest.raises(Invalid, match="reason"):
        propose(acting, Driver.EQUAL, since=Month(2027, 2), base=1, reason=" ")
    propose(acting, Driver.EQUAL, since=Month(2027, 2), base=1)
    with pytest.raises(DomainError, match="await approval"):
        propose(acting, Driver.REVENUE, since=Month(2027, 2), base=1)


@pytest.mark.parametrize("verb", ["rejected", "withdrawn"])
def test_a_request_that_ends_is_kept_and_changes_nothing(acting, verb):
    request = propose(acting)
    who = "operator_admin" if verb == "rejected" else "operator_finance"
    with acting(who, "console"):
        approval = session().scalars(select(Approval).where(Approval.id == request)).one()
        if verb == "rejected":
            approvals.reject(approval, reason="Users change too much.")
        else:
            approvals.withdraw(approval)
    assert [(each.state, each.number) for each in rules()] == [(verb, None)]
    assert len(entries(acting, f"allocation_rules.{verb}")) == 1
    propose(acting, Driver.EQUAL)


def test_a_customer_never_reads_the_rules(acting):
    approve_rules()
    with acting("admin"):
        assert session().scalars(select(AllocationRules)).all() == []
