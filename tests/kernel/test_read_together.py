"""Rows of unlike tables come by one statement, each list in its own order, of one tenant."""

import pytest
from sqlalchemy import bindparam, event, func, select
from sqlalchemy.engine.interfaces import CacheStats

from governance.foundation.people.models import Membership
from governance.kernel.read_together import ReadTogether
from governance.operations.systems import actions
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem, SystemFeature

NAMED = select(AISystem).where(AISystem.name == bindparam("name"))
LISTS = ReadTogether(
    lambda: (
        select(AISystem).order_by(AISystem.key).limit(2),
        select(SystemFeature).order_by(SystemFeature.key),
        NAMED.order_by(AISystem.key.desc()),
        select(AISystem).where(AISystem.key == "missing"),
    )
)
ROWS = ReadTogether(
    lambda: (
        select(AISystem.key).order_by(AISystem.key.desc()),
        select(AISystem, func.length(AISystem.key)).where(AISystem.key == "cc"),
        select(SystemFeature.key, AISystem.key)
        .join(AISystem, AISystem.id == SystemFeature.system_id)
        .order_by(SystemFeature.key),
        select(SystemFeature.retired_at).order_by(SystemFeature.key),
    )
)


@pytest.fixture
def three_systems(acting):
    """Three systems of two tenants, of which one has two features."""
    for tenant in ("acme", "globex"):
        with acting("admin", tenant):
            for key in ("cc", "aa", "bb"):
                actions.register(
                    key=key,
                    stage="live",
                    name=f"Of {tenant}",
                    lane="high_risk",
                    purpose="Sorts.",
                    owner_id=None,
                )
            for key in ("two", "one"):
                actions.add_feature(systems.system("cc"), key=key, fallback="A person sorts.")


def test_each_list_has_its_own_order_and_limit(three_systems, acting, statements):
    with acting("admin", read_only=True), statements() as seen:
        first, features, named, missing = LISTS.rows(name="Of acme")
        assert len(seen) == 1
        assert [each.key for each in first] == ["aa", "bb"]
        assert [each.key for each in features] == ["one", "two"]
        assert [each.key for each in named] == ["cc", "bb", "aa"]
        assert named[2] is first[0] and missing == []


def test_another_tenant_reads_its_own_with_its_own_values(three_systems, acting):
    with acting("admin", "globex", read_only=True):
        assert LISTS.rows(name="Of acme")[2] == []
        first, features, named, _missing = LISTS.rows(name="Of globex")
        assert (len(first), len(features), len(named)) == (2, 2, 3)
        assert {each.name for each in (*first, *named)} == {"Of globex"}


def test_it_is_compiled_once(acting, isolated):
    together = ReadTogether(
        lambda: (
            select(AISystem).where(AISystem.id.in_(select(SystemFeature.system_id))),
            select(SystemFeature).order_by(SystemFeature.key),
        )
    )
    found = []
    event.listen(
        isolated.engine,
        "before_cursor_execute",
        note := lambda *given: found.append(given[4].cache_hit),
    )
    for _ in range(3):
        with acting("admin", read_only=True):
            together.rows()
    event.remove(isolated.engine, "before_cursor_execute", note)
    assert [each for each in found if each is CacheStats.CACHE_MISS] == [CacheStats.CACHE_MISS]


def test_rows_of_columns_and_of_a_model_with_columns_are_read_as_well(
    three_systems, acting, statements
):
    with acting("admin", read_only=True), statements() as seen:
        keys, with_length, features, empty = ROWS.rows()
        assert len(seen) == 1
        assert keys == ["cc", "bb", "aa"]
        assert [(each.name, length) for each, length in with_length] == [("Of acme", 2)]
    assert features == [("one", "cc"), ("two", "cc")]
    assert empty == [None, None]  # a row of which nothing is known is a row


@pytest.mark.parametrize(
    ("query", "named"),
    [(select(Membership), "Membership"), (select(AISystem, SystemFeature), "SystemFeature")],
)
def test_a_model_that_would_drop_the_rows_of_others_is_refused(query, named, acting):
    together = ReadTogether(lambda: (select(AISystem), query))
    with acting("admin", read_only=True), pytest.raises(TypeError, match=named):
        together.rows()
