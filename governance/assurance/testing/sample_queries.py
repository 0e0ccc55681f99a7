"""Queries for sample sizes, samples with their progress, and items with their results."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from governance.assurance.controls.models import Control
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceLink,
    EvidenceVersion,
)
from governance.assurance.evidence.version_queries import counts_as_evidence
from governance.assurance.testing.control_scope import control_in_scope, scope_filter
from governance.assurance.testing.models import (
    ItemResult,
    Population,
    Sample,
    SampleItem,
    SamplingTable,
    TestException,
)
from governance.assurance.testing.sampling import (
    DEFAULT_TABLE,
    SampleSizes,
    read_table,
)
from governance.kernel.data.db import find, session
from governance.kernel.data.selects import Selected
from governance.kernel.errors import NotFound

MAX_VERSION_CHOICES = 200


# The newest of the tenant's own tables.
SAMPLE_SIZES = Selected[SamplingTable](
    lambda: select(SamplingTable).order_by(SamplingTable.number.desc()).limit(1)
)


def stored_sample_sizes() -> SamplingTable | None:
    return next(iter(SAMPLE_SIZES.read()), None)


def sample_sizes() -> SampleSizes:
    """Return the tenant's own sample sizes, or Meridian's defaults."""
    sizes = stored_sample_sizes()
    return read_table(sizes.content) if sizes is not None else DEFAULT_TABLE


def is_latest_result() -> Any:
    """Return the condition that no later result supersedes this one.

    The subquery looks up the index for each row. An anti-join would compare every result with every
    other one while PostgreSQL has no statistics.
    """
    every = aliased(ItemResult)
    latest = select(func.max(every.number)).where(every.sample_item_id == ItemResult.sample_item_id)
    return ItemResult.number == latest.correlate(ItemResult).scalar_subquery()


@dataclass(frozen=True, slots=True)
class SampleProgress:
    """A sample with its population and control, and how many items are tested and failed."""

    sample: Sample
    population: Population
    control: Control
    tested: int
    failed: int

    @property
    def is_done(self) -> bool:
        return self.tested == self.sample.size

    @property
    def says(self) -> str:
        if not self.tested:
            return f"none of {self.sample.size} tested"
        if self.failed:
            return f"{self.failed} of {self.tested} failed"
        return (
            f"all {self.sample.size} passed"
            if self.is_done
            else f"{self.tested} of {self.sample.size} tested"
        )


def samples(
    control_id: UUID | None = None, *, since: date | None = None, until: date | None = None
) -> list[SampleProgress]:
    """Return samples with their progress, newest first, in one statement."""
    tally = (
        select(
            SampleItem.sample_id,
            func.count().label("tested"),
            func.count().filter(ItemResult.outcome == "failed").label("failed"),
        )
        .select_from(SampleItem)
        .join(ItemResult, ItemResult.sample_item_id == SampleItem.id)
        .where(is_latest_result())
        .group_by(SampleItem.sample_id)
        .subquery()
    )
    query = (
        select(
            Sample,
            Population,
            Control,
            func.coalesce(tally.c.tested, 0),
            func.coalesce(tally.c.failed, 0),
        )
        .select_from(Sample)
        .join(Population, Population.id == Sample.population_id)
        .join(Control, Control.id == Population.control_id)
        .outerjoin(tally, tally.c.sample_id == Sample.id)
        .order_by(Sample.created_at.desc(), Sample.id)
    )
    if control_id is not None:
        query = query.where(Population.control_id == control_id)
    if since is not None:
        query = query.where(Population.period_to >= since)
    if until is not None:
        query = query.where(Population.period_from <= until)
    keeps = scope_filter()
    return [SampleProgress(*row) for row in session().execute(query) if keeps(row[2].id)]


def sample(sample_id: UUID) -> tuple[Sample, Population, Control]:
    query = (
        select(Sample, Population)
        .join(Population, Population.id == Sample.population_id)
        .where(Sample.id == sample_id)
    )
    if (found := session().execute(query).one_or_none()) is None:
        raise NotFound("This sample doesn't exist, or you don't have access to it.")
    sample, of = found
    return sample, of, control_in_scope(of.control_id)


def sample_with_seed(population_id: UUID, seed: str, size: int) -> Sample | None:
    query = select(Sample).where(
        Sample.population_id == population_id, Sample.seed == seed, Sample.size == size
    )
    return session().scalars(query).one_or_none()


@dataclass(frozen=True, slots=True)
class ItemView:
    item: SampleItem
    result: ItemResult | None
    exception: TestException | None


def items(sample_id: UUID) -> list[ItemView]:
    """Return the items in drawing order, with latest result and exception, in one statement."""
    query = (
        select(SampleItem, ItemResult, TestException)
        .select_from(SampleItem)
        .outerjoin(ItemResult, and_(ItemResult.sample_item_id == SampleItem.id, is_latest_result()))
        .outerjoin(TestException, TestException.sample_item_id == SampleItem.id)
        .where(SampleItem.sample_id == sample_id)
        .order_by(SampleItem.number)
    )
    return [ItemView(*row) for row in session().execute(query)]


def item(item_id: UUID) -> SampleItem:
    item = find(SampleItem, item_id, what="item")
    sample(item.sample_id)
    return item


def results(item_id: UUID) -> Sequence[ItemResult]:
    """Return all results of an item, newest first; the first one counts."""
    query = select(ItemResult).where(ItemResult.sample_item_id == item_id)
    return session().scalars(query.order_by(ItemResult.number.desc())).all()


def version_choices(control_id: UUID) -> list[tuple[UUID, str]]:
    """Return (version id, label) of the control's evidence, newest first, to link to a result."""
    query = (
        select(EvidenceVersion.id, Evidence.ref, EvidenceVersion.number, Evidence.title)
        .join(Evidence, Evidence.id == EvidenceVersion.evidence_id)
        .join(EvidenceLink, EvidenceLink.evidence_id == Evidence.id)
        .where(
            EvidenceLink.control_id == control_id,
            EvidenceLink.removed_at.is_(None),
            counts_as_evidence(),
        )
        .order_by(EvidenceVersion.period_to.desc(), Evidence.ref)
        .limit(MAX_VERSION_CHOICES)
    )
    return [(r.id, f"{r.ref} version {r.number}, {r.title}") for r in session().execute(query)]
