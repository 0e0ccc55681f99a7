"""The order of strictness: dimensions, tiers, layers, and the join that no layer can undercut.

Pure.

    DIMENSIONS, Dimension, Level       what can be more or less strict, and how it joins
    TIERS, FLOOR, RISK                 the built-in points and layers
    read(key, raw), plain(value)       from what was typed or sent, and back to JSON; unknown words
                                       are refused
    join(key, a, b), compare(…)        the stricter of two; whether a step tightens or loosens
    effective(layers, waivers)         per dimension the strictest of all layers, and which layer
                                       decides

The join is a semilattice per dimension: commutative, associative, idempotent
(tests/operations/policies/test_strictness.py proves the six laws of design/policy.md by
properties). Values are words, whole numbers, or sets of names.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Any, Literal

from governance.kernel.errors import Invalid

type Value = str | int | frozenset[str]
type Join = Literal["strictest level", "least", "most", "intersection", "union"]
type Move = Literal["same", "tightens", "loosens", "differs"]
type Kind = Literal["floor", "tier", "override", "risk", "system", "waiver"]

ANYTHING = frozenset(
    {"*"}
)  # the allow-list that leaves everything out of consideration; an empty one allows nothing
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}")
MOST_NAMES = 200
LARGEST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a dimension: the machine's word, and what it means to a person."""

    value: str
    means: str


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing that can be more or less strict.

    `levels`, most permissive first, are those of a "strictest level" join.
    """

    key: str
    title: str
    asks: str  # the question that it answers
    join: Join = "strictest level"
    levels: tuple[Level, ...] = ()
    unit: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(level.value for level in self.levels)

    def rank(self, value: Value) -> int:
        """0 is the most permissive level."""
        return self.values.index(str(value))


def _levels(*pairs: tuple[str, str]) -> tuple[Level, ...]:
    return tuple(Level(*pair) for pair in pairs)


DIMENSIONS: dict[str, Dimension] = {
    d.key: d
    for d in (
        Dimension(
            "content_filter",
            "Content filter",
            "How much harmful content is blocked?",
            levels=_levels(
                ("off", "Nothing is filtered"),
                ("standard", "Clearly harmful content is blocked"),
                ("strict", "Questionable content is blocked too"),
                ("maximum", "Only clearly harmless content passes"),
            ),
        ),
        Dimension(
            "grounding",
            "Grounding",
            "Where may answers come from?",
            levels=_levels(
                ("open", "From the model's own knowledge"),
                ("prefer_sources", "From your sources first"),
                ("sources_only", "From your sources, or not at all"),
            ),
        ),
        Dimension(
            "citations",
            "Citations",
            "Does an answer name its source?",
            levels=_levels(
                ("optional", "It may"), ("on_request", "When the user asks"), ("required", "Always")
            ),
        ),
        Dimension(
            "memory",
            "Memory",
            "Does the AI remember a user between sessions?",
            levels=_levels(
                ("on", "Yes"),
                ("opt_out", "Unless the user says no"),
                ("opt_in", "Only if the user says yes"),
                ("off", "Never"),
            ),
        ),
        Dimension(
            "content_capture",
            "Content capture",
            "How much of a prompt is kept in logs?",
            levels=_levels(
                ("full", "All of it"),
                ("redacted", "Without personal data"),
                ("metadata_only", "Only time, size and outcome"),
                ("none", "Nothing"),
            ),
        ),
        Dimension(
            "pii_redaction",
            "Redaction of personal data",
            "Where is personal data taken out?",
            levels=_levels(
                ("off", "Nowhere"),
                ("outputs", "From answers"),
                ("inputs_and_outputs", "From questions and answers"),
                ("block", "Such requests are denied"),
            ),
        ),
        Dimension(
            "tool_use",
            "Use of tools",
            "What may the AI do besides answering?",
            levels=_levels(
                ("any", "Use every tool it has"),
                ("allow_listed", "Use tools that were allowed"),
                ("approve_each", "Ask a person before each use"),
                ("none", "Nothing"),
            ),
        ),
        Dimension(
            "human_review",
            "Human review",
            "Which answers does a person look at first?",
            levels=_levels(
                ("none", "None"),
                ("sampled", "A sample"),
                ("high_risk", "Those of high risk"),
                ("all", "Every one"),
            ),
        ),
        Dimension(
            "training_use",
            "Use for training",
            "May your data train models?",
            levels=_levels(
                ("allowed", "Yes"), ("opt_in", "Only with the user's consent"), ("prohibited", "No")
            ),
        ),
        Dimension("model_access", "Models", "Which models may be called?", join="intersection"),
        Dimension(
            "release_ring",
            "Release ring",
            "How new may a model version be?",
            levels=_levels(
                ("canary", "The newest, as it comes"),
                ("early", "After the first users"),
                ("stable_only", "Only what is proven"),
            ),
        ),
        Dimension(
            "requests_per_minute",
            "Requests a minute",
            "How many requests may one user make?",
            join="least",
            unit="a minute",
        ),
        Dimension(
            "max_output_tokens",
            "Longest answer",
            "How long may an answer be?",
            join="least",
            unit="tokens",
        ),
        Dimension(
            "retention_days", "Retention", "How long is content kept?", join="least", unit="days"
        ),
        Dimension(
            "red_team_age_days",
            "Age of red-team run",
            "How old may the last red-team run be?",
            join="least",
            unit="days",
        ),
    )
}


# ---- reading and writing values


def dimension(key: str) -> Dimension:
    found = DIMENSIONS.get(key)
    if found is None:
        raise Invalid(
            f"There is no dimension {key[:60]}. Choose one of {', '.join(DIMENSIONS)}.",
            field="dimension",
        )
    return found


def read(key: str, raw: Any) -> Value:
    """The value that was typed or sent for a dimension.

    Unknown dimensions, levels and names are refused, never ignored.
    """
    which = dimension(key)
    match which.join:
        case "strictest level":
            if not isinstance(raw, str) or raw not in which.values:
                raise Invalid(
                    f"{key} has no level {str(raw)[:60]!r}. It takes {', '.join(which.values)}.",
                    field=key,
                )
            return raw
        case "least" | "most":
            return _whole(key, raw)
        case "intersection" | "union":
            return _names(key, raw)


def _whole(key: str, raw: Any) -> int:
    text = re.sub(r"(?<=[0-9])[, ](?=[0-9]{3}(?:[, ]|$))", "", str(raw).strip())
    if isinstance(raw, bool) or not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > LARGEST:
        raise Invalid(f"{key} takes a whole number from 0 to {LARGEST:,}.", field=key)
    return int(text)


def _names(key: str, raw: Any) -> frozenset[str]:
    """A list of names; text is split at commas and line ends. An empty list is a value: nothing."""
    given = re.split(r"[,\n]", raw) if isinstance(raw, str) else raw
    if not isinstance(given, list | tuple | set | frozenset) or not all(
        isinstance(name, str) for name in given
    ):
        raise Invalid(f"{key} takes a list of names.", field=key)
    names = frozenset(name.strip() for name in given if name.strip())
    if len(names) > MOST_NAMES:
        raise Invalid(f"{key} takes at most {MOST_NAMES} names.", field=key)
    if wrong := sorted(name for name in names - ANYTHING if not NAME.fullmatch(name)):
        raise Invalid(f"{key}: {wrong[0][:60]!r} is no name of a model.", field=key)
    if names > ANYTHING:
        raise Invalid(f"{key} is either a list of names or * for all of them.", field=key)
    return names


def read_all(raw: Any) -> dict[str, Value]:
    """A partial assignment, in the order of the dimensions."""
    if not isinstance(raw, Mapping):
        raise Invalid("A layer assigns values to dimensions.")
    given = {str(key): read(str(key), value) for key, value in raw.items()}
    return {key: given[key] for key in DIMENSIONS if key in given}


def plain(value: Value) -> str | int | list[str]:
    """As JSON has it."""
    return sorted(value) if isinstance(value, frozenset) else value


def plain_all(values: Mapping[str, Value]) -> dict[str, str | int | list[str]]:
    return {key: plain(value) for key, value in values.items()}


# ---- the order


def join(key: str, one: Value, other: Value) -> Value:
    """The strictest that is at least as strict as both."""
    which = dimension(key)
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        if which.join == "union":
            return one | other
        return other if one == ANYTHING else one if other == ANYTHING else one & other
    if isinstance(one, int) and isinstance(other, int):
        return min(one, other) if which.join == "least" else max(one, other)
    return max(one, other, key=which.rank)


def covers(key: str, strict: Value, loose: Value) -> bool:
    """Whether `strict` is at least as strict as `loose`."""
    return join(key, strict, loose) == strict


def compare(key: str, before: Value, after: Value) -> Move:
    """What a step does.

    Two lists of which neither holds the other differ, which counts as loosening.
    """
    if before == after:
        return "same"
    if covers(key, after, before):
        return "tightens"
    return "loosens" if covers(key, before, after) else "differs"


def loosens(move: Move) -> bool:
    return move in {"loosens", "differs"}


# ---- layers


@dataclass(frozen=True, slots=True)
class Layer:
    """A partial assignment with the name by which it is explained."""

    kind: Kind
    name: str
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WaivedValue:
    """A live waiver: instead of the floor's value, this one, in one dimension, until then."""

    key: str
    value: Value
    until: datetime
    name: str = "waiver"


@dataclass(frozen=True, slots=True)
class Decided:
    """The effective value of a dimension, the layers that decide it (their join is the value), and
    all that spoke.
    """

    key: str
    value: Value
    by: tuple[Layer, ...]
    spoke: tuple[Layer, ...]

    @property
    def set_by(self) -> str:
        return " and ".join(layer.name for layer in self.by)


def effective(layers: Sequence[Layer], waivers: Iterable[WaivedValue] = ()) -> dict[str, Decided]:
    """Per dimension that some layer assigns, the strictest value.

    A waiver replaces the floor's value, never another layer's.
    """
    replaced = {
        waived.key: Layer("waiver", waived.name, {waived.key: waived.value}) for waived in waivers
    }
    spoken = [
        (key, [_waived(layer, key, replaced) for layer in layers if key in layer.values])
        for key in DIMENSIONS
    ]
    return {key: _decide(key, tuple(spoke)) for key, spoke in spoken if spoke}


def _waived(layer: Layer, key: str, replaced: Mapping[str, Layer]) -> Layer:
    """The floor where no waiver stands; one that is not below the floor, or neither above nor below
    it, changes nothing.
    """
    there = replaced.get(key) if layer.kind == "floor" else None
    return (
        there if there is not None and covers(key, layer.values[key], there.values[key]) else layer
    )


def _decide(key: str, spoke: tuple[Layer, ...]) -> Decided:
    value = reduce(lambda a, b: join(key, a, b), (layer.values[key] for layer in spoke))
    alone = next((layer for layer in spoke if layer.values[key] == value), None)
    return Decided(key, value, (alone,) if alone else _together(key, value, spoke), spoke)


def _together(key: str, value: Value, spoke: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Of lists of which none is the outcome: those that narrow it, in order, until the outcome is
    reached.
    """
    reached, needed = spoke[0].values[key], [spoke[0]]
    for layer in spoke[1:]:
        if reached != value and (narrower := join(key, reached, layer.values[key])) != reached:
            reached = narrower
            needed.append(layer)
    return tuple(needed)


def values(decided: Mapping[str, Decided]) -> dict[str, Value]:
    return {key: each.value for key, each in decided.items()}


@dataclass(frozen=True, slots=True)
class DimensionChange:
    """One dimension before and after a step."""

    key: str
    before: Value | None
    after: Value | None
    move: Move


def changes(before: Mapping[str, Value], after: Mapping[str, Value]) -> list[DimensionChange]:
    """What differs, dimension by dimension.

    A value that is gone loosens, a value that is new tightens.
    """
    found = [
        DimensionChange(key, before.get(key), after.get(key), _move(key, before, after))
        for key in DIMENSIONS
    ]
    return [change for change in found if change.move != "same"]


def _move(key: str, before: Mapping[str, Value], after: Mapping[str, Value]) -> Move:
    if key in before and key in after:
        return compare(key, before[key], after[key])
    return "loosens" if key in before else "tightens" if key in after else "same"


# ---- what is built in


@dataclass(frozen=True, slots=True)
class Tier:
    """A named point: a value in every dimension.

    With `four_eyes` a tenant on it tightens by two persons, too.
    """

    key: str
    name: str
    means: str
    values: Mapping[str, Value]
    four_eyes: bool = False


def _tier(key: str, name: str, means: str, *given: Any) -> Tier:
    return Tier(key, name, means, {k: read(k, v) for k, v in zip(DIMENSIONS, given, strict=True)})


def strictest(key: str, tiers: Iterable[Tier]) -> Tier:
    """One that no tier is stricter than, by two persons."""
    together = effective([Layer("tier", tier.key, tier.values) for tier in tiers])
    return Tier(key, key, "The strictest of all tiers together.", values(together), four_eyes=True)


TIERS: dict[str, Tier] = {
    t.key: t
    for t in (
        _tier(
            "baseline",
            "Baseline",
            "For trying things out: few limits, all data kept.",
            "standard",
            "open",
            "optional",
            "on",
            "full",
            "off",
            "any",
            "none",
            "allowed",
            ["*"],
            "canary",
            1200,
            8192,
            365,
            180,
        ),
        _tier(
            "standard",
            "Standard",
            "For everyday work: questionable content is blocked and a sample is reviewed.",
            "strict",
            "prefer_sources",
            "on_request",
            "opt_out",
            "redacted",
            "outputs",
            "allow_listed",
            "sampled",
            "opt_in",
            ["*"],
            "early",
            600,
            4096,
            90,
            90,
        ),
        _tier(
            "strict",
            "Strict",
            "For sensitive work: answers from your sources, a person in the loop.",
            "strict",
            "sources_only",
            "required",
            "opt_in",
            "metadata_only",
            "inputs_and_outputs",
            "approve_each",
            "high_risk",
            "prohibited",
            ["*"],
            "early",
            300,
            2048,
            30,
            60,
        ),
        _tier(
            "regulated",
            "Regulated",
            "For what a regulator looks at: nothing kept, everything reviewed.",
            "maximum",
            "sources_only",
            "required",
            "off",
            "none",
            "block",
            "none",
            "all",
            "prohibited",
            ["*"],
            "stable_only",
            120,
            1024,
            7,
            30,
        ),
    )
}
DEFAULT_TIER = "standard"
FLOOR: dict[str, Value] = read_all(
    {
        "content_filter": "standard",
        "content_capture": "redacted",
        "pii_redaction": "outputs",
        "training_use": "opt_in",
        "retention_days": 90,
    }
)
RISK: dict[str, dict[str, Value]] = {
    "standard": {},
    "high_risk": read_all(
        {
            "grounding": "sources_only",
            "tool_use": "approve_each",
            "human_review": "high_risk",
            "red_team_age_days": 60,
        }
    ),
}
