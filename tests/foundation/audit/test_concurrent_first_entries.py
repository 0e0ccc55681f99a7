"""Concurrent first requests of one person, which both succeed and encrypt under the same key."""

import threading
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, delete

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.models import DataKey
from governance.kernel import current
from governance.kernel.data import db
from governance.kernel.data.db import session, transaction
from tests import make
from tests.waiting import MAX_WAIT_SECONDS


@pytest.fixture
def pool(settings, app):
    engine = create_engine(settings.database_url, pool_size=4)
    db.connect(engine)
    yield
    engine.dispose()
    db.connect(settings.database_url)


def test_two_first_deeds_at_once_share_a_key(pool):
    subject, who = uuid4().hex, make.system_actor("acme")
    sealed, faults, first_has_sealed = [], [], threading.Event()

    def deed(*, first: bool) -> None:
        try:
            if not first:
                first_has_sealed.wait(60)
            with current.acting_as(who), transaction():
                sealed.append(personal_field_encryption.seal(subject, "name", "Ines Duarte"))
                first_has_sealed.set()
                if first:
                    threading.Event().wait(0.3)  # The second now waits for this transaction.
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=deed, kwargs={"first": n == 0}) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MAX_WAIT_SECONDS)
    try:
        assert faults == []
        with current.acting_as(who), transaction():
            assert [personal_field_encryption.unseal("name", s) for s in sealed] == [
                "Ines Duarte"
            ] * 2
    finally:
        with current.acting_as(who), transaction():
            session().execute(delete(DataKey).where(DataKey.subject == subject))
