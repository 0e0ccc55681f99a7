"""The permission table: conditions on roles and rows, their sentences, and what they hide."""

import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from governance.app.cli import main
from governance.assurance.evidence.models import Evidence
from governance.kernel import current
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import Forbidden, NotFound
from governance.kernel.safety.access import (
    Permission,
    allowed,
    matching,
    permission,
    registry,
    require,
)
from governance.kernel.safety.conditions import condition, is_owner
from tests import make


@pytest.fixture
def declare() -> Iterator[Callable[..., Permission]]:
    before = dict(registry)
    yield permission
    registry.clear()
    registry.update(before)


def test_a_condition_of_a_role_without_the_permission_stops_the_start(declare):
    with pytest.raises(ValueError, match=r"conditions for roles that don't hold it: \['viewer'\]"):
        declare("toys.play", "play", roles="admin", only={"viewer": [is_owner]})


def test_the_table_reads_as_sentences(declare):
    hidden = condition("it is broken", "There is no such toy.", hides=True)(
        lambda _who, toy: toy.is_broken
    )
    needs = declare(
        "toys.play",
        "play with a toy",
        roles="admin contributor viewer",
        only={"contributor viewer": [is_owner]},
        unless=[hidden],
    )
    assert needs.conditions() == ["contributor, viewer: only if they own it", "not if it is broken"]
    assert needs.is_conditional


class Toy:
    ref, is_broken = "TOY-1", False

    def __init__(self, owner: str | None = None) -> None:
        self.owner_id = make.person_id(owner) if owner else None


def test_a_role_with_a_condition_may_what_it_is_true_of(app, acting, declare):
    needs = declare(
        "toys.play", "play with a toy", roles="admin contributor", only={"contributor": [is_owner]}
    )
    for role, whose, may in (
        ("contributor", "contributor", True),
        ("contributor", "admin", False),
        ("contributor", None, False),
        ("admin", "contributor", True),
        ("viewer", "viewer", False),
    ):
        with acting(role):
            assert allowed(needs, on=Toy(whose)) is may, (role, whose)
    with acting("contributor"):
        assert allowed(needs)  # It's allowed in general, before the row is known.
        with pytest.raises(
            Forbidden,
            match=r"^You don't own TOY-1. Only its owner or a tenant admin can play with a toy.$",
        ):
            require(needs, on=Toy("admin"))


def test_what_a_condition_hides_is_not_found(app, acting, declare):
    hidden = condition("it is broken", "There is no such toy.", hides=True)(
        lambda _who, toy: toy.is_broken
    )
    needs = declare("toys.play", "play with a toy", roles="admin", unless=[hidden])
    broken = Toy()
    broken.is_broken = True
    with acting("admin"), pytest.raises(NotFound, match="There is no such toy"):
        require(needs, on=broken)
    with acting("viewer"), pytest.raises(Forbidden, match="Your role can't play"):
        require(needs, on=broken)


def test_a_job_owns_nothing(app, declare):
    needs = declare("toys.play", "play with a toy", roles="admin", only={"admin": [is_owner]})
    with current.acting_as(make.system_actor("acme")), transaction():
        assert not allowed(needs, on=Toy(None))
        assert session().scalars(select(Evidence.id).where(matching(needs, Evidence))).all() == []


def test_a_condition_without_sql_is_no_silent_false(app, acting):
    no_sql = condition("they are one of two", "You are neither.")(
        lambda who, thing: thing.owner_id in {who.person_id, None}
    )
    with acting("admin") as who, pytest.raises(TypeError, match="can't be asked in SQL"):
        no_sql.sql(who, Evidence)


def test_the_command_prints_roles_and_conditions():
    table = json.loads(CliRunner().invoke(main, ["access"]).stdout)
    assert table["evidence.bring"] == {
        "roles": ["admin", "compliance_officer", "contributor"],
        "conditions": ["contributor: only if they own it"],
    }
    assert table["evidence.view"]["conditions"] == []
