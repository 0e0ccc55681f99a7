"""Rows of several tables are read by one statement, and never in place of a later change."""

import pytest
from sqlalchemy import bindparam, func, select

from governance.assurance.incidents import actions, deadlines, impact_actions, queries
from governance.assurance.incidents.models import ImpactFigure, IncidentNote
from governance.assurance.incidents.queries import FIGURES, FOLLOW_UPS, NOTES
from governance.assurance.incidents.severity_queries import SEVERITIES
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.kernel import clock, current
from governance.kernel.db import session, within
from governance.kernel.read_ahead import Selected, one_of, read_ahead
from tests import make
from tests.assurance.incidents import incident_helpers as incidents

OF_INCIDENT = (NOTES, FIGURES, FOLLOW_UPS, SEVERITIES, *deadlines.OF_CLOCKS)

TEXTS = Selected(
    lambda: (
        select(IncidentNote.text, func.length(IncidentNote.text))
        .where(one_of(IncidentNote.incident_id, "incident_ids"))
        .where(IncidentNote.text > bindparam("after"))
        .order_by(IncidentNote.text.desc())
        .limit(2)
    )
)


@pytest.fixture
def of_it(database, acting):
    """An incident's id; it has three notes, three figures and no follow-up. There is another."""
    found, other = incidents.declare(), incidents.declare("Another one")
    with acting("reviewer"):
        for incident, notes in ((found, "abc"), (other, "d")):
            for text in notes:
                actions.add_note(queries.incident(incident), text)
                impact_actions.add_figure(queries.incident(incident), text, "customers")
    return found


def test_each_table_has_its_own_rows_in_their_order(of_it, acting, statements):
    with acting("admin"):  # may write: each is read by itself
        apart = [[row.id for row in each.read(incident_ids=(of_it,))] for each in OF_INCIDENT[:3]]
    with acting("admin", read_only=True), statements() as seen:
        read_ahead(*OF_INCIDENT, incident_ids=(of_it,))
        assert len(seen) == 1
        found = [[row.id for row in each.read(incident_ids=(of_it,))] for each in OF_INCIDENT[:3]]
        assert SEVERITIES.read() == [] and len(seen) == 1
    assert found == apart and [len(each) for each in found] == [3, 3, 0]


def test_rows_of_columns_are_the_same_together_as_apart(of_it, acting, statements):
    with acting("admin"):
        apart = TEXTS.read(incident_ids=(of_it,), after="a")
    with acting("admin", read_only=True), statements() as seen:
        read_ahead(NOTES, TEXTS, incident_ids=(of_it,), after="a")
        assert TEXTS.read(incident_ids=(of_it,), after="a") == apart == [("c", 1), ("b", 1)]
        assert len(seen) == 1
        assert TEXTS.read(incident_ids=(of_it,), after="b") == [("c", 1)]  # read again


def test_what_was_read_is_not_read_again_with_others(of_it, acting, statements):
    with acting("admin", read_only=True), statements() as seen:
        NOTES.read(incident_ids=(of_it,))
        read_ahead(NOTES, FIGURES, FOLLOW_UPS, incident_ids=(of_it,))
        assert len(seen) == 2 and "incident_notes" not in seen[1]
        read_ahead(NOTES, FIGURES, incident_ids=(of_it,))
        assert len(seen) == 2


def test_another_person_and_another_tenant_read_their_own(of_it, acting):
    other = directory.tenant_id("globex")
    with acting("admin", read_only=True):
        read_ahead(NOTES, FIGURES, incident_ids=(of_it,))
        with within(tenants.founder(other, "globex", "Globex")):
            read_ahead(NOTES, FIGURES, incident_ids=(of_it,))
            assert NOTES.read(incident_ids=(of_it,)) == []
        with current.acting_as(make.actor("viewer")):
            assert len(NOTES.read(incident_ids=(of_it,))) == 3


def test_who_may_write_reads_what_they_changed(of_it, acting):
    with acting("reviewer"):
        read_ahead(NOTES, FIGURES, incident_ids=(of_it,))
        figure = (
            session().scalars(select(ImpactFigure).where(ImpactFigure.incident_id == of_it)).first()
        )
        figure.removed_at = clock.now()
        session().flush()
        assert len(FIGURES.read(incident_ids=(of_it,))) == 2
