"""Answers of the flag rollout.<feature>: the release that a targeting key gets. Pure.

rule_of(…)           the share with the candidate, after stops and the policy's release ring
RolloutFlag          the two answers of one flag, built once, and the choice for a key
RolloutFlags(…)      the same for all flags of a bulk answer
after(…)             the rollout to serve after a notification
edge_rule(…)         the rule as the bundle has it

A stop comes first: no key in its scope gets the candidate. Then a halt, then the release ring, then
the share of the stage.

Answers are counted under their release only if the share decided, so that the two counts of a
stage have its ratio.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched, chain
from operator import getitem
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from governance.operations.decisions.bucketing import (
    GROUP,
    MILLION,
    ManyBuckets,
    hash64,
    mix,
    threshold,
)
from governance.operations.gates.stage import BASIS_POINTS
from governance.operations.switches.active_stops import Live

if TYPE_CHECKING:
    from governance.operations.rollouts.queries import Serving

ROLLOUT = "rollout."
STATIC, SPLIT, TARGETING_MATCH, DISABLED = "STATIC", "SPLIT", "TARGETING_MATCH", "DISABLED"
CURRENT, CANDIDATE, STOPPED = "current", "candidate", "stopped"
PARTS = MILLION // BASIS_POINTS  # Millionths in a basis point


@dataclass(frozen=True, slots=True)
class RolloutRule:
    """The share of targeting keys that gets the candidate, in millionths."""

    share: int
    reason: str  # Reason of the answer with the current release
    word: str = ""  # Count answers under this word instead of their release
    is_stopped: bool = False  # Stopped on both planes: the answer is "stopped"

    @property
    def is_same_for_all(self) -> bool:
        return self.share in {0, MILLION}


def rule_of(serving: "Serving", live: Live, ring: str) -> RolloutRule:
    """Return the rule of a rollout; `ring` is the system's release ring by its policy."""
    share = serving.share * PARTS
    if not live.whole:
        return RolloutRule(0, DISABLED, word=STOPPED, is_stopped=live.stopped)
    if serving.state == "halted":
        return RolloutRule(0, DISABLED, word="halted")
    if share and ring not in serving.rings:
        return RolloutRule(0, TARGETING_MATCH, word="other ring")
    return RolloutRule(share, SPLIT if 0 < share < MILLION else STATIC)


class RolloutAnswer(NamedTuple):
    """One answer of a flag: its body as sent, and the word that it counts under."""

    body: bytes
    word: str


@dataclass(frozen=True, slots=True)
class RolloutFlag:
    """The flag of one rollout; `answers` has the current release's and the candidate's."""

    serving: "Serving"
    rule: RolloutRule
    answers: tuple[RolloutAnswer, RolloutAnswer]
    salt: int
    below: int

    def counted(self, *, is_in: bool) -> tuple[str, str, str]:
        """Return the system, flag and word that an answer counts under."""
        serving = self.serving
        return serving.system, f"{ROLLOUT}{serving.feature}", self.answers[is_in].word

    def answer(self, target: str) -> RolloutAnswer:
        """Return the answer for a targeting key."""
        if self.rule.is_same_for_all:
            return self.answers[self.rule.share == MILLION]
        return self.answers[mix(self.salt, hash64(target)) < self.below]


def after(served: "tuple[Serving, ...]", news: Mapping[str, Any]) -> "tuple[Serving, ...]":
    """Return the rollout to serve after a notification; unchanged if it is about another one.

    Raises KeyError, TypeError or ValueError if the notification is malformed.
    """
    told = {**news["rollout"]}
    feature_id = UUID(told.pop("feature_id"))
    told |= {name: tuple(told[name]) for name in ("variants", "rings")}
    return tuple(
        replace(each, **told)
        if (each.feature_id, each.variants) == (feature_id, told["variants"])
        else each
        for each in served
    )


def rollout_flag(
    serving: "Serving", rule: RolloutRule, answers: tuple[RolloutAnswer, RolloutAnswer]
) -> RolloutFlag:
    return RolloutFlag(serving, rule, answers, hash64(serving.salt), threshold(rule.share))


class RolloutFlags:
    """The rollout flags of one bulk answer. `fixed` has the bodies that are the same for all keys.

    The others are in groups, whose bodies are built for each combination of answers.
    """

    def __init__(self, flags: Sequence[RolloutFlag]) -> None:
        self._same = [f for f in flags if f.rule.is_same_for_all]
        self.fixed = [f.answer("").body for f in self._same]
        split = [f for f in flags if not f.rule.is_same_for_all]
        self._buckets = ManyBuckets([f.salt for f in split], [f.rule.share for f in split])
        self._flags = list(batched(split, GROUP))
        self._groups = [_combined(some) for some in self._flags]

    def __bool__(self) -> bool:
        """Return True if some answers differ by the targeting key."""
        return bool(self._groups)

    @property
    def has_any(self) -> bool:
        return bool(self._same or self._groups)

    def chosen(self, target: str) -> bytes:
        """Return the body that the key gets in each group."""
        return self._buckets.groups(hash64(target))

    def bodies(self, chosen: bytes) -> Iterator[bytes]:
        return map(getitem, self._groups, chosen)

    def counts(self, asked: int, held: Sequence[int]) -> Iterator[tuple[str, str, str, int]]:
        """Return (system, flag, word, count) for a number of bulk answers.

        `held` has the number of answers with the candidate, for each flag that differs by key.
        """
        for flag in self._same:
            yield *flag.counted(is_in=flag.rule.share == MILLION), asked
        for flag, times in zip(chain.from_iterable(self._flags), held, strict=False):
            for is_in, count in ((True, times), (False, asked - times)):
                if count:
                    yield *flag.counted(is_in=is_in), count

    def all_bodies(self) -> bytes:
        """Return all bodies that any key could get, for the tag of the answer."""
        return b",".join(body for group in self._groups for body in (group[0], group[-1]))


def _combined(flags: Sequence[RolloutFlag]) -> list[bytes]:
    """Return the bodies of a group by the number that `grouped` gives it."""
    return [
        b",".join(f.answers[_is_in(number, place)].body for place, f in enumerate(flags))
        for number in range(1 << GROUP)
    ]


def _is_in(number: int, place: int) -> bool:
    return bool(number & 8 >> place)


def tag_of(chosen: bytes) -> str:
    """Return a tag that distinguishes the answers of two keys."""
    return hashlib.sha256(chosen).hexdigest()[:16]


def edge_rule(flag: RolloutFlag) -> dict[str, Any]:
    """Return the rule for the bundle, so that edge products decide as Meridian does."""
    current, candidate = flag.serving.variants
    return {
        STOPPED: flag.rule.is_stopped,
        "salt": flag.serving.salt,
        "share": flag.rule.share,
        "reason": flag.rule.reason,
        CURRENT: current,
        CANDIDATE: candidate,
        "stage": flag.serving.stage,
        "state": flag.serving.state,
    }
