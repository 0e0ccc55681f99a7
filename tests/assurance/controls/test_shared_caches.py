"""The ledger and boards that readers share, which show every commit at once and nothing else."""

from datetime import timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import create_engine, event

from governance.assurance.assessments import (
    assessment_actions,
    assessment_queries,
    board_queries,
    conclusion_actions,
    item_actions,
)
from governance.assurance.controls import actions, control_ledger, mapping_actions, queries
from governance.assurance.controls.control_record import ControlContent
from governance.assurance.evidence import actions as evidence
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit import queries as log
from governance.foundation.audit import sequencer
from governance.foundation.logbook import log_health
from governance.foundation.logbook.log_health import _read
from governance.foundation.people import admission_actions
from governance.foundation.people.models import person_key
from governance.kernel import clock, current
from governance.kernel.data import db, tenant_cache
from governance.kernel.data.db import session, transaction
from tests import make

KEY = "nist-ai-rmf-1.0"


def create_control(ref):
    content = ControlContent(
        title="A control",
        does="It does something.",
        kind="detective",
        automation="manual",
        cadence="quarterly",
    )
    owner_id = make.person_id("contributor")
    return actions.create(ref, content, owner_id=owner_id)


def ledger(slug="acme"):
    with make.acting(slug=slug, read_only=True):
        return control_ledger.ledger()


def refs(slug="acme"):
    return [control.ref for control in ledger(slug).at(clock.now())]


def board():
    with make.acting(read_only=True):
        return board_queries.board(frameworks.framework(KEY))


def mapped(shown):
    return len(shown.row("MEASURE 2.7").derived.controls)


@pytest.fixture
def tenant_with_control(acting):
    with acting():
        control = create_control("SEC-04")
        mapping_actions.map_to(control, frameworks.requirement(KEY, "MEASURE-2.7").id, "full")
        return control.id


def test_readers_share_it(tenant_with_control, acting):
    first, shown = ledger(), board()
    with acting("viewer", read_only=True):
        assert (
            control_ledger.ledger() is first
            and board_queries.board(frameworks.framework(KEY)).rows is shown.rows
        )


def test_a_warm_board_costs_no_statement_but_the_number(tenant_with_control, isolated):
    board()
    seen = []
    with make.acting(read_only=True):
        event.listen(isolated.engine, "before_cursor_execute", note := lambda *a: seen.append(a[2]))
        try:
            board_queries.board(frameworks.framework(KEY))
        finally:
            event.remove(isolated.engine, "before_cursor_execute", note)
    assert len(seen) == 1 and "audit_pending" in seen[0]


def test_a_change_by_another_transaction_is_seen_at_once(tenant_with_control, acting):
    assert refs() == ["SEC-04"] and mapped(board()) == 1
    with acting("admin"):
        create_control("SEC-05")
    assert refs() == ["SEC-04", "SEC-05"]
    with acting():
        actions.retire(queries.find_control(tenant_with_control), reason="It is replaced.")
    assert refs() == ["SEC-05"] and mapped(board()) == 0


def test_targets_conclusions_and_a_new_assessment_are_seen_at_once(tenant_with_control, acting):
    assert board().assessment is None
    with acting():
        today = clock.today()
        held = assessment_actions.start_assessment(
            frameworks.framework(KEY).id,
            title="Q4",
            period_from=today - timedelta(days=90),
            period_to=today,
        ).id
    shown = board()
    assert shown.assessment.title == "Q4"
    item = shown.row("MEASURE 2.7").item
    with acting():
        row = assessment_queries.item_rows(held)[item.row.id]
        item_actions.set_target(row, 4, version=row.version)
        conclusion_actions.conclude(
            row, level=2, rationale="It is answered by the policy.", version=row.version
        )
    after = board().row("MEASURE 2.7")
    assert (after.target, after.judgement.level) == (4, 2) and shown.row("MEASURE 2.7").target == 3


def test_a_change_that_is_rolled_back_is_never_seen(tenant_with_control, acting):
    for _ in range(2):
        with pytest.raises(ValueError), acting():
            create_control("SEC-66")
            assert [control.ref for control in control_ledger.ledger().at(clock.now())] == [
                "SEC-04",
                "SEC-66",
            ]
            raise ValueError
        assert refs() == ["SEC-04"]


def test_a_transaction_that_writes_sees_its_own_and_leaves_nothing(tenant_with_control, acting):
    kept = ledger()
    with acting():
        assert control_ledger.ledger() is not kept
        create_control("SEC-05")
        assert len(control_ledger.ledger().controls) == 2
    assert len(ledger().controls) == 2 and len(kept.controls) == 1


def test_what_another_connection_has_not_committed_is_not_remembered(settings, app):
    engine, wrote, over = create_engine(settings.database_url, pool_size=2), Event(), Event()
    db.connect(engine)
    tenant_cache.forget()

    def writes():
        with pytest.raises(ValueError), make.acting():
            create_control("SEC-77")
            session().flush()
            wrote.set()
            over.wait(60)
            raise ValueError

    try:
        before = refs()
        writer = Thread(target=writes)
        writer.start()
        wrote.wait(60)
        during, kept = refs(), ledger()
        over.set()
        writer.join()
        assert before == during == refs() and ledger() is kept and "SEC-77" not in before
    finally:
        over.set()
        engine.dispose()


def test_two_tenants_never_share(tenant_with_control):
    assert refs() == ["SEC-04"] and refs("globex") == [] and refs() == ["SEC-04"]


def test_a_sequencer_that_moves_entries_moves_no_number(tenant_with_control):
    with current.acting_as(make.system_actor("acme")):
        sequencer.sequence()  # Opening the log for the first time is an action.
    with make.acting():
        create_control("SEC-05")
    with make.acting(read_only=True):
        number, _ = _read()
    kept = ledger()
    with current.acting_as(make.system_actor("acme")):
        assert sequencer.sequence() > 0
    with make.acting(read_only=True):
        assert _read()[0] == number
    assert ledger() is kept


def test_a_queue_too_long_to_count_keeps_nothing(tenant_with_control, acting, monkeypatch):
    monkeypatch.setattr(log, "MAX_COUNTED", 2)
    monkeypatch.setattr(log_health, "MAX_COUNTED", 2)
    with acting():
        create_control("SEC-05")
    assert refs() == ["SEC-04", "SEC-05"] and ledger() is not ledger()
    with acting("viewer", read_only=True):
        health = _read()[1]
        assert health is None or health.oldest_pending >= 0


def test_a_name_that_changes_by_a_sign_in_elsewhere_is_seen_here(tenant_with_control):
    assert ledger().controls[0].owner == "Anna Rossi"
    who = make.identity("acme", "Anna Bianchi", "contributor@acme.example")
    with (
        current.acting_as(make.system_actor("globex")),
        transaction(person_id=person_key(who.issuer, who.subject)),
    ):
        admission_actions.save_person(who)
    assert ledger().controls[0].owner == "Anna Bianchi"


def test_the_days_turn_changes_what_is_due(app, acting, isolated):
    now = clock.now()
    with acting():
        control = create_control("SEC-04")
        mapping_actions.map_to(control, frameworks.requirement(KEY, "MEASURE-2.7").id, "full")
        due = now.date() + timedelta(days=1)
        evidence.create_item(
            "Report", kind="report", cadence="quarterly", due_on=due, controls={control.id: ""}
        )
    today = board()
    with clock.frozen(now + timedelta(days=3)):
        later = board()
    assert today.row("MEASURE 2.7").derived.reasons != later.row("MEASURE 2.7").derived.reasons
    assert later.as_of.date() > today.as_of.date() and board().rows == today.rows


def test_within_a_day_what_begins_or_ends_moves_it(tenant_with_control, acting):
    now = clock.now()
    later = now + timedelta(seconds=40)
    with clock.frozen(later), acting():  # The machine's clock is ahead.
        actions.retire(queries.find_control(tenant_with_control), reason="It is replaced.")
    with clock.frozen(now):
        assert mapped(board()) == 1
    with clock.frozen(later):
        assert mapped(board()) == 0
    with clock.frozen(now):
        assert mapped(board()) == 1


def test_a_past_instant_is_cut_from_what_is_kept_and_keeps_nothing_of_its_own(
    tenant_with_control, acting
):
    with make.acting(read_only=True):
        shown = board_queries.board(frameworks.framework(KEY), clock.now() - timedelta(days=1))
    assert shown.token is None and mapped(shown) == 0
    assert mapped(board()) == 1


def test_rows_are_drawn_once_and_tell_nothing_of_the_reader(
    as_officer, as_viewer, as_neighbour, tenant_with_control
):
    pages = [
        who.get(f"frameworks/{KEY}/requirements").text
        for who in (as_officer, as_viewer, as_officer, as_viewer)
    ]
    assert (
        pages[0].count("Anna Rossi")
        == pages[1].count("Anna Rossi")
        == pages[2].count("Anna Rossi")
        > 0
    )
    assert "data-tick" not in pages[1] and "data-tick" not in pages[3]
    assert (
        "/t/acme/"
        not in as_neighbour.get(f"frameworks/{KEY}/requirements").text.partition("<main")[2]
    )


def test_nothing_that_is_shared_can_be_changed(tenant_with_control):
    kept = ledger()
    row = kept.controls[0]
    for write in (
        lambda: kept.pieces.update({}),
        lambda: row.mappings.append(1),
        lambda: setattr(row, "title", "x"),
        lambda: setattr(kept, "pieces", {}),
    ):
        with pytest.raises(AttributeError):
            write()


def test_what_follows_from_a_board_is_that_of_its_own_rows(tenant_with_control, acting):
    """Derive share and gaps once per board, and again for a changed board."""
    shown = board()
    assert board().share is shown.share and board().gaps == shown.gaps
    with acting():
        create_control("SEC-06")
    assert board().share is not shown.share
    with make.acting(read_only=True):
        past = board_queries.board(frameworks.framework(KEY), clock.now() - timedelta(days=400))
    assert past.share.reached == 0 and len(past.gaps) == past.share.count
