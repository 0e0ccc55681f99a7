"""The EU AI Act as data: practices and duties with roles and dates, by law version.

    current()            the law in force today, used to triage new answers
    law(version)         an earlier version, for proposals that were answered under it
    kept_version(text)   the version that a record names; "" is the original law
    Law.day_of(duty, …)  the day from which a duty applies to a system

The files in law/ have ids, days and our own short titles. They are checked when they are read; the
web server and `governance law` read them at startup.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import rfc8785

from governance.kernel import clock
from governance.kernel.files import yaml_files

FOLDER = Path(__file__).parent / "law"
AMENDED, ORIGINAL = "2026-07-27", "2024-08-01"
VERSIONS = (AMENDED, ORIGINAL)  # Newest first, by the day on which each took effect
CONFIRM = "Confirm with counsel."
ROLES = {
    "provider": "Provider",
    "deployer": "Deployer",
    "importer": "Importer",
    "distributor": "Distributor",
}
DUTY_CLASSES = ("any", "prohibited", "exempt", "high_risk", "transparency")


class FaultyLaw(ValueError):
    """A law file that can't be used. The message names the file and the entry."""


@dataclass(frozen=True, slots=True)
class Practice:
    """A prohibited practice. `key` is the answer that names it."""

    key: str
    ref: str
    own_title: str
    applies_from: date


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty of one or several roles, with a day for systems of Annex III and one for Annex I.

    `annex_i_from` is None for a duty that only systems of Annex III have. `contact` is the answer
    that it needs, and `services` are answers of which it needs at least one; "" and () need none.
    `requirements` are ids of the NIST AI RMF 1.0, and `points` are points of a system's documents;
    their relevance to the duty is our judgment.
    """

    ref: str
    own_title: str
    roles: tuple[str, ...]
    duty_class: str
    annex_iii_from: date
    annex_i_from: date | None
    contact: str = ""
    services: tuple[str, ...] = ()
    placed_before: date | None = None  # Then `placed_before_from` applies
    placed_before_from: date | None = None
    doubt: str = ""
    requirements: tuple[str, ...] = ()
    points: tuple[str, ...] = ()

    def day(self, *, annex_i: bool, placed_on: date | None) -> date:
        """Return the day from which it applies to a system placed on the market on that day."""
        is_older = placed_on and self.placed_before and placed_on < self.placed_before
        if is_older and self.placed_before_from:
            return self.placed_before_from
        return (annex_i and self.annex_i_from) or self.annex_iii_from


@dataclass(frozen=True, slots=True)
class Law:
    """One version of the law. `digest` is the SHA-256 of the file's content, in hex."""

    version: str
    name: str
    amended_by: str
    read_on: date
    source: str
    practices: Mapping[str, Practice]
    duties: tuple[Duty, ...]
    digest: str

    @property
    def title(self) -> str:
        """The law with its amendment, as pages name it."""
        return f"{self.name} as amended by {self.amended_by}" if self.amended_by else self.name

    @property
    def annex_i_from(self) -> date:
        """The day from which high-risk duties apply to safety components of products."""
        return max(
            each.annex_i_from
            for each in self.duties
            if each.duty_class == "high_risk" and each.annex_i_from is not None
        )

    @property
    def days(self) -> list[date]:
        """Every day on which a provision starts to apply."""
        found = {each.applies_from for each in self.practices.values()}
        for each in self.duties:
            days = (each.annex_iii_from, each.annex_i_from, each.placed_before_from)
            found.update(day for day in days if day is not None)
        return sorted(found)


def current() -> Law:
    """Return the law in force today."""
    return law(current_version())


def current_version() -> str:
    """Return the version of the law in force today."""
    today = clock.today().isoformat()
    return next((each for each in VERSIONS if each <= today), ORIGINAL)


@cache
def law(version: str) -> Law:
    """Return a version of the law. Raises FaultyLaw."""
    name = f"ai-act-{version}.yaml"
    found = read_law(name, yaml_files.read(FOLDER / name))
    if found.version != version:
        raise FaultyLaw(f"{name} says that it is version {found.version}.")
    return found


def kept_version(version: str) -> str:
    """Return a version as a system stores it. Old systems have "", the original law."""
    return version if version in VERSIONS else ORIGINAL


def check_files() -> None:
    """Read every version. Raises FaultyLaw, which stops the startup."""
    for version in VERSIONS:
        law(version)


def read_law(name: str, content: Mapping[str, Any]) -> Law:
    """Check the content of a file. Raises FaultyLaw, which names the file and the entry."""
    practices = [_practice(name, each) for each in content["practices"]]
    duties = [_duty(name, each) for each in content["duties"]]
    _check_unique(name, [each.ref for each in practices])
    _check_unique(name, [each.ref for each in duties])
    return Law(
        str(content["version"]),
        content["law"],
        content["amended_by"],
        _day(name, "the file", content, "read_on"),
        content["source"],
        {each.key: each for each in practices},
        tuple(duties),
        hashlib.sha256(rfc8785.dumps(_plain(content))).hexdigest(),
    )


def _practice(name: str, row: Mapping[str, Any]) -> Practice:
    return Practice(row["key"], row["ref"], row["own_title"], _day(name, row["ref"], row, "from"))


def _duty(name: str, row: Mapping[str, Any]) -> Duty:
    ref, roles = row["ref"], tuple(row.get("roles", ()))
    if row["class"] not in DUTY_CLASSES:
        raise FaultyLaw(f"{name}: {ref} has the unknown class “{row['class']}”.")
    if not roles or not set(roles) <= ROLES.keys():
        raise FaultyLaw(f"{name}: {ref} has no role, or an unknown one.")
    older = "placed_before" in row
    return Duty(
        ref,
        row["own_title"],
        roles,
        row["class"],
        _day(name, ref, row, "annex_iii_from"),
        None if row.get("annex_iii_only") else _day(name, ref, row, "annex_i_from"),
        row.get("contact", ""),
        tuple(row.get("services", ())),
        _day(name, ref, row, "placed_before") if older else None,
        _day(name, ref, row, "placed_before_from") if older else None,
        row.get("doubt", ""),
        tuple(row.get("requirements", ())),
        tuple(row.get("points", ())),
    )


def _day(name: str, ref: str, row: Mapping[str, Any], field: str) -> date:
    value = row.get(field)
    if not isinstance(value, date):
        raise FaultyLaw(f"{name}: {ref} has no day in “{field}”.")
    return value


def _check_unique(name: str, refs: Iterable[str]) -> None:
    seen: set[str] = set()
    for ref in refs:
        if ref in seen:
            raise FaultyLaw(f"{name}: {ref} is listed twice.")
        seen.add(ref)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
