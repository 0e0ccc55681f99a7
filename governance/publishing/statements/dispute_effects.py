"""The effect of accepting a dispute, from the frozen minutes of a revision. Pure.

effect(statement, …)     minutes that count again or are left out, attainment and credit
"""

from collections.abc import Mapping
from typing import Any

from governance.kernel.intervals import Span
from governance.publishing.statements.minute_counts import Tally, decode
from governance.publishing.statements.statement_calculation import (
    DISPUTE,
    calculate,
    changed_lines,
    read_span,
    rule_of,
)


def effect(
    statement: Mapping[str, Any],
    *,
    kind: str,
    span: Span,
    indicator: str | None = None,
    exclusion: str | None = None,
) -> dict[str, Any]:
    """Compare the statement of a data file with the one after accepting a dispute.

    For `kind` "exclusion", the occurrence of `exclusion` that begins with the span no longer hides
    minutes. For "minutes", those of `indicator` in the span are left out.
    """
    month = read_span(statement["span"])
    tallies = {}
    for each in statement["indicators"]:
        rule = rule_of(each)
        tallies[each["key"]] = Tally(decode(each["days"], month, each["key"], rule).counts, rule)
    before = calculate(statement, tallies)
    after = calculate(
        {**statement, "exclusions": _exclusions(statement, kind, span, indicator, exclusion)},
        tallies,
    )
    keys = [indicator] if indicator else _keys(statement, span, exclusion)
    inside = [tallies[key].counts([span]) for key in keys if key in tallies]
    return {
        "minutes": sum(each.minutes for each in inside),
        "down": sum(each.down for each in inside),
        "lines": [
            {
                "commitment": change.name,
                "attained": change.values("attained"),
                "result": change.values("result"),
                "share": change.values("share"),
                "credit": change.values("credit"),
            }
            for change in changed_lines(before, after)
        ],
        "credit": [before["credit"], after["credit"]],
        "currency": after["currency"],
    }


def _is_disputed(each: Mapping[str, Any], span: Span, exclusion: str | None) -> bool:
    return each["ref"] == exclusion and read_span([each["from"], each["to"]]).start == span.start


def _keys(statement: Mapping[str, Any], span: Span, exclusion: str | None) -> list[str]:
    found = [each for each in statement["exclusions"] if _is_disputed(each, span, exclusion)]
    return [key for each in found for key in each["indicators"]]


def _exclusions(
    statement: Mapping[str, Any],
    kind: str,
    span: Span,
    indicator: str | None,
    exclusion: str | None,
) -> list[dict[str, Any]]:
    listed = [dict(each) for each in statement["exclusions"]]
    if kind == "exclusion":
        for each in listed:
            if _is_disputed(each, span, exclusion):
                each["overruled_by"] = "this dispute"
        return listed
    added = {
        "ref": "this dispute",
        "title": "",
        "category": DISPUTE,
        "from": f"{span.start:%Y-%m-%dT%H:%M:%SZ}",
        "to": f"{span.end:%Y-%m-%dT%H:%M:%SZ}",
        "announced_at": None,
        "indicators": [indicator],
        "overruled_by": None,
    }
    return [*listed, added]
