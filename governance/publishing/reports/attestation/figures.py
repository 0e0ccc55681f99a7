"""Every number of a policy attestation, counted from its snapshot. Pure.

AttestationFigures(snapshot)    counts, lists, and values in words
shown(value, unit)              a policy value in words: "Sources only", "90 days", "None"
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from governance.publishing.reports.wording import NB, NO_VALUE, capital, day, digits

KINDS = ("floor", "tier", "override", "risk", "system", "waiver")
KIND_NAMES = {
    "floor": "Platform minimum",
    "tier": "Tier",
    "override": "Override",
    "risk": "Risk class",
    "system": "System",
    "waiver": "Waiver",
}
MILLISECONDS = 1000  # Milliseconds per second.
type Json = Mapping[str, Any]


def shown(value: Any, unit: str = "") -> str:
    """Return a policy value for a table. A list of every model is "Any", an empty one "None"."""
    if value is None:
        return NO_VALUE
    if isinstance(value, list):
        return "Any" if value == ["*"] else ", ".join(value) or "None"
    if isinstance(value, int):
        return f"{digits(value)} {unit}".strip()
    return capital(str(value).replace("_", " "))


def speed(milliseconds: int | None) -> str:
    """Return a duration such as "0.8 s", or an en dash for None."""
    return NO_VALUE if milliseconds is None else f"{milliseconds / MILLISECONDS:.1f}{NB}s"


@dataclass(frozen=True, slots=True)
class Strictness:
    """Steps above the most permissive level, over the settings that have levels."""

    steps: int
    most: int


class AttestationFigures:
    """The counts and lists of a snapshot."""

    def __init__(self, snapshot: Json) -> None:
        self.snapshot = snapshot
        self.dimensions: dict[str, Json] = {each["key"]: each for each in snapshot["dimensions"]}

    @property
    def is_day(self) -> bool:
        return bool(self.snapshot["period"]["from"] is None)

    @property
    def until(self) -> str:
        return day(self.snapshot["period"]["to"])

    @property
    def span(self) -> str:
        """The time span, such as "on 25 November 2026" or "from 1 September 2026 to 25 November
        2026".
        """
        begin = self.snapshot["period"]["from"]
        return f"on {self.until}" if begin is None else f"from {day(begin)} to {self.until}"

    def value(self, key: str, value: Any) -> str:
        """Return a value with its label or its unit."""
        levels = self.dimensions[key]["levels"]
        label = next((str(each["label"]) for each in levels if each["value"] == value), "")
        return label or shown(value, self.dimensions[key]["unit"])

    def title(self, key: str) -> str:
        return str(self.dimensions[key]["title"])

    def means(self, key: str, value: Any) -> str:
        """Return what a level of a setting means, or an empty text."""
        levels = self.dimensions[key]["levels"]
        return next((str(each["means"]) for each in levels if each["value"] == value), "")

    def _levels(self, key: str) -> list[str]:
        return [each["value"] for each in self.dimensions[key]["levels"]]

    @cached_property
    def now(self) -> list[Json]:
        """The scopes that exist at the end. Requests that name no system come first."""
        return [each for each in self.snapshot["scopes"] if each["end"] is not None]

    @property
    def systems(self) -> list[Json]:
        return [each for each in self.now if each["key"]]

    def strictness(self, values: Mapping[str, Any]) -> Strictness:
        """Return the strictness of a scope's values.

        They are plain, or have the layer that decides them.
        """
        found = [(self._levels(key), value) for key, value in values.items() if self._levels(key)]
        plain = [
            (levels, value["value"] if isinstance(value, Mapping) else value)
            for levels, value in found
        ]
        return Strictness(
            sum(levels.index(value) for levels, value in plain),
            sum(len(levels) - 1 for levels, _ in plain),
        )

    def move(self, scope: Json, key: str) -> str:
        """Return how a setting changed over the period: "", "stricter", "looser" or "changed"."""
        if scope["begin"] is None or key not in scope["begin"] or key not in (scope["end"] or {}):
            return ""
        before, after = scope["begin"][key], scope["end"][key]["value"]
        if before == after:
            return ""
        levels = self._levels(key)
        if levels:
            return "stricter" if levels.index(after) > levels.index(before) else "looser"
        if isinstance(after, int):
            return "stricter" if after < before else "looser"
        return (
            "stricter"
            if before == ["*"] or (after != ["*"] and set(after) < set(before))
            else "changed"
        )

    def decided(self, scope: Json) -> Counter[str]:
        """Count the settings that each kind of layer decides."""
        return Counter(each["kind"] for each in scope["end"].values())

    @cached_property
    def deciding(self) -> Counter[str]:
        return sum((self.decided(each) for each in self.now), Counter())

    def differing(self, scope: Json) -> list[str]:
        """List the settings in which a system differs, at either end, from requests that name none."""
        general = self.now[0]
        return [key for key in self.dimensions if self._differs(scope, general, key)]

    def _differs(self, scope: Json, general: Json, key: str) -> bool:
        end = (scope["end"] or {}).get(key)
        changed = end is not None and (end["value"], end["kind"]) != (
            general["end"][key]["value"],
            general["end"][key]["kind"],
        )
        return (
            changed or (scope["begin"] or {}).get(key) != (general["begin"] or {}).get(key)
            if scope["begin"]
            else changed
        )

    @property
    def versions(self) -> list[Json]:
        return list(self.snapshot["versions"])

    @property
    def looser(self) -> list[Json]:
        """Versions that loosened a setting."""
        return [each for each in self.versions if each["loosens"]]

    @property
    def alone(self) -> list[Json]:
        """Versions that loosened a setting without a second person. There should be none."""
        return [
            each
            for each in self.looser
            if not each["decided_by"] or each["decided_by"] == each["made_by"]
        ]

    @property
    def live(self) -> list[Json]:
        """Active waivers."""
        return [each for each in self.snapshot["waivers"] if each["state"] == "live"]

    @property
    def ended(self) -> list[Json]:
        return [each for each in self.snapshot["waivers"] if each["state"] == "ended"]

    def is_used(self, waiver: Json) -> bool:
        """Return whether a waiver lowers a value. It doesn't if the tenant itself is stricter."""
        scope = next((each for each in self.now if each["key"] == waiver["system"]), None)
        return bool(scope and scope["end"].get(waiver["dimension"], {}).get("kind") == "waiver")

    @property
    def active_stops(self) -> list[Json]:
        return [each for each in self.snapshot["stops"] if each["restarted_at"] is None]

    @property
    def slowest(self) -> int | None:
        """Return the milliseconds until the slowest consumer confirmed a stop or a drill."""
        return max(
            (
                each["slowest_ms"]
                for each in (*self.snapshot["stops"], *self.snapshot["drills"])
                if each["slowest_ms"] is not None
            ),
            default=None,
        )

    def switches(self, state: str) -> list[Json]:
        return [each for each in self.snapshot["switches"] if each["state"] == state]
