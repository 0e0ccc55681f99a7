"""The search index, which follows objects in the transactions that change them."""

import pytest
from sqlalchemy import delete, func, insert, select, update
from structlog.testing import capture_logs

from governance.assurance.controls.models import Control
from governance.assurance.controls.queries import find_control
from governance.foundation.privacy.events import PersonErased
from governance.foundation.search import indexing, jobs
from governance.foundation.search.models import SearchDocument, SearchWord
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work.events import publish
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.row_factory import RowFactory


def titles(slug="acme"):
    with make.acting("admin", slug, read_only=True):
        return set(session().scalars(select(SearchDocument.title)))


def words():
    with make.acting("admin", read_only=True):
        return set(session().scalars(select(SearchWord.word)))


@pytest.fixture
def control(app, database):
    return evidence_helpers.create_control("ZEB-1", "Zebra crossing")


def test_an_object_is_found_from_its_own_transaction_on(control):
    assert "Zebra crossing" in titles() and {"zebra", "crossing", "zeb1"} <= words()
    assert "Zebra crossing" not in titles("globex")


def test_a_new_title_replaces_the_old_one(control, acting):
    with acting("admin"):
        find_control(control, lock=True).title = "Okapi crossing"
    assert "Okapi crossing" in titles() and "Zebra crossing" not in titles()
    assert "okapi" in words() and "zebra" not in words()


def test_what_is_retired_is_no_longer_found(control, acting):
    with acting("admin"):
        find_control(control, lock=True).retired_at = clock.now()
    assert "Zebra crossing" not in titles() and "zebra" not in words()


def test_what_is_rolled_back_leaves_nothing(app, acting, database):
    with pytest.raises(ZeroDivisionError), acting("admin"):
        session().add(Control(**_control("Zebra crossing")))
        session().flush()
        raise ZeroDivisionError
    assert "Zebra crossing" not in titles() and "zebra" not in words()


def test_a_change_of_something_else_writes_nothing(control, acting, statements):
    with acting("admin"), statements() as seen:
        find_control(control, lock=True).does = "Something else"
        session().flush()
    assert not [each for each in seen if "search_" in each]


def test_bulk_statements_are_followed_too(control, acting):
    with acting("admin"):
        session().execute(insert(Control), [_control("Zebra one"), _control("Zebra two")])
    assert {"Zebra one", "Zebra two"} <= titles()
    with acting("admin"):
        renamed = update(Control).where(Control.title == "Zebra one")
        session().execute(renamed.values(title="Okapi one"))
    assert "Okapi one" in titles() and "Zebra one" not in titles()
    with acting("admin"):
        session().execute(delete(Control).where(Control.title == "Zebra two"))
    assert "Zebra two" not in titles()


def test_the_check_finds_repairs_and_counts_what_differs(control, acting):
    with acting("admin"):
        assert indexing.differences() == 0
        session().execute(update(SearchDocument).values(title="Wrong"))
    with acting("admin"):
        count = session().scalar(select(func.count()).select_from(SearchDocument))
        assert indexing.differences() == count > 0
        assert indexing.differences() == 0
        session().execute(delete(SearchWord).where(SearchWord.word == "zebra"))
        assert indexing.differences() == 1
        stray = {"id": control, "word": "okapi", "kind": "control"}
        session().execute(insert(SearchWord), [stray | {"created_at": clock.now()}])
        assert indexing.differences() == 1
        session().execute(delete(SearchDocument))
        assert indexing.differences() == count
    assert "Zebra crossing" in titles() and "okapi" not in words()


def test_it_is_built_again_to_the_same(control, acting):
    before = titles(), words()
    with acting("admin"):
        assert indexing.rebuild() == len(before[0])
    assert (titles(), words()) == before


def test_each_night_every_tenant_is_checked(control, acting):
    with acting("admin"):
        session().execute(delete(SearchDocument))
    with capture_logs() as told:
        jobs.check_indexes()
    assert {each["tenant"]: each["objects"] for each in told}["acme"] >= 1
    assert "Zebra crossing" in titles()


def test_an_erasure_leaves_no_name_in_it(control, acting):
    with acting("admin"):
        find_control(control, lock=True).title = "Notes of Ines Duarte"
    with acting("admin"):
        publish(
            PersonErased(
                person_id=make.person_id("compliance_officer"),
                words=["Ines Duarte"],
                addresses=[],
            )
        )
        changed = update(Control.__table__).where(Control.__table__.c.id == control)
        # Does the same as redaction.py.
        session().execute(changed.values(title="Notes of [erased]"))
    assert "Notes of [erased]" in titles() and "duarte" not in words()


def _control(title):
    facts = RowFactory().values(Control.__table__)
    facts |= {"title": title, "retired_at": None, "rests_on": None}
    return facts
