"""The state of a data set, by day; a bad one blocks the systems that use it."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Date, delete, literal, select, update
from sqlalchemy.exc import DBAPIError

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work.inbox import parameters
from governance.operations.datasets import actions, inbox, queries, state_sql
from governance.operations.datasets.models import DataSet, DataSetVersion
from governance.operations.datasets.states import DataSetFacts, reasons_of, state_of
from tests import make
from tests.operations.datasets import data_set_helpers as helpers

TODAY = date(2026, 11, 27)


def facts(**more) -> DataSetFacts:
    return DataSetFacts(**{"is_retired": False, "version": 1, "has_licence": True} | more)


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, "usable"),
        ({"consent_until": TODAY - timedelta(days=1)}, "consent_expired"),
        ({"consent_until": TODAY}, "consent_soon"),
        ({"consent_until": TODAY + timedelta(days=30)}, "consent_soon"),
        ({"consent_until": TODAY + timedelta(days=31)}, "usable"),
        ({"newest_record": TODAY - timedelta(days=90), "max_age_days": 90}, "usable"),
        ({"newest_record": TODAY - timedelta(days=91), "max_age_days": 90}, "stale"),
        ({"newest_record": TODAY - timedelta(days=9999)}, "usable"),
        ({"version": 0, "has_licence": False}, "without_licence"),
        ({"version": 0}, "draft"),
        ({"is_retired": True, "version": 0, "has_licence": False}, "retired"),
    ],
)
def test_the_state_is_that_of_the_day(more, state):
    assert state_of(facts(**more), TODAY) == state


def test_every_reason_is_told_the_worst_first():
    both = facts(
        consent_until=TODAY + timedelta(days=10),
        newest_record=TODAY - timedelta(days=100),
        max_age_days=30,
    )
    found = reasons_of(both, TODAY)
    assert [each.state for each in found] == ["stale", "consent_soon"]
    assert [each.blocks for each in found] == [True, False]
    assert found[0].detail == "Its newest record is 100 days old; 30 days are allowed."
    assert found[1].detail == "It ends in 10 days."


OFFSETS = (-31, -30, -1, 0, 1, 29, 30, 31)


def test_sql_and_the_pure_rule_say_the_same_on_every_day(database):
    ids = [
        helpers.add_data_set(
            f"set-{n}-{m}",
            content=helpers.described(
                consent_until=clock.today() + timedelta(days=n),
                newest_record=helpers.days_ago(31),
                max_age_days=m,
            ),
        )
        for n in OFFSETS
        for m in (30, 31, 32)
    ]
    ids += [helpers.add_data_set("draft-only"), helpers.add_data_set("retired-one")]
    with make.acting("compliance_officer"):
        actions.retire(queries.data_set(ids[-1], lock=True), reason="Gone.")
        session().flush()
        query = select(DataSet.id, state_sql.state(literal(clock.today(), Date())))
        told = dict(session().execute(state_sql.with_published(query.select_from(DataSet))).all())
        for data_set_id in ids:
            row = queries.row_of(queries.data_set(data_set_id))
            assert told[data_set_id] == row.state
    assert len(set(told.values())) == 6


def test_a_bad_data_set_blocks_the_systems_that_use_it_and_says_why(database):
    system_id, other_id = helpers.register_system(), helpers.register_system("other")
    stale = helpers.described(newest_record=helpers.days_ago(100), max_age_days=30)
    ending = helpers.described(consent_until=clock.today() + timedelta(days=10))
    helpers.add_data_set("claims", content=stale, uses=[(system_id, "training")])
    helpers.add_data_set("soon", content=ending, uses=[(system_id, "retrieval")])
    helpers.add_data_set("bare", uses=[(system_id, "evaluation")])
    with make.acting("viewer"):
        found = queries.blocking(system_id)
        assert [(each.key, each.state) for each in found] == [
            ("bare", "without_licence"),
            ("claims", "stale"),
        ]
        assert found[1].sentence.startswith("claims version 1 is stale since ")
        assert queries.blocking(other_id) == []
        assert [each.row.data_set.key for each in queries.datasets_of(system_id)] == [
            "bare",
            "claims",
            "soon",
        ]
    with make.acting("compliance_officer", "globex"):
        assert queries.blocking(system_id) == [] and queries.datasets_of(system_id) == []


def test_a_use_for_two_purposes_is_one_data_set(database):
    system_id = helpers.register_system()
    helpers.add_data_set(
        content=helpers.described(), uses=[(system_id, "training"), (system_id, "evaluation")]
    )
    with make.acting("viewer"):
        (found,) = queries.datasets_of(system_id)
        assert found.purposes == ("evaluation", "training")


def due_for(role: str) -> dict[str, str]:
    with make.acting(role):
        rows = session().execute(inbox.DUE.select(), parameters()).all()
        return {row.about: row.detail for row in rows}


def test_the_owner_is_told_before_consent_ends_and_when_the_data_is_stale(database):
    ending = helpers.described(consent_until=clock.today() + timedelta(days=10))
    later = helpers.described(consent_until=clock.today() + timedelta(days=40))
    stale = helpers.described(newest_record=helpers.days_ago(100), max_age_days=30)
    helpers.add_data_set("ending", owner="contributor", content=ending)
    helpers.add_data_set("later", owner="contributor", content=later)
    helpers.add_data_set("ownerless", content=stale)
    assert due_for("contributor") == {"ending": "consent_soon", "ownerless": "stale"}
    assert due_for("admin") == {"ownerless": "stale"}


def test_the_inbox_leads_to_the_data_set(as_contributor):
    ending = helpers.described(consent_until=clock.today() + timedelta(days=10))
    data_set_id = helpers.add_data_set("ending", owner="contributor", content=ending)
    text = as_contributor.get("inbox/").text
    assert "Renew the consent for ending" in text
    opened = as_contributor.get(f"inbox/items/data-set.{data_set_id}/open", then=None)
    assert opened.location.endswith(f"data-sets/{data_set_id}")


@pytest.mark.parametrize(
    ("changed", "passes"),
    [
        ({"provenance": "Collected by [erased]."}, True),
        ({"provenance": "Collected by nobody."}, False),
        ({"consent_until": date(2099, 1, 1), "provenance": "[erased]"}, False),
    ],
)
def test_a_published_version_never_changes_except_that_an_erasure_replaces_a_name(
    database, changed, passes
):
    helpers.add_data_set(content=helpers.described())
    with make.acting("admin"):
        if passes:
            session().execute(update(DataSetVersion).values(changed))
        else:
            with pytest.raises(DBAPIError, match="never changes"), session().begin_nested():
                session().execute(update(DataSetVersion).values(changed))


def test_a_published_version_is_never_deleted(database):
    helpers.add_data_set(content=helpers.described())
    with make.acting("admin"):
        with pytest.raises(DBAPIError, match="permission denied"), session().begin_nested():
            session().execute(delete(DataSetVersion))
        assert session().query(DataSetVersion).count() == 1
