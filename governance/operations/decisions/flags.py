"""The answers to a tenant's products, as OpenFeature Remote Evaluation Protocol (OFREP). Pure.

DecisionFacts            all facts that determine the answers of one tenant
Answers(facts, now)      by system the flags policy.<dimension>, switch.<system>[.<feature>],
                         each built on first use, and rollout.<feature>, whose answer depends
                         on the targeting key (rollout_flags)

In a scope that is stopped on both planes, switches are false, levels "stopped", numbers 0, lists
empty. A stale answer is the last known one, with the reason STALE: stopped scopes stay stopped and
no setting becomes looser. Source: OFREP 0.3.0 (openapi.yaml of open-feature/protocol).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from governance.kernel.web.bearer import Keys, StoredKey
from governance.operations.decisions import permissions
from governance.operations.decisions.rollout_flags import (
    CANDIDATE,
    CURRENT,
    DISABLED,
    ROLLOUT,
    SPLIT,
    STATIC,
    STOPPED,
    RolloutAnswer,
    RolloutFlag,
    RolloutFlags,
    edge_rule,
    rollout_flag,
    rule_of,
    tag_of,
)
from governance.operations.decisions.rollout_flags import after as rollouts_after
from governance.operations.policies.dimensions import ANYTHING, DIMENSIONS, Value, plain
from governance.operations.policies.effective_policies import EffectivePolicy, Governed, Platform
from governance.operations.policies.strictness import Decided
from governance.operations.switches.active_stops import ActiveStop, Live, covering, live
from governance.operations.switches.active_stops import after as stops_after

if TYPE_CHECKING:
    from governance.operations.rollouts.queries import Serving

STALE = "STALE"
AMBIGUOUS = "Several AI systems have a rollout of {feature}: the context must name the system."


@dataclass(frozen=True, slots=True)
class DecisionFeature:
    """A feature of a system with the data that decisions need."""

    id: UUID
    system_id: UUID
    key: str


@dataclass(frozen=True, slots=True)
class DecisionFacts:
    """The facts of one tenant at the database revision `number`."""

    tenant_id: UUID
    slug: str
    number: int
    over: int  # Revision of what applies to all tenants
    keys: Keys
    policy: EffectivePolicy
    features: tuple[DecisionFeature, ...] = ()
    stops: tuple[ActiveStop, ...] = ()
    later: tuple[Platform, ...] = ()  # Layers that follow when the current one ends
    bundle_key: bytes | None = field(default=None, repr=False)
    bundle_key_id: str = ""
    bundle_keys: tuple[tuple[str, bytes], ...] = ()  # (id, public key) of the published ones
    rollouts: "tuple[Serving, ...]" = ()  # The rollout of each feature that has had one
    stops_number: int = 0  # Revision of the stops if they were read before the rest

    @property
    def obeyed(self) -> int:
        """The newest revision whose stops are in these facts."""
        return max(self.number, self.stops_number)

    def after(self, news: Mapping[str, Any]) -> "DecisionFacts | None":
        """Return the facts after a notification; None if the caller must read them instead.

        A new stop or restart is obeyed in any case. It counts as obeyed only if it directly follows
        the known revision, since an earlier notification may have been lost.
        """
        try:
            number, stops, rollouts = news["number"], stops_after(self.stops, news), self.rollouts
            if "rollout" in news:
                rollouts = rollouts_after(rollouts, news)
            if number <= self.obeyed or (stops, rollouts) == (self.stops, self.rollouts):
                return None
        except (AttributeError, KeyError, TypeError, ValueError):
            return None
        obeyed = number if number == self.obeyed + 1 else self.stops_number
        return replace(self, stops=stops, rollouts=rollouts, stops_number=obeyed)

    def at(self, now: datetime) -> "DecisionFacts":
        """Return the facts at a later time, since waivers and a looser minimum end by the clock."""
        policy = self.policy
        platform = next(
            p for p in (policy.platform, *self.later) if p.until is None or p.until > now
        )
        live_now = tuple(w for w in policy.waivers if w.until > now)
        return replace(self, policy=replace(policy, platform=platform, waivers=live_now))

    def under(self, above: "PlatformFacts") -> "DecisionFacts":
        """Return the facts with another operator layer."""
        own = tuple(stop for stop in self.stops if stop.scope != "platform")
        return replace(
            self,
            over=above.number,
            policy=replace(self.policy, platform=above.platform),
            later=above.later,
            stops=above.stops + own,
        )


@dataclass(frozen=True, slots=True)
class PlatformFacts:
    """The operator's layer and stops, which apply to all tenants."""

    number: int
    platform: Platform
    later: tuple[Platform, ...]
    stops: tuple[ActiveStop, ...]


@dataclass(frozen=True, slots=True)
class FlagAnswer:
    """One answer: its body as sent, and the word that it is counted under."""

    key: str
    value: Any
    word: str
    body: bytes


@dataclass(frozen=True, slots=True)
class BulkAnswer:
    """All flags of one system in one body, with its entity tag."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class BulkParts:
    """The common parts of all bulk answers of one system, and its rollouts."""

    before: bytes
    after: bytes
    tag: str
    rollouts: RolloutFlags

    def chosen(self, target: str) -> tuple[bytes, str]:
        """Return the rollout answers that a key gets, and the entity tag of its full answer."""
        if not self.rollouts:
            return b"", f'"{self.tag}"'
        chosen = self.rollouts.chosen(target)
        return chosen, f'"{self.tag}{tag_of(chosen)}"'

    def body(self, chosen: bytes) -> bytes:
        return b",".join((self.before, *self.rollouts.bodies(chosen), self.after))


class AmbiguousRollout(Exception):
    """Several systems have a rollout of this feature, and the request names none."""


class Answers:
    """The answers of one tenant, immutable; the flags of a system are built on first use."""

    def __init__(self, facts: DecisionFacts, now: datetime, *, stale: bool = False) -> None:
        self.facts, self.at, self.stale = facts, now, stale
        self.until = facts.policy.next_change(now)
        self._systems = {s.key: s for s in facts.policy.systems}
        self._by_id = {s.id: s.key for s in facts.policy.systems}
        # Built so far: levels by system, switches by key.
        self._levels: dict[str, dict[str, FlagAnswer]] = {}
        self._switches: dict[str, FlagAnswer] = {}
        self._bulk: dict[str, BulkParts] = {}
        self._rollouts: dict[tuple[str, str], RolloutFlag] = {}
        # The time of signing and the bundle, by system.
        self.signed: dict[str, tuple[float, bytes]] = {}

    def knows(self, system: str) -> bool:
        return not system or system in self._systems

    def key_of(self, system_id: UUID) -> str | None:
        return self._by_id.get(system_id)

    @cached_property
    def deciding_keys(self) -> dict[bytes, StoredKey]:
        """Return the unexpired keys that may decide, by the hash of their secret."""
        return {
            hashed: key
            for (slug, hashed), key in self.facts.keys.items()
            if slug == self.facts.slug
            and not key.revoked
            and not key.scopes.isdisjoint(permissions.DECIDE.scopes)
            and (key.system_id is None or key.system_id in self._by_id)
        }

    def flag(self, system: str, key: str, *, others: bool = True) -> FlagAnswer | None:
        """Return the answer for a flag. With `others`, include the switches of other systems."""
        levels = self._levels.get(system) or self._levels_of(system)
        return levels.get(key) or (
            self._switch(key) if others or not system or is_of(key, system) else None
        )

    def rollout(self, system: str, key: str) -> RolloutFlag | None:
        """Return the flag rollout.<feature> of a system, or of the only system that has it.

        Raises AmbiguousRollout if several have it.
        """
        feature = key.removeprefix(ROLLOUT)
        if system:
            serving = self._served.get((system, feature))
            return self._rollout(serving) if serving else None
        found = self._by_feature.get(feature, ())
        if len(found) > 1:
            raise AmbiguousRollout(AMBIGUOUS.format(feature=feature))
        return self._rollout(found[0]) if found else None

    def bulk_parts(self, system: str) -> BulkParts:
        return self._bulk.get(system) or self._all(system)

    def bulk(self, system: str, target: str = "") -> BulkAnswer:
        """Return all flags for a targeting key."""
        parts = self.bulk_parts(system)
        chosen, etag = parts.chosen(target)
        return BulkAnswer(parts.body(chosen), etag)

    def rollout_rules(self, system: str) -> dict[str, Any]:
        """Return {flag: rule} of a system's rollouts, for the bundle."""
        served = (s for s in self._served.values() if s.system == system)
        return {f"{ROLLOUT}{s.feature}": edge_rule(self._rollout(s)) for s in served}

    def policy(self, system: str) -> dict[str, Any]:
        """Return {dimension: value} and {switch: live}, for the bundle."""
        return {flag.key: flag.value for flag in self._every_flag(system)}

    @property
    def systems(self) -> Iterable[str]:
        return self._systems

    # ---- building

    def _every_flag(self, system: str) -> list[FlagAnswer]:
        """Return the levels and switches of a system, or of the tenant if there is none."""
        levels = self._levels.get(system) or self._levels_of(system)
        own = (key for key in self._switched if not system or is_of(key, system))
        return [*levels.values(), *filter(None, map(self._switch, own))]

    def _levels_of(self, system: str) -> dict[str, FlagAnswer]:
        which = self._systems.get(system)
        stops = covering(self.facts.stops, which.id if which else None)
        state = live(stops)
        self._levels[system] = {
            f"policy.{key}": self._level(decided, which, state, stops)
            for key, decided in self.resolve(which).items()
        }
        return self._levels[system]

    def resolve(self, which: Governed | None) -> Mapping[str, Decided]:
        """Return the effective policy. Systems without their own layer share one."""
        policy = self.facts.policy
        if which is None or not policy.differs(which):
            return self._general
        return policy.effective(which)

    @cached_property
    def _general(self) -> dict[str, Decided]:
        return self.facts.policy.effective()

    def _level(
        self, decided: Decided, which: Governed | None, state: Live, stops: list[ActiveStop]
    ) -> FlagAnswer:
        more: dict[str, Any] = {
            "policy_version": self.facts.policy.number,
            "set_by": decided.set_by,
        }
        if which is not None:
            more["system"] = which.key
        ends = [
            w.until
            for w in self.facts.policy.waivers
            if which and w.system_id == which.id and w.key == decided.key
        ]
        if ends and any(layer.kind == "waiver" for layer in decided.by):
            more["expires"] = min(ends).isoformat()
        if state.stopped:
            return self._flag(
                f"policy.{decided.key}",
                _stopped_value(decided.key),
                "stopped",
                more | _why(stops),
                reason=DISABLED,
            )
        return self._flag(f"policy.{decided.key}", _sent(decided.value), _word(decided.value), more)

    @cached_property
    def _switched(self) -> dict[str, tuple[UUID, UUID | None]]:
        """Return the system and feature of every switch of the tenant."""
        known = self._by_id
        whole = {f"switch.{s.key}": (s.id, None) for s in self._systems.values()}
        parts = {
            f"switch.{known[f.system_id]}.{f.key}": (f.system_id, f.id)
            for f in self.facts.features
            if f.system_id in known
        }
        return {**whole, **parts}

    def _switch(self, key: str) -> FlagAnswer | None:
        """Return a switch: true while both planes are live; the metadata has each plane.

        Built on demand, so that the first answer after a stop waits for no other switch.
        """
        if (drawn := self._switches.get(key)) is not None:
            return drawn
        if (where := self._switched.get(key)) is None:
            return None
        stops = covering(self.facts.stops, *where)
        state = live(stops)
        more: dict[str, Any] = {
            "policy_version": self.facts.policy.number,
            "generate": state.generate,
            "serve": state.serve,
        }
        self._switches[key] = (
            self._flag(key, value=True, word="live", more=more)
            if state.whole
            else self._flag(
                key, value=False, word="stopped", more=more | _why(stops), reason=DISABLED
            )
        )
        return self._switches[key]

    @cached_property
    def _served(self) -> "dict[tuple[str, str], Serving]":
        """Return the rollouts of systems that aren't retired, by system and feature."""
        ordered = sorted(self.facts.rollouts, key=lambda s: (s.system, s.feature))
        return {(s.system, s.feature): s for s in ordered if s.system in self._systems}

    @cached_property
    def _by_feature(self) -> "dict[str, list[Serving]]":
        found: dict[str, list[Serving]] = {}
        for serving in self._served.values():
            found.setdefault(serving.feature, []).append(serving)
        return found

    def _rollout(self, serving: "Serving") -> RolloutFlag:
        where = serving.system, serving.feature
        if where not in self._rollouts:
            self._rollouts[where] = self._built_rollout(serving)
        return self._rollouts[where]

    def _built_rollout(self, serving: "Serving") -> RolloutFlag:
        which, key = self._systems[serving.system], f"{ROLLOUT}{serving.feature}"
        stops = covering(self.facts.stops, serving.system_id, serving.feature_id)
        rule = rule_of(serving, live(stops), str(self.resolve(which)["release_ring"].value))
        current, candidate = serving.variants
        more: dict[str, Any] = {
            "policy_version": self.facts.policy.number,
            "system": serving.system,
            "stage": serving.stage,
            "state": serving.state,
        }
        if stops:
            more |= _why(stops)
        elif not serving.share and serving.state in {"running", "paused"}:
            more["shadow"] = candidate
        if rule.is_stopped:
            flag = self._flag(key, STOPPED, STOPPED, more, reason=DISABLED)
            answers = (flag, flag)
        else:
            reason = STATIC if rule.is_same_for_all else SPLIT
            answers = (
                self._flag(key, current, CURRENT, more, reason=rule.reason),
                self._flag(key, candidate, CANDIDATE, more, reason=reason),
            )
        first, second = (RolloutAnswer(f.body, rule.word or str(f.value)) for f in answers)
        return rollout_flag(serving, rule, (first, second))

    def _flag(
        self, key: str, value: Any, word: str, more: Mapping[str, Any], *, reason: str = STATIC
    ) -> FlagAnswer:
        body = {
            "key": key,
            "value": value,
            "reason": STALE if self.stale else reason,
            "variant": word,
            "metadata": dict(more),
        }
        return FlagAnswer(key, value, word, _json(body))

    def _all(self, system: str) -> BulkParts:
        several = {} if system else self._ambiguous
        rollouts = RolloutFlags(
            [
                self._rollout(serving)
                for serving in self._served.values()
                if serving.system == system or (not system and serving.feature not in several)
            ]
        )
        bodies = [
            flag.body for flag in sorted(self._every_flag(system), key=attrgetter("key"))
        ] + rollouts.fixed
        *others, last = *several.values(), *bodies
        listed = b",".join(others)
        tag = hashlib.sha256(b",".join((listed, last, rollouts.all_bodies()))).hexdigest()[:32]
        metadata = _json(
            {
                "tenant": self.facts.slug,
                "version": self.facts.number,
                "policy_version": self.facts.policy.number,
            }
        )
        self._bulk[system] = BulkParts(
            b'{"flags":[' + listed, b'%s],"metadata":%s}' % (last, metadata), tag, rollouts
        )
        return self._bulk[system]

    @cached_property
    def _ambiguous(self) -> dict[str, bytes]:
        """Return an error for each feature of several systems, for requests without a system."""
        return {
            feature: _json(
                {
                    "key": f"{ROLLOUT}{feature}",
                    "errorCode": "INVALID_CONTEXT",
                    "errorDetails": AMBIGUOUS.format(feature=feature),
                }
            )
            for feature, found in self._by_feature.items()
            if len(found) > 1
        }


def is_of(key: str, system: str) -> bool:
    """Return True if a flag is a switch of this system."""
    return key == f"switch.{system}" or key.startswith(f"switch.{system}.")


def _why(stops: list[ActiveStop]) -> dict[str, Any]:
    """Return the metadata of a stopped flag. The reason is only on the stop's page."""
    first = min(stops, key=lambda stop: stop.since)
    return {
        "stopped": True,
        "stop": str(first.id),
        "since": first.since.isoformat(timespec="seconds"),
    }


def _sent(value: Value) -> Any:
    """Return a value for OFREP, which has no arrays: a list of names becomes an object."""
    if isinstance(value, frozenset):
        return (
            {"any": True, "names": []}
            if value == ANYTHING
            else {"any": False, "names": plain(value)}
        )
    return value


def _stopped_value(key: str) -> Any:
    """Return the value of a stopped flag in its own type."""
    match DIMENSIONS[key].join:
        case "strictest level":
            return "stopped"
        case "least" | "most":
            return 0
        case "intersection" | "union":
            return {"any": False, "names": []}


def _word(value: Value) -> str:
    if isinstance(value, frozenset):
        return "any" if value == ANYTHING else f"{len(value)} named"
    return str(value)


def _json(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
