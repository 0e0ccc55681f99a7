"""The first people of a tenant: read once, and named on every page by their current name."""

import pytest
from sqlalchemy import event

from governance.foundation.people import (
    admission_actions,
    aliases,
    known_people,
    member_actions,
    queries,
)
from governance.foundation.people.models import person_key
from governance.kernel import current
from governance.kernel.data.db import transaction
from tests import make
from tests.conftest import visitor

PARTS = ("admin", "compliance_officer", "contributor", "viewer", "auditor")


def _told() -> tuple:
    """Return everything that pages query about people."""
    ids = [make.person_id(part) for part in PARTS]
    pseudonyms = [each.pseudonym for each in queries.everyone(limit=50)]
    return (
        queries.names(ids),
        aliases.shown_names(ids),
        aliases.names_by_pseudonym([*pseudonyms, "nobody"]),
        queries.members(),
    )


@pytest.mark.parametrize("most", [0, 2, 200])
@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_they_are_told_as_the_database_has_them(acting, database, monkeypatch, role, most):
    with acting("admin"):
        member_actions.remove_member(queries.membership_of(make.person_id("contributor")))
    with acting(role):  # This transaction may write, so it reads each time.
        expected = _told()
    monkeypatch.setattr(known_people, "MAX_KNOWN", most)
    monkeypatch.setattr(known_people._FIRST, "_text", None)
    with acting(role, read_only=True):
        assert _told() == expected
    monkeypatch.undo()
    known_people._FIRST._text = None


def test_they_are_read_by_one_statement(acting, statements, database):
    read: list[str] = []

    def note(_conn, _cursor, statement, *_rest):
        read.extend([statement] if "the shell: people" in statement else [])

    with acting("viewer", read_only=True), statements() as others:
        event.listen(database.engine, "before_cursor_execute", note)
        for _ in range(2):
            queries.names([make.person_id("viewer")])
            aliases.shown_names([make.person_id("admin")])
            assert len(queries.members()) >= len(PARTS)
        event.remove(database.engine, "before_cursor_execute", note)
        assert (len(read), len(others)) == (1, 0)


def test_who_got_another_name_has_it_on_the_next_page(app, database):
    reader = visitor(app, "compliance_officer")
    assert "Maya Okafor" in reader.get("settings/members").text
    who = make.identity("acme", "Maya Okafor-Lind", make.PEOPLE["acme", "viewer"][1])
    with (
        current.acting_as(make.system_actor("acme")),
        transaction(person_id=person_key(who.issuer, who.subject)),
    ):
        admission_actions.save_person(who)
    assert "Maya Okafor-Lind" in reader.get("settings/members").text


def test_who_was_removed_is_no_member_on_the_next_page(acting, database):
    with acting("viewer", read_only=True):
        before = {each.person_id for each in queries.members()}
    with acting("admin"):
        member_actions.remove_member(queries.membership_of(make.person_id("contributor")))
    with acting("viewer", read_only=True):
        after = {each.person_id for each in queries.members()}
        assert before - after == {make.person_id("contributor")}
        assert make.person_id("contributor") in queries.names([make.person_id("contributor")])
