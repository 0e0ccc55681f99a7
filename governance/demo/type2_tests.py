"""Acme's Type II tests in a SOC 2 period of twelve months.

acme(…) yields six frozen populations with tested samples: SEC-07 with one failed item of 25,
ACC-03 with an exception from finding to passed retest, and INC-02 with a missed quarter that has
a response. Lists have a fixed seed; days count back from today.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from uuid import UUID

from governance.assurance.testing import (
    control_scope,
    exception_actions,
    exception_queries,
    matrix_queries,
    population_actions,
    population_import,
    population_queries,
    sample_actions,
    sample_queries,
)
from governance.assurance.testing.models import TestException
from governance.assurance.testing.sampling import draw_items
from governance.demo.story import StoryEvent
from governance.kernel import clock

SEED = 2026
FIRST_SEED = 0x441790CE
FAILS_AT = 17
SYSTEMS = ("support-assistant", "claims-triage", "ad-copywriter")
SIGNED = ["Signed by the red team before the release", "Signed by someone who didn't build it"]
type Ago = Callable[[int], date]
type Row = dict[str, str]


@dataclass(slots=True)
class Thread:
    """State that later steps of a control's test need from earlier ones."""

    ref: str
    attributes: Sequence[str]
    population: UUID | None = None
    sample: UUID | None = None
    exception: UUID | None = None
    ids: Mapping[str, UUID] = field(default_factory=dict)


def acme(ids: Mapping[str, UUID], person: Callable[[str], UUID], ago: Ago) -> Iterator[StoryEvent]:
    """Yield the steps. `ids` is filled as controls are adopted. `person` returns a person's id."""
    chance = random.Random(SEED)  # noqa: S311 - a story, not a secret
    yield from _leavers(
        Thread("ACC-03", ["Account closed within a day", "Closed in every system"], ids=ids),
        chance,
        person,
        ago,
    )
    changes = Thread(
        "CHG-02", ["Reviewed by another person", "Reviewed before deployment"], ids=ids
    )
    checks = Thread("LOG-01", ["Whole log verified", "Checkpoint agrees with the witness"], ids=ids)
    suites = Thread(
        "SEC-09", ["Suite run on the released build", "No open finding above medium"], ids=ids
    )
    restores = Thread("OPS-06", ["Restored to another machine", "Row counts agree"], ids=ids)
    for thread, rows, title, query in (
        (
            changes,
            _changes(chance, ago),
            "Production changes",
            "changes merged to main, deployed = true, by merge time",
        ),
        (
            checks,
            _checks(ago),
            "Daily verifications of the audit log",
            "runs of verify-log, scheduled = true, by day",
        ),
        (suites, _releases(chance, ago, 20), "Releases of AI systems", RELEASES),
    ):
        yield StoryEvent(ago(20), "officer", partial(_freeze, thread, rows, title, query, ago), 9)
        yield StoryEvent(ago(19), "jun", partial(_draw, thread), 10)
        yield StoryEvent(ago(18), "jun", partial(_pass, thread), 14)
    yield StoryEvent(ago(20), "officer", partial(_freeze_evidence, restores, ago), 11)
    yield StoryEvent(ago(19), "jun", partial(_draw, restores), 11)
    yield StoryEvent(ago(18), "jun", partial(_pass, restores), 15)
    yield from _missed(Thread("INC-02", [], ids=ids), ago)
    yield from _sign_off(Thread("SEC-07", SIGNED, ids=ids), chance, ago)


MOVED_BY_PHONE = {
    "cause": (
        "The leaver's last day was moved forward by phone. The staff list was updated two days"
        " later."
    ),
    "effect": "One account stayed open for three days. The log shows no sign-in.",
    "correction": "The account was closed. The quarter's other leavers were checked by hand.",
    "response": (
        "Agreed. A last day changes only in the staff list, which now closes accounts"
        " automatically."
    ),
}
LATE_NOTICE = {
    "cause": "After the handover in summer, nobody kept the notification list.",
    "effect": (
        "The quarter's incidents were minor and affected no one outside. We can't show that the"
        " people affected were notified."
    ),
    "correction": "The new owner contacted everyone affected and now keeps the list.",
    "response": "Agreed. The notification list is now required to close an incident.",
}
RELEASES = "release register, high and standard risk classes, state = live, by release date"


def _sign_off(thread: Thread, chance: random.Random, ago: Ago) -> Iterator[StoryEvent]:
    """Yield a failed item, 17 of 25: a release of claims-triage without red-team sign-off."""
    rows = _releases(chance, ago, 8)
    unsigned = next(row for row in reversed(rows) if row["id"].endswith(".2"))
    unsigned.update(system="claims-triage", **{"signed by": "", "signed on": ""})
    yield StoryEvent(
        ago(7),
        "officer",
        partial(_freeze, thread, rows, "Releases of AI systems", RELEASES, ago),
        9,
    )
    yield StoryEvent(ago(7), "jun", partial(_draw_with, thread, unsigned["id"]), 15)
    yield StoryEvent(ago(6), "jun", partial(_pass, thread, spare=FAILS_AT), 16)
    note = f"Release {unsigned['id']} of claims-triage went live without red-team sign-off"
    yield StoryEvent(ago(5), "jun", partial(_fail, thread, note), 11)


def _leavers(
    thread: Thread, chance: random.Random, person: Callable[[str], UUID], ago: Ago
) -> Iterator[StoryEvent]:
    """Yield an exception: an account was open for three days. It was fixed and retested."""
    rows = _left(chance, ago)
    yield StoryEvent(
        ago(100),
        "officer",
        partial(
            _freeze,
            thread,
            rows,
            "Leavers",
            "staff list, last day within the period, all contracts",
            ago,
        ),
        9,
    )
    yield StoryEvent(ago(99), "jun", partial(_draw, thread), 9)
    yield StoryEvent(ago(98), "jun", partial(_pass, thread, spare=3), 10)
    yield StoryEvent(
        ago(98),
        "jun",
        partial(
            _fail, thread, "The account stayed open for three days after the last day at work", at=3
        ),
        11,
    )
    yield StoryEvent(ago(95), "officer", partial(_answer, thread, MOVED_BY_PHONE), 10)
    yield StoryEvent(ago(94), "officer", lambda: _raise(thread, person("anna"), ago(75)), 10)
    yield StoryEvent(ago(80), "anna", partial(_fix, thread), 16)
    yield StoryEvent(ago(72), "jun", partial(_retest, thread, ago(72)), 14)


def _missed(thread: Thread, ago: Ago) -> Iterator[StoryEvent]:
    """Yield a missed cycle: nobody proved who was notified of the quarter's incidents."""
    yield StoryEvent(ago(12), "jun", partial(_record_missed, thread), 10)
    yield StoryEvent(ago(9), "officer", partial(_answer, thread, LATE_NOTICE), 14)


# ---- actions


def _freeze(thread: Thread, rows: Sequence[Row], title: str, query: str, ago: Ago) -> None:
    first, _ = _period(ago)
    held = population_import.check_rows(
        [row for row in rows if row["on"] <= clock.today().isoformat()], title
    )
    thread.population = population_actions.freeze_population(
        control_scope.control_in_scope(thread.ids[thread.ref]),
        key=f"file: {title.casefold()}",
        title=title,
        query=query,
        parameters={
            "from": first.isoformat(),
            "to": clock.today().isoformat(),
            "time zone": "Europe/Berlin",
        },
        rows=held,
        period_from=first,
        period_to=clock.today(),
        run_at=clock.now(),
        run_by="export account of the source system",
        source="file",
    ).id


def _freeze_evidence(thread: Thread, ago: Ago) -> None:
    control = control_scope.control_in_scope(thread.ids[thread.ref])
    thread.population = population_actions.freeze_versions(
        control, _period(ago)[0], clock.today()
    ).id


def _draw(thread: Thread, seed: str = f"{FIRST_SEED:08x}") -> None:
    held = population_queries.population(_known(thread.population), whole=True)
    sample, _ = sample_actions.draw_sample(
        held,
        control_scope.control_in_scope(held.control_id),
        attributes=thread.attributes,
        seed=seed,
    )
    thread.sample = sample.id


def _draw_with(thread: Thread, item: str) -> None:
    """Draw with the first seed that puts the item in the place that the story needs."""
    held = population_queries.population(_known(thread.population), whole=True)
    items = [row[held.id_column] for row in held.rows]
    seeds = (f"{FIRST_SEED + n:08x}" for n in range(100_000))
    _draw(
        thread,
        next(seed for seed in seeds if draw_items(items, seed, held.sha256, FAILS_AT)[-1] == item),
    )


def _pass(thread: Thread, spare: int | None = None) -> None:
    """Record that every item passes, except for the item that is tested on another day."""
    items = [
        view.item
        for view in sample_queries.items(_known(thread.sample))
        if view.item.number != spare
    ]
    sample_actions.record_results(items, dict.fromkeys(thread.attributes, "yes"))


def _fail(thread: Thread, note: str, at: int = FAILS_AT) -> None:
    item = next(
        view.item for view in sample_queries.items(_known(thread.sample)) if view.item.number == at
    )
    sample_actions.record_result(
        item, {name: "yes" if n else "no" for n, name in enumerate(thread.attributes)}, note=note
    )
    found = exception_queries.exception_of_item(item.id)
    thread.exception = found.id if found is not None else None


def _exception(thread: Thread) -> TestException:
    return exception_queries.exception(_known(thread.exception), lock=True)


def _record_missed(thread: Thread) -> None:
    """Record the newest missed cycle as an exception, if there is one."""
    control = control_scope.control_in_scope(thread.ids[thread.ref])
    for cycle in matrix_queries.unrecorded_missed_cycles(control.id)[-1:]:
        said = {name: text for name, text in LATE_NOTICE.items() if name != "response"}
        thread.exception = exception_actions.record_missed_cycle(control, cycle.last, **said).id


def _answer(thread: Thread, said: Mapping[str, str]) -> None:
    if thread.exception is not None:
        exception_actions.respond(_exception(thread), version=1, **said)


def _raise(thread: Thread, owner: UUID, due: date) -> None:
    exception_actions.raise_finding(
        _exception(thread),
        title="Moving a last day by phone leaves the account open",
        plan="The staff list closes accounts automatically on the last day.",
        owner_id=owner,
        due_on=due,
    )


def _fix(thread: Thread) -> None:
    found = exception_queries.finding_of(_known(thread.exception))
    if found is not None:
        exception_actions.report_fixed(
            found,
            "The staff list now closes accounts at 06:00 on the last day. Tested with two"
            " accounts.",
        )


def _retest(thread: Thread, day: date) -> None:
    held = _exception(thread)
    found = exception_queries.finding_of(held.id)
    if found is not None:
        exception_actions.record_retest(
            found,
            held,
            control_scope.control_in_scope(held.control_id),
            tested_on=day,
            sample=5,
            failed=0,
            note="Five leavers since the fix: each account was closed on the last day.",
        )


def _known(held: UUID | None) -> UUID:
    if held is None:
        raise LookupError("the story has not come there yet")
    return held


# ---- lists


def _period(ago: Ago) -> tuple[date, date]:
    """Return the twelve months that end with the current one."""
    today = ago(0)
    number = today.year * 12 + today.month - 12
    return date(number // 12, number % 12 + 1, 1), today


def _months(ago: Ago, until: int) -> Iterator[tuple[date, date]]:
    """Return the first and last day of each month of the period, up to a number of days ago."""
    first, _ = _period(ago)
    while first <= ago(until):
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        yield first, min(following - timedelta(days=1), ago(until))
        first = following


def _spread(first: date, last: date, count: int) -> list[date]:
    """Return `count` days, evenly spread over the period, in order."""
    days = (last - first).days + 1
    return [first + timedelta(days=n * days // count) for n in range(count)]


def _releases(chance: random.Random, ago: Ago, until: int) -> list[Row]:
    rows = []
    for first, last in _months(ago, until):
        count = max(2, round(chance.randint(4, 7) * (last - first).days / 30))
        for n, day in enumerate(_spread(first, last, count), 1):
            signed = day - timedelta(days=chance.randint(1, 3))
            rows.append(
                {
                    "id": f"{day.year}.{day.month}.{n}",
                    "on": day.isoformat(),
                    "system": chance.choice(SYSTEMS),
                    "signed by": f"red team {chance.randint(1, 3)}",
                    "signed on": signed.isoformat(),
                }
            )
    return rows


def _changes(chance: random.Random, ago: Ago) -> list[Row]:
    rows: list[Row] = []
    for first, last in _months(ago, 20):
        for day in _spread(
            first, last, max(1, round(chance.randint(28, 55) * (last - first).days / 30))
        ):
            author = chance.randint(1, 9)
            rows.append(
                {
                    "id": f"CHG-{4100 + len(rows)}",
                    "on": day.isoformat(),
                    "repository": chance.choice(SYSTEMS),
                    "author": f"engineer {author}",
                    "reviewer": f"engineer {author % 9 + 1}",
                }
            )
    return rows


def _checks(ago: Ago) -> list[Row]:
    first = _period(ago)[0]
    days = [first + timedelta(days=n) for n in range((ago(20) - first).days + 1)]
    return [
        {"id": f"verification of {day}", "on": day.isoformat(), "result": "intact"} for day in days
    ]


def _left(chance: random.Random, ago: Ago) -> list[Row]:
    rows: list[Row] = []
    for first, last in _months(ago, 101):
        for day in _spread(first, last, chance.randint(1, 4)):
            rows.append(
                {
                    "id": f"leaver {len(rows) + 1}",
                    "on": day.isoformat(),
                    "unit": chance.choice(("Claims", "Service", "Marketing")),
                    "account closed": day.isoformat(),
                }
            )
    return rows
