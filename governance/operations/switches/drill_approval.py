"""The approval of a drill."""

from collections.abc import Iterator, Mapping
from typing import Any

from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
)
from governance.foundation.approvals.models import Approval
from governance.kernel import clock
from governance.kernel.formatting import moment, plural
from governance.operations.switches import (
    actions,
    drill_actions,
    drill_log,
    permissions,
    queries,
)
from governance.operations.switches.active_stops import planes
from governance.operations.switches.approval_words import person_name
from governance.operations.switches.models import Drill


def _describe_drill(approval: Approval) -> Description:
    drill = queries.drill(approval.target_id)
    scope = queries.scope_of(drill)
    what, link = queries.name_of(*scope), ("drills.drill", {"drill_id": drill.id}, "Open the drill")
    facts = [
        ("Scope", what),
        ("Starts", moment(drill.due_at)),
        ("Lasts", f"{plural(drill.seconds, 'second')} at most"),
        ("Planes", planes(generate=True, serve=True)),
        ("Repeats", f"every {plural(drill.repeat_days, 'day')}" if drill.repeat_days else "once"),
        ("Planned by", person_name(drill.planned_by)),
    ]
    return Description(
        title=approval.summary,
        heading="Drill",
        facts=facts,
        effects=[*_effects_of_drill(drill, what, link)],
        verb="Approve drill",
        covers="Covers the scope, the time, the duration, the repetition, and the request itself.",
        back=("Drill", link[0], link[1]),
        consequence=f"The drill starts on {moment(drill.due_at)}. It can be cancelled until then.",
    )


def _effects_of_drill(
    drill: Drill, what: str, link: tuple[str, Mapping[str, Any], str]
) -> Iterator[ApprovalEffect]:
    if drill.state != "requested":
        yield ApprovalEffect("open", "This drill is already decided.", "", link)
        return
    heard = [
        one
        for one in queries.listeners().values()
        if one.is_under(drill.system_id) and one.is_heard(clock.now())
    ]
    yield ApprovalEffect(
        "due",
        f"{what} is stopped for up to {plural(drill.seconds, 'second')}.",
        "Every request gets the answer that it is stopped.",
        link,
    )
    if heard:
        yield ApprovalEffect(
            "ok",
            f"{plural(len(heard), 'consumer')} connected in the last 24 hours.",
            "Each of them must obey within that time.",
        )
    else:
        yield ApprovalEffect(
            "bad",
            "No consumer connected in the last 24 hours.",
            "Without one, the drill fails and stops nothing.",
        )
    yield ApprovalEffect(
        "ok", "It restarts automatically,", "as soon as every consumer obeys. Other stops stay."
    )
    if drill.repeat_days:
        yield ApprovalEffect(
            "due",
            f"It repeats every {plural(drill.repeat_days, 'day')}.",
            "This approval covers every repetition.",
        )


def _drill(approval: Approval) -> Mapping[str, Any]:
    drill = queries.drill(approval.target_id)
    retired = [bool(each.retired_at) for each in queries.scope_of(drill) if each is not None]
    return {
        "system": drill.system_id,
        "feature": drill.feature_id,
        "retired": retired,
        "due_at": drill.due_at.timestamp(),
        "seconds": drill.seconds,
        "repeat_days": drill.repeat_days,
        "state": drill.state,
    }


def _drill_entry(approval: Approval, _step: str) -> LogEntry:
    drill = queries.drill(approval.target_id)
    facts = {"due_at": drill.due_at, "seconds": drill.seconds, "repeat_days": drill.repeat_days}
    return LogEntry(drill, facts={**facts, **actions.slugs_of(drill)})


DRILL = ApprovalKind(
    name=queries.DRILL,
    label="Drill",
    permission=permissions.DRILL,
    describe=_describe_drill,
    fingerprint=_drill,
    apply=lambda approval: drill_actions.schedule(queries.drill(approval.target_id, lock=True)),
    on_reject=lambda approval: drill_actions.close(queries.drill(approval.target_id, lock=True)),
    entry=_drill_entry,
    lifetime=None,
    lock=drill_actions.LOCK,  # plan() makes it expire when the drill is due
    own="You planned this drill, so another person approves it.",
    entries={
        "requested": None,
        "approved": drill_log.DRILL_AGREED,
        "rejected": drill_log.DRILL_CANCELLED,
        "withdrawn": drill_log.DRILL_CANCELLED,
        "voided": drill_log.DRILL_CANCELLED,
        "expired": drill_log.DRILL_CANCELLED,
    },
)
