"""The cached pages of the library: valid until any change, then fresh for every reader."""

from datetime import timedelta

from sqlalchemy import event

from governance.assurance.evidence import actions, link_actions, queries
from governance.kernel import clock
from governance.kernel.data.db import session
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.conftest import visitor


def line_of(visitor, title):
    """Return the row with that title as this person reads it."""
    rows = visitor.get("evidence/").text.split("<tr data-row>")
    return next((row.partition("</tr>")[0] for row in rows if title in row), "")


def test_each_change_is_on_everybodys_next_page(as_officer, as_viewer, acting):
    readers = (as_officer, as_viewer)
    piece = evidence_helpers.create_evidence("Penetration test")
    assert all("no control" in line_of(reader, "Penetration test") for reader in readers)

    control = evidence_helpers.create_control("SEC-81", "Tested yearly")
    with acting("compliance_officer"):
        link_actions.link(queries.find_evidence(piece), control)
    assert all("SEC-81" in line_of(reader, "Penetration test") for reader in readers)

    version = evidence_helpers.upload_version(piece)
    assert all("1 version" in line_of(reader, "Penetration test") for reader in readers)
    assert all("In review" in line_of(reader, "Penetration test") for reader in readers)

    evidence_helpers.accept_version(version)
    assert all("In review" not in line_of(reader, "Penetration test") for reader in readers)

    with acting("compliance_officer"):
        actions.assign_all([piece], make.person_id("compliance_officer"))
    name, _email, _role = make.PEOPLE["acme", "compliance_officer"]
    assert all(name in line_of(reader, "Penetration test") for reader in readers)


def test_days_pass_without_any_change(app, as_officer):
    piece = evidence_helpers.create_evidence("Quarterly report")
    evidence_helpers.accept_version(evidence_helpers.upload_version(piece))
    assert "c-state-ok" in line_of(as_officer, "Quarterly report")
    with clock.frozen(clock.now() + timedelta(days=400)):
        late = visitor(app, "compliance_officer")
        assert "c-state-bad" in line_of(late, "Quarterly report")


def test_who_reads_it_again_asks_the_database_for_no_item(acting):
    with acting("compliance_officer", read_only=True):
        queries.library()
        connection, asked = session().connection().engine, []
        event.listen(
            connection, "before_cursor_execute", hear := lambda *told: asked.append(told[2])
        )
        try:
            queries.library()
            queries.library(sort="title")
        finally:
            event.remove(connection, "before_cursor_execute", hear)
    # Only the other order is queried.
    assert sum("evidence_versions" in each for each in asked) == 2
