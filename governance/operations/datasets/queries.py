"""Data sets with their state, and their consequences for the AI systems that use them.

data_sets(…)               a page of the list
data_set(data_set_id)      one of them
rows_of(keys)              those with these slugs
versions(data_set_id)      its published versions
uses(data_set_id)          the systems that use it, with purposes
datasets_of(system_id)     the data sets that a system uses, for the register
blocking(system_id)        the reasons why data sets block a system's rollouts; empty if none
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Select, func, literal, or_, select

from governance.kernel import clock
from governance.kernel.data.db import find, find_several, session
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import Keyset, sorted_page
from governance.kernel.web.forms import uuid_or_none
from governance.operations.datasets import state_sql
from governance.operations.datasets.content import VersionContent
from governance.operations.datasets.models import DataSet, DataSetUse, DataSetVersion
from governance.operations.datasets.states import (
    STATES,
    DataSetFacts,
    StateReason,
    facts_of,
    reasons_of,
    state_of,
)
from governance.operations.systems.models import AISystem

FAR = date(9999, 12, 31)  # Sorts data sets without an end date last
SORTS: Mapping[str, tuple[Any, ...]] = {
    "name": (DataSet.name, DataSet.id),
    "consent": (func.coalesce(DataSetVersion.consent_until, literal(FAR, Date())), DataSet.id),
    "newest": (func.coalesce(DataSetVersion.newest_record, literal(FAR, Date())), DataSet.id),
}


@dataclass(frozen=True, slots=True)
class DataSetRow:
    """A data set with its published version, None before the first."""

    data_set: DataSet
    version: DataSetVersion | None

    @property
    def facts(self) -> DataSetFacts:
        return facts_of(self.data_set, self.version)

    @property
    def state(self) -> str:
        return state_of(self.facts, clock.today())

    @property
    def reasons(self) -> list[StateReason]:
        return reasons_of(self.facts, clock.today())


@dataclass(frozen=True, slots=True)
class SystemUse:
    """A use of a data set, and the system that uses it."""

    use: DataSetUse
    system: AISystem


@dataclass(frozen=True, slots=True)
class SystemDataSet:
    """A data set that a system uses, with purposes: "training", "retrieval", "evaluation"."""

    row: DataSetRow
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlockingReason:
    """Why one data set fails the gate of a system's rollouts."""

    data_set_id: UUID
    key: str  # slug
    version: int  # 0 when none is published
    state: str  # One of STATES
    sentence: str


def _rows() -> Select[Any]:
    query: Select[Any] = state_sql.with_published(
        select(DataSet, DataSetVersion).select_from(DataSet)
    )
    return query


def _today() -> Any:
    return literal(clock.today(), Date())


def data_sets(
    wanted: Mapping[str, str], *, sort: str = "name", after: str | None = None, size: int = 25
) -> Keyset:
    """Return a page of data sets with their versions.

    `wanted` has the filters q, state, system, purpose and owner. Without a state, retired data sets
    are left out.
    """
    query = _filtered(wanted)
    found = sorted_page(query, SORTS, sort, after=after, size=size)
    return Keyset([DataSetRow(*row) for row in found.rows], found.next, found.size)


def _filtered(wanted: Mapping[str, str]) -> Select[Any]:
    d = DataSet
    query = _rows().where(
        *(
            or_(
                *(
                    column.icontains(word, autoescape=True)
                    for column in (d.key, d.name, d.description)
                )
            )
            for word in wanted.get("q", "").split()
        )
    )
    state = wanted.get("state")
    if state is None:
        query = query.where(d.retired_at.is_(None))
    else:
        query = query.where(state_sql.state(_today()) == state)
    if "system" in wanted or "purpose" in wanted:
        use = select(DataSetUse.id).where(
            DataSetUse.tenant_id == d.tenant_id,
            DataSetUse.data_set_id == d.id,
            DataSetUse.ended_at.is_(None),
        )
        if "system" in wanted:
            use = use.where(DataSetUse.system_id == uuid_or_none(wanted["system"]))
        if "purpose" in wanted:
            use = use.where(DataSetUse.purpose == wanted["purpose"])
        query = query.where(use.exists())
    return query


def counts() -> dict[str, int]:
    """Count the data sets by state."""
    state = state_sql.state(_today()).label("state")
    query = state_sql.with_published(select(state, func.count()).select_from(DataSet))
    found = {row[0]: row[1] for row in session().execute(query.group_by(state))}
    return {name: found.get(name, 0) for name in STATES}


def data_set(data_set_id: UUID, *, lock: bool = False) -> DataSet:
    """Return the data set. Raises NotFound for another tenant's."""
    return find(DataSet, data_set_id, what="data set", lock=lock)


def row_of(data_set: DataSet) -> DataSetRow:
    return DataSetRow(data_set, published_version(data_set))


def rows_of(keys: Collection[str]) -> list[DataSetRow]:
    """Return the data sets with these slugs, retired ones too, with their versions."""
    query = _rows().where(DataSet.key.in_(keys)).order_by(DataSet.key)
    return [DataSetRow(*row) for row in session().execute(query)]


def find_data_sets(ids: Collection[UUID], *, lock: bool = False) -> Sequence[DataSet]:
    """Return the existing data sets among these slugs; `lock` locks the rows."""
    return find_several(DataSet, ids, order=DataSet.key, lock=lock)


def live_data_sets() -> Sequence[DataSet]:
    query = select(DataSet).where(DataSet.retired_at.is_(None)).order_by(DataSet.name)
    return session().scalars(query).all()


def published_version(data_set: DataSet) -> DataSetVersion | None:
    return version(data_set, data_set.version) if data_set.version else None


def version(data_set: DataSet, number: int) -> DataSetVersion:
    """Return one published version. Raises NotFound."""
    query = select(DataSetVersion).where(
        DataSetVersion.data_set_id == data_set.id, DataSetVersion.number == number
    )
    found = session().scalars(query).one_or_none()
    if found is None:
        raise NotFound(f"{data_set.name} has no version {number}.")
    return found


def outlook(data_set: DataSet, next_one: VersionContent) -> list[StateReason]:
    """Return the problems that the data set will have once its draft is published."""
    facts = DataSetFacts(
        data_set.is_retired,
        data_set.version + 1,
        next_one.has_licence,
        next_one.consent_until,
        next_one.newest_record,
        next_one.max_age_days,
    )
    return reasons_of(facts, clock.today())


def versions(data_set_id: UUID) -> Sequence[DataSetVersion]:
    """Return every published version, newest first."""
    query = select(DataSetVersion).where(DataSetVersion.data_set_id == data_set_id)
    return session().scalars(query.order_by(DataSetVersion.number.desc())).all()


def use(use_id: UUID, *, lock: bool = False) -> DataSetUse:
    return find(DataSetUse, use_id, what="use of a data set", lock=lock)


def every_use(data_set_id: UUID) -> Sequence[DataSetUse]:
    """Return every use, including ended ones."""
    return session().scalars(select(DataSetUse).where(DataSetUse.data_set_id == data_set_id)).all()


def uses(data_set_id: UUID) -> list[SystemUse]:
    """Return the current uses of a data set, by system."""
    query = (
        select(DataSetUse, AISystem)
        .join(AISystem, AISystem.id == DataSetUse.system_id)
        .where(DataSetUse.data_set_id == data_set_id, DataSetUse.ended_at.is_(None))
        .order_by(AISystem.name, AISystem.id, DataSetUse.purpose)
    )
    return [SystemUse(*row) for row in session().execute(query)]


def systems_by_data_set(ids: Collection[UUID]) -> dict[UUID, list[AISystem]]:
    """Return the systems that use these data sets, each once. Runs one statement."""
    query = (
        select(DataSetUse.data_set_id, AISystem)
        .join(AISystem, AISystem.id == DataSetUse.system_id)
        .where(DataSetUse.data_set_id.in_(ids), DataSetUse.ended_at.is_(None))
        .order_by(AISystem.name, AISystem.id)
    )
    found: dict[UUID, list[AISystem]] = {}
    for data_set_id, system in session().execute(query):
        listed = found.setdefault(data_set_id, [])
        if system not in listed:
            listed.append(system)
    return found


# ---- for other features


def datasets_of(system_id: UUID) -> list[SystemDataSet]:
    """Return the data sets that a system uses, by name, with their state. Runs one statement."""
    query = (
        _rows()
        .add_columns(func.array_agg(DataSetUse.purpose))
        .join(
            DataSetUse,
            (DataSetUse.tenant_id == DataSet.tenant_id) & (DataSetUse.data_set_id == DataSet.id),
        )
        .where(DataSetUse.system_id == system_id, DataSetUse.ended_at.is_(None))
        .group_by(*DataSet.__table__.c, *DataSetVersion.__table__.c)
        .order_by(DataSet.name, DataSet.id)
    )
    return [
        SystemDataSet(DataSetRow(row[0], row[1]), tuple(sorted(row[2])))
        for row in session().execute(query)
    ]


def blocking(system_id: UUID) -> list[BlockingReason]:
    """Return why data sets block the system's rollouts. The gate passes only if this is empty."""
    return [
        BlockingReason(
            each.row.data_set.id,
            each.row.data_set.key,
            each.row.data_set.version,
            reason.state,
            f"{_name(each.row)} {reason.text}. {reason.detail}".strip(),
        )
        for each in datasets_of(system_id)
        for reason in each.row.reasons
        if reason.blocks
    ]


def _name(row: DataSetRow) -> str:
    number = row.data_set.version
    return f"{row.data_set.key} version {number}" if number else row.data_set.key
