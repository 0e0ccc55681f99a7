"""Conclusions of the list of objectives: its h1, and the line of counts above the table."""

from collections import Counter
from collections.abc import Sequence

from governance.kernel.formatting import plural
from governance.operations.objectives import figures
from governance.operations.objectives.objective_list import ObjectiveRow

CANT = "can\N{RIGHT SINGLE QUOTATION MARK}t be judged"


def conclusion(rows: Sequence[ObjectiveRow]) -> str:
    """Return the h1: the firing alert, or the worst budget, or that all is well."""
    if not rows:
        return "No objectives yet"
    return (
        _firing(rows)
        or _acknowledged(rows)
        or _overspent(rows)
        or _running_out(rows)
        or _within(rows)
    )


def _firing(rows: Sequence[ObjectiveRow]) -> str:
    found = [row for row in rows if row.state == "firing"]
    lead = "One alert is firing" if len(found) == 1 else f"{len(found):,} alerts are firing"
    return _with_the_worst(lead, found) + _also_overspent(rows) if found else ""


def _acknowledged(rows: Sequence[ObjectiveRow]) -> str:
    found = [row for row in rows if row.state == "acknowledged"]
    lead = (
        "One alert is acknowledged"
        if len(found) == 1
        else f"{len(found):,} alerts are acknowledged"
    )
    return _with_the_worst(lead, found) + _also_overspent(rows) if found else ""


def _also_overspent(rows: Sequence[ObjectiveRow]) -> str:
    """Name overspent objectives without an alert, since an objective may have no firing rule."""
    count = sum(row.state == "overspent" for row in rows)
    verb = "is" if count == 1 else "are"
    return f"; {plural(count, 'objective')} {verb} overspent" if count else ""


def _with_the_worst(lead: str, found: Sequence[ObjectiveRow]) -> str:
    first = min(
        found, key=lambda row: (row.reading.left_share is None, row.reading.left_share or 0)
    )
    if first.reading.left_share is None:
        return f"{lead}: {first.objective.name}"
    return f"{lead}: {first.objective.name} has {first.left_word} of its budget left"


def _overspent(rows: Sequence[ObjectiveRow]) -> str:
    found = [row for row in rows if row.state == "overspent"]
    if len(found) == 1:
        return f"{found[0].objective.name} has overspent its budget"
    return f"{len(found):,} objectives have overspent their budgets" if found else ""


def _running_out(rows: Sequence[ObjectiveRow]) -> str:
    found = [(row.reading.gone_at, row) for row in rows if row.state == "runs_out"]
    known = [(at, row) for at, row in found if at is not None]
    if not known:
        return ""
    at, first = min(known, key=lambda pair: pair[0])
    return f"{first.objective.name} runs out of budget on {figures.full_day(at)}"


def _within(rows: Sequence[ObjectiveRow]) -> str:
    unknown = sum(row.state == "unknown" for row in rows)
    judged = len(rows) - unknown
    if not judged:
        return f"{plural(unknown, 'objective')} {CANT}: there is too little data"
    if unknown:
        return f"{judged:,} of {len(rows):,} objectives have budget left; {unknown:,} {CANT}"
    if judged == 1:
        return "The objective has budget left"
    return f"All {judged:,} objectives have budget left"


def summary(rows: Sequence[ObjectiveRow]) -> str:
    """Return such as "4 within budget, 2 spend too fast, 1 acknowledged"."""
    groups = (
        ("within budget", ("within", "filling")),
        ("spend too fast", ("firing", "runs_out")),
        ("acknowledged", ("acknowledged",)),
        ("overspent", ("overspent",)),
        ("with little traffic", ("quiet",)),
        (CANT, ("unknown",)),
    )
    by_state = Counter(row.state for row in rows)
    counted = [(sum(by_state[state] for state in states), word) for word, states in groups]
    said = (f"{count:,} {word}" for count, word in counted if count)
    return ", ".join("1 spends too fast" if each == "1 spend too fast" else each for each in said)
