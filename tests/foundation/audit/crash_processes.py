"""Processes that the fault tests kill."""

import os
import signal
import sys
import threading
from pathlib import Path

from sqlalchemy import event

from governance.app import cli, schedule
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import registry
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current, logs
from governance.kernel.data import db
from governance.kernel.data.db import session, transaction
from governance.kernel.safety import key_encryption

CHANGED = registry["tenant.settings.changed"]
KEK = bytes(range(1, 33))


def connect(url: str) -> None:
    db.connect(url)
    key_encryption.use(KEK)


def write_entries_together(who: current.Actor, count: int = 1) -> None:
    """Write `count` entries in one transaction."""
    with current.acting_as(who), transaction():
        target = session().get(Tenant, who.tenant_id)
        for number in range(count):
            record(
                CHANGED,
                target,
                before={"name": "A"},
                after={"name": f"B{number}"},
                reason="for the test",
            )


def run_round_killed_at(url: str, nth: int) -> None:
    """Run one round of the sequencer and send SIGKILL before its nth statement or commit.

    Exit with 0 if it has fewer.
    """
    connect(url)
    left = nth

    def step(*_):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(db.engine(), "before_cursor_execute", step)
    event.listen(db.engine(), "commit", step)
    schedule.sequence_round()
    os._exit(0)


def sequence_until_killed(url: str) -> None:
    connect(url)
    schedule.SEQUENCE_EVERY = 0.01
    schedule.sequence_logs(threading.Event())


def write_until_told(url: str, who: current.Actor, stop, counts) -> None:
    """Write one entry per transaction until told to stop. Queue how many were committed."""
    connect(url)
    written = 0
    while not stop.is_set():
        write_entries_together(who)
        written += 1
    counts.put(written)


def write_entries_one_by_one(url: str, who: current.Actor, entries: int) -> None:
    """Write one entry per transaction."""
    connect(url)
    for _ in range(entries):
        write_entries_together(who)


def run_two_rounds(url: str, said: Path) -> None:
    """Run two rounds and write the operator's log to the file. Exit with how many were late."""
    connect(url)
    os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT), 2)
    logs.configure()
    late = schedule.sequence_round()
    again = schedule.sequence_round(was_late=late)
    os._exit(int(late) + int(again))


def run_command(arguments: list[str], settings: dict[str, str], said: Path) -> None:
    """Run an operator's command, write its output to the file, and exit with its code."""
    for number in (1, 2):
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.environ.update(settings)
    sys.argv = ["governance", *arguments]
    cli.main()


def create_tenant(slug: str) -> current.Actor:
    """Return the system actor of a new tenant."""
    tenant = tenants.create_tenant(slug, slug.title())
    return system_actor_in(tenant.id, slug, tenant.name)
