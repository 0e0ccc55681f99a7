"""Records that people edit: each field is declared once.

    RISK = Record(
        RiskContent,          the dataclass of what people enter, with the types
        "risks",              its table
        title=Field("Title", "line", required="Enter a title.", longest=160),
        due_on=Field("Plan due", "day", file="Plan due"),
    )

    RISK.content_of(row)                    what a row holds, as RiskContent
    RISK.checked(content)                   the same with its texts trimmed; raises Invalid
    RISK.changes(after, before)             {name: (after, before)} of what differs
    RISK.audited("ref")                     the fields of an audit action
    RISK.recorded(content)                  what an audit entry keeps of them
    RISK.report_heads, RISK.reported(row)   the columns and the row of a report

Form, list, file and page follow in record_pages.py. A template that gives a field a place of its own
names it; the declaration then leaves out the usual place.
"""

from collections import namedtuple
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import date
from typing import Any, Literal, get_type_hints

from governance.kernel.data.db import Model
from governance.kernel.errors import Invalid

type Choices = Sequence[tuple[Any, str]]

declared: dict[str, "Record[Any]"] = {}


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    `shape` says how it is entered: a line, a longer text, one or several of its choices, or a day.
    `asks` is its label in the form if that isn't `label`, `noun` the word for it in a sentence.
    `required` is the sentence that asks for it. `longest` counts characters, or choices. `blank` is
    the label of no choice. `rule` is the feature's own rule: it returns the value to store, or
    raises Invalid.

    `audit` is its name in the audit log, None for its own and "" for none. `column` places it in
    the list, `file` is its head in exported files, `beside` the column of the list that it is
    exported with, `fact` places it among the facts of its page. `report` is its head in the files
    of a report. `api` is whether machines may read it.
    """

    label: str
    shape: Literal["line", "text", "choice", "choices", "day"]
    _: KW_ONLY
    name: str = ""  # The attribute's name; Record sets it.
    asks: str = ""
    noun: str = ""
    help: str = ""
    required: str = ""
    longest: int = 0
    choices: Choices | Callable[[], Choices] = ()
    blank: str = ""
    default: Any = None
    coerce: Callable[[Any], Any] | None = None
    shown: Mapping[str, Any] = field(default_factory=dict)  # Attributes of its input, such as rows.
    rule: Callable[[Any], Any] | None = None
    audit: str | None = None
    column: Literal["", "fixed", "optional", "extra"] = ""
    sort: bool = False
    file: str = ""
    beside: str = ""
    fact: bool = False
    report: str = ""
    api: bool = True

    @property
    def in_sentence(self) -> str:
        return self.noun or (self.label if self.label[1:2].isupper() else self.label.lower())

    @property
    def audit_name(self) -> str:
        return self.name if self.audit is None else self.audit

    def offered(self) -> Choices:
        return self.choices() if callable(self.choices) else self.choices

    def words(self, value: Any) -> Any:
        """Return a value as files and reports show it: the label of a choice, a day as text."""
        if isinstance(value, date):
            return value.isoformat()
        return dict(self.offered()).get(value, value) if self.shape == "choice" else value

    def checked(self, value: Any) -> Any:
        """Return the value to store. Raises Invalid, about the field."""
        if self.rule is not None:
            return self.rule(value)
        if self.shape in {"line", "text"}:
            return self._checked_text(str(value or ""))
        if self.shape == "choices":
            return self._checked_choices(value)
        known = self.offered() if self.shape == "choice" else ()
        if known and (value or not self.blank) and value not in dict(known):
            raise Invalid(f"{self.label}: choose an option from the list.", field=self.name)
        return value

    def _checked_text(self, sent: str) -> str:
        text = " ".join(sent.split()) if self.shape == "line" else sent.strip()
        if self.required and not text:
            raise Invalid(self.required, field=self.name)
        if len(text) > self.longest > 0:
            raise Invalid(f"Use up to {self.longest:,} characters.", field=self.name)
        return text

    def _checked_choices(self, sent: Collection[Any]) -> list[Any]:
        """Return the choices in the order in which they are offered."""
        known = [value for value, _label in self.offered()]
        if unknown := [each for each in sent if each not in known]:
            raise Invalid(f"“{str(unknown[0])[:40]}” isn't on the list.", field=self.name)
        if len(set(sent)) > self.longest > 0:
            raise Invalid(f"Choose up to {self.longest} {self.in_sentence}.", field=self.name)
        return [each for each in known if each in sent]


class Record[Content]:
    """The declaration of one record: the dataclass of what people enter, its table, its fields.

    Raises TypeError if the dataclass and the declaration have different fields.
    """

    def __init__(self, content: type[Content], table: str, /, **named: Field) -> None:
        if odd := named.keys() ^ get_type_hints(content).keys():
            raise TypeError(f"{content.__name__} and its record differ in {', '.join(odd)}")
        self.content, self.table = content, table
        self.fields = {name: replace(each, name=name) for name, each in named.items()}
        declared[table] = self

    # ---- for actions

    def content_of(self, row: object, **others: Any) -> Content:
        """Return the content of a row; `others` are the fields that aren't columns."""
        kept = {name: getattr(row, name) for name in self.fields if name not in others}
        return self.content(**kept, **others)

    def values(self, content: Content, *, without: Collection[str] = ()) -> dict[str, Any]:
        return {name: getattr(content, name) for name in self.fields if name not in without}

    def checked(self, content: Content) -> Content:
        """Return the content as it is stored. Raises Invalid for the first field that is wrong."""
        values = {name: each.checked(getattr(content, name)) for name, each in self.fields.items()}
        return self.content(**values)

    def changes(self, after: Content, before: Content) -> dict[str, tuple[Any, Any]]:
        old = self.values(before)
        return {
            name: (value, old[name])
            for name, value in self.values(after).items()
            if value != old[name]
        }

    def audited(self, *more: str) -> str:
        """Return the fields of an audit action, as action() takes them."""
        return " ".join(filter(None, [*more, *(each.audit_name for each in self.fields.values())]))

    def recorded(self, content: Content, **others: Any) -> dict[str, Any]:
        """Return what an audit entry records; `others` are values that it records differently."""
        kept = {each.audit_name: getattr(content, name) for name, each in self.fields.items()}
        return {name: value for name, value in kept.items() if name} | others

    def named(self, names: Collection[str]) -> str:
        """Return these fields as a sentence lists them."""
        return ", ".join(self.fields[name].in_sentence for name in names)

    # ---- for reports

    @property
    def report_heads(self) -> Mapping[str, str]:
        """The heads of the fields that a report shows, by name."""
        return {name: each.report for name, each in self.fields.items() if each.report}

    def reported(self, row: object) -> dict[str, Any]:
        return {name: self.fields[name].words(getattr(row, name)) for name in self.report_heads}


def read_only[M: Model](model: type[M]) -> tuple[list[Any], Callable[[Iterable[Any]], M]]:
    """Return the columns of a model, and a function that makes one of its rows from their values.

    Such a row has the model's columns and properties and can't be changed. A list of thousands is
    read several times as fast as with rows of the ORM.
    """
    names = model.__table__.columns.keys()
    properties = {name: each for name, each in vars(model).items() if isinstance(each, property)}
    row: Any = type(
        f"{model.__name__}Row",
        (namedtuple(f"{model.__name__}Columns", names),),  # noqa: PYI024 - its names come from the model
        properties | {"__slots__": ()},
    )
    return [getattr(model, name) for name in names], row._make
