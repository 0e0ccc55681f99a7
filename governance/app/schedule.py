"""What runs by itself: the schedule (UTC), whose jobs claim their period, so that two schedulers do it once; and the sequencer."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from governance.assurance.access_reviews import jobs as access_reviews
from governance.assurance.collectors import jobs as collectors
from governance.assurance.engagements import jobs as engagements
from governance.assurance.evidence import actions as evidence
from governance.assurance.evidence import jobs as evidence_jobs
from governance.assurance.evidence import verifying
from governance.foundation.anchors import jobs as anchors
from governance.foundation.approvals import jobs as approvals
from governance.foundation.audit import fsck, sequencer
from governance.foundation.logbook import jobs as exports
from governance.foundation.logbook import search
from governance.foundation.people import actions as people
from governance.foundation.people import connections
from governance.foundation.privacy import actions as privacy
from governance.foundation.privacy import jobs as erasures
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.for_each_tenant import in_each
from governance.kernel import clock, current, undo
from governance.kernel.db import transaction
from governance.kernel.errors import Unavailable
from governance.kernel.jobs import has_run, once_per
from governance.operations.decision_counts import actions as decisions
from governance.operations.policies import jobs as policies
from governance.operations.switches import actions as switches
from governance.operations.switches import jobs as drills
from governance.publishing.reports import jobs as reports

log = structlog.get_logger("schedule")


def sweep_sign_ins() -> None:
    """Nightly: forget sign-ins that nobody finished and expired offers to undo; close sign-in changes that nobody decided."""
    _each_tenant("sweep sign-ins", people.forget_old_sign_ins)
    _each_tenant("forget offers to undo", undo.forget)
    _each_tenant("expire changes of the sign-in", connections.expire)


def expire_approvals() -> None:
    """Nightly: close requests for approval that nobody decided in time."""
    _each_tenant("expire approvals", approvals.expire)


def shred_old_parts() -> None:
    """Nightly: destroy the keys to what the log has sealed for longer than the tenant keeps it."""
    _each_tenant("shred old sealed parts", privacy.shred)


def tidy_evidence() -> None:
    """Nightly: sweep stored files that no row names, and propose what retention lets go."""
    _each_tenant("tidy evidence", evidence_jobs.tidy, in_steps=True)


def tidy_packages() -> None:
    """Nightly: stored packages that no row names, which a killed process left."""
    _each_tenant("tidy packages", engagements.sweep)


def remind_of_evidence() -> None:
    """Each morning: tell owners what is late or falls due, once for each due date."""
    _each_tenant("remind of evidence", evidence.remind)


def fold_counts() -> None:
    """Nightly: what was asked in days that are over is kept by the day."""
    _each_tenant("fold decision counts", decisions.fold)


def forget_consumers() -> None:
    """Nightly: products that are not heard any more, and of which no stop tells."""
    _each_tenant("forget quiet consumers", switches.forget_consumers)


def check_logs() -> None:
    """Nightly: re-derive every log from its stored bytes; what was found stands in that log, and damage in ours."""
    period = clock.today().isoformat()
    in_each(partial(_check_log, period), "log not checked", wanted=lambda t: not has_run(CHECK, t.slug, period))


def _check_log(period: str) -> None:
    slug, report = current.actor().tenant_slug, check_log()
    with transaction():  # claimed afterwards: a check that was killed is made again
        if once_per(CHECK, slug, period):
            fsck.note(report)
    if not report.ok:
        log.error("audit log damaged", tenant=slug, findings=[f.sentence for f in report.findings[:FIRST_FINDINGS]])


CHECK = "check the log"
FIRST_FINDINGS = 5


def check_log(told: fsck.Told = lambda _done, _total: None) -> fsck.Report:
    """The acting tenant's log, as it stands at one instant while others go on writing."""
    with transaction(read_only=True, snapshot=True):
        return fsck.fsck(told)


def verify_evidence() -> None:
    """Each night, until it is done for the week: re-hash every stored file of evidence; what is broken is marked, named and told."""
    week = f"{clock.today():%G-W%V}"
    in_each(partial(_verify_evidence, week), "evidence not verified", wanted=lambda t: not has_run(VERIFY, t.slug, week))


def _verify_evidence(week: str) -> None:
    slug = current.actor().tenant_slug
    report = verifying.verify(claim=partial(once_per, VERIFY, slug, week))  # afterwards: a killed one is made again
    if not report.ok:
        log.error("evidence damaged", tenant=slug, findings=[f.sentence for f in report.findings[:FIRST_FINDINGS]])


VERIFY = "verify evidence"


def _each_tenant(job: str, act: Callable[[], object], *, in_steps: bool = False) -> None:
    """Once a day and tenant, each in a transaction of its own; with `in_steps` it opens its transactions itself."""
    in_each(partial(_once_a_day, job, act, in_steps=in_steps), "nightly job failed", job=job)


def _once_a_day(job: str, act: Callable[[], object], *, in_steps: bool) -> None:
    with transaction():
        claimed = once_per(job, current.actor().tenant_slug, clock.today().isoformat())
        if claimed and not in_steps:
            act()
    if claimed and in_steps:
        act()


def shut_auditors_doors() -> None:
    """Every few seconds: auditors whose window has closed have no session any more. The door itself is asked on each request.

    One question over all tenants; only those with a window that has just closed get a transaction.
    """
    with transaction(read_only=True):
        closed = set(engagements.tenants_to_shut())
    if closed:
        in_each(_shut_doors, "doors not shut", wanted=lambda t: t.id in closed)


def _shut_doors() -> None:
    with transaction():
        engagements.shut_doors()


SEQUENCE_EVERY = 0.5  # seconds: the merge delay is at most two
LOOK_ROUND = 120  # turns: once a minute every log is looked at, for its heartbeat


def sequence_logs(stop: threading.Event) -> None:
    """Until told to stop: give waiting entries their places, log by log; an idle log signs its heartbeat."""
    turn, late, away = 0, False, False
    while not stop.is_set():
        try:
            late, away = sequence_round(everybody=turn % LOOK_ROUND == 0, was_late=late), False
        except Unavailable as problem:
            if not away:  # said once, not twice a second
                log.warning("sequencer waits for the database", reason=problem.message)
            away = True
        except Exception:  # whatever it is, the next round may do better
            log.exception("sequencer faltered")
        turn += 1
        stop.wait(SEQUENCE_EVERY)


def sequence_round(*, everybody: bool = False, was_late: bool = False) -> bool:
    """One round over the logs with waiting entries (or over all). True, and said once, when one waits too long."""
    with transaction():
        waits = sequencer.waiting()
        tenants_here = [t for t in directory.all_tenants() if everybody or t.id in waits] if everybody or waits else []
        every = [(t.id, t.slug, t.name) for t in tenants_here]
    late = sequencer.oldest(waits) > sequencer.ALARM_SECONDS
    if late and not was_late:
        log.error("audit entries wait too long for their place", seconds=round(sequencer.oldest(waits)), logs=len(waits))
    for tenant_id, slug, name in every:
        sequence_log(tenant_id, slug, name)
    return late


def sequence_log(tenant_id: UUID, slug: str, name: str) -> None:
    """All that waits in one log, batch by batch; then the words of what is full, for the search. What is wrong with one log does not keep the others waiting."""
    try:
        with current.acting_as(tenants.founder(tenant_id, slug, name)):
            while sequencer.sequence() == sequencer.BATCH:
                pass
            search.index_new_blocks()  # a few: a long backlog is not to hold up the other logs
    except Exception:
        log.exception("log not sequenced", tenant=slug)


HANDLERS = (
    reports.make_report,
    erasures.erase,
    exports.make_export,
    anchors.send_checkpoints,
    policies.apply_scheduled,
    collectors.collect,
)  # imported so that the jobs process knows every kind of work; mail is in kernel/outbox.py
JOBS: dict[str, tuple[Callable[[], None], dict[str, Any]]] = {
    CHECK: (check_logs, {"hour": 3, "minute": 41}),
    "remind of access reviews": (access_reviews.remind_everywhere, {"hour": 7, "minute": 11}),
    "run due drills": (drills.run_due_drills, {"second": "*/5"}),
    "apply scheduled policies": (policies.apply_due_everywhere, {"minute": 7}),
    "collect evidence": (collectors.collect_due, {"minute": 23}),
    "fold decision counts": (fold_counts, {"hour": 1, "minute": 37}),
    "forget quiet consumers": (forget_consumers, {"hour": 1, "minute": 47}),
    "push checkpoints": (anchors.push_all, {"second": 20}),
    "tidy evidence": (tidy_evidence, {"hour": 3, "minute": 7}),
    "tidy packages": (tidy_packages, {"hour": 3, "minute": 17}),
    VERIFY: (verify_evidence, {"hour": 4, "minute": 19}),
    "remind of evidence": (remind_of_evidence, {"hour": 6, "minute": 12}),
    "shut auditors' doors": (shut_auditors_doors, {"second": "*/10"}),
    "sweep sign-ins": (sweep_sign_ins, {"hour": 2, "minute": 17}),
    "expire approvals": (expire_approvals, {"hour": 2, "minute": 27}),
    "shred old sealed parts": (shred_old_parts, {"hour": 2, "minute": 47}),
}
