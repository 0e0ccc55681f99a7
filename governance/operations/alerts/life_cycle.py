"""The life of one alert from minute to minute: it fires once, may escalate, and resolves.

Pure; the evaluation of every minute and the back-test run the same steps. Minutes are numbers, for
instance minutes since 1970.

One burst is one alert: while an alert is open, further rules join it instead of firing their own.
It escalates when a rule that pages joins a ticket. It resolves when every rule that fired in it has
been clear for `hold` minutes without interruption, which keeps a burn around the limit from
flapping; a minute without data interrupts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from governance.operations.alerts.burn_rules import BurnRule, Severity, Status

MAX_HOLD = 60  # minutes
type Happening = Literal["fired", "escalated", "resolved"]


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that has not resolved.

    severity      the highest that it had
    level         the current severity: a page becomes a ticket when its paging rules are clear
    rules         the rules that fired in it, by key
    clear_since   when all of them became clear
    calm_since    when those that page became clear
    """

    severity: Severity
    level: Severity
    rules: Mapping[str, BurnRule]
    clear_since: int | None = None
    calm_since: int | None = None


class Step(NamedTuple):
    """The result of a minute for an alert; `alert` is None when none is open any more."""

    alert: OpenAlert | None
    happened: Happening | None


def step(
    alert: OpenAlert | None,
    firing: Mapping[str, BurnRule],
    statuses: Mapping[str, Status],
    at: int,
) -> Step:
    """Advance an alert, or the lack of one, to the minute `at`.

    `firing` are the rules that fire now; `statuses` those of all rules. A rule that was removed
    from the objective counts as clear.
    """
    pages = any(rule.severity == "page" for rule in firing.values())
    if alert is None:
        if not firing:
            return Step(None, None)
        severity: Severity = "page" if pages else "ticket"
        return Step(OpenAlert(severity, severity, dict(firing)), "fired")
    known = {**alert.rules, **firing}
    alert = replace(alert, rules=known)
    if pages and alert.level == "ticket":
        return Step(
            replace(alert, severity="page", level="page", clear_since=None, calm_since=None),
            "escalated",
        )
    clear = all(statuses.get(key, "clear") == "clear" for key in known)
    paging = {key: rule for key, rule in known.items() if rule.severity == "page"}
    calm = all(statuses.get(key, "clear") == "clear" for key in paging)
    alert = replace(
        alert,
        clear_since=_since(alert.clear_since, at, holds=clear),
        calm_since=_since(alert.calm_since, at, holds=calm),
    )
    if alert.clear_since is not None and at - alert.clear_since >= hold(known):
        return Step(None, "resolved")
    has_calmed = alert.calm_since is not None and at - alert.calm_since >= hold(paging)
    return Step(replace(alert, level="ticket") if has_calmed else alert, None)


def _since(before: int | None, at: int, *, holds: bool) -> int | None:
    if not holds:
        return None
    return at if before is None else before


def hold(rules: Mapping[str, BurnRule]) -> int:
    """Return the minutes that rules must be clear: their longest short window, at most an hour."""
    return min(max((rule.short for rule in rules.values()), default=0), MAX_HOLD)
