"""Labels of settings and their values: "Strict", "500 requests/min". Pure.

value_label(value, which)      the label of a value, with its unit
short_label(value, which)      a shorter label, which counts several models
value_meaning(which, value)    the effect of the value
logged_value(value)            the value in log entries, without labels
setting_title(key), setting_of(key, system)
"""

from collections.abc import Mapping

from governance.kernel.formatting import plural, thousands
from governance.kernel.work.inbox import lower_first
from governance.operations.policies.dimensions import ANYTHING, DIMENSIONS, Dimension, Value
from governance.operations.policies.tiers import TIERS, Tier

TIER = "tier"  # Key in addition to those of the dimensions
MAX_NAMES_SHOWN = 6


def setting_title(key: str) -> str:
    """Return "Content filter" for content_filter, and "Tier" for the tier."""
    if key == TIER:
        return "Tier"
    return DIMENSIONS[key].title if key in DIMENSIONS else key


def setting_of(key: str, system: str) -> str:
    """Return "grounding of ad-copywriter", for the middle of a sentence."""
    return f"{lower_first(setting_title(key))} of {system}"


def value_label(
    value: Value | None, which: Dimension | str, tiers: Mapping[str, Tier] = TIERS
) -> str:
    """Return the label of a value of this dimension (or its key, or "tier"), with its unit."""
    if value is None:
        return "not set"
    if isinstance(value, frozenset):
        return _names(value)
    if which == TIER:
        return tiers[str(value)].name if value in tiers else str(value)
    known = DIMENSIONS.get(which) if isinstance(which, str) else which
    if isinstance(value, int):
        unit = known.unit if known else ""
        if value == 1 and unit.endswith("s"):
            unit = unit[:-1]
        return f"{thousands(value)} {unit}".rstrip()
    return known.level(value).label if known and value in known.values else value


def short_label(value: Value | None, which: Dimension | str) -> str:
    """Return the label, with a count for more than one model."""
    if isinstance(value, frozenset) and len(value) > 1:
        return plural(len(value), "model")
    return value_label(value, which)


def value_meaning(which: Dimension, value: Value) -> str:
    """Return the effect of a value, as a sentence without its full stop."""
    if which.levels:
        return which.level(value).means
    if value == ANYTHING:
        return "Every model can be called"
    if isinstance(value, frozenset):
        return f"Only {', '.join(sorted(value))}" if value else "No model can be called"
    return f"At most {value_label(value, which)}"


def logged_value(value: Value | None) -> str:
    """Return the value in log entries: strict, 1200, atlas-2."""
    if value is None:
        return "none"
    if isinstance(value, frozenset):
        return {ANYTHING: "any model", frozenset(): "no model"}.get(value, _names(value))
    return str(value)


def _names(names: frozenset[str]) -> str:
    if not names:
        return "No model"
    if names == ANYTHING:
        return "Any model"
    if len(names) > MAX_NAMES_SHOWN:
        return plural(len(names), "model")
    return ", ".join(sorted(names))
