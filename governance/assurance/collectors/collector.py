"""What a collector is: a key, the controls it supports, a schedule, and `collect(period)`.

    Collector       its `query` is run exactly as written, and copied into the file
    Collected       the population, a result in one sentence, and other facts

A collector reads inside the current transaction and writes nothing. `needs_rows` says that an
empty population means there was no activity, so nothing is stored.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import text

from governance.assurance.collectors import population as populations
from governance.assurance.collectors.periods import Period
from governance.assurance.collectors.population import plain_value, population_csv
from governance.foundation.audit import personal_field_encryption
from governance.kernel import clock, current
from governance.kernel.db import session
from governance.kernel.formatting import long_day

type PopulationRow = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Collected:
    """`ok` is False if someone has to act; `performed` is False if there was nothing to store."""

    population: populations.CollectorPopulation
    says: str
    ok: bool
    performed: bool
    evidence: bytes
    filename: str


class Collector(ABC):
    key: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    controls: ClassVar[tuple[str, ...]]
    schedule: ClassVar[str] = "monthly"
    needs_rows: ClassVar[bool] = False
    catches_up: ClassVar[bool] = (
        True  # a period that was missed can be told from what was written in it
    )
    query: ClassVar[str]

    def collect(self, period: Period) -> Collected:
        population = self.population(period)
        says, ok = self.judge(population.rows, period)
        facts = self.facts(period)
        covers = f"{long_day(period.first)} to {long_day(period.last)}"
        content = population_csv(
            population, tenant=current.actor().tenant_name, covers=covers, says=says, facts=facts
        )
        return Collected(
            population,
            says,
            ok,
            bool(population.rows) or not self.needs_rows,
            content,
            f"{self.key}-{period.name}.csv",
        )

    def population(self, period: Period) -> populations.CollectorPopulation:
        """Run the query now, over that period."""
        parameters = self.parameters(period)
        result = session().execute(text(self.query), parameters)
        columns, rows = (
            tuple(result.keys()),
            [{name: plain_value(v) for name, v in row.items()} for row in result.mappings()],
        )
        return self.told(columns, rows, parameters)

    def told(
        self, columns: tuple[str, ...], rows: Sequence[PopulationRow], parameters: Mapping[str, Any]
    ) -> populations.CollectorPopulation:
        values = {name: str(plain_value(value)) for name, value in parameters.items()}
        return populations.CollectorPopulation(
            self.key, self.title, self.query, values, clock.now(), run_by(), columns, rows
        )

    def parameters(self, period: Period) -> dict[str, Any]:
        return {"tenant": current.actor().tenant_id, "begins": period.begins, "until": period.until}

    @abstractmethod
    def judge(self, rows: Sequence[PopulationRow], period: Period, /) -> tuple[str, bool]:
        """Return (the result in one sentence, whether it is as it should be)."""

    def facts(self, _period: Period) -> Sequence[tuple[str, str]]:
        return ()


def run_by() -> str:
    """Return who runs it: Meridian, or a person by pseudonym."""
    who = current.actor().person_id
    return f"person {personal_field_encryption.pseudonym(who)}" if who else "Meridian, on schedule"
