"""Settings of a policy: dimensions, their levels, and parsing of values. Pure.

DIMENSIONS, Dimension, Level       settings that can be more or less strict, with their joins
read(key, raw), plain(value)       parse typed or sent text, and convert to JSON; unknown values
                                   are rejected

A value is a level's word, an integer, or a set of names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from governance.kernel.errors import Invalid

type Value = str | int | frozenset[str]
type Join = Literal["strictest level", "least", "most", "intersection", "union"]

ANYTHING = frozenset({"*"})  # Allow-list without limits; an empty one allows nothing
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}")
MAX_NAMES = 200
MAX_NUMBER = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a dimension: the value for machines, its label, and its meaning."""

    value: str
    label: str
    means: str


@dataclass(frozen=True, slots=True)
class Dimension:
    """One setting that can be more or less strict.

    `levels`, most permissive first, belong to a "strictest level" join. `unit` follows a number.
    """

    key: str
    title: str
    question: str
    join: Join = "strictest level"
    levels: tuple[Level, ...] = ()
    unit: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(level.value for level in self.levels)

    @property
    def flag(self) -> str:
        """The name under which products read it: policy.content_filter."""
        return f"policy.{self.key}"

    def rank(self, value: Value) -> int:
        """Return the position among the levels; 0 is the most permissive."""
        return self.values.index(str(value))

    def level(self, value: Value) -> Level:
        return self.levels[self.rank(value)]


def _levels(*steps: tuple[str, str, str]) -> tuple[Level, ...]:
    return tuple(Level(*step) for step in steps)


DIMENSIONS: dict[str, Dimension] = {
    d.key: d
    for d in (
        Dimension(
            "content_filter",
            "Content filter",
            "How much harmful content is blocked?",
            levels=_levels(
                ("off", "Off", "Nothing is filtered"),
                ("standard", "Standard", "Clearly harmful content is blocked"),
                ("strict", "Strict", "Questionable content is blocked too"),
                ("maximum", "Maximum", "Only clearly harmless content passes"),
            ),
        ),
        Dimension(
            "grounding",
            "Grounding",
            "Where do answers come from?",
            levels=_levels(
                ("open", "Open", "The model's own knowledge"),
                ("prefer_sources", "Prefer sources", "Your sources first, then the model"),
                ("sources_only", "Sources only", "Your sources, or no answer"),
            ),
        ),
        Dimension(
            "citations",
            "Citations",
            "Does an answer name its source?",
            levels=_levels(
                ("optional", "Optional", "The model decides"),
                ("on_request", "On request", "When the user asks"),
                ("required", "Required", "Always"),
            ),
        ),
        Dimension(
            "memory",
            "Memory",
            "Does the AI remember users between sessions?",
            levels=_levels(
                ("on", "On", "Always"),
                ("opt_out", "Opt-out", "Unless the user opts out"),
                ("opt_in", "Opt-in", "Only if the user opts in"),
                ("off", "Off", "Never"),
            ),
        ),
        Dimension(
            "content_capture",
            "Content capture",
            "How much of a prompt is logged?",
            levels=_levels(
                ("full", "Full", "All of it"),
                ("redacted", "Redacted", "All of it, without personal data"),
                ("metadata_only", "Metadata only", "Only time, size and outcome"),
                ("none", "None", "Nothing"),
            ),
        ),
        Dimension(
            "pii_redaction",
            "Personal data redaction",
            "Where is personal data removed?",
            levels=_levels(
                ("off", "Off", "Nowhere"),
                ("outputs", "Outputs", "In answers"),
                ("inputs_and_outputs", "Inputs and outputs", "In questions and answers"),
                ("block", "Block", "Requests with personal data are denied"),
            ),
        ),
        Dimension(
            "tool_use",
            "Tool use",
            "Which tools can the AI use?",
            levels=_levels(
                ("any", "Any", "Every tool it has"),
                ("allow_listed", "Allow-listed", "Only tools on the allow list"),
                ("approve_each", "Approve each use", "A person approves each use"),
                ("none", "None", "No tools"),
            ),
        ),
        Dimension(
            "human_review",
            "Human review",
            "Which answers does a person review first?",
            levels=_levels(
                ("none", "None", "No answers"),
                ("sampled", "Sampled", "A sample of answers"),
                ("high_risk", "High risk", "High-risk answers"),
                ("all", "All", "Every answer"),
            ),
        ),
        Dimension(
            "training_use",
            "Training use",
            "Can your data be used to train models?",
            levels=_levels(
                ("allowed", "Allowed", "Yes"),
                ("opt_in", "Opt-in", "Only with the user's consent"),
                ("prohibited", "Prohibited", "No"),
            ),
        ),
        Dimension(
            "model_access", "Model access", "Which models can be called?", join="intersection"
        ),
        Dimension(
            "release_ring",
            "Release ring",
            "How new can a model version be?",
            levels=_levels(
                ("canary", "Canary", "The newest version, immediately"),
                ("early", "Early", "After the first users"),
                ("stable_only", "Stable only", "Only proven versions"),
            ),
        ),
        Dimension(
            "requests_per_minute",
            "Rate limit",
            "How many requests can one user send?",
            join="least",
            unit="requests/min",
        ),
        Dimension(
            "max_output_tokens",
            "Maximum answer length",
            "How long can an answer be?",
            join="least",
            unit="tokens",
        ),
        Dimension(
            "retention_days", "Retention", "How long is content kept?", join="least", unit="days"
        ),
        Dimension(
            "red_team_age_days",
            "Red-team test age",
            "How old can the last red-team test be?",
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
            f"There is no setting {key[:60]}. Choose one of {', '.join(DIMENSIONS)}.",
            field="dimension",
        )
    return found


def read(key: str, raw: Any) -> Value:
    """Return the value of a dimension that was typed or sent.

    Raises Invalid for an unknown dimension, level or name. None is ever ignored.
    """
    which = dimension(key)
    match which.join:
        case "strictest level":
            if not isinstance(raw, str) or raw not in which.values:
                raise Invalid(
                    f"{which.title} has no level {str(raw)[:60]!r}. Choose one of"
                    f" {', '.join(which.values)}.",
                    field=key,
                )
            return raw
        case "least" | "most":
            return _read_number(which, raw)
        case "intersection" | "union":
            return _read_names(which, raw)


def _read_number(which: Dimension, raw: Any) -> int:
    text = re.sub(r"(?<=[0-9])[, ](?=[0-9]{3}(?:[, ]|$))", "", str(raw).strip())
    if isinstance(raw, bool) or not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > MAX_NUMBER:
        raise Invalid(
            f"{which.title} takes a whole number from 0 to {MAX_NUMBER:,}.", field=which.key
        )
    return int(text)


def _read_names(which: Dimension, raw: Any) -> frozenset[str]:
    """Return a set of names; text is split at commas and line ends.

    An empty set is a value: nothing is allowed.
    """
    given = re.split(r"[,\n]", raw) if isinstance(raw, str) else raw
    if not isinstance(given, list | tuple | set | frozenset) or not all(
        isinstance(name, str) for name in given
    ):
        raise Invalid(f"{which.title} takes a list of names.", field=which.key)
    names = frozenset(name.strip() for name in given if name.strip())
    if len(names) > MAX_NAMES:
        raise Invalid(f"{which.title} takes at most {MAX_NAMES} names.", field=which.key)
    if wrong := sorted(name for name in names - ANYTHING if not NAME.fullmatch(name)):
        raise Invalid(f"{wrong[0][:60]!r} isn't a valid model name.", field=which.key)
    if names > ANYTHING:
        raise Invalid("Enter a list of names, or * for every model, not both.", field=which.key)
    return names


def read_all(raw: Any) -> dict[str, Value]:
    """Return a partial assignment, in the order of the dimensions."""
    if not isinstance(raw, Mapping):
        raise Invalid("A layer assigns values to settings.")
    given = {str(key): read(str(key), value) for key, value in raw.items()}
    return {key: given[key] for key in DIMENSIONS if key in given}


def plain(value: Value) -> str | int | list[str]:
    """Return the value as JSON."""
    return sorted(value) if isinstance(value, frozenset) else value


def plain_all(values: Mapping[str, Value]) -> dict[str, str | int | list[str]]:
    return {key: plain(value) for key, value in values.items()}
