"""The sentences of the Type II matrix: its headline and the explanations of cells. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date

from governance.assurance.testing.matrix_facts import (
    MatrixFacts,
    MatrixRow,
    MonthFacts,
    event_count,
    recorded_exception,
)
from governance.assurance.testing.occurrences import (
    CycleState,
    is_per_event,
    missed_cycles,
)
from governance.kernel.formatting import long_day, plural, thousands

MAX_NAMED = 3


def headline(rows: Sequence[MatrixRow]) -> str:
    """Return the headline: how many expected occurrences are on file, and which are missing."""
    due, on_file = sum(r.due for r in rows), sum(r.on_file for r in rows)
    if not due:
        return "Nothing has come due in this period yet."
    verb = "is" if on_file == 1 else "are"
    lacking = [(r.ref, r.lacks) for r in rows if r.lacks]
    says = f"{thousands(on_file)} of {thousands(due)} expected occurrences {verb} on file."
    if not lacking:
        return f"{says} Nothing is missing."
    named = [f"{_enumerate(lacks)} for {ref}" for ref, lacks in lacking[:MAX_NAMED]]
    rest = len(lacking) - MAX_NAMED
    more = [f"and cycles of {plural(rest, 'more control', 'more controls')}"] if rest > 0 else []
    return f"{says} Missing: {'; '.join([*named, *more])}."


def cell_sentences(
    control: MatrixFacts, month: date, month_facts: MonthFacts, today: date
) -> Iterable[str]:
    yield from _performance_sentences(control, month, month_facts, today)
    if recorded := [
        f"{ref} for {s.cycle.says}"
        for s in month_facts.stands
        if (ref := recorded_exception(control, s))
    ]:
        noun = "an exception" if len(recorded) == 1 else "exceptions"
        yield f"Recorded as {noun}: {_enumerate(recorded)}."
    for item in month_facts.items:
        if item.outcome == "failed":
            yield (
                f"Sample item {item.number}, {item.name},"
                f" failed{f' ({item.ref})' if item.ref else ''}."
            )
    done, waiting = (
        sum(i.outcome is not None for i in month_facts.items),
        sum(i.outcome is None for i in month_facts.items),
    )
    if done:
        yield f"{plural(done, 'sample item')} tested."
    if waiting:
        yield f"{plural(waiting, 'sample item')} not tested yet."
    for test in month_facts.tests:
        passed = "all passed" if not test.failed else f"{test.failed} failed"
        yield (
            f"Tested on {long_day(test.day)}: {plural(test.sample, 'item')},"
            f" {passed}{f' ({test.ref})' if test.ref else ''}."
        )


def _performance_sentences(
    control: MatrixFacts, month: date, month_facts: MonthFacts, today: date
) -> Iterable[str]:
    if is_per_event(control.cadence):
        yield _events_sentence(control, month, month_facts, today)
    elif not month_facts.stands:
        yield f"Nothing is due in {_month_name(month)}: the control runs {control.cadence}."
    elif len(month_facts.stands) > 1:
        yield from _cycles_sentences(month_facts.stands, month)
    else:
        yield _cycle_sentence(month_facts.stands[0])


def _events_sentence(
    control: MatrixFacts, month: date, month_facts: MonthFacts, today: date
) -> str:
    count = event_count(control, month, month_facts)
    if count:
        where = "in the population" if control.events is not None else "on file"
        return f"{plural(count, 'occurrence')} {where} for {_month_name(month)}."
    if month_facts.covered:
        return (
            f"No occurrence is on file for {_month_name(month)}. {month_facts.covered[0].says}"
            " covers it."
        )
    if month > today:
        return f"{_month_name(month)} hasn't started."
    return (
        f"Gap: no occurrence is on file for {_month_name(month)}, and no accepted evidence"
        " covers it."
    )


def _cycles_sentences(stands: Sequence[CycleState], month: date) -> Iterable[str]:
    performed = [s for s in stands if s.state == "performed"]
    by = sorted({s.proof.says for s in performed if s.proof})
    yield (
        f"{len(performed)} of {len(stands)} occurrences in {_month_name(month)} are on"
        f" file{f', shown by {_enumerate(by)}' if by else ''}."
    )
    lost, due = missed_cycles(stands), sum(s.state == "due" for s in stands)
    if lost:
        yield (
            f"Missed: {_enumerate([c.says for c in lost])}. A missed cycle stays an exception even"
            " if it is performed later."
        )
    if due:
        yield f"{due} {'is' if due == 1 else 'are'} not due yet."


def _cycle_sentence(one: CycleState) -> str:
    cycle, proof = one.cycle, one.proof
    if one.state == "performed" and proof is not None:
        return f"Performed for {cycle.says}, shown by {proof.says}."
    if one.state == "late" and proof is not None:
        days = (proof.collected - cycle.last).days
        return (
            f"Missed for {cycle.says}: {proof.says} was collected {plural(days, 'day')} after the"
            " cycle ended. A missed cycle stays an exception even if it is performed later."
        )
    if one.state == "missed":
        return (
            f"Missed for {cycle.says}: the cycle ended on {long_day(cycle.last)}, and no accepted"
            " evidence covers it."
        )
    return f"Due for {cycle.says}, which ends on {long_day(cycle.last)}. Nothing is on file yet."


def _enumerate(names: Sequence[str]) -> str:
    shown = list(names[:MAX_NAMED])
    if len(names) > MAX_NAMED:
        return f"{', '.join(shown)} and {len(names) - MAX_NAMED} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _month_name(month: date) -> str:
    return f"{month:%B %Y}"
