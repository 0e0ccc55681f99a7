"""The rollout gate on the age of the AI system's last red team and on open findings."""

from collections.abc import Iterator

from governance.assurance.red_teams import permissions
from governance.assurance.red_teams.age import age_of
from governance.operations.gates.gates import Gate, GateReading, GateSubject

MAX_NAMED = 3


def _red_team(subject: GateSubject) -> Iterator[GateReading]:
    """Yield the age if the policy limits it, and the open findings if any was ever reported."""
    found = age_of(subject.system_id)
    link = ("red_teams.of_system", {"system_key": subject.system})
    if found.limit is not None:
        yield GateReading(
            name="Age of the last red team",
            verdict="missing" if found.days is None else "fail" if found.is_too_old else "pass",
            needs=f"at most {found.limit:,} days",
            figure=found.ref or "none finished",
            detail=found.figure if found.ref else "",
            link=link,
            counts_everything=True,
            link_needs=permissions.VIEW,
        )
    if found.reported:
        refs = [f"RTF-{number}" for number in found.open[:MAX_NAMED]]
        more = len(found.open) - len(refs)
        yield GateReading(
            name="Open findings of red teams",
            verdict="fail" if refs else "pass",
            needs="none open",
            figure=", ".join(refs) + (f" and {more} more" if more else "") if refs else "none",
            n=f"{len(found.open)}",
            link=link,
            counts_everything=True,
            link_needs=permissions.VIEW,
        )


AGE = Gate(key="red_team_age", kind="condition", topic="findings", read=_red_team)
