"""SCIM filters as SQL conditions, so that a search reads the rows that it returns.

They keep what `ScimFilter.match` of scim2-models keeps, which the library's contract tests compare:
text without its case unless the attribute is case-exact, `ne` also where there is no value, and
`not` without SQL's unknown.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from scim2_models import InvalidFilterException, ScimFilter
from scim2_models.path import (
    AttributeBinding,
    AttrPath,
    CompareOperator,
    Comparison,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
    coerce_value,
)
from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    cast,
    collate,
    false,
    func,
    literal,
    not_,
    or_,
    select,
)

from governance.foundation.scim.models import DirectoryGroup, DirectoryGroupMember, DirectoryUser

type Sql = ColumnElement[Any]

TEXT_TESTS: dict[CompareOperator, Callable[[Sql, Any], Sql]] = {
    CompareOperator.co: lambda column, value: func.strpos(column, value) > 0,
    CompareOperator.sw: func.starts_with,
    CompareOperator.ew: lambda column, value: func.right(column, len(value)) == value,
}
ORDER_TESTS: dict[CompareOperator, Callable[[Sql, Any], Sql]] = {
    CompareOperator.eq: lambda column, value: column == value,
    CompareOperator.gt: lambda column, value: column > value,
    CompareOperator.ge: lambda column, value: column >= value,
    CompareOperator.lt: lambda column, value: column < value,
    CompareOperator.le: lambda column, value: column <= value,
}
_U, _G, _M = DirectoryUser, DirectoryGroup, DirectoryGroupMember
_PARTS = {"formatted": "formatted", "given_name": "givenName", "family_name": "familyName"}


def _version(model: type[DirectoryUser] | type[DirectoryGroup]) -> Sql:
    return literal('W/"').concat(cast(model.revision, Text)).concat(literal('"'))


def _meta(model: type[DirectoryUser] | type[DirectoryGroup]) -> dict[tuple[str, str | None], Sql]:
    return {
        ("id", None): cast(model.id, Text),
        ("external_id", None): model.external_id,  # type: ignore[dict-item] # a column
        ("meta", "created"): model.created_at,  # type: ignore[dict-item] # a column
        ("meta", "last_modified"): model.changed_at,  # type: ignore[dict-item] # a column
        ("meta", "version"): _version(model),
        ("meta", "resource_type"): literal("User" if model is DirectoryUser else "Group"),
    }


COLUMNS: dict[str, Mapping[tuple[str, str | None], Sql]] = {
    "User": {
        **_meta(_U),
        ("user_name", None): _U.user_name_key,  # type: ignore[dict-item] # a column
        ("display_name", None): func.lower(_U.display_name, type_=Text),
        ("active", None): _U.active,  # type: ignore[dict-item] # a column
        **{
            ("name", part): func.lower(_U.name[key].as_string(), type_=Text)
            for part, key in _PARTS.items()
        },
    },
    "Group": {
        **_meta(_G),
        ("display_name", None): _G.display_name_key,  # type: ignore[dict-item] # a column
    },
}
_EMAIL_PARTS = ("value", "type", "display", "primary")


def condition(scim_filter: ScimFilter[Any], resource_type: str) -> Sql:
    """Return the filter as a condition on the rows of that resource type.

    Raises InvalidFilterException for an attribute that can't be searched.
    """
    return _Where(scim_filter, resource_type).visit(scim_filter.ast)


class _Where(FilterVisitor[Sql]):
    def __init__(self, scim_filter: ScimFilter[Any], resource_type: str) -> None:
        self.filter, self.columns = scim_filter, COLUMNS[resource_type]

    def visit_comparison(self, node: Comparison) -> Sql:
        binding = self.filter.resolve_comparison(node.attr_path, strict=False)
        if binding is None:
            return false()
        value = coerce_value(binding, node.value, node.op)
        if binding.field_name == "emails":
            part = binding.sub_field_name or "value"
            return _any_or_none(_email, part, binding, value, node.op)
        if binding.field_name == "members":
            _only_value(binding)
            return _any_or_none(_member, "value", binding, value, node.op)
        return _compare(self._column(binding), value, node.op, binding)

    def visit_present(self, node: Present) -> Sql:
        binding = self.filter.resolve(node.attr_path, strict=False)
        if binding is None:
            return false()
        field, part = binding.field_name, binding.sub_field_name
        if field == "emails":
            parts = [part] if part else list(_EMAIL_PARTS)
            return or_(*(_email(each, _is_written) for each in parts))
        if field == "members":
            return _member("value", _is_written)
        if part is None and (
            found := [c for (f, p), c in self.columns.items() if f == field and p]
        ):
            return or_(*(_is_present(each) for each in found))
        return _is_present(self._column(binding))

    def visit_not(self, node: Not) -> Sql:
        return not_(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> Sql:
        terms = [self.visit(term) for term in node.terms]
        return and_(*terms) if node.op == LogicalOperator.and_ else or_(*terms)

    def visit_value_path(self, node: ValuePath) -> Sql:
        binding = self.filter.resolve(node.attr_path, strict=False)
        if binding is None:
            return false()
        if binding.field_name == "emails":
            element = _element()
            inner = _InEmail(element.c.value).visit(node.val_filter)
            return select(1).select_from(element).where(inner).exists()
        if binding.field_name == "members":
            inner = _InMember().visit(node.val_filter)
            return select(1).where(_of_group(), inner).exists()
        raise _unsearchable(node.attr_path)

    def _column(self, binding: AttributeBinding) -> Sql:
        found = self.columns.get((binding.field_name, binding.sub_field_name))
        if found is None:
            raise InvalidFilterException(detail=f"{binding.urn} can't be searched")
        return found


class _Inside(FilterVisitor[Sql], ABC):
    """The filter in the brackets of a value selection."""

    def visit_not(self, node: Not) -> Sql:
        return not_(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> Sql:
        terms = [self.visit(term) for term in node.terms]
        return and_(*terms) if node.op == LogicalOperator.and_ else or_(*terms)

    def visit_comparison(self, node: Comparison) -> Sql:
        return _test(self.column(node.attr_path), _folded(node.value), node.op)

    def visit_present(self, node: Present) -> Sql:
        return _is_written(self.column(node.attr_path))

    @abstractmethod
    def column(self, path: AttrPath) -> Sql:
        """Return the path inside the brackets, as SQL."""


class _InEmail(_Inside):
    def __init__(self, element: Sql) -> None:
        self.element = element

    def column(self, path: AttrPath) -> Sql:
        part = path.attr.lower()
        if part not in _EMAIL_PARTS or path.sub_attr:
            raise _unsearchable(path)
        return lowered_part(self.element, part)


class _InMember(_Inside):
    def column(self, path: AttrPath) -> Sql:
        if path.attr.lower() != "value" or path.sub_attr:
            raise _unsearchable(path)
        return cast(_M.user_id, Text)


def _unsearchable(path: AttrPath) -> InvalidFilterException:
    return InvalidFilterException(detail=f"{path.attr} can't be searched here")


def _only_value(binding: AttributeBinding) -> None:
    if binding.sub_field_name not in {None, "value"}:
        raise InvalidFilterException(detail=f"{binding.urn} can't be searched")


def _compare(column: Sql, value: Any, op: CompareOperator, binding: AttributeBinding) -> Sql:
    try:
        return _test(column, binding.comparable(value), op)
    except ValueError:
        return literal(op == CompareOperator.ne)


def _test(column: Sql, value: Any, op: CompareOperator) -> Sql:
    """Compare the column with the value; never unknown, as SQL is for a missing value."""
    if value is None:
        tests = {CompareOperator.eq: column.is_(None), CompareOperator.ne: column.is_not(None)}
        return tests.get(op, false())
    if op == CompareOperator.ne:
        return column.is_distinct_from(value)
    if op in TEXT_TESTS and not _is_text(column):
        return false()
    if op in TEXT_TESTS:
        return func.coalesce(TEXT_TESTS[op](column, value), false())
    ordered = (
        collate(column, "C") if isinstance(value, str) and op != CompareOperator.eq else column
    )
    return func.coalesce(ORDER_TESTS[op](ordered, value), false())


def _is_text(column: Sql) -> bool:
    return column.type.python_type is str


def _is_present(column: Sql) -> Sql:
    return _is_written(column) if _is_text(column) else column.is_not(None)


def _is_written(column: Sql) -> Sql:
    return func.coalesce(column != "", false())


def _folded(value: Any) -> Any:
    """Return JSON's true and false as the text that ->> writes."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.lower() if isinstance(value, str) else value


# ---- several values


def _any_or_none(
    exists: Callable[[str, Callable[[Sql], Sql]], Sql],
    part: str,
    binding: AttributeBinding,
    value: Any,
    op: CompareOperator,
) -> Sql:
    """Match if one of several values does; for `ne`, if none is equal."""
    if value is None:
        some = exists(part, lambda _column: literal(value=True))
        missing = exists(part, lambda column: column.is_(None))
        is_null = or_(not_(some), missing)
        tests = {CompareOperator.eq: is_null, CompareOperator.ne: not_(is_null)}
        return tests.get(op, false())
    compared = _folded(binding.comparable(value))
    if op == CompareOperator.ne:
        return not_(exists(part, lambda column: _test(column, compared, CompareOperator.eq)))
    return exists(part, lambda column: _test(column, compared, op))


def _element() -> Any:
    return func.jsonb_array_elements(_U.emails).table_valued("value", name="email").render_derived()


def lowered_part(element: Any, part: str) -> Sql:
    """Return that part of an email, in lower case, as SQL; null if it has none."""
    return func.lower(func.jsonb_extract_path_text(element, part), type_=Text)


def _email(part: str, test: Callable[[Sql], Sql]) -> Sql:
    element = _element()
    return select(1).select_from(element).where(test(lowered_part(element.c.value, part))).exists()


def _of_group() -> Sql:
    return and_(_M.tenant_id == _G.tenant_id, _M.group_id == _G.id)


def _member(_part: str, test: Callable[[Sql], Sql]) -> Sql:
    return select(1).where(_of_group(), test(cast(_M.user_id, Text))).exists()
