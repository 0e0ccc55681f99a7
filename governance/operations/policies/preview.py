"""Preview of a policy change, by AI system and over recent evaluations. Pure.

verdict(before, after)                shows if it needs a second person, and why
effects(before, after, evaluations)   by system: changed and unchanged settings, and deciding layers
replay(before, after, evaluations)    how many recent decisions would differ, and how many of them
                                      would be stricter
lifted(policy, tier)                  settings whose platform minimum is stricter than a tier
notices(after)                        warnings: an override without effect, an empty list
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from governance.kernel.errors import Invalid
from governance.kernel.formatting import plural
from governance.operations.policies.dimensions import ANYTHING, DIMENSIONS, Value, plain, read
from governance.operations.policies.effective_policies import (
    EffectivePolicy,
    Governed,
    Scope,
    loosening,
    scopes,
)
from governance.operations.policies.policy_diff import SettingChange, fingerprint, lines, written
from governance.operations.policies.setting_labels import setting_title, value_label
from governance.operations.policies.strictness import (
    Decided,
    DimensionChange,
    changes,
    covers,
    join,
    loosens,
    values,
)
from governance.operations.policies.tiers import Tier

# {(slug of the system, flag): {value: count}}
type Evaluations = Mapping[tuple[str, str], Mapping[str, int]]
BULK = "bulk"


# ---- whether it needs a second person


@dataclass(frozen=True, slots=True)
class ChangeVerdict:
    """The verdict on a change: second person needed or not.

    `loosening`: changes of the tenant's own layers, by system (None: requests without one).
    """

    loosening: Mapping[UUID | None, Sequence[DimensionChange]]
    four_eyes: bool

    @property
    def second_person(self) -> bool:
        return bool(self.loosening) or self.four_eyes

    @property
    def loosens(self) -> bool:
        return bool(self.loosening)

    @property
    def fingerprint(self) -> str:
        """The digest of the loosened settings; an approval binds to it."""
        loosened = [
            [str(system_id), [[c.key, _plain(c.before), _plain(c.after)] for c in changed]]
            for system_id, changed in sorted(self.loosening.items(), key=lambda each: str(each[0]))
        ]
        return fingerprint(loosened, self.four_eyes)


def _plain(value: Value | None) -> str | int | list[str] | None:
    return None if value is None else plain(value)


def verdict(before: EffectivePolicy, after: EffectivePolicy) -> ChangeVerdict:
    """Judge a change. The current tier determines if tightening needs two people, too."""
    return ChangeVerdict(loosening(before, after), before.tier.four_eyes)


def line_loosens(
    line: SettingChange, found: ChangeVerdict, before: EffectivePolicy, after: EffectivePolicy
) -> bool:
    """Return True if this one change loosens something."""
    if line.key == "tier":
        return any(loosens(c.move) for c in changes(before.tier.values, after.tier.values))
    scopes_of_it = (
        found.loosening.values()
        if line.system_id is None
        else [found.loosening.get(line.system_id, ())]
    )
    return any(c.key == line.key for changed in scopes_of_it for c in changed)


# ---- system by system


@dataclass(frozen=True, slots=True)
class SystemEffect:
    """The effect of a change on one system (None: requests without one).

    `stays` has settings that a layer changes without effect, `evaluations` the counts of the last
    24 hours by dimension.
    """

    system: Scope
    changes: Sequence[DimensionChange]
    stays: Sequence[Decided]
    evaluations: Mapping[str, int]

    @property
    def name(self) -> str:
        return self.system.key if self.system else "Requests without a system"

    @property
    def tightens(self) -> int:
        return sum(not loosens(c.move) for c in self.changes)

    @property
    def loosens(self) -> int:
        return sum(loosens(c.move) for c in self.changes)

    @property
    def requests(self) -> int:
        """Evaluations of a setting that changes, or of any setting if none does."""
        return max(self._counts or self.evaluations.values(), default=0)

    @property
    def is_uneven(self) -> bool:
        """True if the changed settings were evaluated unequally often."""
        return len(set(self._counts)) > 1

    @property
    def _counts(self) -> list[int]:
        return [self.evaluations.get(c.key, 0) for c in self.changes]


def effects(
    before: EffectivePolicy, after: EffectivePolicy, evaluations: Evaluations
) -> list[SystemEffect]:
    """Return the effect on each system, also unaffected ones, then on requests without one."""
    return [_effect(before, after, system, evaluations) for system in (*after.systems, None)]


def _effect(
    before: EffectivePolicy, after: EffectivePolicy, system: Scope, evaluations: Evaluations
) -> SystemEffect:
    was, becomes = before.effective(system), after.effective(system)
    changed = changes(values(was), values(becomes))
    keys = {c.key for c in changed}
    stays = [
        d
        for key, d in becomes.items()
        if key not in keys and key in was and _layer_values(was[key]) != _layer_values(d)
    ]
    return SystemEffect(system, changed, stays, _by_dimension(system, evaluations))


def _layer_values(decided: Decided) -> list[tuple[str, Value]]:
    return [(layer.kind, layer.values[decided.key]) for layer in decided.layers]


def _by_dimension(system: Scope, evaluations: Evaluations) -> dict[str, int]:
    """Count the evaluations of each dimension. A bulk evaluation counts for each."""
    name = system.key if system else ""
    at_once = sum(evaluations.get((name, BULK), {}).values())
    counts = {
        key: at_once + sum(evaluations.get((name, DIMENSIONS[key].flag), {}).values())
        for key in DIMENSIONS
    }
    return {key: count for key, count in counts.items() if count}


def totals(found: Sequence[SystemEffect]) -> tuple[int, int]:
    """Count the dimensions that tighten, and those that loosen, over all systems."""
    changed = [(c.key, loosens(c.move)) for effect in found for c in effect.changes]
    return len({key for key, bad in changed if not bad}), len({key for key, bad in changed if bad})


# ---- replayed over recent evaluations


@dataclass(frozen=True, slots=True)
class DecisionReplay:
    """Counts of recorded decisions: all, those that would differ, and the stricter of these."""

    answers: int = 0
    other: int = 0
    stricter: int = 0

    @property
    def looser(self) -> int:
        return self.other - self.stricter

    def __add__(self, more: "DecisionReplay") -> "DecisionReplay":
        return DecisionReplay(
            self.answers + more.answers, self.other + more.other, self.stricter + more.stricter
        )


def replay(
    before: EffectivePolicy, after: EffectivePolicy, evaluations: Evaluations
) -> DecisionReplay:
    """Replay recorded decisions, without those of retired systems or during a stop."""
    known: dict[str, Scope] = {system.key if system else "": system for system in scopes(after)}
    total = DecisionReplay()
    for (name, flag), counts in evaluations.items():
        if name in known:
            total += _replayed(before, after, known[name], flag, counts)
    return total


def _replayed(
    before: EffectivePolicy,
    after: EffectivePolicy,
    system: Scope,
    flag: str,
    counts: Mapping[str, int],
) -> DecisionReplay:
    was, becomes = values(before.effective(system)), values(after.effective(system))
    if flag == BULK:
        count, changed = sum(counts.values()), changes(was, becomes)
        return DecisionReplay(
            count,
            count if changed else 0,
            0 if any(loosens(c.move) for c in changed) or not changed else count,
        )
    key = flag.removeprefix("policy.")
    if key not in becomes or flag != DIMENSIONS[key].flag:
        return DecisionReplay()
    total = DecisionReplay()
    for text, count in counts.items():
        if (given := counted_value(key, text, was.get(key))) is not None:
            other = given != becomes[key]
            total += DecisionReplay(
                count,
                count if other else 0,
                count if other and covers(key, becomes[key], given) else 0,
            )
    return total


def counted_value(key: str, text: str, was: Value | None) -> Value | None:
    """Return the value that a count was stored under; None for "stopped" and unknown words.

    Only the length of a list is stored, so an equal length is taken for the current list.
    """
    if isinstance(was, frozenset):
        return ANYTHING if text == "any" else was if text == f"{len(was)} named" else None
    try:
        return read(key, text)
    except Invalid:
        return None


# ---- warnings


def lifted(policy: EffectivePolicy, tier: Tier) -> list[DimensionChange]:
    """Return the settings whose platform minimum is stricter than the tier.

    Each has the tier's value, then the one that applies instead.
    """
    both = [
        (key, tier.values[key], value)
        for key, value in policy.platform.floor.items()
        if key in tier.values
    ]
    return [
        change
        for key, own, floor in both
        for change in changes({key: own}, {key: join(key, own, floor)})
    ]


@dataclass(frozen=True, slots=True)
class PolicyNotice:
    """Something to know before confirming; `field` is a dimension's key, or "tier"."""

    field: str
    lead: str
    text: str


def notices(after: EffectivePolicy, *, of: EffectivePolicy | None = None) -> list[PolicyNotice]:
    """Return warnings about settings without the expected effect.

    With `of`, only about settings that differ from it.
    """
    found: list[PolicyNotice] = []
    if of is None or of.content.tier != after.content.tier:
        found += _about_tier(after)
    new = (
        None
        if of is None
        else {(line.system_id, line.key) for line in lines(of.content, after.content)}
    )
    for system in (None, *after.systems):
        for key, value in written(after.content, system.id if system else None).items():
            if new is None or (system.id if system else None, key) in new:
                found += _about_override(after, system, key, value)
    return found


def _about_tier(after: EffectivePolicy) -> list[PolicyNotice]:
    up = lifted(after, after.tier)
    if not up:
        return []
    named = "; ".join(
        f"{setting_title(c.key)} is {value_label(c.after, c.key)} instead of"
        f" {value_label(c.before, c.key)}"
        for c in up
    )
    count = plural(len(up), "setting")
    lead = f"The platform minimum is stricter than {after.tier.name} in {count}."
    return [PolicyNotice("tier", lead, f"{named}.")]


def _about_override(
    after: EffectivePolicy, system: Governed | None, key: str, value: Value
) -> list[PolicyNotice]:
    title, label = setting_title(key), value_label(value, key)
    where = f" for {system.key}" if system else ""
    if value == frozenset():
        return [
            PolicyNotice(
                key,
                f"The override{where} allows no model.",
                "An empty list denies every model call.",
            )
        ]
    decided = after.effective(system)[key]
    if system is None and after.tier.values.get(key) == value:
        return [
            PolicyNotice(
                key,
                f"{title} is already {label} in {after.tier.name}.",
                "The override changes nothing now. It stays if you change the tier.",
            )
        ]
    if value not in (decided.value, ANYTHING) and not covers(key, value, decided.value):
        required = value_label(decided.value, key)
        return [
            PolicyNotice(
                key,
                f"The override of {title}{where} to {label} has no effect.",
                f"{decided.decided_by} requires {required}, and the strictest value applies.",
            )
        ]
    return []
