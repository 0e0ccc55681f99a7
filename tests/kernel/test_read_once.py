"""What several parts of a page ask is read once, and never for another person or tenant."""

import pytest
from sqlalchemy import select

from governance.foundation.people.models import Membership
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.kernel import current
from governance.kernel.db import session, within
from governance.kernel.errors import NotFound
from governance.kernel.read_once import read_once
from tests import make


@read_once
def people_with(role: str) -> frozenset:
    query = select(Membership.person_id).where(Membership.role == role)
    found = frozenset(session().scalars(query))
    if not found:
        raise NotFound("Nobody has this role.")
    return found


def test_a_page_reads_it_once_for_the_same_arguments(acting, statements):
    with acting(read_only=True), statements() as seen:
        first = people_with("admin")
        assert people_with("admin") is first
        assert people_with("viewer") != first and len(seen) == 2
        with current.acting_as(make.actor("viewer")):
            assert people_with("admin") == first and len(seen) == 3


def test_what_may_change_is_read_each_time(acting, statements):
    with acting("admin"), statements() as seen:
        before = people_with("admin")
        member = session().scalars(select(Membership).where(Membership.role == "viewer")).first()
        member.role = "admin"
        assert people_with("admin") == before | {member.person_id}
        assert len([each for each in seen if each.startswith("SELECT")]) == 3


def test_the_next_transaction_reads_again(acting):
    with acting("admin"):
        before = people_with("admin")
    with acting("admin"):
        member = session().scalars(select(Membership).where(Membership.role == "viewer")).first()
        member.role = "admin"
    with acting("admin", read_only=True):
        assert len(people_with("admin")) == len(before) + 1


def test_another_tenant_that_is_visited_reads_its_own(acting):
    other = directory.tenant_id("globex")
    with acting("admin", read_only=True):
        own = people_with("admin")
        with within(tenants.founder(other, "globex", "Globex")):
            assert people_with("admin").isdisjoint(own)
        assert people_with("admin") == own


def test_an_error_is_raised_each_time(acting):
    with acting(read_only=True):
        for _ in range(2):
            with pytest.raises(NotFound):
                people_with("nothing")
