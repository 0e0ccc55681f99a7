"""Offboarding of a tenant: two operators, a wait, complete deletion, and a certificate."""

import base64
import hashlib
import io
import multiprocessing
import random
import signal
from contextlib import suppress
from datetime import timedelta
from itertools import count

import pikepdf
import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import DBAPIError

from governance.app import schedule
from governance.app.cli import main
from governance.economics.revenue import account_actions
from governance.foundation.audit import fsck, logs
from governance.foundation.audit import queries as audit
from governance.foundation.people import member_actions
from governance.foundation.people.jobs import actor_of
from governance.foundation.people.models import Person
from governance.foundation.privacy import legal_hold_actions
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data import db, embedded, tenant_cache
from governance.kernel.data.db import Model, session, transaction
from governance.kernel.files import storage
from governance.kernel.work import jobs
from governance.publishing.reports.signatures.page_text import page_text
from governance.publishing.tenant_exports import actions as exports
from governance.publishing.tenant_exports import archive
from governance.publishing.tenant_offboarding import certificate_file, deletion, queries
from governance.publishing.tenant_offboarding import jobs as offboarding_jobs
from governance.publishing.tenant_offboarding.certificate_format import read
from governance.publishing.tenant_offboarding.models import TenantOffboarding
from governance.publishing.tenant_offboarding.verify import verify
from tests import faults, make
from tests.assurance.evidence.evidence_helpers import PDF, create_evidence, upload_version
from tests.browser import Visitor
from tests.economics.usage.usage_helpers import Product, event, register
from tests.foundation.approvals.approval_helpers import decide_approval, newest_approval_page
from tests.migrated_databases import migrated_database
from tests.publishing.operator_desk.desk_helpers import DESK, entries
from tests.publishing.tenant_offboarding import killed_worker
from tests.row_factory import TENANTED, RowFactory
from tests.waiting import MAX_WAIT_SECONDS

GIVEN = {
    "reason": "The contract ended in October",
    "typed": "Acme Insurance",
    "without_export": "y",
}
WAIT = timedelta(days=14)
REAL = ("audit_", "tenant_keys", "data_keys", "anchor_receipts")
KILL_POINTS, KILLS_A_DAY = 18, 3  # A deletion reports its progress at least that often.


@pytest.fixture(autouse=True)
def fresh_tenant_memory():
    yield
    directory.forget()


@pytest.fixture
def second(app, isolated):
    make.add_member("second_operator", "console", since=clock.now() - timedelta(days=90))
    return Visitor(app, make.cookie("second_operator", "console"))


def sign_log(slug: str) -> str:
    """Sequence the log as the schedule does each half second. Return the log's verifier key."""
    who = make.system_actor(slug)
    schedule.sequence_log(who.tenant_id, slug, who.tenant_name)
    with current.acting_as(who), transaction(read_only=True):
        key = logs.signing_key()
        assert key
        return str(logs.verifier(key))


def suspend(operator, slug: str = "acme", name: str = "Acme Insurance") -> None:
    operator.post(f"{DESK}/{slug}/suspend", reason="The contract ended", typed=name)


def approve(second, then: int = 303, typed: str = "Acme Insurance"):
    return decide_approval(
        second, newest_approval_page("console"), then=then, verb="approve", typed=typed
    )


def newest() -> TenantOffboarding:
    with make.acting("operator_admin", "console", read_only=True):
        found = session().scalars(
            select(TenantOffboarding).order_by(TenantOffboarding.created_at.desc())
        )
        row = found.first()
        assert row
        session().expunge(row)
        return row


def status(slug: str = "acme") -> str:
    with make.acting("operator_admin", "console", read_only=True):
        found = directory.any_tenant_by_slug(slug)
        assert found
        return found.status


def run_due() -> None:
    sign_log("console")
    offboarding_jobs.start_due()
    jobs.drain(actor_of)


def work_says() -> str:
    """Return the state and step of a deletion's newest work."""
    with make.acting("operator_admin", "console", read_only=True):
        query = select(jobs.WorkItem).where(jobs.WorkItem.kind == offboarding_jobs.WORK)
        item = session().scalars(query.order_by(jobs.WorkItem.created_at.desc())).first()
        return f"{item.state}: {item.step}" if item else "no work"


def rows_of(tenant_id) -> dict[str, int]:
    """Return how many rows of a tenant each table has, by the catalogue and not by the models."""
    with current.acting_as(system_actor_in(tenant_id, "x", "x")), transaction() as work:
        names = work.scalars(
            text(
                "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition"
                " AND c.relnamespace = 'public'::regnamespace"
                " AND a.attname = 'tenant_id' AND NOT a.attisdropped"
            )
        ).all()
        counted = {
            name: work.scalar(
                text(f'SELECT count(*) FROM "{name}" WHERE tenant_id = :t'), {"t": tenant_id}
            )
            for name in names
        }
    return {name: count for name, count in counted.items() if count}


def request_and_approve(operator, second) -> TenantOffboarding:
    suspend(operator)
    operator.post(f"{DESK}/acme/offboarding", **GIVEN)
    approve(second)
    return newest()


@pytest.fixture
def waiting(app, as_operator, second):
    """Approve the request fifteen days ago, so that it is due."""
    upload_version(create_evidence(), PDF)
    with clock.frozen(clock.now() - WAIT - timedelta(days=1)):
        return request_and_approve(as_operator, second)


def test_two_operators_decide_and_then_it_waits(app, as_operator, second):
    as_operator.post(f"{DESK}/acme/offboarding", then=409, **GIVEN)
    suspend(as_operator)
    as_operator.post(f"{DESK}/acme/offboarding", then=422, **GIVEN | {"typed": "Acme"})
    as_operator.post(f"{DESK}/acme/offboarding", then=422, **GIVEN | {"reason": " "})
    no_word = {name: value for name, value in GIVEN.items() if name != "without_export"}
    as_operator.post(f"{DESK}/acme/offboarding", then=422, **no_word)
    as_operator.post(f"{DESK}/acme/offboarding", **GIVEN)
    approve(as_operator, then=403)
    assert status() == "suspended"
    approve(second)
    assert status() == "offboarding"
    row = newest()
    assert row.due_at and row.approved_at and row.due_at - row.approved_at == WAIT
    refused = Visitor(app).get("/login?tenant=acme", then=403).text
    assert "will be deleted permanently on" in refused
    for slug in ("acme", "console"):
        assert [e.facts["tenant"] for e in entries("tenant.offboarding.approved", slug)] == ["acme"]
        assert len(entries("tenant.offboarding.requested", slug)) == 1
    with make.acting("admin", read_only=True):
        letters = session().scalars(select(jobs.WorkItem).where(jobs.WorkItem.kind == "mail"))
        assert any("will be deleted on" in each.params["subject"] for each in letters)


def test_finance_and_tenants_delete_nobody(app, as_operator, as_admin):
    as_admin.post(f"{DESK}/acme/offboarding", then=404, **GIVEN)
    suspend(as_operator)
    finance = Visitor(app, make.cookie("operator_finance", "console"))
    finance.post(f"{DESK}/acme/offboarding", then=403, **GIVEN)
    assert not entries("tenant.offboarding.requested", "console")


def test_it_can_be_cancelled_until_it_starts(app, as_operator, second):
    request_and_approve(as_operator, second)
    as_operator.post(f"{DESK}/acme/resume", then=409, reason="They stay")
    as_operator.post(f"{DESK}/acme/offboarding/cancel", then=422, reason=" ")
    as_operator.post(f"{DESK}/acme/offboarding/cancel", reason="They signed again")
    assert status() == "suspended" and newest().state == "cancelled"
    run_due()
    assert status() == "suspended"
    as_operator.post(f"{DESK}/acme/resume", reason="They stay")
    assert status() == "active"
    assert len(entries("tenant.offboarding.cancelled")) == 1


def test_nothing_happens_before_its_time(as_operator, second):
    row = request_and_approve(as_operator, second)
    before = rows_of(row.customer_id)
    run_due()
    assert newest().state == "waiting"
    with make.acting("operator_admin", "console"), pytest.raises(deletion.DomainError):
        deletion.announce(queries.offboarding(row.id, lock=True))
    after = rows_of(row.customer_id)
    assert {name for name in before if after.get(name, 0) < before[name]} <= {"audit_pending"}


def test_a_legal_hold_refuses(as_operator, second):
    with make.acting("admin"):
        held = legal_hold_actions.place_hold(None, "A court asks for it")
        hold_id = held.id
    suspend(as_operator)
    refused = as_operator.post(f"{DESK}/acme/offboarding", then=422, **GIVEN).text
    assert "legal hold" in refused
    with make.acting("admin"):
        held = session().get(
            legal_hold_actions.LegalHold, (make.system_actor("acme").tenant_id, hold_id)
        )
        legal_hold_actions.release_hold(held, "It is over")
    as_operator.post(f"{DESK}/acme/offboarding", **GIVEN)
    with make.acting("admin"):
        legal_hold_actions.place_hold(None, "Another court")
    approve(second, then=409)
    assert status() == "suspended"


def test_a_hold_placed_while_it_waits_refuses_as_well(waiting):
    with make.acting("admin"):
        legal_hold_actions.place_hold(None, "A court asks for it")
    run_due()
    assert newest().state == "waiting" and status() == "offboarding"


def test_an_export_in_progress_comes_first(as_operator, second):
    suspend(as_operator)
    with make.acting("admin"):
        exports.request_export()
    refused = as_operator.post(f"{DESK}/acme/offboarding", then=422, **GIVEN).text
    assert "An export is being generated" in refused
    sign_log("acme")
    jobs.drain(actor_of)
    no_word = {name: value for name, value in GIVEN.items() if name != "without_export"}
    as_operator.post(f"{DESK}/acme/offboarding", **no_word)
    assert newest().export.startswith("archive ")


def test_nothing_is_left_of_it_and_the_certificate_says_so(app, as_operator, waiting, tmp_path):
    mine, other = waiting.customer_id, make.system_actor("globex").tenant_id
    sign_log("globex")
    before, theirs = rows_of(mine), rows_of(other)
    assert before["audit_entries"] and before["evidence_versions"]
    assert list(storage.store().aged(mine.hex))
    jobs.drain(actor_of)
    run_due()
    row = newest()
    assert row.state == "deleted" and status() == "deleted", work_says()
    assert rows_of(mine) == {}, "proven over the catalogue"
    assert rows_of(other) == theirs
    assert not list(storage.store().aged(mine.hex))
    for model in Model.metadata.tables.values():
        if "for_tenant" in model.columns:
            with make.acting("operator_admin", "console", read_only=True):
                query = select(func.count()).select_from(model)
                assert not session().scalar(query.where(model.c.for_tenant == mine)), model.name
    for slug in ("globex", "console"):
        sign_log(slug)
        with current.acting_as(make.system_actor(slug)), transaction(read_only=True):
            assert fsck.fsck().ok, slug
    key = sign_log("console")
    note = as_operator.get(f"{DESK}/acme/offboarding/certificate.txt", then=200).text
    verdict = verify(note.encode(), key)
    assert verdict.ok, verdict.sentence
    stated = read(note.partition("\n\n")[0] + "\n")
    assert stated.rows["evidence_versions"] == before["evidence_versions"]
    assert stated.keys["tenant_keys"][0] == before["tenant_keys"]
    altered = note.replace("rows memberships ", "rows memberships 1")
    assert not verify(altered.encode(), key).ok
    assert not verify(note.encode(), sign_log("globex")).ok
    check_archive(as_operator, note, key, tmp_path)
    (kept,) = entries("tenant.deleted", "console")
    assert kept.facts["sha256"] == hashlib.sha256(note.encode()).hexdigest()
    assert base64.b64decode(kept.facts["checkpoint"]).startswith(b"console.example/audit/acme")
    as_operator.get(f"{DESK}/acme", then=302)
    assert "was deleted" in as_operator.get(f"{DESK}/acme/offboarding").text
    as_operator.get("/operator/", then=200)


def check_archive(as_operator, note: str, key: str, folder) -> None:
    """Check the ZIP: a PDF that shows the text, and whose signature verifies with it."""
    packed = as_operator.get(f"{DESK}/acme/offboarding/certificate", then=200).data
    path = folder / "certificate.zip"
    path.write_bytes(packed)
    told = CliRunner().invoke(main, ["verify-certificate", str(path), "--key", key])
    assert told.exit_code == 0 and "The certificate is genuine" in told.output
    assert "is signed, and shows this text" in told.output
    inside = certificate_file.unpack(packed)
    assert inside[certificate_file.TEXT_NAME].decode() == note
    with pikepdf.open(io.BytesIO(inside[certificate_file.PDF_NAME])) as document:
        shown = "".join(page_text(each) for each in document.pages)
        assert document.attachments[certificate_file.TEXT_NAME].get_file().read_bytes()
    assert "Acme Insurance was deleted" in shown and "evidence_versions" in shown
    pdf, sig = inside[certificate_file.PDF_NAME], inside[f"{certificate_file.PDF_NAME}.sig"]
    changed = certificate_file.pack(pdf + b"%", sig.decode(), note)
    assert "isn't the file that was signed" in verify(changed, key).sentence
    assert not verify(packed[:-40], key).ok


def person_exists(person_id) -> bool:
    with transaction(read_only=True, tenant_id=make.system_actor("globex").tenant_id) as work:
        work.execute(text("SELECT set_config('app.person', :p, true)"), {"p": str(person_id)})
        return work.get(Person, person_id) is not None


def test_its_people_go_unless_they_belong_elsewhere(app, waiting):
    with make.acting("viewer") as who:
        only_here = who.person_id
    with make.acting("compliance_officer") as who:
        also_there = who.person_id
    with current.acting_as(make.system_actor("globex")), transaction(person_id=also_there):
        person = session().get(Person, also_there)
        member_actions.add_member(person, "viewer", via="the test")
    assert person_exists(only_here) and person_exists(also_there)
    jobs.drain(actor_of)
    run_due()
    assert newest().state == "deleted", work_says()
    assert not person_exists(only_here)
    assert person_exists(also_there)


def test_the_slug_is_never_used_again(app, as_operator, waiting):
    jobs.drain(actor_of)
    run_due()
    with pytest.raises(tenants.SlugTaken):
        tenants.create_tenant("acme", "Another Acme")
    assert "exist. Enter your work email" in Visitor(app).get("/login?tenant=acme", then=422).text
    schedule.sequence_round(everybody=True)
    assert rows_of(waiting.customer_id) == {}, "no schedule writes there again"


# Each progress report starts with this statement, which keeps the ticket.
PROGRESS = "UPDATE work_tickets SET ready_at"


def deletes_although_killed(database, waiting, at: int) -> bool:
    """Kill the deletion at that progress report, and resume it.

    Return whether it made as many reports.
    """
    jobs.drain(actor_of)
    sign_log("console")
    before = rows_of(waiting.customer_id)
    offboarding_jobs.start_due()
    was_killed = True
    try:
        with faults.killed_in_transaction_of(database, PROGRESS, at=at), suppress(faults.Killed):
            jobs.drain(actor_of)
    except faults.TooFew:
        was_killed = False
    with clock.frozen(clock.now() + timedelta(minutes=10)):
        jobs.drain(actor_of)
    row = newest()
    assert row.state == "deleted" and rows_of(row.customer_id) == {}, (at, work_says())
    assert row.rows["evidence_versions"] == before["evidence_versions"], f"{at}: counted once"
    return was_killed


@pytest.mark.parametrize("draw", range(KILLS_A_DAY))
def test_killed_at_any_point_it_goes_on(isolated, waiting, draw):
    """Draw the points by pytest-randomly's printed seed, so that each day has others."""
    at = random.sample(range(1, KILL_POINTS + 1), KILLS_A_DAY)[draw]
    assert deletes_although_killed(isolated, waiting, at), at


@pytest.mark.nightly
def test_killed_at_each_point_it_goes_on(isolated, as_operator, second):
    for at in count(1):
        point = isolated.begin_nested()
        upload_version(create_evidence(), PDF)
        with clock.frozen(clock.now() - WAIT - timedelta(days=1)):
            row = request_and_approve(as_operator, second)
        was_killed = deletes_although_killed(isolated, row, at)
        point.rollback()
        forget()
        if not was_killed:
            break
    assert at > KILL_POINTS


@pytest.fixture
def own_database(server, app, settings, worker_id):
    """Yield a separate database with the world: processes share only commits."""
    name = f"offboarding_{worker_id}"
    started = migrated_database(name)
    engine = create_engine(started.app_url, pool_size=5)
    db.connect(engine)
    forget()
    make.create_world()
    yield started
    engine.dispose()
    db.connect(settings.database_url)
    forget()
    embedded.drop(server, name)


def forget() -> None:
    tenant_cache.forget()
    directory.forget()


@pytest.mark.slow
def test_a_process_killed_between_rows_and_one_killed_between_files_are_both_taken_up(
    own_database, app, settings
):
    for number in range(3):
        upload_version(create_evidence(f"Report {number}"), PDF + b"%" * number)
    with clock.frozen(clock.now() - WAIT - timedelta(days=1)):
        make.add_member("second_operator", "console", since=clock.now() - timedelta(days=90))
        visitors = [
            Visitor(app, make.cookie(who, "console"))
            for who in ("operator_admin", "second_operator")
        ]
        row = request_and_approve(*visitors)
    jobs.drain(actor_of)
    other = make.system_actor("globex").tenant_id
    before, theirs = rows_of(row.customer_id), rows_of(other)
    files = len(list(storage.store().aged(row.customer_id.hex)))
    assert files > 2
    sign_log("console")
    offboarding_jobs.start_due()
    for where, nth in ((killed_worker.FILES, 2), (killed_worker.ROWS, 12)):
        worker = multiprocessing.get_context("spawn").Process(
            target=killed_worker.run,
            args=(own_database.app_url, settings.storage_url, where, nth),
            daemon=True,
        )
        worker.start()
        worker.join(MAX_WAIT_SECONDS)
        assert worker.exitcode == -signal.SIGKILL, where
        assert newest().state == "deleting"
        with make.acting("operator_admin", "console"):
            session().execute(
                text("UPDATE work_tickets SET ready_at = now() - interval '1 second'")
            )
    left = rows_of(row.customer_id)
    assert left and "tenant_keys" not in left, "the keys are gone, other rows aren't"
    jobs.drain(actor_of)
    done = newest()
    assert done.state == "deleted" and rows_of(row.customer_id) == {}, work_says()
    assert not list(storage.store().aged(row.customer_id.hex)) and done.files == files
    assert done.rows["evidence_versions"] == before["evidence_versions"], "counted once"
    assert rows_of(other) == theirs
    assert verify((done.certificate or "").encode(), sign_log("console")).ok


def test_a_halted_log_is_stated_and_keeps_nothing(as_operator, waiting):
    """State how many pending entries never got a place."""
    jobs.drain(actor_of)
    sign_log("acme")
    with current.acting_as(make.system_actor("acme")), transaction():
        head = audit.head()
        assert head
        head.trouble = {"sentence": "The entry at place 3 was changed."}
    run_due()
    row = newest()
    assert row.state == "deleted", work_says()
    stated = read((row.certificate or "").partition("\n\n")[0] + "\n")
    assert int(stated.facts["entries-after-checkpoint"]) > 0


def test_every_page_of_the_operator_opens_when_a_customer_is_gone(app, as_operator, waiting):
    """Keep a price, an account and a month's revenue of the customer in the operator's books."""
    with make.acting("operator_finance", "console"):
        account_actions.save_account(
            waiting.customer_id,
            segment="Enterprise",
            seats=10,
            won_on=clock.today() - timedelta(days=90),
            lost_on=None,
        )
    jobs.drain(actor_of)
    run_due()
    assert newest().state == "deleted", work_says()
    finance = Visitor(app, make.cookie("operator_finance", "console"))
    addresses = sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/operator") and not rule.arguments and "GET" in rule.methods
    )
    assert len(addresses) > 15
    opened = 0
    for visitor in (as_operator, finance):
        for address in addresses:
            status = visitor.get(address, then=None).status_code
            assert status in {200, 302, 303, 403, 404}, address
            opened += status == 200
    assert opened > len(addresses)
    assert "Acme Insurance" in finance.get("/operator/economics/revenue/").text


def test_usage_events_in_clickhouse_are_exported_and_go_with_the_tenant(
    app, as_operator, second, clickhouse, product
):
    register(slug="globex")
    product.send([event(n) for n in range(3)])
    Product(app, slug="globex").send([event(n) for n in range(2)])
    with clock.frozen(clock.now() - WAIT - timedelta(days=1)):
        request_and_approve(as_operator, second)
    jobs.drain(actor_of)
    sign_log("acme")
    target = io.BytesIO()
    with current.acting_as(make.system_actor("acme")):
        contents = archive.write(target, lambda _step: None)
    assert contents.rows["tables/clickhouse.usage_events.jsonl"] == 3
    run_due()
    row = newest()
    assert row.state == "deleted", work_says()
    assert row.rows["clickhouse.usage_events"] == 3
    assert "rows clickhouse.usage_events 3" in (row.certificate or "")
    with make.acting("admin", "globex"):
        assert clickhouse.count_outside() == 2
    assert clickhouse.database.rows_of_all("SELECT count() FROM usage_events")[0][0] == 2


def call(offboarding_id, table: str) -> None:
    with make.acting("operator_admin", "console"), session().begin_nested():
        session().execute(deletion.DELETE, {"id": offboarding_id, "table": table, "up_to": 5})


def test_the_database_refuses_what_isnt_approved_and_due(as_operator, second, waiting):
    """Call the function as the application's role: it checks the conditions itself."""
    # It is pending, and nobody closed the tenant.
    with pytest.raises(DBAPIError, match="approved and due"):
        call(waiting.id, "audit_entries")
    with make.acting("operator_admin", "console"):
        row = queries.offboarding(waiting.id, lock=True)
        tenant = directory.any_tenant_by_slug("acme")
        row.state, tenant.status = "deleting", "deleting"
    with pytest.raises(DBAPIError, match="no table of tenants"):
        call(waiting.id, "signing_keys")
    with pytest.raises(DBAPIError, match="no table of tenants"):
        call(waiting.id, "pg_class")
    with make.acting("operator_admin", "console"):
        queries.offboarding(waiting.id).due_at = clock.now() + timedelta(minutes=5)
    with pytest.raises(DBAPIError, match="approved and due"):
        call(waiting.id, "audit_entries")
    with make.acting("operator_admin", "console"):
        row = queries.offboarding(waiting.id)
        row.due_at = row.approved_at  # Earlier than its waiting time allows.
    with pytest.raises(DBAPIError, match="approved and due"):
        call(waiting.id, "audit_entries")
    with make.acting("operator_admin", "console"):
        row = queries.offboarding(waiting.id)
        row.due_at = row.approved_at + WAIT
        row.customer_id = make.system_actor("globex").tenant_id
    with pytest.raises(DBAPIError, match="approved and due"):  # An id of another tenant.
        call(waiting.id, "audit_entries")
    with make.acting("operator_admin", "console"):
        queries.offboarding(waiting.id).customer_id = make.system_actor("console").tenant_id
    with pytest.raises(DBAPIError, match="approved and due"):
        call(waiting.id, "audit_entries")


def test_only_the_operators_own_transaction_reaches_it(waiting):
    with make.acting("operator_admin", "console"):
        directory.any_tenant_by_slug("acme").status = "deleting"
        queries.offboarding(waiting.id).state = "deleting"
    with (
        make.acting("admin"),
        pytest.raises(DBAPIError, match="approved and due"),
        session().begin_nested(),
    ):
        values = {"id": waiting.id, "table": "audit_entries", "up_to": 5}
        session().execute(deletion.DELETE, values)


def test_the_setting_of_the_triggers_opens_nothing_for_the_application(waiting):
    """Ignore the setting: the application can write any, but only the owner's function counts."""
    with make.acting("admin") as who, pytest.raises(DBAPIError), session().begin_nested():
        session().execute(
            text("SELECT set_config('app.offboarded', :t, true)"), {"t": str(who.tenant_id)}
        )
        session().execute(text("DELETE FROM audit_entries"))


def test_rows_of_every_class_are_deleted(app, as_operator, second):
    """Delete a row in each table, without an obstacle in triggers and foreign keys."""
    with clock.frozen(clock.now() - WAIT - timedelta(days=1)):
        request_and_approve(as_operator, second)
    with make.acting("admin"):
        rows = RowFactory()
        for model in TENANTED:
            # The tenant has real rows of those, and others would be no key and no log.
            if not model.__tablename__.startswith(REAL):
                rows.of(model)
        session().execute(text("UPDATE legal_holds SET released_at = now()"))
        session().execute(text("UPDATE work_items SET state = 'done' WHERE kind <> 'mail'"))
    jobs.drain(actor_of)
    run_due()
    row = newest()
    assert row.state == "deleted", work_says()
    assert rows_of(row.customer_id) == {}
