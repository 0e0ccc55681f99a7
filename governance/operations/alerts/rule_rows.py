"""The table of an objective's rules: both windows against the limit, and what they mean now.

Pure, except for the formatting of dates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Literal

from markupsafe import Markup

from governance.kernel.pictures import drawing
from governance.operations.alerts.alert_words import TIMES, limit_text, times
from governance.operations.alerts.burn_rules import RuleVerdict, Verdict
from governance.operations.alerts.models import SEVERITIES, Alert
from governance.operations.alerts.rule_facts import rule_of
from governance.operations.alerts.rule_sets import length_text, rule_text
from governance.operations.measurements.scoring import Counts, IndicatorKind

HOUR = 60  # minutes
WIDTH, HEIGHT = 100, 14  # Size of a window's bar
LIMIT_AT = 45.5  # Position of the limit
CANNOT_FIRE = "its limit is above every event lost, at this target and window"


@dataclass(frozen=True, slots=True)
class WindowCell:
    """One window of a rule: its bar, its burn, and its counts."""

    bar: Markup
    burn: str
    exceeds: bool
    detail: str


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as the page shows it; `state` is (kind, word) as the macro c.state takes it."""

    text: str
    last_fired: datetime | None
    incident: str | None
    limit: str
    long: WindowCell
    short: WindowCell
    sends: str
    state: tuple[Literal["bad", "none"], str]
    reason: str


def rule_rows(
    verdict: Verdict, kind: IndicatorKind, unit: str, alerts: Sequence[Alert]
) -> list[RuleRow]:
    """Return a row for each rule that applies. `alerts` are the objective's, newest first."""
    return [_row(each, kind, unit, _last_fired(each.rule.key, alerts)) for each in verdict.applying]


def _row(
    verdict: RuleVerdict, kind: IndicatorKind, unit: str, last: tuple[datetime | None, str | None]
) -> RuleRow:
    rule, name = verdict.rule, rule_text(verdict.rule)
    state: tuple[Literal["bad", "none"], str]
    if verdict.status == "firing":
        state, reason = ("bad", "Firing"), ""
    elif not verdict.can_fire:
        state, reason = ("none", "Can't fire"), CANNOT_FIRE
    elif verdict.lacks_traffic:
        needed = rule.needed_events(kind)
        state = ("none", "Not enough traffic")
        reason = f"{verdict.long.total:,} of {needed:,} {unit} to judge"
    elif verdict.status == "unknown":
        state, reason = ("none", "Unknown"), "no data in the short window"
    else:
        state, reason = ("none", "Not firing"), _why_not(verdict)
    return RuleRow(
        name,
        *last,
        f"{limit_text(verdict.factor)}{TIMES}",
        _cell(name, "long", verdict.long, verdict.long_burn, verdict, kind, unit),
        _cell(name, "short", verdict.short, verdict.short_burn, verdict, kind, unit),
        SEVERITIES[rule.severity],
        state,
        reason,
    )


def _why_not(verdict: RuleVerdict) -> str:
    if verdict.exceeds_long and verdict.exceeds_short:
        bad = verdict.long.total - verdict.long.good
        return f"{bad} of {verdict.rule.min_bad} bad events"
    if verdict.exceeds_long:
        return "short window below"
    return "long window below" if verdict.exceeds_short else "both below"


def _cell(
    name: str,
    which: Literal["long", "short"],
    counts: Counts,
    burn: Fraction | None,
    verdict: RuleVerdict,
    kind: IndicatorKind,
    unit: str,
) -> WindowCell:
    minutes = verdict.rule.long if which == "long" else verdict.rule.short
    exceeds = verdict.exceeds_long if which == "long" else verdict.exceeds_short
    measured, counted = counts.measured(kind), "min" if kind == "downtime" else unit
    detail = (
        f"{length_text(minutes)}: {counts.lost(kind):,} of {measured:,} {counted}"
        if measured
        else f"{length_text(minutes)}: no data"
    )
    shown = "no data" if burn is None else f"{times(burn)}{TIMES}"
    return WindowCell(
        _bar(f"{name}, {which} window", burn, verdict.factor, exceeds=exceeds),
        shown,
        exceeds,
        detail,
    )


def _bar(title: str, burn: Fraction | None, factor: Fraction, *, exceeds: bool) -> Markup:
    share = 0.0 if burn is None else float(burn / factor)
    body = [drawing.bar(0, 3, WIDTH, 8, "track")]
    if share > 0:
        wide = max(min(share * LIMIT_AT, WIDTH), 1)
        body.append(drawing.bar(0, 3, wide, 8, "bad" if exceeds else "mid"))
    body.append(drawing.element("path", "sink", d=f"M{LIMIT_AT} 0V14", stroke_width=1.6))
    words = f"{'no data' if burn is None else times(burn) + TIMES} of {limit_text(factor)}{TIMES}"
    return drawing.svg(WIDTH, HEIGHT, title, words, body, extra="c-w100")


def _last_fired(key: str, alerts: Sequence[Alert]) -> tuple[datetime | None, str | None]:
    for alert in alerts:
        if key in alert.rules:
            return datetime.fromisoformat(alert.rules[key]["fired_at"]), alert.incident_ref
    return None, None


NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def headline(verdict: Verdict, alert: Alert | None) -> str:
    """Summarize the verdicts of all rules."""
    firing, every = len(verdict.firing), len(verdict.applying)
    if firing:
        exceed = "exceeds its limit" if firing == 1 else "exceed their limit"
        ending = f": one alert, {alert.ref}" if alert else ""
        of = NUMBERS[every].lower()
        return f"{NUMBERS[firing]} of {of} rules {exceed} in both windows{ending}"
    if verdict.lacks_traffic:
        return "Not enough traffic to judge by the hour; the whole window is judged instead"
    if not verdict.rules:
        return "No rules, so nothing fires"
    if all(each.status == "unknown" for each in verdict.rules):
        return "No data, so no rule can judge"
    return "No rule exceeds its limit in both windows"


def needs_text(verdict: Verdict, kind: IndicatorKind, unit: str) -> str:
    """Describe what a rule needs before it fires, and how much there was."""
    if not verdict.rules:
        return ""
    rule = min(verdict.rules, key=lambda each: each.rule.long)
    minima = {(each.rule.min_bad, each.rule.needed_events(kind)) for each in verdict.rules}
    bad, total = min(minima)
    more = f" ({max(minima)[1]:,} over a day or more)" if len(minima) > 1 else ""
    return (
        f"Each rule needs at least {bad} bad and {total:,} total {unit}{more} in its long window."
        f" The last {'hour' if rule.rule.long == HOUR else length_text(rule.rule.long)} had {rule.long.total:,} {unit}."
    )


def facts_rows(rules: Mapping[str, Mapping[str, Any]], unit: str) -> list[dict[str, Any]]:
    """Return a table of the fired rules from an alert's facts, the fastest first.

    `unit` is the unit of the budget.
    """
    rows = []
    for facts in sorted(rules.values(), key=lambda each: -Fraction(each["factor"])):
        rule = rule_of(facts)
        rows.append(
            {
                "text": facts["text"],
                "limit": f"{limit_text(facts['factor'])}{TIMES}",
                "long": _facts_cell(facts["long"], rule.long, unit),
                "short": _facts_cell(facts["short"], rule.short, unit),
                "sends": SEVERITIES[rule.severity],
                "fired_at": datetime.fromisoformat(facts["fired_at"]),
            }
        )
    return rows


def _facts_cell(window: Mapping[str, Any], minutes: int, unit: str) -> tuple[str, str]:
    burn = "every event lost" if window["burn"] is None else f"{times(window['burn'])}{TIMES}"
    return burn, f"{length_text(minutes)}: {window['lost']:,} of {window['measured']:,} {unit}"
