"""An invented organization's Type II period with consistent data.

It has nine controls, populations, samples, exceptions and findings.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from governance.assurance.testing import matrix as rules
from governance.assurance.testing import matrix_facts
from governance.assurance.testing.occurrences import PerformanceRecord, months
from governance.assurance.testing.sampling import DEFAULT_TABLE, draw_items, population_digest
from governance.publishing.reports.type2 import snapshot as reading
from tests.publishing.reports import rmf_samples

FIRST, LAST, TODAY = date(2025, 12, 1), date(2026, 11, 30), date(2026, 11, 25)
CONTROLS = (
    ("SEC-04", "Access review of all systems", "quarterly"),
    ("SEC-07", "Red-team sign-off before release", "per release"),
    ("SEC-09", "Security posture of the console", "monthly"),
    ("SUP-01", "Supplier register and review", "half-yearly"),
    ("CHG-02", "Change approval by a second person", "per change"),
    ("GOV-01", "Risk committee meets", "quarterly"),
    ("OPS-01", "Incident response drill", "yearly"),
    ("BCK-01", "Backup restored and checked", "weekly"),
    ("AUD-01", "Audit log verified", "monthly"),
)
ATTRIBUTES = ["Approved before it went live", "Approved by someone else"]


def full_year() -> dict[str, Any]:
    """Return twelve months with gaps, a failed item, a finding in remediation and a closed one."""
    releases, changes = (
        _population(1, "SEC-07", "releases", 61),
        _population(2, "CHG-02", "changes", 4120),
    )
    first, second = (
        _sample(1, releases, 25, failed=(17,), noted=(3,)),
        _sample(2, changes, 40, failed=(8,), untested=6),
    )
    return _frame() | {
        "controls": [_row(n, *each) for n, each in enumerate(CONTROLS)],
        "populations": [releases, changes],
        "samples": [first, second],
        "exceptions": [
            _exception(1, first, 17, closed=True),
            _exception(2, second, 8, closed=False),
        ],
    }


def first_months() -> dict[str, Any]:
    """Return three months, with nothing frozen or tested."""
    made = _frame() | {
        "period": {"from": "2026-09-01", "to": "2026-11-30"},
        "populations": [],
        "samples": [],
        "exceptions": [],
    }
    made["controls"] = [
        _row(n, *each, first=date(2026, 9, 1), bare=True) for n, each in enumerate(CONTROLS)
    ]
    return made


def without_controls() -> dict[str, Any]:
    """Return a tenant without a control."""
    made = _frame() | {
        "controls": [],
        "populations": [],
        "samples": [],
        "exceptions": [],
        "log": None,
        "entry": None,
    }
    made["tenant"] |= {"unit": "", "audience": ""}
    return made


def all_passed() -> dict[str, Any]:
    """Return complete evidence, all tested and passed."""
    made = full_year()
    made["controls"] = [_row(n, *each, whole=True) for n, each in enumerate(CONTROLS)]
    made["samples"] = [_sample(1, made["populations"][0], 25)]
    return made | {"exceptions": []}


def crowded_period() -> dict[str, Any]:
    """Return 120 controls over 18 months, long texts, an altered and an oversized population."""
    long = "A text that goes on " * 14 + "Unbreakable" * 12
    made = full_year() | {"period": {"from": "2025-06-01", "to": "2026-11-30"}}
    made["controls"] = [
        _row(n, f"C-{n:03}", long, CONTROLS[n % 9][2], first=date(2025, 6, 1)) for n in range(120)
    ]
    populations = [
        _population(n, f"C-{n:03}", f"key {n}", 30)
        | {
            "title": long,
            "query": long * 3,
            "run_by": long,
        }
        for n in range(1, 46)
    ]
    populations[0]["intact"] = False
    populations[1] |= {"intact": None, "attached": False, "rows": [], "columns": []}
    made["populations"] = populations
    made["samples"] = [
        _sample(n, populations[n - 1], 25, failed=(1, 2), noted=(5,), untested=4)
        | {
            "rule": long,
            "reason": long,
            "advised": 40,
            "attributes": [long] * 3,
        }
        for n in range(1, 31)
    ]
    made["exceptions"] = [
        _exception(n, made["samples"][n % 30], 1, closed=n % 3 == 0)
        | {
            "ref": f"EXC-{n:02}",
            "says": long,
            "cause": long,
            "effect": long,
            "response": long,
        }
        for n in range(1, 46)
    ]
    for each in made["samples"]:
        for item in each["items"]:
            item["exception"] = None
    made["samples"][0]["population"] = (
        "POP-45"  # It isn't printed, yet the link to it must lead somewhere.
    )
    made["tenant"] |= {"name": long, "unit": long, "audience": long}
    return made


EXTREMES = (full_year, first_months, without_controls, all_passed, crowded_period)


# ---- parts


def _frame() -> dict[str, Any]:
    framed = rmf_samples._frame([])
    made = {key: framed[key] for key in ("tenant", "prepared_by", "log", "entry", "signing_key")}
    return made | {
        "schema": reading.SCHEMA,
        "as_of": "2026-11-25T09:24:00Z",
        "requested_at": "2026-11-25T09:24:00Z",
        "revisions": [],
        "framework": None,
        "period": {"from": FIRST.isoformat(), "to": LAST.isoformat()},
        "document": {
            "number": "ACME-TYPE2-2025-12-to-2026-11",
            "version": "1.0",
            "keep_until": "2033-11-28",
            "supersedes": None,
        },
    }


def _row(
    n: int,
    ref: str,
    title: str,
    cadence: str,
    *,
    first: date = FIRST,
    bare: bool = False,
    whole: bool = False,
) -> dict[str, Any]:
    """Return a row by the product's own rules.

    Every third control lacks a stretch of its evidence, unless `whole`.
    """
    held = months(first, LAST)
    kept = [m for place, m in enumerate(held) if whole or not (n % 3 == 0 and place in {4, 5, 6})]
    proofs = [
        PerformanceRecord(
            m, _end(m), min(_end(m) + timedelta(days=3), TODAY), f"E-{n:02} {title[:30]}, {m:%B},"
        )
        for m in kept
        if not bare or n % 2
    ]
    events = dict.fromkeys(held, 3 + n) if cadence.startswith("per ") and not bare else None
    items = (
        ()
        if bare or not cadence.startswith("per ")
        else tuple(
            matrix_facts.SampledItem(
                k,
                f"{k}",
                held[k % len(held)],
                "failed" if k == 8 and not whole else "passed",
                "EXC-01" if k == 8 and not whole else None,
            )
            for k in range(1, 26)
        )
    )  # noqa: PLR2004 - the one that failed
    facts = matrix_facts.MatrixFacts(
        UUID(int=n + 1), ref, title, cadence, date(2025, 1, 1), tuple(proofs), (), items, events
    )
    return reading._row(rules.matrix_row(facts, first, LAST, today=TODAY, table=DEFAULT_TABLE))


def _end(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _population(n: int, control: str, key: str, count: int) -> dict[str, Any]:
    rows = [
        {
            "id": f"{key[:3].upper()}-{k:04}",
            "on": (FIRST + timedelta(days=k % 358)).isoformat(),
            "owner": f"team {k % 4}",
        }
        for k in range(1, count + 1)
    ]
    return {
        "number": f"POP-{n:02}",
        "control": control,
        "key": key,
        "title": f"All {key} of the period",
        "source": "collector",
        "query": f"select id, on, owner from {key} where on between :from and :to order by id",
        "parameters": {"from": FIRST.isoformat(), "to": LAST.isoformat()},
        "period": {"from": FIRST.isoformat(), "to": LAST.isoformat()},
        "run_at": "2026-11-20T04:00:00Z",
        "run_by": "the console",
        "frozen_by": "A. Rossi",
        "frozen_at": "2026-11-20T09:10:00Z",
        "id_column": "id",
        "row_count": count,
        "sha256": population_digest(rows),
        "intact": True,
        "attached": True,
        "columns": ["id", "on", "owner"],
        "rows": [list(row.values()) for row in rows],
    }


def _sample(
    n: int,
    of: dict[str, Any],
    size: int,
    *,
    failed: tuple[int, ...] = (),
    noted: tuple[int, ...] = (),
    untested: int = 0,
) -> dict[str, Any]:
    ids = [row[0] for row in of["rows"]] or [f"X-{k}" for k in range(30)]
    dated = {row[0]: row[1] for row in of["rows"]}
    items = []
    for number, item in enumerate(draw_items(ids, "441790ce", of["sha256"], size), 1):
        outcome = None if number > size - untested else "failed" if number in failed else "passed"
        items.append(
            {
                "number": number,
                "item": item,
                "dated": dated.get(item),
                "outcome": outcome,
                "checks": dict.fromkeys(ATTRIBUTES, "yes") if outcome else {},
                "note": (
                    "Released an hour before the sign-off"
                    if outcome == "failed"
                    else "Signed on paper, scan on file"
                    if number in noted
                    else ""
                ),
                "tested_by": "J. Okafor" if outcome else None,
                "tested_at": "2026-11-21T10:00:00Z" if outcome else None,
                "results": int(outcome is not None),
                "exception": f"EXC-{n:02}" if outcome == "failed" else None,
            }
        )
    return {
        "number": f"SMP-{n:02}",
        "population": of["number"],
        "control": of["control"],
        "rule": f"The house's table: {size} of {of['row_count']}",
        "size": size,
        "advised": size,
        "reason": "",
        "seed": "4417 90ce",
        "population_sha256": of["sha256"],
        "attributes": ATTRIBUTES,
        "drawn_by": "J. Okafor",
        "drawn_at": "2026-11-20T11:00:00Z",
        "tested": size - untested,
        "failed": len(failed),
        "items": items,
    }


def _exception(n: int, of: dict[str, Any], number: int, *, closed: bool) -> dict[str, Any]:
    at = datetime(2026, 11, 21, 10, tzinfo=UTC)
    return {
        "ref": f"EXC-{n:02}",
        "control": of["control"],
        "item": of["items"][number - 1]["item"],
        "says": "It went live an hour before someone else signed",
        "cause": "The gate reads the ticket, not the signature",
        "effect": "One release was live unsigned for an hour",
        "correction": "The signature was given the same day" if closed else "",
        "response": "We agree. The gate reads the signature from 1 December" if closed else "",
        "state": "closed" if closed else "in repair",
        "found_by": "J. Okafor",
        "found_at": reading._iso(at),
        "responded_by": "S. Patel" if closed else None,
        "finding": {
            "ref": f"F-{n:02}",
            "title": "The release gate does not read the signature",
            "plan": "Let the gate ask the register of signatures",
            "owner": "D. Ferreira",
            "due_on": "2026-11-24" if not closed else "2026-12-05",
            "remedy": "The gate asks the register" if closed else "",
            "remedied_at": reading._iso(at) if closed else None,
            "remedied_by": "D. Ferreira" if closed else None,
            "closed_at": reading._iso(at + timedelta(days=2)) if closed else None,
            "retests": (
                [
                    {"on": "2026-11-22", "sample": 5, "failed": 1, "note": "", "by": "J. Okafor"},
                    {"on": "2026-11-23", "sample": 5, "failed": 0, "note": "", "by": "J. Okafor"},
                ]
                if closed
                else []
            ),
        },
    }
