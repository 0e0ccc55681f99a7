"""SCIM sorting as SQL, in the order that `SearchRequest.sort` of scim2-models has.

    key_of(asked, resource_type)      what rows of that type are sorted by; None: they have no value
    order_by(asked, key, created, id)

Text is compared without its case unless the attribute is case-exact, by code point. Rows without a
value come last, and first in descending order; rows with the same value are in the order of their
creation. Of several emails the primary one counts, otherwise the first.
"""

from typing import Any

from scim2_models import InvalidPathException, Resource, SearchRequest
from sqlalchemy import (
    ColumnElement,
    UnaryExpression,
    collate,
    func,
    select,
)

from governance.foundation.scim.filters import COLUMNS, lowered_part
from governance.foundation.scim.models import DirectoryUser

type Sql = ColumnElement[Any]


def key_of(asked: SearchRequest[Any], model: type[Resource[Any]], resource_type: str) -> Sql | None:
    """Return the value by which the rows of one type are sorted.

    Raises InvalidPathException for an attribute of the type that can't be sorted by.
    """
    binding = asked.sort_binding(model)
    if binding is None:
        return None
    if binding.field_name == "emails":
        return _first_email(binding.sub_field_name or "value")
    found = COLUMNS[resource_type].get((binding.field_name, binding.sub_field_name))
    if found is None:
        raise InvalidPathException(detail=f"{binding.urn} can't be sorted by")
    return found


def order_by(
    asked: SearchRequest[Any], key: Sql | None, created: Any, row_id: Any
) -> list[UnaryExpression[Any] | Sql]:
    """Return the terms of ORDER BY."""
    if key is None:
        return [created, row_id]
    if key.type.python_type is str:
        key = collate(key, "C")
    if asked.sort_order == SearchRequest.SortOrder.descending:
        return [key.desc().nulls_first(), created, row_id]
    return [key.asc().nulls_last(), created, row_id]


def _first_email(part: str) -> Sql:
    """Return that part of the primary email, or of the first one."""
    element = (
        func.jsonb_array_elements(DirectoryUser.emails)
        .table_valued("value", with_ordinality="place", name="sorted")
        .render_derived()
    )
    is_primary = lowered_part(element.c.value, "primary") == "true"
    place = [func.coalesce(is_primary, False).desc(), element.c.place]
    chosen = (
        select(lowered_part(element.c.value, part)).select_from(element).order_by(*place).limit(1)
    )
    return chosen.scalar_subquery()
