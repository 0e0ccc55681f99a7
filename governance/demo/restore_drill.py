"""The restore drill: lose a database, and restore it from a backup that is older than an erasure.

    run(folder) -> Outcome     report each step in a line; the first failure is its problem

It needs only the embedded PostgreSQL: a temporary server with an archived write-ahead log, a
witness on loopback, and the operators' commands from docs/operating/restore.md, each in its
own process. It covers the known traps of a restore:

- The backup brings an erased person's keys back.
- The log is shorter than what a witness has cosigned.
- Recovery to a point in time stops early if the archive has no later commit.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import cache_from_source
from pathlib import Path
from typing import LiteralString
from urllib.parse import quote

import psycopg
from sqlalchemy import select

from governance.app import schedule
from governance.app.factory import connect
from governance.app.settings import from_environment
from governance.demo.witness import Witness, serving
from governance.foundation.anchors import actions as anchors
from governance.foundation.anchors import jobs as pushing
from governance.foundation.anchors import queries as outside
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import fingerprint_seen
from governance.foundation.approvals.queries import open_approval
from governance.foundation.audit import logs, personal_field_encryption, queries
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people import admission_actions, member_actions
from governance.foundation.people.jobs import actor_of
from governance.foundation.people.models import Membership, person_key
from governance.foundation.people.oidc_types import Identity
from governance.foundation.privacy import erasure_actions
from governance.foundation.privacy import queries as asked
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data import db, embedded
from governance.kernel.data.db import session, transaction
from governance.kernel.work import jobs
from governance.publishing.operator_work import base_backup
from governance.publishing.operator_work.backup_records import Outcome

SLUG, ISSUER, DATABASE = "drill", "https://id.drill.example", "governance"
STAFF = {"Ada Lindqvist": "admin", "Bo Okafor": "admin", "Noor Haddad": "viewer"}
LEAVES = "Noor Haddad"
PATIENCE = 60  # seconds; generous, for a busy machine


class StepFailed(Exception):
    """A step didn't end as expected. The message says how."""


def need(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - what must hold is the argument
    if not holds:
        raise StepFailed(otherwise)


# ---- the temporary server


@dataclass(slots=True)
class Server:
    """A PostgreSQL server in `folder` that the drill can lose.

    Its socket has a short path. Its finished write-ahead log is copied to `archive`.
    """

    folder: Path
    archive: Path
    sockets: Path

    @property
    def super_uri(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(str(self.sockets))}"

    def url(self, role: str) -> str:
        return f"postgresql+psycopg://{role}@/{DATABASE}?host={self.sockets}"

    def make(self) -> None:
        embedded.init(self.folder)
        for folder in (self.archive, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
            self.own(folder)
        self.configure(
            "archive_mode = on",
            f"archive_command = 'test ! -f {self.archive}/%f && cp %p {self.archive}/%f'",
        )
        self.start()
        with psycopg.connect(self.super_uri, autocommit=True) as connection:
            embedded.prepare(connection, DATABASE)

    def own(self, path: Path) -> None:
        """Change the owner of a path to the server's account, if that isn't ours."""
        owner = self.folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)

    def configure(self, *lines: str) -> None:
        with (self.folder / "postgresql.auto.conf").open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))

    def start(self) -> None:
        try:
            self._control("start", "-l", str(self.folder / "log"), "-o", f"-h '' -k {self.sockets}")
        except subprocess.CalledProcessError:
            raise StepFailed((self.folder / "log").read_text()[-2000:]) from None

    def stop(self) -> None:
        with suppress(subprocess.CalledProcessError):
            self._control("stop", "-m", "immediate")

    def _control(self, verb: str, *more: str) -> None:
        embedded.call(
            self.folder, "pg_ctl", verb, "-D", str(self.folder), "-w", "-t", str(PATIENCE), *more
        )

    def ask(self, query: LiteralString, *values: object) -> object:
        with psycopg.connect(self.super_uri, autocommit=True) as connection:
            row = connection.execute(query, values).fetchone()
        return row[0] if row else None

    def kill(self) -> None:
        """Send SIGKILL to the postmaster, whose children then end without a checkpoint."""
        os.kill(int((self.folder / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        for left in self.sockets.iterdir():  # In a container nobody may reap the process, and the next server would think it is alive.
            left.unlink()


# ---- the drill


@dataclass(slots=True)
class Drill:
    folder: Path
    server: Server
    witness: Witness
    witness_url: str
    members: dict[str, Actor] = field(default_factory=dict)
    console: Actor | None = None
    joined: dict[str, str] = field(
        default_factory=dict
    )  # the leaver's encrypted name, as stored in their entry
    target: str = ""
    size: int = 0  # of the backup, in bytes
    held: int = 0  # entries that the witness has cosigned
    key: str = ""

    # -- before

    def starts_a_server(self) -> str:
        self.server.make()
        return "A temporary PostgreSQL server is running and archives its write-ahead log."

    def migrates(self) -> str:
        self.operator("migrate", ends=0)
        connect(from_environment(self.environment()))
        return "governance migrate created the tables."

    def founds_a_tenant(self) -> str:
        tenant = tenants.create_tenant(SLUG, "The drill's tenant")
        self.console = system_actor_in(tenant.id, SLUG, tenant.name)
        for name, role in STAFF.items():
            self.members[name] = self._joins(name, role)
        with self.acting(LEAVES):
            entry = (
                session()
                .scalars(
                    select(AuditEntry)
                    .where(AuditEntry.action == member_actions.MEMBER_JOINED.name)
                    .order_by(AuditEntry.at.desc())
                    .limit(1)
                )
                .one()
            )
            self.joined = entry.sealed["name"]
        need(self.readable(), "the name that was just encrypted can't be read")
        return (
            f"Created a tenant with {len(STAFF)} people. The leaver's name is encrypted and"
            " readable."
        )

    def _joins(self, name: str, role: str) -> Actor:
        mail = f"{name.partition(' ')[0].lower()}@drill.example"
        who = Identity(
            ISSUER, mail, mail, True, name, (), f"sid-{mail}", clock.now().timestamp(), "token"
        )
        with current.acting_as(self.console), transaction(person_id=person_key(ISSUER, mail)):
            person = admission_actions.save_person(who)
            member_actions.add_member(person, role, via="the drill")
            tenant = current.actor()
            return Actor(
                tenant.tenant_id,
                SLUG,
                tenant.tenant_name,
                person.id,
                name,
                role,
                email=mail,
                authenticated_at=clock.now(),
            )

    def witnesses(self) -> str:
        self.works("before the backup")
        self._adds_witness()
        return f"A witness cosigned {self.pushed()} entries."

    def _adds_witness(self) -> None:
        with self.acting("Ada Lindqvist"):
            self.key = str(logs.verifier(logs.all_keys()[0]))
            self.witness.trust(self.key)
            if not outside.anchors():
                anchors.add(
                    kind="witness",
                    name="The drill's witness",
                    url=self.witness_url,
                    key=self.witness.key,
                )

    def backs_up(self) -> str:
        backup = self.folder / "backup"
        backup.mkdir(mode=0o700)
        self.server.own(backup)
        embedded.call(
            self.server.folder,
            "pg_basebackup",
            "-D",
            str(backup),
            "-h",
            str(self.server.sockets),
            "-U",
            "postgres",
            "-c",
            "fast",
            "--manifest-checksums=SHA256",
        )
        self.size = base_backup.check(backup)
        return f"Created a base backup of {self.size // 1_000_000} MB. Every file matches its manifest."

    def goes_on(self) -> str:
        self.works("after the backup, before the point in time")
        self.pushed()
        self.target = str(self.server.ask("SELECT clock_timestamp()"))
        return (
            "Added entries that are only in the archived log. The point in time to restore is"
            f" {self.target}."
        )

    def erases(self) -> str:
        with self.acting("Ada Lindqvist"):
            erasure = erasure_actions.request_erasure(
                self._membership(), "Requested under GDPR article 17"
            ).id
        with self.acting("Bo Okafor"):
            found = open_approval(asked.ERASURE, erasure)
            if found is None:
                raise StepFailed("the request has no approval")
            approvals.approve(found, seen=fingerprint_seen(found), typed=LEAVES)
        jobs.drain(actor_of)
        need(not self.readable(), "the erased name can still be read")
        return "Two people erased the third. What was encrypted about them can't be read."

    def _membership(self) -> Membership:
        return (
            session()
            .scalars(
                select(Membership).where(Membership.person_id == self.members[LEAVES].person_id)
            )
            .one()
        )

    def archives(self) -> str:
        """Archive a commit after the recovery target, because recovery otherwise ends before it."""
        self.works("after the erasure")
        self.held = self.pushed()
        last = self.server.ask("SELECT pg_walfile_name(pg_switch_wal())")
        self._until(
            lambda: bool(
                self.server.ask("SELECT last_archived_wal >= %s FROM pg_stat_archiver", last)
            ),
            "the write-ahead log was not archived",
        )
        return f"Added more entries and archived them. The witness has {self.held} entries."

    # -- the loss and the restore

    def is_lost(self) -> str:
        db.engine().dispose()
        self.server.kill()
        self.server.folder.rename(self.folder / "lost")
        return "The server was killed and its disk is lost."

    def restores(self) -> str:
        shutil.copytree(self.folder / "backup", self.server.folder, symlinks=True)
        owner = (self.folder / "backup").stat()
        for path in (self.server.folder, *self.server.folder.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)
        self.server.configure(
            f"restore_command = 'cp {self.server.archive}/%f %p'",
            f"recovery_target_time = '{self.target}'",
            "recovery_target_action = 'promote'",
            "archive_mode = off",
        )
        (self.server.folder / "recovery.signal").touch()
        self.server.start()
        self._until(
            lambda: self.server.ask("SELECT pg_is_in_recovery()") is False, "recovery did not end"
        )
        with self.acting(LEAVES):
            log = queries.head()
            size = log.size if log else 0
        need(0 < size < self.held, f"{size} entries were restored; the witness has {self.held}")
        need(self.readable(), "the backup should have brought the erased keys back")
        return (
            f"Restored {size} of {self.held} entries to that point in time, and the erased person"
            " is readable again."
        )

    def replays(self) -> str:
        said = self.operator("privacy", "replay", ends=0)
        need("1 erased again" in said, said)
        need(not self.readable(), "the erased name can be read after the replay")
        need(
            "Nothing to erase again" in self.operator("privacy", "replay", ends=0),
            "a second replay still finds people to erase",
        )
        return "governance privacy replay has erased them again. A second run finds nothing to do."

    def checks(self) -> str:
        return (
            "governance audit fsck:"
            f" {self.operator('audit', 'fsck', ends=0).strip().removeprefix('ok').strip()}"
        )

    def compares(self) -> str:
        said = self.operator("audit", "compare", ends=1)
        with self.acting("Ada Lindqvist"):
            log = queries.head()
            need(log is not None and log.trouble is not None, f"the log is not halted: {said}")
            before = log.number if log else 0
        waiting = self.operator("audit", "sequence", ends=1)
        need("Halted" in waiting, waiting)
        with self.acting("Ada Lindqvist"):
            log = queries.head()
            need(log is not None and log.number == before, "a halted log signed a checkpoint")
        return (
            "governance audit compare finds the rollback and halts the log:"
            f" {said.strip().splitlines()[0].removeprefix('FAIL').strip()}"
        )

    def takes_up(self) -> str:
        said = self.operator(
            "audit", "resume", SLUG, "--reason", "Restored from backup; the disk was lost", ends=0
        )
        lines = said.strip().splitlines()
        need(
            lines[-1] == self.operator("audit", "keys", SLUG, ends=0).splitlines()[0],
            "the printed key is not the one that signs",
        )
        self.operator("audit", "sequence", ends=0)
        self._adds_witness()
        need(
            self.pushed() > 0 and "/restored-1" in self.key,
            f"the log continues with the key {self.key}",
        )
        self.operator("audit", "compare", ends=0)
        return f"{lines[0].rstrip('.:')}; the witness agrees again."

    def is_whole(self) -> str:
        self.works("after the restore")
        self.pushed()
        self.operator("audit", "fsck", SLUG, ends=0)
        need(not self.readable(), "the erased name can be read")
        with self.acting("Ada Lindqvist"):
            told = {entry.action for entry in queries.newest(limit=50)}
        need(
            {logs.HALTED.name, logs.RESUMED.name, "person.erased"} <= told,
            f"the log records only {sorted(told)}",
        )
        return (
            "fsck finds no damage, the erased person stays erased, and the log itself records the"
            " rollback."
        )

    # -- shared steps

    def works(self, when: str) -> None:
        """Add ten entries by a person, each in its own transaction, and sequence them."""
        for number in range(10):
            with self.acting("Bo Okafor") as who:
                tenant = session().get(Tenant, who.tenant_id)
                need(tenant is not None, "the tenant is gone")
                unit = f"Step {number} {when}"
                tenants.change_settings(tenant, unit=unit)  # type: ignore[arg-type]
        schedule.sequence_round(everybody=True)

    def pushed(self) -> int:
        """Send the last checkpoint to the witness, and return how many entries the witness has."""
        with current.acting_as(self.console):
            pushing.push(impatient=True)
            with transaction(read_only=True):
                anchor, log = outside.anchors()[0], queries.head()
                need(
                    anchor.state == "agrees" and log is not None and anchor.seen_size == log.size,
                    f"the witness {anchor.finding or anchor.state}, {anchor.seen_size} entries",
                )
                return anchor.seen_size

    def readable(self) -> bool:
        with self.acting("Ada Lindqvist"):
            return personal_field_encryption.unseal("name", self.joined) == LEAVES

    @contextmanager
    def acting(self, name: str) -> Generator[Actor]:
        who = self.members[name]
        with current.acting_as(who), transaction():
            yield who

    def _until(self, holds: Callable[[], bool], otherwise: str) -> None:
        over = time.monotonic() + PATIENCE
        while not holds():
            need(time.monotonic() < over, otherwise)
            time.sleep(0.1)

    def environment(self) -> dict[str, str]:
        """Return the settings of this installation, as an operator would set them."""
        ours = ("GOVERNANCE_", "DATABASE_URL", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return kept | {
            "DATABASE_URL": self.server.url(embedded.APP),
            "GOVERNANCE_OWNER_DATABASE_URL": self.server.url(embedded.OWNER),
            "GOVERNANCE_VAR": str(self.folder / "var"),
            "GOVERNANCE_KEK_FILE": str(self.folder / "kek.key"),
            "GOVERNANCE_SECRET_KEY_FILE": str(self.folder / "secret.key"),
            "GOVERNANCE_DEMO": "1",  # allows a witness on loopback
            **self._compiled(),
        }

    def _compiled(self) -> dict[str, str]:
        """Return a folder for compiled files if Python writes none, which speeds up later commands."""
        if not sys.dont_write_bytecode and Path(cache_from_source(__file__)).exists():
            return {}
        return {"PYTHONPYCACHEPREFIX": str(self.folder / "compiled")}

    def operator(self, *command: str, ends: int) -> str:
        """Run an operator's command in its own process, and return its output."""
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "governance.app.cli", *command],
            env=self.environment(),
            text=True,
            check=False,
            capture_output=True,
            timeout=2 * PATIENCE,
        )
        need(
            done.returncode == ends,
            f"governance {' '.join(command)} ended with {done.returncode}:"
            f" {done.stdout}{done.stderr[-1500:]}",
        )
        return done.stdout


STEPS = (
    Drill.starts_a_server,
    Drill.migrates,
    Drill.founds_a_tenant,
    Drill.witnesses,
    Drill.backs_up,
    Drill.goes_on,
    Drill.erases,
    Drill.archives,
    Drill.is_lost,
    Drill.restores,
    Drill.replays,
    Drill.checks,
    Drill.compares,
    Drill.takes_up,
    Drill.is_whole,
)


def run(folder: Path, say: Callable[[str], None]) -> Outcome:
    """Run all steps in `folder`, which must be empty. The first failure ends the drill."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        say(f"FAIL  {folder} is not empty.")
        return Outcome(succeeded=False, problem="The folder of the drill was not empty.")
    for name in ("kek.key", "secret.key"):
        (folder / name).write_bytes(secrets.token_bytes(32))
    os.environ["GOVERNANCE_DEMO"] = "1"  # allows calls to a witness on loopback
    sockets = Path(tempfile.mkdtemp(prefix="drill-"))
    server = Server(folder / "server", folder / "archive", sockets)
    witness = Witness(folder / "witness.json", "witness.example/drill")
    try:
        with serving(witness) as address:
            return _walk(Drill(folder, server, witness, address), say)
    finally:
        server.stop()
        shutil.rmtree(sockets, ignore_errors=True)


def _walk(drill: Drill, say: Callable[[str], None]) -> Outcome:
    began = time.monotonic()
    for step in STEPS:
        try:
            say(f"ok    {step(drill)}")
        except (
            Exception,  # noqa: BLE001
            SystemExit,
        ) as fault:
            problem = f"{step.__name__.replace('_', ' ')}: {fault}"
            say(f"FAIL  {problem}")
            return Outcome(False, drill.size, round(time.monotonic() - began), problem=problem)
    seconds = round(time.monotonic() - began)
    say(f"The restore drill passed in {seconds} s.")
    return Outcome(True, drill.size, seconds)
