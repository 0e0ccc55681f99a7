"""The people of the demo's tenants, and the player that runs a story's events on their days."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from uuid import UUID

from governance.app import schedule
from governance.demo import (
    collected_evidence,
)
from governance.demo.idp.directory import PEOPLE
from governance.demo.story import StoryEvent
from governance.foundation.notifications import digests
from governance.foundation.people.jobs import actor_of
from governance.foundation.people.models import person_key
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.kernel.work import jobs

SEED = 2026


TODAY = "GOVERNANCE_DEMO_DAY"  # environment variable, for a process that plays a part of the story

MONTHS = 18


DRILLS_BEGAN, DRILLED = 210, 6  # days ago


FORMER_MEMBER = replace(
    PEOPLE["acme"][4], sub="acme-1006", email="tobias.frank@acme.example", name="Tobias Frank"
)  # This person was later erased.


ACME_DIRECTORY = (*PEOPLE["acme"], replace(PEOPLE["audit"][0], groups=("auditors-halden",)))


# Acme's directory provisions these people and sets their groups (directory_story.py).
PROVISIONED = tuple(
    replace(
        PEOPLE["acme"][2],
        sub=f"acme-{number}",
        email=f"{name.lower().replace(' ', '.')}@acme.example",
        name=name,
        groups=(),
        title=title,
    )
    for number, name, title in (
        (1101, "Lena Fuchs", "claims engineer"),
        (1102, "Omar Diallo", "internal audit"),
        (1103, "Priya Nair", "left in autumn"),
    )
)


GROUPS = {
    "acme": {
        "governance-admins": "admin",
        "governance-officers": "compliance_officer",
        "governance-contributors": "contributor",
        "governance-viewers": "viewer",
    },
    "globex": {"governance-admins": "admin", "governance-officers": "compliance_officer"},
    "console": {"governance-operators": "operator_admin", "governance-finance": "operator_finance"},
}


DOMAINS = {
    "acme": {"acme.example", "audit.example"},
    "globex": {"globex.example"},
    "console": {"console.example"},
}


NAMES = {"acme": "Acme Insurance", "globex": "Globex", "console": "Console"}


ADDRESSES = {
    "operator": "operator@{}.example",
    "noor": "noor.haddad@{}.example",
    "finance": "finance@{}.example",
    "admin": "admin@{}.example",
    "officer": "officer@{}.example",
    "rosa": "rosa.meyer@{}.example",
    "jun": "jun.chen@{}.example",
    "anna": "contributor@{}.example",
    "tobias": "tobias.frank@{}.example",
    "auditor": "auditor@audit.example",
}


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of one tenant, by the part that they play."""

    slug: str
    issuer: str

    def __call__(self, part: str) -> Actor:
        """Return the actor of a part, such as admin, rosa, officer, jun or anna."""
        email = ADDRESSES[part].format(self.slug)
        person = next(
            p for p in (*PEOPLE[self.slug], *PEOPLE["audit"], FORMER_MEMBER) if p.email == email
        )
        role = {
            "admin": "admin",
            "rosa": "admin",
            "anna": "contributor",
            "auditor": "auditor",
            "operator": "operator_admin",
            "noor": "operator_admin",
            "finance": "operator_finance",
        }.get(part, "compliance_officer")
        base = system_actor(self.slug)
        return replace(
            base,
            person_id=person_key(self.issuer, person.sub),
            name=person.name,
            role=role,
            kind="operator" if part in {"operator", "noor", "finance"} else "person",
        )

    def id(self, part: str) -> UUID:
        who = self(part).person_id
        if who is None:
            raise LookupError(part)
        return who


def system_actor(slug: str) -> Actor:
    tenant_id = directory.tenant_id(slug)
    if tenant_id is None:
        raise LookupError(slug)
    return system_actor_in(tenant_id, slug, NAMES[slug])


@contextmanager
def acting_on(who: Actor, day: date, hour: int = 10) -> Iterator[None]:
    """Act as a person on a day, with the clock frozen."""
    with clock.frozen(moment_of(day, hour)), current.acting_as(who):
        yield


def moment_of(day: date, hour: int = 10) -> datetime:
    return min(
        datetime.combine(
            day, time(hour, (day.toordinal() * 7) % 60, (day.toordinal() * 13) % 60), UTC
        ),
        real_now(),
    )


def real_now() -> datetime:
    """Return the present time, even while the clock is frozen at a moment of the story."""
    return clock.running()


@cache
def today() -> date:
    """Return the day from which the whole demo world is counted back.

    The day stays the same when the story is still running at midnight.
    """
    told = os.environ.get(TODAY)
    return date.fromisoformat(told) if told else real_now().date()


def days_ago(days: int) -> date:
    return today() - timedelta(days=days)


def play(
    cast: Cast,
    events: list[StoryEvent],
    started: set[date] | None = None,
    told: Callable[[date], None] | None = None,
) -> None:
    """Play the events by day, one transaction per month, and sign the log after each month.

    `told` is called with the first of each month before the month is played.

    Collectors run at the start of each month that isn't in `started`. None runs none.
    """
    events.sort(key=lambda e: (e.day, e.hour))
    month: list[StoryEvent] = []
    for event in [*events, None]:
        if month and (
            event is None
            or (event.day.year, event.day.month) != (month[0].day.year, month[0].day.month)
        ):
            first = month[0].day.replace(day=1)
            if told is not None:
                told(first)
            if started is not None and first not in started:
                started.add(first)
                collected_evidence.month_begins(
                    cast,
                    system_actor(cast.slug),
                    first,
                    now=real_now(),
                    drills_since=days_ago(DRILLS_BEGAN),
                )
            with current.acting_as(system_actor(cast.slug)), transaction():
                for each in month:
                    with acting_on(cast(each.part), each.day, each.hour):
                        each.act()
            sign_log(cast.slug, month[-1].day)
            month = []
        if event is not None:
            month.append(event)


def sign_log(slug: str, day: date) -> None:
    """Do what the jobs process does in a live installation.

    This sends due digests, runs queued jobs, sequences the log and signs it.
    """
    who = system_actor(slug)
    with acting_on(who, day, 23):
        with transaction():
            digests.send_digests()
        jobs.drain(actor_of, of=who.tenant_id)
        schedule.sequence_log(who.tenant_id, slug, who.tenant_name)
