"""The list of the audit log: its declaration.

What an address means, and what is refused, stands in `filters.py`.
"""

from datetime import date

from werkzeug.datastructures import MultiDict

from governance.foundation.audit.registry import registry
from governance.foundation.logbook import entry_links
from governance.foundation.logbook.filters import Filters
from governance.kernel import formatting
from governance.kernel.list_pages import Column, Filter, ListPage, ListRequest


def action_choices() -> list[tuple[str, str]]:
    """Every action, under the noun that it begins with."""
    names = sorted(registry)
    nouns = sorted({name.split(".")[0] for name in names})
    every = [
        pair
        for noun in nouns
        for pair in [
            (noun, f"{noun}, all"),
            *((name, name) for name in names if name.startswith(f"{noun}.")),
        ]
    ]
    return [("-session", "all but sign-ins"), *every]


def _day(text: str) -> str:
    return formatting.long_day(date.fromisoformat(text))


def _actor(pseudonym: str) -> str:
    return f"{pseudonym[:4]}-{pseudonym[4:8]}".rstrip("-")


def _action(name: str) -> str:
    return f"all but {name[1:]}" if name.startswith("-") else name


def _target(target: str) -> str:
    kind, _, identity = target.partition(":")
    return f"{entry_links.noun(kind)} {identity[:8]}".strip()


LOG = ListPage(
    name="log",
    title="Audit log",
    noun="entry",
    many="entries",
    endpoint="logbook.index",
    search="Search what is not encrypted",
    columns=(
        Column("entry", "Entry"),
        Column("time", "Time"),
        Column("actor", "Actor"),
        Column("action", "Action"),
    ),
    filters=(
        Filter("since", "Since", kind="day", unknown="rejected", label_of=_day),
        Filter("until", "Until", kind="day", unknown="rejected", label_of=_day),
        Filter(
            "actor",
            "Actor",
            kind="text",
            unknown="rejected",
            label_of=_actor,
            placeholder="p-7k3f-91ac",
        ),
        Filter("action", "Action", action_choices, label_of=_action),
        Filter("target", "Target", kind="link", unknown="rejected", label_of=_target),
        Filter("outcome", "Outcome", (("done", "done"), ("denied", "denied"))),
    ),
)


def request_of(filters: Filters, *, after: str | None = None, sort: str = "") -> ListRequest:
    """The list as these filters, which were checked, ask for it; no `sort` is one, since the log
    has one order.
    """
    parts = {**filters.address, "after": after or "", "sort": sort}
    return LOG.parse(MultiDict(parts))
