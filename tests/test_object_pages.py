"""Every page of one object: who asks for it again, and nothing has changed, waits for at most six
statements, those of the frame included; when something has changed, it is drawn again.
"""

import re
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from governance.kernel import clock, downloads, page_memory
from governance.kernel.db import session
from tests.conftest import visitor
from tests.route_helpers import call_route, objects_in, route_methods

MOST = 6  # issue 14, "6 for objects"
# pages above it, and exactly what they ask; a number may only fall
ABOVE_SIX = {
    # a block that its page asks for until everybody has obeyed: it isn't kept
    "GET /t/<tenant>/switches/stops/<uuid:stop_id>/obeyed": 8,
}
# what a page asks for when it is drawn for its first reader, by a table that it reads and the frame
# doesn't: what pages share is known already. A number rises only for a fact that a page owes its
# reader, as decisions 0143 (names of people who were never members) and 0145 (served releases) say
FIRST_READER = {
    "GET /t/<tenant>/controls/<uuid:control_id>": ("control_tests", 7),
    "GET /t/<tenant>/evaluations/findings/<uuid:evaluation_finding_id>": ("evaluation_results", 5),
    "GET /t/<tenant>/evidence/<uuid:evidence_id>": ("evidence_holds", 7),
    "GET /t/<tenant>/evidence/versions/<uuid:version_id>/review": ("evidence_reviews", 7),
    "GET /t/<tenant>/evidence/type-ii/<uuid:control_id>": ("sampling_tables", 10),
    "GET /t/<tenant>/red-teams/findings/<uuid:red_team_finding_id>": ("red_team_evidence", 6),
    "GET /t/<tenant>/risks/<uuid:risk_id>": ("risk_scores", 5),
    "GET /t/<tenant>/systems/<system_id>": ("model_cards", 11),
}
OF_THE_TEST = ("SAVEPOINT", "RELEASE", "ROLLBACK", "SET TRANSACTION", "SELECT set_config")
TOKEN = re.compile(r'name="csrf_token" value="[0-9a-f]+"')


@pytest.fixture
def asked(isolated):
    """The statements of the application, from here to the end of the test."""
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        if not statement.startswith(OF_THE_TEST):
            seen.append(statement)

    event.listen(isolated.engine, "before_cursor_execute", note)
    yield seen
    event.remove(isolated.engine, "before_cursor_execute", note)


@pytest.fixture
def later():
    """Half a minute before the next one, and long after the objects were made: no page says how
    many seconds ago something was.
    """
    with clock.frozen((clock.now() + timedelta(hours=1)).replace(second=30)) as now:
        yield now


def object_pages(app, acme_ids):
    """Each page that shows an object: its route, who may open it, and its address."""
    readers = {role: visitor(app, role) for role in ("admin", "compliance_officer", "contributor")}
    for door in route_methods(app, "tenant"):
        view = app.view_functions[door.rule.endpoint]
        reader = next((r for role, r in readers.items() if role in door.needs.roles), None)
        if door.method == "GET" and objects_in(door) and view.answers == downloads.PAGE and reader:
            yield door, reader, door.address(app, "acme", acme_ids)


def shown(reply):
    """The page without its frame, whose foot tells how old the log's last entry is, and without
    the token of its forms.
    """
    return TOKEN.sub("", reply.text.partition("<main")[2].partition("</main>")[0])


def change_without_entry(acting, tables):
    """As background work and measurements do. Of some tables the application may change nothing, so
    the words alone are said.
    """
    with acting("admin"):
        for table in tables:
            session().execute(text(f"SELECT 1 -- UPDATE {table}"))


def test_an_unchanged_object_is_shown_with_six_statements_and_a_changed_one_anew(
    app, acting, acme_ids, later, asked
):
    numbers, wrong, kept = {}, [], 0
    for door, reader, path in object_pages(app, acme_ids):
        texts, counts = [], []
        for _ in range(3):
            asked.clear()
            reply = call_route(reader, door, path)
            texts.append(shown(reply))
            counts.append(len(asked))
        if reply.status_code != 200:
            continue
        numbers[str(door)] = counts[-1]
        tables = page_memory._tables.get(door.rule.endpoint)
        if tables is None:  # that page isn't kept
            continue
        kept += 1
        if texts[0] != texts[-1]:
            wrong.append(f"{door}: what is kept is not what was drawn")
        change_without_entry(acting, tables - {"people", "tenants"})
        asked.clear()
        anew = shown(call_route(reader, door, path))
        if anew != texts[0] or len(asked) <= counts[-1]:
            wrong.append(f"{door}: not drawn again, or otherwise")
    assert wrong == [], "\n".join(wrong)
    assert kept > 150
    assert {page: number for page, number in numbers.items() if number > MOST} == ABOVE_SIX, (
        Counter(numbers.values())
    )


def test_the_first_reader_of_an_object_waits_for_few_statements(
    app, acting, acme_ids, later, asked
):
    found = {}
    for door, reader, path in object_pages(app, acme_ids):
        if (named := FIRST_READER.get(str(door))) is None:
            continue
        kept = shown(call_route(reader, door, path))
        change_without_entry(acting, [named[0]])
        asked.clear()
        reply = call_route(reader, door, path)
        assert reply.status_code == 200 and shown(reply) == kept
        found[str(door)] = named[0], len(asked)
    assert found == FIRST_READER
