"""Forms: shape and friendliness. The rule itself lives in the action, which raises."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy.exc import DataError, IntegrityError
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from wtforms import Form as WTForm
from wtforms import SelectField, SelectMultipleField, StringField

# Newer than its types.
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.meta import DefaultMeta

from governance.kernel import formatting
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid, Stale


@dataclass(frozen=True, slots=True)
class Submission:
    """The content of a submitted form: its fields, and the query of its address."""

    fields: MultiDict[str, str]
    query: MultiDict[str, str]


_kept: ContextVar[Submission | None] = ContextVar("kept submission", default=None)


def submission() -> Submission:
    """Return the kept submission that is being described, otherwise the request's own."""
    return _kept.get() or Submission(request.form, request.args)


@contextmanager
def describing(kept: Submission) -> Generator[None]:
    """Let forms inside fill themselves from a kept submission, not from the request."""
    token = _kept.set(kept)
    try:
        yield
    finally:
        _kept.reset(token)


class Form(WTForm):
    """A form that fills itself from the request when one was sent.

    CSRF is checked once, in kernel/web/responses.py.
    """

    stale: Stale | None = None
    record: Any = None  # The declaration that its fields come from (record_pages.py).

    class Meta(DefaultMeta):
        def bind_field(self, form: Any, unbound_field: Any, options: Any) -> Any:
            """Accept choices as pairs (value, label); WTForms 3.4 takes only its own class."""
            if "choices" in unbound_field.kwargs:
                unbound_field.kwargs["choices"] = _options(unbound_field.kwargs["choices"])
            return super().bind_field(form, unbound_field, options)

    def __init__(self, obj: object = None, **defaults: Any) -> None:
        kept, filled = _kept.get(), None
        if kept is not None:
            filled = kept.fields
        elif request.method == "POST":
            # Texts and files.
            filled = CombinedMultiDict([request.form, request.files])  # type: ignore[list-item]
        super().__init__(filled, obj=obj, **defaults)

    def validate(self, extra_validators: Any = None) -> bool:
        """Return whether all fields are valid; a number may be too large for WTForms' floats."""
        try:
            return bool(super().validate(extra_validators))
        except OverflowError:
            self.form_errors.append("A number in the form is too large.")
            return False

    def refuse(self, error: DomainError) -> None:
        """Show an error next to its field, or on top of the form if it has none."""
        self.stale = error if isinstance(error, Stale) else self.stale
        field = self._fields.get(error.field or "")
        if field is None:
            self.form_errors.append(error.message)
        else:
            field.errors = [*field.errors, error.message]

    @property
    def status(self) -> int:
        """The status of the answer that shows the form again.

        It is 409 when somebody was faster, else 422.
        """
        return Stale.status if self.stale else Invalid.status

    @property
    def overtaken(self) -> list[tuple[str, Any, Any]]:
        """The (name, yours, theirs) of what someone else changed since the form was opened."""
        return [(name, *pair) for name, pair in self.stale.changes.items()] if self.stale else []

    @property
    def problems(self) -> list[tuple[str | None, str]]:
        """The (field id or None, sentence) of everything that keeps the form from being saved."""
        fields = [(f.id, e) for f in self._fields.values() for e in _flat(f.errors)]
        return [*((None, str(e)) for e in self.form_errors), *fields]


class Option(SelectChoice):  # type: ignore[misc]
    """A choice of WTForms that a template can still unpack as the pair (value, label)."""

    def __iter__(self) -> Iterator[Any]:
        return iter((self.value, self.label))


def _options(choices: Any) -> Any:
    if callable(choices):
        return choices if getattr(choices, "paired", False) else _later(choices)
    return [Option(*c) if isinstance(c, tuple) else c for c in choices or ()]


def _later(choices: Callable[[], Any]) -> Callable[[], Any]:
    """Read the choices each time the form is shown: owners, for instance, are in the database."""

    def ask() -> Any:
        return _options(choices())

    ask.paired = True  # type: ignore[attr-defined]
    return ask


class SecretField(StringField):
    """A secret that its own form shows, because the person copies it; shown again nowhere else."""


def counted(text: object) -> int:
    """Return a hidden version or revision; -1, which no row has, for anything else."""
    sent = str(text or "")
    # The number fits an integer of the database.
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 9 else -1  # noqa: PLR2004


def stripped(text: str | None) -> str | None:
    """Strip a text; a filter of text fields."""
    return text.strip() if text else text


def instant_of(local: datetime | None) -> datetime | None:
    """Return the instant of a time that was typed in the reader's time zone."""
    return local.replace(tzinfo=formatting.zone()) if local else None


def _flat(errors: Any) -> list[str]:
    return [str(e) for e in errors if e and not isinstance(e, Mapping)]


def accepted(form: Form, act: Callable[[], Any]) -> bool:
    """Validate, then act; a domain error or a violated constraint becomes an error of the form.

    The caller renders the form again with 422 when this is False. The transaction is at a
    savepoint, so a failed action leaves nothing.
    """
    if not form.validate():
        return False
    try:
        with session().begin_nested():
            act()
            session().flush()
    except IntegrityError as error:
        form.refuse(constraint_error(error))
    except DataError:
        form.refuse(Invalid("A number or date in the form is too large."))
    except DomainError as error:
        if error.status not in {409, 422}:
            raise
        form.refuse(error)
    else:
        return True
    return False


CONSTRAINTS: dict[str, tuple[str | None, str]] = {}


def constraint(name: str, message: str, *, field: str | None = None) -> None:
    """Declare the message for a database constraint in the user's words, and its field."""
    CONSTRAINTS[name] = (field, message)


def constraint_error(error: IntegrityError) -> Invalid:
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
    if name not in CONSTRAINTS:
        raise error
    field, message = CONSTRAINTS[name]
    return Invalid(message, field=field)


def uuid_or_none(value: Any) -> UUID | None:
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None


class Choice(SelectField):
    """A select over ids: (id, label) pairs; an unknown id is an error that names it."""

    def __init__(self, label: str, validators: Iterable[Any] = (), **options: Any) -> None:
        super().__init__(label, list(validators), **{"coerce": _coerce, **options})


class Choices(SelectMultipleField):
    """The same for several ids."""

    def __init__(self, label: str, validators: Iterable[Any] = (), **options: Any) -> None:
        super().__init__(label, list(validators), coerce=_coerce, **options)


def _coerce(value: Any) -> Any:
    return uuid_or_none(value) or (value or None)
