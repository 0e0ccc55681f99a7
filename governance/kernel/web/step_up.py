"""The declaration of a route that needs a recent sign-in.

With it, a form that was submitted too late can be shown and submitted again.

One button and one form: `StepUp("Invite member", InviteForm)`. A button for each value of the
form's field `verb`: `StepUp({"approve": "Approve", "refuse": "Reject"}, DecideForm)`. Without
fields of its own, the object in words and what can't be undone: `StepUp("Remove member",
facts=_who, danger="They lose access.")`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wtforms import BooleanField, Field, FileField, HiddenField, PasswordField, SelectFieldBase

from governance.kernel.web.forms import Form, SecretField, submission

STEP_UP_SECONDS = 300
KEPT_FORM = "saved_form"  # The field by which a page submits a kept form again.
EMPTY, NOT_SHOWN = "Empty", "Saved, not shown"


def _nothing(**_values: Any) -> Iterable[tuple[str, str]]:
    return ()


@dataclass(frozen=True, slots=True)
class StepUp:
    """A declaration that a sign-in of the last STEP_UP_SECONDS is needed.

    `form` creates the form that the view reads, and `facts` returns the (label, value) pairs that
    name the object; both are called with the values in the route's address (a form's class with
    none). `danger` says what takes effect and can't be undone. `when` limits the need to some
    submissions.
    """

    verb: str | Mapping[str, str]
    form: Callable[..., Form] | None = None
    facts: Callable[..., Iterable[tuple[str, str]]] = _nothing
    danger: str | Mapping[str, str] = ""
    when: Callable[[], bool] = lambda: True

    def label(self) -> str:
        """Return what the button of the current submission does."""
        return self._of(self.verb) or "Submit form"

    def warning(self) -> str:
        """Return what the current submission does that can't be undone; empty if it is harmless."""
        return self._of(self.danger)

    def _of(self, texts: str | Mapping[str, str]) -> str:
        return (
            texts if isinstance(texts, str) else texts.get(submission().fields.get("verb", ""), "")
        )

    def rows(self, **values: Any) -> list[tuple[str, str]]:
        """Return (label, value) of everything that the current submission says, without secrets."""
        found = [(label, value) for label, value in self.facts(**values)]
        if self.form is not None:
            made = self.form() if isinstance(self.form, type) else self.form(**values)
            found += [
                (f.label.text, _value(f))
                for f in made
                if not isinstance(f, HiddenField | FileField)
            ]
        return found


def _value(field: Field) -> str:
    """Return what was sent, in the form's words; unreadable values are shown as they were typed."""
    sent = [str(value) for value in field.raw_data or () if str(value).strip()]
    if isinstance(field, BooleanField):
        return "Yes" if field.data else "No"
    if isinstance(field, SelectFieldBase):
        labels = _labels(field)
        return ", ".join(labels.get(value, value) for value in sent) or labels.get("", EMPTY)
    if isinstance(field, PasswordField | SecretField):
        return NOT_SHOWN if sent else EMPTY
    if isinstance(field.data, datetime):
        return f"{field.data:%Y-%m-%d %H:%M}"
    return "\n".join(sent) or EMPTY


def _labels(field: SelectFieldBase) -> dict[str, str]:
    choices: Any = getattr(field, "choices", None) or ()
    return {str(value): str(label) for value, label in choices}
