"""Forms, lists, files and pages of records, from their declarations (record.py).

@with_fields(RISK) class RiskForm(Form): …    a form with the fields of a record
offer(form, name, choices)                   the choices that one of its selects has just now
content_from(RISK, form)                     what the form sent, as RiskContent
columns(RISK)                                its columns in a list
file_columns(RISK, of)                       its columns in exported files
sort_keys(RISK, of, then)                    how rows in memory are sorted by them
"""

from collections.abc import Callable, Sequence
from typing import Any

from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from governance.kernel.days import DayField
from governance.kernel.pages.list_pages import Column, FileColumn
from governance.kernel.pages.record import Field, Record
from governance.kernel.web.forms import Choice, Choices, Form, Option


def with_fields[F: Form](record: Record[Any]) -> Callable[[type[F]], type[F]]:
    """Give a form the fields of a record, in their order, and the record itself as `record`."""

    def fill(form: type[F]) -> type[F]:
        form.record = record
        for name, each in record.fields.items():
            setattr(form, name, _form_field(each))
        return form

    return fill


def _form_field(each: Field) -> Any:
    label = each.asks or each.label
    options = {"description": each.help, "render_kw": dict(each.shown), "default": each.default}
    if each.shape == "day":
        return DayField(label, required=each.required or False, **options)
    checks: list[Any] = [InputRequired(each.required) if each.required else Optional()]
    if each.shape in {"line", "text"}:
        kind = StringField if each.shape == "line" else TextAreaField
        return kind(
            label, [*checks, *([Length(max=each.longest)] if each.longest else [])], **options
        )
    if each.shape == "choices":
        return Choices(label, checks, choices=each.choices, **options)
    if each.coerce is not None:
        options["coerce"] = each.coerce
    none = [("", each.blank)] if each.blank else []
    checks = [] if not each.required and not none else checks
    return Choice(label, checks, choices=[*none, *each.offered()], **options)


def offer(form: Form, name: str, choices: Sequence[tuple[Any, str]]) -> None:
    """Offer the choices of a select that aren't known until the form is shown."""
    select: Any = form[name]
    select.choices = [Option(*each) for each in choices]


def content_from[C](record: Record[C], form: Form) -> C:
    """Return what a form sent; only after validation."""
    empty: dict[str, Any] = {"line": "", "text": "", "choices": ()}
    return record.content(
        **{name: form[name].data or empty.get(each.shape) for name, each in record.fields.items()}
    )


def columns(record: Record[Any]) -> tuple[Column, ...]:
    return tuple(
        Column(
            name,
            each.label,
            sort=each.sort,
            optional=each.column == "optional",
            extra=each.column == "extra",
        )
        for name, each in record.fields.items()
        if each.column
    )


def file_columns[Row](record: Record[Any], of: Callable[[Row], Any]) -> Sequence[FileColumn[Row]]:
    """Return the columns of exported files; `of` takes the record from a row of the list."""
    return [
        FileColumn(each.file, _words(each, of), each.beside or (name if each.column else ""))
        for name, each in record.fields.items()
        if each.file
    ]


def _words[Row](each: Field, of: Callable[[Row], Any]) -> Callable[[Row], Any]:
    return lambda row: each.words(getattr(of(row), each.name))


def sort_keys[Row](
    record: Record[Any], of: Callable[[Row], Any], then: Callable[[Row], Any]
) -> dict[str, Callable[[Row], Any]]:
    """Return how rows are sorted by each column, blank ones last; `then` decides between equals."""

    def key(each: Field) -> Callable[[Row], Any]:
        words = _words(each, of)
        return lambda row: (words(row) is None, words(row) or "", then(row))

    return {name: key(each) for name, each in record.fields.items() if each.sort}
