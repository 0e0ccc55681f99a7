"""The permission table: conditions on roles and rows, their sentences, and what they hide."""

import json
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, dataclass
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import Boolean, String, Uuid, column, select, values

from governance.app.cli import main
from governance.assurance.evidence.models import Evidence
from governance.kernel import current
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import Forbidden, NotFound
from governance.kernel.safety.access import (
    OPERATOR_ROLES,
    PUBLIC,
    ROLE_NAMES,
    ROLES,
    TENANT_ROLES,
    Permission,
    allowed,
    known_scopes,
    matching,
    not_excluded,
    permission,
    registry,
    require,
    scope,
    who_may,
    why_not,
)
from governance.kernel.safety.conditions import condition, is_owner
from tests import make


@pytest.fixture
def declare() -> Iterator[Callable[..., Permission]]:
    tables = registry, known_scopes
    before = [dict(table) for table in tables]
    yield permission
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


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
    assert table["evidence.upload"] == {
        "roles": ["admin", "compliance_officer", "contributor"],
        "conditions": ["contributor: only if they own it"],
    }
    assert table["evidence.view"]["conditions"] == []


# ---- declarations


def test_each_role_is_of_tenants_or_of_operators_and_has_a_name():
    assert (*TENANT_ROLES, *OPERATOR_ROLES) == ROLES == (*ROLE_NAMES,)
    assert {role for role in ROLES if role.startswith("operator")} == set(OPERATOR_ROLES)


def test_a_permission_is_declared_once_and_names_only_roles_and_scopes_that_exist(declare):
    scope("toys:play", "play with toys")
    declare("toys.play", "play", roles="admin", scopes="toys:play")
    with pytest.raises(ValueError, match=r"permission toys\.play is declared twice"):
        declare("toys.play", "play", roles="admin")
    with pytest.raises(ValueError, match="scope toys:play is declared twice"):
        scope("toys:play", "play with toys")
    with pytest.raises(ValueError, match=r"unknown roles or scopes \['child', 'toys:break'\]"):
        declare("toys.break", "break", roles="admin child", scopes="toys:play toys:break")
    assert "toys.break" not in registry


def test_a_permission_depends_on_the_object_if_a_role_or_everybody_has_a_condition(declare):
    plain = declare("toys.see", "see a toy", roles="admin viewer")
    only = declare("toys.play", "play", roles="admin viewer", only={"viewer": [is_owner]})
    unless = declare("toys.test", "test a toy", roles="admin", unless=[is_owner])
    assert [each.is_conditional for each in (plain, only, unless)] == [False, True, True]


def test_a_declared_permission_never_changes_and_can_be_a_key(declare):
    needs = declare("toys.play", "play", roles="admin viewer", only={"viewer": [is_owner]})
    with pytest.raises(FrozenInstanceError):
        needs.roles = frozenset(ROLES)
    assert {needs: "declared"}[needs] == "declared"


# ---- permissions


ME, ANOTHER = UUID(int=1), UUID(int=2)


def someone(role: str, *, kind: str = "person", scopes: str = "") -> Actor:
    return Actor(
        UUID(int=9), "acme", "Acme", ME, "Ana", role, kind=kind, scopes=frozenset(scopes.split())
    )


@dataclass
class Car:
    owner_id: UUID | None = None
    is_broken: bool = False
    ref: str = "CAR-1"


is_broken = condition("it is broken", "{object.ref} is broken, so you can't {means}.")(
    lambda _who, toy: toy.is_broken
)


def test_what_is_public_is_open_to_everybody_and_nothing_else_is_before_sign_in(declare):
    needs = declare("toys.play", "play", roles="admin")
    assert allowed(PUBLIC) and allowed(PUBLIC, on=Car())
    assert not allowed(needs) and not allowed(needs, on=Car())
    with current.acting_as(someone("viewer")):
        assert allowed(PUBLIC) and allowed(PUBLIC, on=Car())
        assert not allowed(needs) and not allowed(needs, on=Car())


def test_a_key_may_by_its_scope_and_a_refused_one_reads_which_it_needs(declare):
    for name in ("toys:write", "toys:play"):
        scope(name, "play with toys")
    needs = declare("toys.play", "play with a toy", roles="admin", scopes="toys:write toys:play")
    with current.acting_as(someone("", kind="api_key", scopes="toys:play scim")):
        assert allowed(needs)
        require(needs)
    with current.acting_as(someone("", kind="api_key", scopes="scim")):
        assert not allowed(needs)
        with pytest.raises(
            Forbidden,
            match=r"^This key can't play with a toy\. It needs the scope toys:play or toys:write\.$",
        ):
            require(needs)


def test_what_is_true_of_an_object_stops_every_role_whose_object_it_is(declare):
    needs = declare(
        "toys.play",
        "play",
        roles="admin contributor",
        only={"contributor": [is_owner]},
        unless=[is_broken],
    )
    refused = "CAR-1 is broken, so you can't play."
    for role, car, reason in (
        ("admin", Car(), None),
        ("admin", Car(is_broken=True), refused),
        ("contributor", Car(ME), None),
        ("contributor", Car(ME, is_broken=True), refused),
        (
            "contributor",
            Car(ANOTHER, is_broken=True),
            "You don't own CAR-1. Only its owner or a tenant admin can play.",
        ),
    ):
        with current.acting_as(someone(role)):
            assert why_not(needs, on=car) == reason
            assert allowed(needs, on=car) is (reason is None)


def test_every_condition_of_a_role_must_be_true(declare):
    is_whole = condition("it is whole", "{object.ref} is broken.")(
        lambda _who, toy: not toy.is_broken
    )
    needs = declare("toys.play", "play", roles="viewer", only={"viewer": [is_owner, is_whole]})
    with current.acting_as(someone("viewer")):
        assert allowed(needs, on=Car(ME))
        assert why_not(needs, on=Car(ME, is_broken=True)) == "CAR-1 is broken."
        assert "You don't own CAR-1" in str(why_not(needs, on=Car()))


@pytest.mark.parametrize(
    ("roles", "sentence", "others"),
    [
        ("viewer", "It requires the viewer role.", ""),
        ("viewer admin", "It requires the tenant admin or viewer role.", " or a tenant admin"),
        (
            "auditor viewer admin",
            "It requires the tenant admin, auditor or viewer role.",
            ", a tenant admin or an auditor",
        ),
        (
            "operator_admin auditor viewer admin",
            "It requires the tenant admin, auditor, viewer or operator role.",
            ", a tenant admin, an auditor or an operator",
        ),
    ],
)
def test_a_refusal_names_each_role_that_may(declare, roles, sentence, others):
    needs = declare("toys.play", "play", roles=roles, only={"viewer": [is_owner]})
    assert who_may(needs) == sentence
    with current.acting_as(someone("contributor")):
        assert why_not(needs, on=Car(ME)) == f"Your role can't play. {sentence}"
    with current.acting_as(someone("viewer")):
        assert why_not(needs, on=Car()) == (
            f"You don't own CAR-1. Only its owner{others} can play."
        )


def test_a_permission_for_keys_alone_says_that_no_role_has_it(declare):
    assert who_may(declare("toys.play", "play")) == "No role has that permission."


def test_a_list_has_the_objects_that_are_allowed_one_by_one(app, isolated, declare):
    needs = declare(
        "toys.play",
        "play",
        roles="admin contributor",
        only={"contributor": [is_owner]},
        unless=[is_broken],
    )
    cars = [
        Car(owner, broken, f"{owner} {broken}")
        for owner in (ME, ANOTHER, None)
        for broken in (True, False, None)
    ]
    table = values(
        column("owner_id", Uuid), column("is_broken", Boolean), column("ref", String), name="cars"
    ).data([(each.owner_id, each.is_broken, each.ref) for each in cars])
    acting, counts = make.actor("admin"), []
    for role in ("admin", "contributor", "viewer"):
        who = someone(role)
        with current.acting_as(acting), transaction():
            with current.acting_as(who):
                query = select(table.c.ref).where(matching(needs, table.c))
                expected = {each.ref for each in cars if allowed(needs, on=each)}
            found = session().scalars(query).all()
        assert sorted(found) == sorted(expected)
        counts.append(len(found))
    assert counts == [6, 2, 0]
    with current.acting_as(acting), transaction():
        shared = session().scalars(select(table.c.ref).where(not_excluded(needs, table.c, ME)))
        assert sorted(shared) == sorted(each.ref for each in cars if not each.is_broken)
