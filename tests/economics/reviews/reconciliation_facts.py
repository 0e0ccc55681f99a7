"""The reconciliation of screen 21, with the days of each model, and the pools of shared cost."""

from collections.abc import Iterator, Sequence

from governance.economics.reviews.facts.review_facts import (
    Cause,
    DayResidual,
    Pool,
    ReconciledDay,
    ReconciledModel,
    Reconciliation,
)
from tests.economics.reviews.tenant_facts import ZERO, D


def reconciliation() -> Reconciliation:
    """Return that of screen 21: 72,480 computed, 73,600 invoiced; 17 and 18 October stand out."""
    rows = (
        ("Helio Cloud", "helio-4-large", 31_240, 32_020),
        ("Helio Cloud", "helio-4-mini", 12_070, 12_230),
        ("Helio Cloud", "helio-embed", 5_600, 5_620),
        ("Northstar AI", "northstar-2", 16_420, 16_560),
        ("Lattice", "reserved GPUs", 7_150, 7_170),
    )
    causes = (
        ("unmetered calls", 410),
        ("cache accounting", 268),
        ("retries and timeouts", 214),
        ("unexplained", 130),
        ("price differences", 95),
        ("rounding", 3),
    )
    days = [21] * 16 + [262, 220] + [22] * 12 + [38]
    return Reconciliation(
        models=[
            ReconciledModel(
                provider=provider,
                model=model,
                computed=D(computed),
                invoiced=D(invoiced),
                residual=D(invoiced - computed),
            )
            for provider, model, computed, invoiced in rows
        ],
        causes=[Cause(name=name, amount=D(amount)) for name, amount in causes],
        days=[
            DayResidual(day=f"2026-10-{day:02}", amount=D(amount))
            for day, amount in enumerate(days, 1)
        ],
        computed=D(72_480),
        invoiced=D(73_600),
        residual=D(1_120),
        share=D(1_120) / D(73_600),
        limit=D("0.02"),
        model_days=list(_model_days(rows, causes, days)),
    )


def _model_days(
    rows: Sequence[tuple[str, str, int, int]],
    causes: Sequence[tuple[str, int]],
    days: Sequence[int],
) -> Iterator[ReconciledDay]:
    """Return residuals by model and day that sum to those of the models, days and causes.

    The first model takes the residual of the first days; the next one continues from there.
    """
    residuals = [
        (provider, model, invoiced - computed) for provider, model, computed, invoiced in rows
    ]
    used = {model: computed for _, model, computed, _ in rows}
    cells = list(_corners([each[2] for each in residuals], days))
    parts = _corners([amount for *_, amount in cells], [amount for _, amount in causes])
    of_cell: dict[int, list[Cause]] = {}
    for cell, cause, amount in parts:
        of_cell.setdefault(cell, []).append(Cause(name=causes[cause][0], amount=D(amount)))
    for place, (row, day, amount) in enumerate(cells):
        provider, model, _ = residuals[row]
        is_last = place + 1 == len(cells) or cells[place + 1][0] != row
        computed = D(used[model]) if is_last else D(100)
        used[model] -= 100
        yield ReconciledDay(
            provider=provider,
            model=model,
            day=f"2026-10-{day + 1:02}",
            computed=computed,
            invoiced=computed + amount,
            causes=of_cell[place],
        )


def _corners(rows: Sequence[int], columns: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield row, column and amount, so that the amounts add up to both."""
    rows, columns, column = list(rows), list(columns), 0
    for row in range(len(rows)):
        while rows[row]:
            amount = min(rows[row], columns[column])
            rows[row] -= amount
            columns[column] -= amount
            yield row, column, amount
            column += not columns[column]


POOLS = [
    Pool(name="infrastructure", total=D(35_020), allocated=D("34632.37"), residue=D("387.63")),
    Pool(name="idle", total=D(6_180), allocated=D(6_180), residue=ZERO),
    Pool(name="support", total=D(38_900), allocated=D(38_900), residue=ZERO),
    Pool(name="guardrails", total=D(22_700), allocated=D(22_700), residue=ZERO),
]
