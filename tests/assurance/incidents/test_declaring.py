"""Incidents declared by a person or from a stop; their states change one at a time."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from governance.assurance.incidents import actions, queries, suggestions
from governance.assurance.incidents.models import Incident, IncidentSuggestion
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid, NotFound
from governance.kernel.intervals import Span
from governance.operations.switches import actions as switches
from governance.operations.switches.models import Stop
from governance.operations.systems import queries as systems
from tests.assurance.incidents import incident_helpers as incidents
from tests.operations.switches import switch_helpers


def stop_the_feature():
    return switches.stop("feature", *switch_helpers.find_feature(), reason="Wrong clauses")


def test_a_stop_suggests_an_incident_and_two_clicks_declare_one(acting, database):
    incidents.register_system()
    with acting("admin"):
        stopped = stop_the_feature()
        found = queries.suggestion(stopped.id)
        assert (found.switch, found.settled_at) == ("claims-triage · auto-approve", None)
        made = suggestions.declare_from_stop(stopped.id)
        again = suggestions.declare_from_stop(stopped.id)
        assert made.id == again.id
        assert session().scalar(select(func.count()).select_from(Incident)) == 1
        assert queries.suggestion(stopped.id).incident_id == made.id
        (window,) = queries.impacts_of([made.id])[made.id]
        assert window.system.key == "claims-triage"
        assert window.impact.ends_at is None


def test_the_page_of_a_stop_leads_to_its_incident_or_declares_one(acting, as_admin, as_viewer):
    incidents.register_system()
    with acting("admin"):
        page = f"switches/stops/{stop_the_feature().id}"
    assert "Declare incident…" in as_admin.get(page).text
    assert "Declare incident…" not in as_viewer.get(page).text
    with acting("admin"):
        suggestions.declare_from_stop(session().scalars(select(Stop)).one().id)
    assert "Open INC-1" in as_admin.get(page).text
    assert "Declare incident…" not in as_admin.get("systems/claims-triage/switches").text


def test_the_page_of_a_stop_within_an_incident_leads_to_that_one(acting, as_viewer):
    system_id = incidents.register_system()
    incidents.declare(systems=[system_id])
    with acting("admin"):
        page = f"switches/stops/{stop_the_feature().id}"
    assert "Open INC-1" in as_viewer.get(page).text


def test_the_stop_of_a_drill_suggests_nothing(acting, database):
    incidents.register_system()
    with acting("admin"):
        switches.place("tenant", None, None, reason="drill")
        assert session().scalars(select(IncidentSuggestion)).all() == []


def test_a_stop_within_an_open_incident_of_its_system_suggests_nothing(acting, database):
    incidents.register_system()
    with acting("admin"):
        system = systems.system("claims-triage")
        found = actions.declare("Wrong answers", severity=2, systems=[system.id])
        assert queries.suggestion(stop_the_feature().id) is None
        assert queries.has_open_incident(system.id) and found.stop_id is None


def test_a_suggestion_is_dismissed_with_a_reason(acting, database):
    incidents.register_system()
    with acting("admin"):
        stopped = stop_the_feature()
        with pytest.raises(Invalid, match="Enter why"):
            suggestions.dismiss(stopped.id, reason=" ")
        suggestions.dismiss(stopped.id, reason="A planned stop")
        assert queries.suggestion(stopped.id).settled_at is not None
        assert queries.incident_of_stop(stopped.id) is None


def test_refs_count_up_in_each_tenant(database, acting):
    first, second = incidents.declare(), incidents.declare("Another")
    other = incidents.declare("Theirs", by="compliance_officer", slug="globex")
    with acting("admin"):
        assert [queries.incident(each).ref for each in (first, second)] == ["INC-1", "INC-2"]
        with pytest.raises(NotFound):
            queries.incident(other)
    with acting("admin", "globex"):
        assert queries.incident(other).ref == "INC-1"


def test_a_state_follows_the_one_before_and_a_jump_is_refused(database, acting):
    found = incidents.declare()
    with acting("reviewer"):
        each = queries.incident(found)
        for jump in ("monitoring", "resolved", "closed", "over"):
            with pytest.raises(DomainError):
                actions.go_to(each, jump)
        actions.go_to(each, "identified")
        actions.go_to(each, "identified")  # A second click.
        actions.go_to(each, "monitoring")
        with pytest.raises(Invalid, match="Enter why"):
            actions.go_to(each, "investigating")
        actions.go_to(each, "investigating", reason="It came back")
        assert (each.identified_at, each.monitoring_at) == (None, None)


def test_a_contributor_changes_an_incident_only_with_a_role_in_it(database, acting):
    own, other = incidents.declare(by="contributor"), incidents.declare()
    with acting("contributor"):
        actions.go_to(queries.incident(own), "identified")
        with pytest.raises(Forbidden, match="no role in INC-2"):
            actions.go_to(queries.incident(other), "identified")
        actions.add_note(queries.incident(other), "I saw it, too.")
    with acting("viewer"), pytest.raises(Forbidden):
        actions.declare("Mine", severity=2)


def test_an_incident_is_declared_neither_without_title_nor_in_the_future(database, acting):
    with acting("admin"):
        with pytest.raises(Invalid, match="title"):
            actions.declare(" ", severity=2)
        with pytest.raises(Invalid, match="severity"):
            actions.declare("Something", severity=5)
        with pytest.raises(Invalid, match="future"):
            actions.declare("Something", severity=2, aware_at=clock.now() + timedelta(hours=1))


def test_an_impact_without_an_end_is_found_in_every_later_span(database, acting):
    system, now = incidents.register_system(), clock.now()
    day = timedelta(days=1)
    goes_on = incidents.declare(systems=[system], impact_from=now - 3 * day)
    bare = incidents.declare("No window", detected_at=now - 3 * day)
    with acting("viewer"):
        spans = queries.incidents_in(Span(now - day, now))
        assert {each.incident_id for each in spans} == {goes_on, bare}
        assert {each.end for each in spans} == {None}
        (only,) = queries.incidents_in(Span(now - day, now), system)
        assert only.incident_id == goes_on
        assert queries.incidents_in(Span(now - 9 * day, now - 8 * day)) == []
    with acting("admin", "globex"):
        assert queries.incidents_in(Span(now - day, now)) == []
