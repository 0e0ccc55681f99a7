"""Built-in data: tiers, the platform minimum, and the additions of each risk class. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from governance.operations.policies.dimensions import DIMENSIONS, Value, read, read_all
from governance.operations.policies.strictness import Layer, effective, values


@dataclass(frozen=True, slots=True)
class Tier:
    """A named set of values, one for every dimension.

    With `four_eyes`, a tenant in this tier needs two people to tighten, too.
    """

    key: str
    name: str
    means: str
    values: Mapping[str, Value]
    four_eyes: bool = False


def _tier(key: str, name: str, means: str, *given: Any) -> Tier:
    return Tier(key, name, means, {k: read(k, v) for k, v in zip(DIMENSIONS, given, strict=True)})


def strictest(key: str, tiers: Iterable[Tier]) -> Tier:
    """Return a tier as strict as all of these together. Every change in it needs two people."""
    together = effective([Layer("tier", tier.key, tier.values) for tier in tiers])
    return Tier(key, key, "The strictest of all tiers combined.", values(together), four_eyes=True)


TIERS: dict[str, Tier] = {
    t.key: t
    for t in (
        _tier(
            "baseline",
            "Baseline",
            "For trials: few limits, all data kept.",
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
            "For everyday work: questionable content is blocked, a sample is reviewed.",
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
            "For sensitive work: answers from your sources, with a person in the loop.",
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
            "For regulated work: nothing kept, everything reviewed.",
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
