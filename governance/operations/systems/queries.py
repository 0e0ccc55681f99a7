"""Reads of the register: active systems, retired ones, one of them, and its versions."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, and_, bindparam, cast, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from governance.kernel.data.db import find, find_several, session
from governance.kernel.data.selects import Rows
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import Keyset, sorted_page
from governance.operations.systems.models import AISystem, SystemFeature, SystemVersion

SORTS: Mapping[str, tuple[Any, ...]] = {  # Each ends with a column that is unique in the register
    "system": (AISystem.key,),
    "lane": (AISystem.lane, AISystem.key),
    "registered": (AISystem.created_at, AISystem.key),
    "stage": (AISystem.stage, AISystem.key),
}

NO_SYSTEM = "This AI system doesn't exist, or you don't have access to it."
ENDS_SOON = timedelta(days=30)  # Time before the end of a validity when recertification is due


def register(
    wanted: Mapping[str, str], *, sort: str = "system", after: str | None = None, size: int = 50
) -> Keyset:
    """Return a page of the register.

    `wanted` has the filters q, lane, stage, class, kind, state (live unless "retired").
    """
    return sorted_page(_filtered(wanted), SORTS, sort, after=after, size=size)


def filtered(wanted: Mapping[str, str], *, sort: str = "system") -> Sequence[AISystem]:
    """Return everything that matches the filters, for an export."""
    columns = SORTS[sort.removeprefix("-")]
    ordered = (column.desc() if sort.startswith("-") else column.asc() for column in columns)
    return session().scalars(_filtered(wanted).order_by(*ordered)).all()


def _filtered(wanted: Mapping[str, str]) -> Select[Any]:
    retired = wanted.get("state") == "retired"
    query = select(AISystem).where(
        AISystem.retired_at.is_not(None) if retired else AISystem.retired_at.is_(None)
    )
    if "lane" in wanted:
        query = query.where(AISystem.lane == wanted["lane"])
    if "stage" in wanted:
        query = query.where(AISystem.stage == wanted["stage"])
    if "class" in wanted:
        known = "" if wanted["class"] == "unclassified" else wanted["class"]
        query = query.where(AISystem.ai_act_class == known)
    if "kind" in wanted:
        query = query.where(AISystem.kind == wanted["kind"])
    if "q" in wanted:
        columns = (AISystem.key, AISystem.name, AISystem.purpose)
        query = query.where(
            or_(*(column.icontains(wanted["q"], autoescape=True) for column in columns))
        )
    return query


def counts() -> dict[str, int]:
    """Count the active systems, the high-risk ones among them, and the retired ones."""
    live = AISystem.retired_at.is_(None)
    query = select(
        func.count().filter(live).label("live"),
        func.count().filter(live, AISystem.lane == "high_risk").label("high_risk"),
        func.count().filter(~live).label("retired"),
    ).select_from(AISystem)
    row = session().execute(query).one()
    return {"live": row.live, "high_risk": row.high_risk, "retired": row.retired}


def live_systems() -> Sequence[AISystem]:
    return (
        session()
        .scalars(select(AISystem).where(AISystem.retired_at.is_(None)).order_by(AISystem.name))
        .all()
    )


def choices() -> list[tuple[UUID, str]]:
    """Return (id, name) of each active system, for forms."""
    live = select(AISystem.id, AISystem.name).where(AISystem.retired_at.is_(None))
    return [(each.id, each.name) for each in session().execute(live.order_by(AISystem.name))]


def names(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the names of these systems, including retired ones, in one statement."""
    known = {each for each in ids if each}
    if not known:
        return {}
    rows = session().execute(select(AISystem.id, AISystem.name).where(AISystem.id.in_(known)))
    return {row.id: row.name for row in rows}


def _id(name: str | UUID) -> UUID | None:
    try:
        return UUID(str(name))
    except ValueError:
        return None


def system(name: str | UUID, *, lock: bool = False) -> AISystem:
    """Return the system of this slug or id.

    The lock doesn't block a stop, which refers to the row.
    """
    if (system_id := _id(name)) is not None:
        return find(AISystem, system_id, what="AI system", lock=lock)
    query = select(AISystem).where(AISystem.key == name)
    found = (
        session().scalars(query.with_for_update(key_share=True) if lock else query).one_or_none()
    )
    if found is None:
        raise NotFound(NO_SYSTEM)
    return found


def with_parts(name: str | UUID) -> tuple[AISystem, SystemVersion | None, list[SystemFeature]]:
    """Return the system of this slug or id, with its features and last substantial version.

    Features are by slug. Runs one statement.
    """
    s, v, f, newest = AISystem, SystemVersion, SystemFeature, aliased(SystemVersion)
    last = (
        select(newest.id)
        .where(newest.system_id == s.id, newest.tenant_id == s.tenant_id, _is_substantial(newest))
        .order_by(newest.number.desc())
        .limit(1)
        .correlate(s)
    )
    query = (
        select(s, v, f)
        .select_from(s)
        .outerjoin(v, v.id == last.scalar_subquery())
        .outerjoin(f, and_(f.system_id == s.id, f.retired_at.is_(None)))
        .where(_is_called(name))
    )
    rows = session().execute(query.order_by(f.key)).all()
    if not rows:
        raise NotFound(NO_SYSTEM)
    return rows[0][0], rows[0][1], [row[2] for row in rows if row[2] is not None]


def _is_called(name: str | UUID) -> ColumnElement[bool]:
    system_id = _id(name)
    return AISystem.id == system_id if system_id else AISystem.key == name


def _is_substantial(version: Any) -> Any:
    return version.substantial != cast([], JSONB)


def find_systems(ids: Collection[UUID], *, lock: bool = False) -> Sequence[AISystem]:
    """Return the existing systems among these slugs; `lock` locks the rows."""
    return find_several(AISystem, ids, order=AISystem.key, lock=lock)


FEATURES = Rows(
    SystemFeature,
    lambda m: and_(m.system_id == bindparam("system_id", type_=Uuid()), m.retired_at.is_(None)),
    lambda m: (m.key,),
)


def features(system_id: UUID, *, retired: bool = False) -> Sequence[SystemFeature]:
    """Return the features of the system by slug. With `retired`, include retired ones."""
    if not retired:
        return FEATURES.read(system_id=system_id)
    query = select(SystemFeature).where(SystemFeature.system_id == system_id)
    return session().scalars(query.order_by(SystemFeature.key)).all()


def feature(feature_id: UUID, *, lock: bool = False) -> SystemFeature:
    return find(SystemFeature, feature_id, what="feature", lock=lock)


def every_feature() -> Mapping[UUID, Sequence[SystemFeature]]:
    """Return the active features of all systems, by system. Runs one statement."""
    found: dict[UUID, list[SystemFeature]] = {}
    for each in session().scalars(
        select(SystemFeature).where(SystemFeature.retired_at.is_(None)).order_by(SystemFeature.key)
    ):
        found.setdefault(each.system_id, []).append(each)
    return found


# ---- versions


def versions(
    system_id: UUID, *, before: int | None = None, size: int = 50
) -> Sequence[SystemVersion]:
    """Return versions of a system, newest first; `before` is a number."""
    query = select(SystemVersion).where(SystemVersion.system_id == system_id)
    if before is not None:
        query = query.where(SystemVersion.number < before)
    return session().scalars(query.order_by(SystemVersion.number.desc()).limit(size)).all()


def version(system_id: UUID, number: int) -> SystemVersion:
    """Return one version of a system by its number."""
    found = (
        session()
        .scalars(
            select(SystemVersion).where(
                SystemVersion.system_id == system_id, SystemVersion.number == number
            )
        )
        .one_or_none()
    )
    if found is None:
        raise NotFound("This version doesn't exist, or you don't have access to it.")
    return found


def last_substantial(system_id: UUID) -> SystemVersion | None:
    """Return the newest version with a substantial change, or None."""
    query = select(SystemVersion).where(
        SystemVersion.system_id == system_id, _is_substantial(SystemVersion)
    )
    return session().scalars(query.order_by(SystemVersion.number.desc()).limit(1)).one_or_none()


# ---- models


def used_models() -> list[tuple[str, str, list[Any]]]:
    """Return (slug, name, models) of each system in use with models. Runs one statement."""
    query = select(AISystem.key, AISystem.name, AISystem.models).where(
        AISystem.retired_at.is_(None), AISystem.models != cast([], JSONB)
    )
    return [(row.key, row.name, row.models) for row in session().execute(query)]
