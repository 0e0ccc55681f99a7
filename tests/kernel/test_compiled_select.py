"""Selects that are compiled once: they see the ORM's rows, and none of another tenant."""

import pytest
from sqlalchemy import (
    ColumnElement,
    Text,
    bindparam,
    cast,
    event,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError

from governance.foundation.people.models import Membership, Person
from governance.kernel.data.compiled_select import CompiledSelect
from governance.kernel.data.db import session
from tests import make

NAMES: CompiledSelect = CompiledSelect(
    lambda: (
        select(Person.name, Membership.role)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.ended_at.is_(None))
        .order_by(Person.name)
    )
)
ROLES: CompiledSelect[str] = CompiledSelect(
    lambda: select(Membership.role).where(Membership.role == bindparam("role")).distinct(),
    lambda values: values[0].upper(),
)


@pytest.mark.parametrize("slug", ["acme", "globex"])
def test_each_tenant_reads_its_own_rows_as_the_orm_does(acting, slug):
    query = select(Person.name, Membership.role).join(
        Membership, (Membership.person_id == Person.id) & Membership.ended_at.is_(None)
    )
    with acting("admin", slug):
        found = [(row.name, row.role) for row in NAMES.rows()]
        assert found == [tuple(row) for row in session().execute(query.order_by(Person.name))]
        mine = {make.person_id(row.role, slug) for row in NAMES.rows()}
        assert found and mine


def test_the_filter_of_the_tenant_stands_in_the_statement_beside_the_seal(acting):
    with acting("admin"):
        NAMES.rows()
        assert NAMES._text is not None and "memberships.tenant_id = (SELECT" in NAMES._text[0]


def test_rows_are_made_as_told_and_values_are_parameters(acting):
    with acting("admin"):
        assert ROLES.rows(role="viewer") == ["VIEWER"]
        assert ROLES.rows(role="viewer' OR true --") == []


def test_a_value_may_stand_twice_and_a_percent_sign_is_one(acting):
    twice: CompiledSelect[tuple[str, str, bool]] = CompiledSelect(
        lambda: select(
            bindparam("word", type_=Text()).concat(bindparam("other", type_=Text())),
            bindparam("word", type_=Text()),
            literal("50 %").like("5_ %"),
        ),
        tuple,
    )
    with acting("admin"):
        assert twice.rows(other="b", word="a%s") == [("a%sb", "a%s", True)]


def test_it_sees_what_the_same_transaction_has_written_before(acting):
    with acting("admin"):
        member = session().scalars(select(Membership).where(Membership.role == "viewer")).one()
        member.role = "contributor"
        assert ROLES.rows(role="viewer") == []


def test_those_who_count_statements_hear_of_it(acting):
    with acting("admin"):
        engine, heard = session().connection().engine, []
        event.listen(engine, "before_cursor_execute", hear := lambda *told: heard.append(told[2]))
        NAMES.rows()
        event.remove(engine, "before_cursor_execute", hear)
    assert len(heard) == 1 and heard[0].startswith("SELECT people.name")


def test_an_error_of_the_driver_comes_as_sqlalchemys(acting):
    broken: CompiledSelect = CompiledSelect(lambda: text("SELECT 1 / 0"))
    with (
        acting("admin"),
        pytest.raises(DBAPIError, match="division by zero"),
        session().begin_nested(),
    ):
        broken.rows()


def test_a_list_of_constants_stands_in_the_text_beside_constants_of_any_type(acting):
    nobody: ColumnElement[list[str]] = func.jsonb_build_array(type_=JSONB)
    some: CompiledSelect[str] = CompiledSelect(
        lambda: (
            select(Membership.role)
            .where(Membership.role.in_(["viewer", "admin"]), nobody == cast([], JSONB))
            .distinct()
        ),
        lambda values: values[0],
    )
    with acting("admin"):
        assert sorted(some.rows()) == ["admin", "viewer"]


def test_a_statement_whose_text_depends_on_its_values_is_refused(acting):
    several: CompiledSelect = CompiledSelect(
        lambda: select(Person.id).where(Person.name.in_(bindparam("names", expanding=True)))
    )
    with acting("admin"), pytest.raises(TypeError, match="depends on its values"):
        several.rows(names=["a", "b"])
