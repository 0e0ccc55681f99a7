"""The state of data sets in SQL, for lists and the inbox; states.py defines each state."""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, func

from governance.operations.datasets.models import DataSet, DataSetVersion
from governance.operations.datasets.states import NOTICE_DAYS


def with_published(query: Any) -> Any:
    """Join each data set of a select to its published version, if any."""
    return query.outerjoin(DataSetVersion, _is_published())


def _is_published() -> ColumnElement[bool]:
    return and_(
        DataSetVersion.tenant_id == DataSet.tenant_id,
        DataSetVersion.data_set_id == DataSet.id,
        DataSetVersion.number == DataSet.version,
    )


def fresh_until() -> ColumnElement[Any]:
    """Return the last day on which the newest record is recent enough."""
    return DataSetVersion.newest_record + DataSetVersion.max_age_days


def state(today: Any) -> ColumnElement[str]:
    """Return the state on `today`, a date or a parameter.

    `with_published` joins the select first.
    """
    draft = DataSet.draft
    licence = func.concat(draft["licence"].astext, draft["licence_text"].astext)
    return case(
        (DataSet.retired_at.is_not(None), "retired"),
        (and_(DataSet.version == 0, licence == ""), "without_licence"),
        (DataSet.version == 0, "draft"),
        (DataSetVersion.consent_until < today, "consent_expired"),
        (fresh_until() < today, "stale"),
        (DataSetVersion.consent_until <= today + NOTICE_DAYS, "consent_soon"),
        else_="usable",
    )
