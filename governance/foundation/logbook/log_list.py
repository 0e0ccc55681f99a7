"""The list of the audit log: its declaration. `filters.py` reads and checks the address."""

from dataclasses import replace
from datetime import date

from werkzeug.datastructures import MultiDict

from governance.foundation.audit.registry import registry
from governance.foundation.logbook import entry_links
from governance.foundation.logbook.filters import Filters
from governance.foundation.logbook.presentation import OUTCOMES
from governance.kernel import formatting
from governance.kernel.pages.list_pages import (
    Args,
    Column,
    Filter,
    ListPage,
    ListPreference,
    ListRequest,
    preference_of,
)


def action_choices() -> list[tuple[str, str]]:
    """Return every action, under the noun that it begins with."""
    names = sorted(registry)
    nouns = sorted({name.split(".")[0] for name in names})
    every = [
        pair
        for noun in nouns
        for pair in [
            (noun, f"{noun}: all"),
            *((name, name) for name in names if name.startswith(f"{noun}.")),
        ]
    ]
    return [("-session", "All except sign-ins"), *every]


def _day(text: str) -> str:
    return formatting.long_day(date.fromisoformat(text))


def _actor(pseudonym: str) -> str:
    return f"{pseudonym[:4]}-{pseudonym[4:8]}".rstrip("-")


def _action(name: str) -> str:
    return f"all except {name[1:]}" if name.startswith("-") else name


def _target(target: str) -> str:
    kind, _, identity = target.partition(":")
    return f"{entry_links.noun(kind)} {identity[:8]}".strip()


LOG = ListPage(
    name="log",
    title="Audit log",
    noun="entry",
    many="entries",
    endpoint="logbook.index",
    search="Search unencrypted fields",
    columns=(
        Column("entry", "Entry", numeric=True, optional=True),
        Column("time", "Time"),
        Column("actor", "Actor"),
        Column("action", "Action"),
        Column("meaning", "Meaning", extra=True),
        Column("target", "Target", optional=True),
        Column("origin", "IP address", extra=True),
        Column("request", "Request", extra=True),
        Column("outcome", "Outcome", optional=True),
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
        Filter(
            "outcome", "Outcome", tuple((value, label.word) for value, label in OUTCOMES.items())
        ),
    ),
)


def request_of(filters: Filters, args: Args | None = None) -> ListRequest:
    """Return the list as these checked filters request it.

    `args` are its address, if it is the page of the list. The log has one order, so no `sort`
    changes it.
    """
    if args is None:
        return LOG.parse(MultiDict(filters.address))
    preferred = ListPreference(columns=preference_of()(LOG.name, LOG.name).columns)
    parts: Args = MultiDict(filters.address)
    parts.update({name: args.get(name, "") for name in ("after", "sort")})
    parts.setlist("columns", args.getlist("columns") or [preferred.columns])
    return replace(LOG.parse(parts), preferred=preferred)
