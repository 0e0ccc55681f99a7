"""The close of a month: once, frozen, and revised only when figures or counts differ."""

import io
import random
import zipfile
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import DBAPIError

from governance.assurance.incidents import actions as incidents
from governance.assurance.incidents import impact_actions
from governance.assurance.incidents import queries as incident_queries
from governance.foundation.audit import logs
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.jobs import actor_of
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants.models import Tenant, TenantTimeZone
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.kernel.files.storage import store as storage
from governance.kernel.intervals import Span
from governance.kernel.months import Month
from governance.kernel.work import jobs, outbox
from governance.kernel.work.jobs import WorkItem, WorkTicket
from governance.operations.agreements.models import Agreement
from governance.operations.measurements import partitions
from governance.publishing.reports import actions as signing_keys
from governance.publishing.reports import queries as reports
from governance.publishing.statements import actions, dispute_actions, queries
from governance.publishing.statements import jobs as closing
from governance.publishing.statements.models import CreditEntry, Statement
from governance.publishing.statements.verify import verify
from tests import make
from tests.operations.measurements.measurement_helpers import system_of
from tests.publishing.statements import statement_helpers as helpers
from tests.publishing.statements.statement_helpers import DUE, EARLY, at, close


@pytest.fixture
def month(app, isolated, acting):
    with acting("admin"):
        agreement, made = helpers.october()
        return agreement.id, made.id


def entries(acting, name):
    with acting("admin"):
        return session().scalars(select(AuditEntry).where(AuditEntry.action == name)).all()


def file_of(row):
    with storage().open(row.file_key) as file:
        return file.read()


def delivered_text(letter):
    """Return the text that was sent, which the work doesn't store."""
    content = (outbox._folder / f"{letter.id}.eml").read_bytes()
    return message_from_bytes(content, policy=policy.default).get_content()


def key_line():
    """Return the keys of the statements and of the audit log, one a line."""
    keys = [signing_keys.key_line(reports.signing_key())]
    return "\n".join([*keys, *(str(logs.verifier(each)) for each in logs.all_keys())])


def test_before_its_day_a_month_stays_open_and_on_it_it_is_closed_once(month, acting):
    close(acting, EARLY)
    with acting("admin"):
        assert not session().scalars(select(Statement)).all()
    close(acting)
    close(acting)
    with acting("admin"):
        [row] = helpers.revisions()
        assert (row.number, row.cause, row.credit, row.currency) == (1, "close", 130_000, "EUR")
        assert row.result["lines"][0]["attained"] == "2820/2880"
        [owed] = session().scalars(select(CreditEntry)).all()
        assert (owed.kind, owed.amount, owed.revision) == ("owed", 130_000, 1)
        letters = session().scalars(select(WorkItem).where(WorkItem.kind == "mail")).all()
        [letter] = [each for each in letters if "Statement of October" in each.params["subject"]]
        assert letter.params["to"] == "ines.duarte@acme.example"
        assert "Credit: €1,300.00" in delivered_text(letter)
        assert queries.last_closed_month() == (2026, 10)
    assert len(entries(acting, "statement.closed")) == 1


def test_another_tenants_month_is_not_touched(month, acting):
    close(acting)
    with acting("admin", "globex"):
        assert not session().scalars(select(Statement)).all()


def test_its_file_is_signed_and_verifies_offline(month, acting):
    close(acting)
    with acting("admin"):
        [row] = helpers.revisions()
        assert row.file_name == "acme-2026-10-r1.zip"
        packed, key = file_of(row), key_line()
    found = verify(packed, key)
    assert found.ok, found
    assert found.credit == 130_000 and found.number == "acme-AGR-1-2026-10-r1"
    assert sorted(zipfile.ZipFile(io.BytesIO(packed)).namelist()) == [
        "sla-statement.json",
        "sla-statement.pdf",
        "sla-statement.pdf.sig",
    ]


def test_two_that_close_the_same_month_make_one(month, acting):
    with clock.frozen(DUE):
        with acting("admin"):
            assert closing.start_due(DUE) == 1
        with acting("admin"):
            assert closing.start_due(DUE) == 0
            actions.request_revision(helpers.only_statement())  # A second work item for it.
        jobs.drain(actor_of)
    with acting("admin"):
        assert len(helpers.revisions()) == 1
    assert len(entries(acting, "statement.closed")) == 1


def test_a_person_closes_a_month_that_is_over_and_no_other(month, acting):
    from governance.kernel.months import Month
    from governance.operations.agreements.queries import agreement

    with clock.frozen(EARLY), acting("admin"):
        with pytest.raises(actions.NotOver, match="November 2026 isn't over"):
            actions.close_now(agreement(month[0]), Month(2026, 11))
        with pytest.raises(actions.NotOver, match="No version"):
            actions.close_now(agreement(month[0]), Month(2026, 8))
        first = actions.close_now(agreement(month[0]), Month(2026, 10))
        assert actions.close_now(agreement(month[0]), Month(2026, 10)).id == first.id


def test_the_file_names_the_incidents_of_the_month_and_an_edit_of_one_makes_no_revision(
    month, acting
):
    with clock.frozen(EARLY), acting("admin"):
        systems = [system_of().id]
        touched = incidents.declare("Down", severity=2, systems=systems, impact_from=at(2, 6))
        incidents.declare("Later", severity=3, systems=systems, impact_from=EARLY)
        touched_id, ref = touched.id, touched.ref
    close(acting)
    with acting("admin"):
        [row] = helpers.revisions()
        [named] = row.facts["incidents"]
        assert (named["ref"], named["from"]) == (ref, "2026-10-02T06:00:00Z")
        assert named["to"] == row.facts["span"][1]  # It continues, and the month ends.
        assert named["indicators"] == [helpers.KEY]
        packed, key = file_of(row), key_line()
    assert verify(packed, key).ok
    with clock.frozen(DUE), acting("admin"):
        found = incident_queries.incident(touched_id, lock=True)
        window = incident_queries.impacts_of([found.id])[found.id][0].impact
        impact_actions.change_window(found, window, starts_at=at(2, 6), ends_at=at(2, 7))
        actions.request_revision(helpers.only_statement())
    close(acting)
    with acting("admin"):
        assert len(helpers.revisions()) == 1


def test_late_minutes_make_a_revision_that_says_what_changed(month, acting):
    close(acting)
    with acting("admin"):
        from governance.operations.measurements.queries import indicator

        before = helpers.revisions()[0].result
        helpers.store(indicator(month[1]), at(3), 1440)  # 4,260 of 4,320: 98.6%, 10%.
        statement = helpers.only_statement()
        assert statement.is_revision_due and statement.revision == 1
        assert helpers.revisions()[0].result == before  # Closed figures stay until then.
    close(acting)
    with acting("admin"):
        first, second = helpers.revisions()
        assert (first.credit, second.credit, second.cause) == (130_000, 52_000, "late_data")
        assert second.changes["credit"] == [130_000, 52_000]
        [minutes] = second.changes["minutes"]
        assert minutes["count"] == 1440
        assert minutes["spans"] == [["2026-10-03T00:00:00Z", "2026-10-04T00:00:00Z"]]
        [line] = second.changes["lines"]
        assert line["values"]["attained"] == ["2820/2880", "4260/4320"]
        assert [each.amount for each in queries.entries(second.statement_id)] == [130_000, -78_000]
        assert not helpers.only_statement().is_revision_due
    assert len(entries(acting, "statement.revised")) == 1


def test_a_late_correction_without_a_difference_makes_no_revision(month, acting):
    close(acting)
    with acting("admin"):
        from governance.operations.measurements.queries import indicator

        helpers.store(indicator(month[1]), at(1), 1, good=2)
        helpers.store(indicator(month[1]), at(1), 1, good=3)
        assert helpers.only_statement().is_revision_due
    close(acting)
    with acting("admin"):
        assert len(helpers.revisions()) == 1
        assert not helpers.only_statement().is_revision_due
    assert len(entries(acting, "statement.checked")) == 1


def test_minutes_of_the_running_month_mark_nothing(month, acting):
    close(acting)
    with acting("admin"):
        from governance.operations.measurements.queries import indicator

        helpers.store(indicator(month[1]), datetime(2026, 11, 20, tzinfo=UTC), 5)
        assert helpers.only_statement().marks == 0


def test_a_version_that_takes_effect_in_the_month_splits_it(month, acting):
    with acting("admin"):
        from governance.operations.agreements.queries import agreement
        from governance.operations.measurements.queries import indicator

        helpers.agree(
            agreement=agreement(month[0]),
            version=2,
            effective=at(2, 6),
            commitments=[{"indicator_id": indicator(month[1]).id, "fee_part": 1_000_000}],
        )
    close(acting)
    with acting("admin"):
        [row] = helpers.revisions()
        first, second = row.result["lines"]
        assert (first["version"], first["lost"], second["version"], second["lost"]) == (1, 0, 2, 60)
        assert first["window"] + second["window"] == row.result["minutes"] == 44_700
        assert verify(file_of(row), key_line()).ok


@pytest.mark.parametrize(
    ("closed_in", "month", "move", "first", "minutes"),
    [
        ("2026-02", (2026, 2), None, "2026-01-31T23:00:00Z", 28 * 1440),
        ("leap day", (2024, 2), None, "2024-01-31T23:00:00Z", 29 * 1440),
        ("a day of 23 hours", (2026, 3), None, "2026-02-28T23:00:00Z", 31 * 1440 - 60),
        ("30 days", (2026, 6), None, "2026-05-31T22:00:00Z", 30 * 1440),
        ("a day of 25 hours", (2026, 10), None, "2026-09-30T22:00:00Z", 31 * 1440 + 60),
        ("moved", (2026, 10), "Pacific/Auckland", "2026-09-30T22:00:00Z", 31 * 1440 - 11 * 60),
    ],
)
def test_a_month_is_closed_with_every_minute_that_its_clocks_gave_it(
    app, isolated, acting, closed_in, month, move, first, minutes
):
    """Put downtime in its first and last minute; their neighbors belong to other months."""
    start = datetime.fromisoformat(first)
    end = start + timedelta(minutes=minutes)
    with acting("admin"), clock.frozen(end + timedelta(hours=1)):
        made = helpers.indicator()
        helpers.store(made, start - helpers.MINUTE, minutes + 2)
        for each in (start, end - helpers.MINUTE):
            helpers.store(made, each, 1, good=0)
        helpers.agree(effective=start - timedelta(days=40), commitments=[{"indicator_id": made.id}])
    if move:
        with acting("admin") as who, clock.frozen(start + timedelta(days=14)):
            session().scalars(select(TenantTimeZone)).one().since = start - timedelta(days=400)
            session().flush()
            tenants.change_settings(session().get(Tenant, who.tenant_id), time_zone=move)
    with acting("admin"), clock.frozen(end + timedelta(hours=1)):
        agreement = only(Agreement)
        actions.close_now(agreement, Month(*month))
    with clock.frozen(end + timedelta(hours=1)):
        jobs.drain(actor_of)
    with acting("admin"):
        [row] = helpers.revisions()
        [line] = row.result["lines"]
        assert (row.facts["span"], line["window"]) == ([first, _text(end)], minutes), closed_in
        assert (line["measured"], line["lost"]) == (minutes, 2)
        found = verify(file_of(row), key_line())
        assert found.ok, found


def only(model):
    return session().scalars(select(model)).one()


def _text(at):
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def test_revisions_and_credits_never_change(month, acting):
    close(acting)
    for table in ("statement_revisions", "statement_credits"):
        with (
            pytest.raises(DBAPIError, match="append-only|never change|permission denied"),
            acting("admin"),
        ):
            from sqlalchemy import text

            session().execute(text(f"UPDATE {table} SET currency = 'USD'"))


def make_due_now():
    with make.acting("admin"):
        past = clock.now().replace(year=2020)
        session().execute(update(WorkTicket).values(ready_at=past))


LEAST_STATEMENTS = 20  # of a close


class Killed(Exception):
    """An error after which no handler runs, as after the kill of a process."""


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(3, id="three statements, drawn"),
        pytest.param(None, id="every statement", marks=pytest.mark.nightly),
    ],
)
def test_killed_at_any_statement_it_closes_once(month, acting, database, engine, kills):
    """Kill the work at its n-th statement. The next attempt closes the month."""
    with clock.frozen(DUE), acting("admin"):
        closing.start_due(DUE)
    left = {"statements": None}

    def count(_connection, _cursor, statement, *_rest):
        of_the_kernel = statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK"))
        if left["statements"] is not None and not of_the_kernel:
            left["statements"] -= 1
            if left["statements"] < 0:
                left["statements"] = None
                raise Killed

    event.listen(engine, "before_cursor_execute", count)
    deaths = 0
    drawn = [*sorted(random.sample(range(LEAST_STATEMENTS), kills)), 400] if kills else range(400)
    try:
        for n in drawn:
            make_due_now()
            with make.acting("admin"):
                session().execute(update(WorkTicket).values(tries=0))
                session().execute(update(WorkItem).values(state="queued"))
            left["statements"] = n
            try:
                with clock.frozen(DUE), current.acting_as(make.system_actor("acme")):
                    closing.close_month(_item(), _silent)
            except Killed:
                deaths += 1
                with make.acting("admin"):
                    assert len(helpers.revisions()) == 0
            else:
                break
    finally:
        left["statements"] = None
        event.remove(engine, "before_cursor_execute", count)
    assert deaths == kills or (kills is None and deaths > LEAST_STATEMENTS)
    with acting("admin"):
        assert [each.number for each in helpers.revisions()] == [1]
        assert len(session().scalars(select(CreditEntry)).all()) == 1
    assert len(entries(acting, "statement.closed")) == 1


def _item():
    with make.acting("admin"):
        found = session().scalars(select(WorkItem).where(WorkItem.kind == "statement")).one()
        session().expunge(found)
    return found


def _silent(_done, _total, _step):
    pass


def test_minutes_are_kept_while_a_dispute_is_open(month, acting):
    close(acting)
    with acting("admin"), clock.frozen(DUE):
        statement = helpers.only_statement()
        assert queries.minutes_needed_since() is None
        made = dispute(statement)
        assert queries.minutes_needed_since() == (2026, 9)  # October starts on 30 September, UTC.
        dispute_actions.withdraw(made)
        assert queries.minutes_needed_since() is None


def test_without_its_minutes_a_closed_month_keeps_its_figures(month, acting):
    close(acting)
    later = DUE.replace(year=DUE.year + 3)
    with acting("admin"), clock.frozen(later):
        statement = helpers.only_statement()
        assert Month(2026, 9) not in partitions.MINUTES.existing()
        with pytest.raises(DomainError, match="no longer kept"):
            dispute(statement)
        actions.mark_late([statement], "exclusion", at(1), at(2))
        statement_id = statement.id
    close(acting, later)
    with acting("admin"):
        assert [row.number for row in queries.revisions(statement_id)] == [1]
        assert queries.statement(statement_id).marks_seen == 1


def dispute(statement):
    return dispute_actions.raise_dispute(
        statement,
        kind="minutes",
        span=Span(at(2, 6), at(2, 7)),
        indicator=helpers.KEY,
        reason="The probe was wrong.",
    )
