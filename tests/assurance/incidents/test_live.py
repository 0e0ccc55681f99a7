"""The events of an incident, which update its page with changes made elsewhere."""

from governance.assurance.incidents import actions, live_views, queries, timeline
from tests.assurance.incidents import incident_helpers as incidents
from tests.conftest import visitor


def first_line(client, path: str) -> str:
    answer = client.client.get(client.at(path), buffered=False)
    try:
        assert answer.status_code == 200
        assert answer.content_type.startswith("text/event-stream")
        return next(iter(answer.response)).decode()
    finally:
        answer.close()


def test_the_revision_changes_with_each_note_and_state(app, database, acting):
    found = incidents.declare()

    def revision() -> str:
        with acting("viewer"):
            each = queries.incident(found)
            return timeline.revision(each, queries.impacts_of([found])[found])

    seen = [revision()]
    with acting("reviewer"):
        actions.add_note(queries.incident(found), "Found the cause")
    seen.append(revision())
    incidents.advance(found, "identified")
    seen.append(revision())
    assert len(set(seen)) == 3
    line = first_line(visitor(app, "viewer"), f"incidents/{found}/events")
    assert line == f"data: {seen[-1]}\n\n"


def test_a_stream_over_the_limit_says_one_line_and_others_hear_nothing(app, database, as_stranger):
    found = incidents.declare()
    taken = [live_views._watchers.acquire(blocking=False) for _ in range(live_views.WATCHERS)]
    try:
        line = first_line(visitor(app, "viewer"), f"incidents/{found}/events")
        assert line.startswith("retry: 5000\ndata: ")
    finally:
        for _ in filter(None, taken):
            live_views._watchers.release()
    as_stranger.get(f"incidents/{found}/events", then=404)
