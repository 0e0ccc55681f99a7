"""What a step would do, before anybody confirms it: system by system, over what was asked.

Pure.

verdict(before, after)              whether it takes a second person, and why
effects(before, after, asked)       per system what moves, what stays and by which layer, how many
                                    requests asked it
replay(before, after, asked)        how many answers of those days would have been another one, and
                                    how many stricter
lifted(standing, tier)              where the floor contradicts a tier
notices(before, after)              what a person may not expect: an override without effect, a list
                                    that allows nothing
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from governance.kernel.errors import Invalid
from governance.operations.policies.effective_policies import (
    EffectivePolicy,
    Governed,
    Scope,
    loosening,
    scopes,
)
from governance.operations.policies.policy_diff import SettingChange, lines, mark, said, written
from governance.operations.policies.strictness import (
    ANYTHING,
    DIMENSIONS,
    Decided,
    DimensionChange,
    Tier,
    Value,
    changes,
    covers,
    dimension,
    join,
    loosens,
    plain,
    read,
    values,
)

type Asked = Mapping[tuple[str, str], Mapping[str, int]]  # {(system key, flag): {value: how often}}
BULK = "bulk"


def flag(key: str) -> str:
    return f"policy.{key}"


# ---- whether it takes a second person


@dataclass(frozen=True, slots=True)
class Verdict:
    """`loosening`: what the tenant's own layers loosen, by system (None: requests that name
    none).
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
    def mark(self) -> str:
        """Of what it loosens: another one is another question to the second person."""
        said_all = [
            [str(system_id), [[c.key, _plain(c.before), _plain(c.after)] for c in moved]]
            for system_id, moved in sorted(self.loosening.items(), key=lambda each: str(each[0]))
        ]
        return mark(said_all, self.four_eyes)


def _plain(value: Value | None) -> str | int | list[str] | None:
    return None if value is None else plain(value)


def verdict(before: EffectivePolicy, after: EffectivePolicy) -> Verdict:
    """The tier in force says whether tightening takes two persons as well."""
    return Verdict(loosening(before, after), before.tier.four_eyes)


def line_loosens(
    line: SettingChange, found: Verdict, before: EffectivePolicy, after: EffectivePolicy
) -> bool:
    """Whether something loosens by this line of what is written differently."""
    if line.key == "tier":
        return any(loosens(c.move) for c in changes(before.tier.values, after.tier.values))
    scopes_of_it = (
        found.loosening.values()
        if line.system_id is None
        else [found.loosening.get(line.system_id, ())]
    )
    return any(c.key == line.key for moved in scopes_of_it for c in moved)


# ---- system by system


@dataclass(frozen=True, slots=True)
class Effect:
    """What a step does to one system (None: requests that name none).

    `stays`: written differently, and yet the same.
    """

    system: Scope
    changes: Sequence[DimensionChange]
    stays: Sequence[Decided]
    asked: Mapping[str, int]  # requests of the last 24 h that asked for the dimension

    @property
    def name(self) -> str:
        return self.system.key if self.system else "requests that name no system"

    @property
    def tightens(self) -> int:
        return sum(not loosens(c.move) for c in self.changes)

    @property
    def loosens(self) -> int:
        return sum(loosens(c.move) for c in self.changes)

    @property
    def requests(self) -> int:
        """That asked for something which changes; of a system that nothing concerns, for
        anything.
        """
        return max(self._counts or self.asked.values(), default=0)

    @property
    def uneven(self) -> bool:
        """Whether one dimension that changes was asked for more often than another one."""
        return len(set(self._counts)) > 1

    @property
    def _counts(self) -> list[int]:
        return [self.asked.get(c.key, 0) for c in self.changes]


def effects(before: EffectivePolicy, after: EffectivePolicy, asked: Asked) -> list[Effect]:
    """Each system, then what names none; those that nothing concerns too, so that one sees that
    nothing does.
    """
    return [_effect(before, after, system, asked) for system in (*after.systems, None)]


def _effect(before: EffectivePolicy, after: EffectivePolicy, system: Scope, asked: Asked) -> Effect:
    was, becomes = before.effective(system), after.effective(system)
    moved = changes(values(was), values(becomes))
    keys = {c.key for c in moved}
    stays = [
        d
        for key, d in becomes.items()
        if key not in keys and key in was and _spoken(was[key]) != _spoken(d)
    ]
    return Effect(system, moved, stays, _requests(system, asked))


def _spoken(decided: Decided) -> list[tuple[str, Value]]:
    return [(layer.kind, layer.values[decided.key]) for layer in decided.spoke]


def _requests(system: Scope, asked: Asked) -> dict[str, int]:
    """How often each dimension was asked for; all at once counts for each."""
    name = system.key if system else ""
    at_once = sum(asked.get((name, BULK), {}).values())
    counts = {key: at_once + sum(asked.get((name, flag(key)), {}).values()) for key in DIMENSIONS}
    return {key: count for key, count in counts.items() if count}


def totals(found: Sequence[Effect]) -> tuple[int, int]:
    """In how many dimensions something tightens, and in how many something loosens, over all
    systems.
    """
    moved = [(c.key, loosens(c.move)) for effect in found for c in effect.changes]
    return len({key for key, bad in moved if not bad}), len({key for key, bad in moved if bad})


# ---- replayed over what was asked


@dataclass(frozen=True, slots=True)
class Replay:
    """Of so many recorded answers, those that would have been another one, and those of them that
    would have been stricter.
    """

    answers: int = 0
    other: int = 0
    stricter: int = 0

    @property
    def looser(self) -> int:
        return self.other - self.stricter

    def __add__(self, more: "Replay") -> "Replay":
        return Replay(
            self.answers + more.answers, self.other + more.other, self.stricter + more.stricter
        )


def replay(before: EffectivePolicy, after: EffectivePolicy, asked: Asked) -> Replay:
    """Answers to systems that are gone are left out, as are those given while something was
    stopped.
    """
    known: dict[str, Scope] = {system.key if system else "": system for system in scopes(after)}
    total = Replay()
    for (name, asked_flag), counts in asked.items():
        if name in known:
            total += _replayed(before, after, known[name], asked_flag, counts)
    return total


def _replayed(
    before: EffectivePolicy,
    after: EffectivePolicy,
    system: Scope,
    asked_flag: str,
    counts: Mapping[str, int],
) -> Replay:
    was, becomes = values(before.effective(system)), values(after.effective(system))
    if asked_flag == BULK:
        count, moved = sum(counts.values()), changes(was, becomes)
        return Replay(
            count,
            count if moved else 0,
            0 if any(loosens(c.move) for c in moved) or not moved else count,
        )
    key = asked_flag.removeprefix("policy.")
    if asked_flag != flag(key) or key not in DIMENSIONS or key not in becomes:
        return Replay()
    total = Replay()
    for text, count in counts.items():
        if (given := heard(key, text, was.get(key))) is not None:
            other = given != becomes[key]
            total += Replay(
                count,
                count if other else 0,
                count if other and covers(key, becomes[key], given) else 0,
            )
    return total


def heard(key: str, text: str, was: Value | None) -> Value | None:
    """The value that a count was kept under; None for "stopped" and other words that are no value
    of the dimension.

    Of lists only their length is counted: a list as long as the present one is taken for it.
    """
    if isinstance(was, frozenset):
        return ANYTHING if text == "any" else was if text == f"{len(was)} named" else None
    try:
        return read(key, text)
    except Invalid:
        return None


# ---- what a person may not expect


def lifted(standing: EffectivePolicy, tier: Tier) -> list[DimensionChange]:
    """Where the floor is stricter than the tier says: before is the tier's value, after what holds
    instead.
    """
    both = [
        (key, tier.values[key], value)
        for key, value in standing.platform.floor.items()
        if key in tier.values
    ]
    return [
        change
        for key, own, floor in both
        for change in changes({key: own}, {key: join(key, own, floor)})
    ]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know before confirming; `field` is the dimension or "tier"."""

    field: str
    lead: str
    text: str


def notices(after: EffectivePolicy, *, of: EffectivePolicy | None = None) -> list[Notice]:
    """What the content writes that will not do what it seems to.

    With `of`, only what differs from that one.
    """
    found: list[Notice] = []
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


def _about_tier(after: EffectivePolicy) -> list[Notice]:
    up = lifted(after, after.tier)
    if not up:
        return []
    named = "; ".join(f"{c.key} is {said(c.after)}, not {said(c.before)}" for c in up)
    lead = f"The platform minimum is stricter than {after.tier.name.lower()} in {len(up)} " + (
        "setting." if len(up) == 1 else "settings."
    )
    return [Notice("tier", lead, f"The platform minimum applies there: {named}.")]


def _about_override(
    after: EffectivePolicy, system: Governed | None, key: str, value: Value
) -> list[Notice]:
    where, name = (f" of {system.key}" if system else ""), dimension(key).key
    if value == frozenset():
        return [
            Notice(
                key,
                f"The override{where} allows no model.",
                "An empty list means none: every model call is denied.",
            )
        ]
    decided = after.effective(system)[key]
    if system is None and after.tier.values.get(key) == value:
        return [
            Notice(
                key,
                f"{name} is {said(value)} in {after.tier.name.lower()} already.",
                "The override changes nothing now; it stays when the tier changes.",
            )
        ]
    if value not in (decided.value, ANYTHING) and not covers(key, value, decided.value):
        return [
            Notice(
                key,
                f"The override{where} to {said(value)} has no effect.",
                f"{decided.set_by.capitalize()} asks for {said(decided.value)}, and the strictest"
                " wins.",
            )
        ]
    return []
