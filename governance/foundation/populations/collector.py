"""The interface of collectors: a key, the controls it supports, a schedule, and `collect(period)`.

    COLLECTORS      the point where features add their collectors
    Collector       its `query` is run exactly as it is copied into the file
    QueryCollector  the query is the SQL of its `select()`
    Collected       the population, a result in one sentence, and other facts
    in_period(…), recorded(…)   conditions that a `select()` begins with

A collector reads inside the current transaction and writes nothing. `needs_rows` says that an
empty population means there was no activity, so nothing is stored.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, Uuid, literal_column, text
from sqlalchemy.dialects import postgresql

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.registry import Action
from governance.foundation.populations import population as populations
from governance.foundation.populations.periods import Period
from governance.foundation.populations.population import plain_value, population_csv
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.extension_points import ExtensionPoint
from governance.kernel.formatting import long_day, plural

type CollectorTopic = Literal["access", "changes", "operations", "log", "isolation"]
type PopulationRow = Mapping[str, Any]

NAMED = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy's
TOPICS: tuple[CollectorTopic, ...] = get_args(CollectorTopic.__value__)
# The parameters of every query, by name in its text.
TENANT: ColumnElement[UUID] = literal_column(":tenant", Uuid())
BEGINS: ColumnElement[datetime] = literal_column(":begins", DateTime(timezone=True))
UNTIL: ColumnElement[datetime] = literal_column(":until", DateTime(timezone=True))


@dataclass(frozen=True, slots=True)
class Collected:
    """A result. `ok` is False if someone has to act, `performed` if there was nothing to store."""

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
        True  # A missed period can be reconstructed from what was written in it.
    )
    topic: ClassVar[CollectorTopic]

    @property
    @abstractmethod
    def query(self) -> str:
        """The SQL of the population."""

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


class QueryCollector(Collector):
    """A collector whose population is selected from rows of its feature or from the audit log."""

    @abstractmethod
    def select(self) -> Select[*tuple[Any, ...]]:
        """Select the population by columns, of TENANT alone and from BEGINS to UNTIL."""

    @property
    def query(self) -> str:
        """The SQL of the population, in which only :tenant, :begins and :until are parameters."""
        compiled = self.select().compile(dialect=NAMED, compile_kwargs={"literal_binds": True})
        return str(compiled)


COLLECTORS: ExtensionPoint[Collector] = ExtensionPoint("collector", key=lambda each: each.key)


def every_collector() -> dict[str, Collector]:
    """Return the collectors of all features by key, in the order of their topics."""
    found = sorted(COLLECTORS.parts(), key=lambda each: TOPICS.index(each.topic))
    return {each.key: each for each in found}


def in_period(at: Any, tenant_id: Any) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of rows of the tenant with this instant in the period."""
    return tenant_id == TENANT, at >= BEGINS, at < UNTIL


def recorded(*actions: Action) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of audit entries of these actions in the period."""
    names = [each.name for each in actions]
    return *in_period(AuditEntry.at, AuditEntry.tenant_id), AuditEntry.action.in_(names)


def counted(count: int, noun: str) -> str:
    """Return "3 changes", or "no change"."""
    return plural(count, noun) if count else f"no {noun}"


def run_by() -> str:
    """Return who runs it: Meridian, or a person by pseudonym."""
    who = current.actor().person_id
    return f"person {personal_field_encryption.pseudonym(who)}" if who else "Meridian, on schedule"
