"""An invented organization's snapshot with consistent data.

It has 72 requirements, about 60 controls and 220 evidence items.
"""

import hashlib
import random
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.publishing.reports.ai_rmf.figures import figures
from governance.publishing.reports.ai_rmf.snapshot import SCHEMA, Snapshot, shortfall
from governance.publishing.reports.signatures.signing import verifier_key

KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"an invented key for tests").digest())
KEY_NAME = "console.example"
SHAPE = {
    "GOVERN": (7, 3, 2, 3, 2, 2),
    "MAP": (6, 3, 5, 2, 2),
    "MEASURE": (3, 13, 3, 3),
    "MANAGE": (4, 4, 2, 3),
}
PEOPLE = (
    "D. Ferreira",
    "A. Rossi",
    "K. Sato",
    "L. Moreau",
    "H. Lindqvist",
    "P. Nair",
    "J. Okafor",
    "T. Adeyemi",
)
TODAY = date(2026, 10, 9)
CONTROLS = (
    "Release gate with a recorded decision",
    "Register of AI systems, reviewed each month",
    "Adversarial test before release",
    "Supplier review, each half year",
    "Training of owners",
    "Monitoring after deployment",
    "Incident playbook",
    "Fairness test on the current portfolio",
    "Human review of declined claims",
    "Model version watch",
    "Records of data origin",
    "Impact statement for each use case",
)
PIECES = (
    "Gate decisions, Q3",
    "Register export, September",
    "Attack test, Claims Triage",
    "Minutes of the risk forum",
    "Training records",
    "Monitoring report, August",
    "Drill record, 12 September",
    "Fairness report, 2026 portfolio",
    "Sample of 25 reviews",
    "Exit plan, supplier A",
    "Data sheet, version 4",
    "Review notes, Customer Chat",
)
REASONS = (
    (
        "bad",
        "One of 25 attack samples made the system reveal a claimant's reserve",
        "The level stays until the test is repeated",
    ),
    ("bad", "Both exit plans are older than 180 days", "Leaving a supplier has not been rehearsed"),
    (
        "warn",
        "The fairness test describes the 2025 portfolio",
        "There is no proof for the applicants of this year",
    ),
    (
        "warn",
        "61 of 84 owners were trained by the due date",
        "23 decide without the training that the policy asks for",
    ),
    ("open", "Evidence covers two months of three", "Effect over the whole period cannot be shown"),
    ("open", "No method is agreed for persuasion risk", "Nothing can be measured yet"),
)
FINDINGS = (
    "Two playbooks not rehearsed: harmful advice, and data leak by prompt",
    "Attack sample 17 of 25 revealed a reserve; no response was opened",
    "Exit plans of both suppliers older than 180 days",
    "Model behind Customer Chat changed on 4 August; not evaluated for nine days",
    "Test plan missing for Document Intake",
    "Three of eleven components without a rights check",
)
GOOD = (
    "All records of the period are complete and were reviewed by a second person",
    "The control ran each week and its refusals were obeyed",
    "Every system in production is covered, and each change was recorded",
)


@cache
def catalogue_titles() -> dict[str, str]:
    """Return our own short titles, from the catalogue."""
    path = (
        Path(__file__).resolve().parents[3]
        / "governance/assurance/frameworks/catalogues/nist-ai-rmf-1.0.yaml"
    )
    return {
        each["ref"]: each["title"]
        for each in yaml.safe_load(path.read_text(encoding="utf-8"))["requirements"]
    }


def sample_snapshot(seed: int = 7, *, pieces: int = 220, unsigned: int = 14) -> Snapshot:
    """Return a realistic quarter. The same seed gives the same snapshot."""
    dice, names = random.Random(seed), catalogue_titles()
    functions = [_function(key, counts, names, dice) for key, counts in SHAPE.items()]
    rows = [
        row
        for function in functions
        for category in function["categories"]
        for row in category["requirements"]
    ]
    _fill_controls(rows, dice, pieces)
    for row in dice.sample(rows, unsigned):
        row["sign_off"] = None
    made: dict[str, Any] = _frame(functions)
    made["evidence"] = [
        {**piece, "control": control["ref"]}
        for row in rows
        for control in row["controls"]
        for piece in control["evidence"]
    ]
    made["gaps"] = _gaps(rows, dice)
    short = [row for row in rows if shortfall(row)]
    made["findings"] = [
        {
            "ref": f"F-{29 + place:03}",
            "requirement": short[place * 3 % len(short)]["ref"],
            "text": text,
            "opened_on": _on(-40 + place * 3),
            "retest_by": _on(-4 if place == 2 else 20 + place * 8),
            "owner": None if place == 4 else PEOPLE[place],
        }
        for place, text in enumerate(FINDINGS)
    ]
    made["risks"] = _risks(dice)
    now = figures(made)  # type: ignore[arg-type]  # complete enough to be counted
    made["movement"] = _movement(now.whole.levels, now.whole.at_target)
    return made  # type: ignore[return-value]


def first_day() -> Snapshot:
    """Return a tenant on its first day: nothing recorded, no target."""
    made = sample_snapshot()
    for row in _rows(made):
        row.update(
            level=0,
            target=0,
            reasons=[],
            derived_text="",
            conclusion=None,
            sign_off=None,
            owner=None,
            controls=[],
        )
    made.update(evidence=[], gaps=[], findings=[], movement=[], revisions=[], entry=None, log=None)
    made["risks"]["open"] = []
    made["assessment"].update(status="open", closed_at=None, digest=None)
    made["profile"].update(set_on=None, set_by=None)
    made["document"].update(keep_until=None, supersedes=None)
    made["tenant"].update(unit="", audience="")
    return made


def targets_only() -> Snapshot:
    """Return targets, and nothing else."""
    made = first_day()
    for row in _rows(made):
        row["target"] = 3
    return made


def all_at_target() -> Snapshot:
    """Return everything at target, fresh, concluded and signed."""
    made = sample_snapshot(unsigned=0)
    for row in _rows(made):
        row.update(level=4, target=4, reasons=[], derived_text=GOOD[0])
        for control in row["controls"]:
            control.update(status="effective", status_word="Effective")
            for piece in control["evidence"]:
                piece.update(state="fresh", collected_on=_on(-9), sha256=_digest(piece["ref"]))
    made["evidence"] = [
        {**piece, "control": control["ref"]}
        for row in _rows(made)
        for control in row["controls"]
        for piece in control["evidence"]
    ]
    made.update(gaps=[], findings=[])
    del made["risks"]  # The snapshot is from before risks were reported.
    made["movement"] = _movement((0, 0, 0, 0, 72), 72)
    made["log"] = {
        "origin": "console.example/audit/acme-insurance",
        "checkpoint": "184203 entries, 2026-10-09 16:59:58 UTC",
        "root": "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=",
    }
    return made


def one_requirement() -> Snapshot:
    """Return an assessment of one requirement."""
    made = sample_snapshot()
    made["functions"] = made["functions"][:1]
    made["functions"][0]["categories"] = made["functions"][0]["categories"][:1]
    made["functions"][0]["categories"][0]["requirements"] = made["functions"][0]["categories"][0][
        "requirements"
    ][:1]
    (row,) = _rows(made)
    row.update(level=2, target=3)
    made["evidence"] = [
        {**piece, "control": control["ref"]}
        for control in row["controls"]
        for piece in control["evidence"]
    ]
    made.update(gaps=[], findings=made["findings"][:1], movement=[])
    made["risks"]["open"] = made["risks"]["open"][:1]
    made["findings"][0]["requirement"] = row["ref"]
    return made


def long_texts() -> Snapshot:
    """Return very long titles, names and words, without an owner."""
    made = sample_snapshot()
    long = "A title that goes on " * 12 + "Unbreakable" * 12
    for row in _rows(made)[::6]:
        row.update(title=long, owner=None, derived_text=long * 2)
        for control in row["controls"]:
            control.update(title=long, owner=None, status_word=long)
            for piece in control["evidence"]:
                piece["title"] = long
    for gap in made["gaps"]:
        gap.update(action=long, owner=None, due=None)
    made["tenant"].update(
        name="The Very Long Name of a Mutual Insurance Association of 1871 and its Affiliates",
        audience=long,
        unit=long,
    )
    made["assessment"]["title"] = long
    made["assessment"]["scope_text"] = long
    for finding in made["findings"]:
        finding.update(text=long, owner=None, retest_by=None)
    for risk in made["risks"]["open"]:
        risk.update(title=long, owner=None, systems=[long, long], sources=long)
        risk["acceptance"].update(by=None, reason=long)
    made["risks"]["scale"]["likelihood"][4] = made["risks"]["scale"]["impact"][4] = long[:40]
    return made


# --- Parts ----------------------------------------------------------------------------------------


def _rows(made: Snapshot) -> list[Any]:
    return [
        row
        for function in made["functions"]
        for category in function["categories"]
        for row in category["requirements"]
    ]


def _on(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _function(key: str, counts: tuple[int, ...], names: dict[str, str], dice: random.Random) -> Any:
    categories = []
    for number, count in enumerate(counts, start=1):
        ref = f"{key} {number}"
        rows = [_requirement(f"{ref}.{place}", names, dice) for place in range(1, count + 1)]
        categories.append(
            {"ref": ref, "title": names.get(ref, f"Category {number}"), "requirements": rows}
        )
    return {"key": key, "title": key.capitalize(), "categories": categories}


def _requirement(ref: str, names: dict[str, str], dice: random.Random) -> dict[str, Any]:
    target = dice.choice((3, 3, 3, 4))
    level = min(4, max(0, target - dice.choices((0, 1, 2, 3), (66, 22, 8, 4))[0]))
    reasons = (
        [
            dict(
                zip(("severity", "fact", "consequence"), dice.choice(REASONS), strict=True),
                ref=f"CTL-{dice.randint(1, 60):03}",
            )
        ]
        if level < target
        else []
    )
    return {
        "ref": ref,
        "title": names.get(ref, f"Requirement {ref}"),
        "outcome": f"What {ref} is there for is done and can be shown.",
        "level": level,
        "target": target,
        "reasons": reasons,
        "derived_text": dice.choice(GOOD) if level >= target else "",
        "conclusion": {
            "level": None,
            "text": (
                dice.choice(GOOD) if level >= target else "Sound in design; the proof is not whole"
            ),
            "assessor": "M. Rossi",
            "at": f"{_on(-3)}T15:12:00Z",
        },
        "sign_off": {
            "by": "S. Patel",
            "at": f"{_on(-1)}T09:40:00Z",
            "entry": 183_000 + dice.randint(1, 999),
        },
        "owner": None if dice.random() < 0.05 else dice.choice(PEOPLE),
        "controls": [],
    }


def _fill_controls(rows: list[dict[str, Any]], dice: random.Random, pieces: int) -> None:
    """Add one or two controls for each addressed requirement, and `pieces` evidence items."""
    controls = []
    for row in rows:
        for _ in range(0 if row["level"] == 0 else dice.choice((1, 1, 2))):
            control = _control(len(controls) + 1, row, dice)
            row["controls"].append(control)
            controls.append((row, control))
    for number in range(pieces):
        row, control = controls[number % len(controls)]
        control["evidence"].append(_piece(number + 1, row, dice))


def _control(number: int, row: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    met = row["level"] >= row["target"]
    status, word = (
        ("effective", "Effective")
        if met
        else dice.choice(
            (
                ("failing", "Failing"),
                ("due", "Due"),
                ("missing", "Not tested"),
                ("evidenced", "Evidenced"),
            )
        )
    )
    sample = dice.choice((3, 8, 15, 25))
    test = (
        None
        if status == "missing"
        else {
            "at": _on(-dice.randint(5, 60)),
            "sample": sample,
            "passed": sample - (status == "failing"),
            "note": "",
        }
    )
    return {
        "ref": f"CTL-{number:03}",
        "title": dice.choice(CONTROLS),
        "coverage": "full" if met else dice.choice(("full", "partial")),
        "status": status,
        "status_word": word,
        "owner": dice.choice(PEOPLE),
        "last_test": test,
        "evidence": [],
    }


def _piece(number: int, row: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    met = row["level"] >= row["target"]
    state = (
        "fresh"
        if met or dice.random() < 0.85
        else dice.choice(("due", "overdue", "missing", "in review"))
    )
    has_file = state not in {"missing", "due"}
    title = dice.choice(PIECES)
    return {
        "ref": f"E-{number:03}",
        "title": title,
        "state": state,
        "collected_on": _on(-dice.randint(3, 90)) if has_file else None,
        "due_on": (
            None
            if state == "missing"
            else _on(-10 if state == "overdue" else 6 if state == "due" else 60)
        ),
        "period_from": "2026-07-01",
        "period_to": "2026-09-30",
        "sha256": _digest(f"{number} {title}") if has_file else None,
        "source": dice.choice(
            ("Collected by the console", "Uploaded", "Evaluation run", "Internal audit")
        ),
        "collector": dice.choice(PEOPLE),
    }


def _gaps(rows: list[dict[str, Any]], dice: random.Random) -> list[dict[str, Any]]:
    short = [row for row in rows if shortfall(row)]  # type: ignore[arg-type]
    dice.shuffle(short)
    verbs = (
        "Repeat the attack test on Claims Triage and rehearse two playbooks",
        "Rehearse the exit from both model suppliers",
        "Put all pre-trained models under version watch",
        "Run the fairness test on the 2026 portfolio",
        "Close the training backlog",
        "Record energy and compute for each run",
        "File September monitoring",
        "Evaluate Customer Chat with people",
        "Write the test plan for Document Intake",
        "Share the lessons of the July drill",
        "Appoint an assessor outside the build team",
        "Agree a method for persuasion risk",
    )
    gaps = []
    for place, verb in enumerate(verbs):
        take = 3 if place < 2 else 2 if place < 6 else 1
        part, short = short[:take], short[take:]
        closes = [{"ref": row["ref"], "gained": shortfall(row)} for row in part]  # type: ignore[arg-type]
        if closes:
            gaps.append(
                {
                    "action": verb,
                    "closes": closes,
                    "points": sum(each["gained"] for each in closes),
                    "owner": None if place == 6 else PEOPLE[place % 8],
                    "due": _on(21 + place * 9),
                }
            )
    return gaps


RISKS = (
    ("Approvals without a valid source", "LLM09:2026, NIST confabulation", (5, 5), (4, 4), "stale"),
    ("Injection through attachments", "LLM01:2026", (5, 4), (4, 3), "expiring"),
    ("Unfair triage by region or age", "NIST harmful bias", (3, 5), (3, 4), "none"),
    ("Adjusters rely on it too much", "NIST human-AI configuration", (4, 4), (3, 3), "requested"),
    ("Personal data reaches the vendor", "LLM02:2026", (4, 4), (2, 4), "accepted"),
    ("Outdated policy wordings", "Own", (4, 4), (3, 3), "not_needed"),
    ("Unbounded use", "LLM10:2026", (4, 2), (2, 2), "not_needed"),
)


def _risks(dice: random.Random) -> dict[str, Any]:
    """Return seven risks on the default scale, the highest residual score first."""
    bands = [["low", "Low", 1, 4], ["medium", "Medium", 5, 9]]
    bands += [["high", "High", 10, 15], ["critical", "Critical", 16, 25]]
    return {
        "on": TODAY.isoformat(),
        "scale": {
            "number": 1,
            "likelihood": ["Rare", "Unlikely", "Possible", "Likely", "Almost certain"],
            "impact": ["Negligible", "Minor", "Moderate", "Major", "Severe"],
            "bands": bands,
            "appetite": 9,
        },
        "open": [
            _risk(31 - place, each, bands, dice.choice(PEOPLE)) for place, each in enumerate(RISKS)
        ],
    }


def _risk(number: int, of: tuple[Any, ...], bands: list[Any], owner: str) -> dict[str, Any]:
    title, sources, before, after, state = of
    score = after[0] * after[1]
    given = state not in {"none", "not_needed"}
    return {
        "ref": f"RSK-{number}",
        "title": title,
        "systems": [] if number % 3 == 0 else ["Claims Triage"],
        "sources": sources,
        "likelihood": before[0],
        "impact": before[1],
        "residual_likelihood": after[0],
        "residual_impact": after[1],
        "scale": 1,
        "is_comparable": True,
        "is_above_appetite": score > 9,
        "band": next(key for key, _, low, high in bands if low <= score <= high),
        "treatment": "Reduce",
        "due_on": _on(67) if state == "none" else None,
        "owner": owner,
        "controls": "1 of 3 fails" if state == "stale" else "2 of 3 effective",
        "fails": state == "stale",
        "acceptance": {
            "state": state,
            "score": (8 if state == "stale" else score) if given else None,
            "by": "S. Patel" if given else None,
            "on": _on(-40) if given else None,
            "until": _on(3 if state == "expiring" else 60) if given else None,
            "reason": "GRD-02 fails since 5 October" if state == "stale" else "",
        },
    }


def _movement(levels: tuple[int, ...], at_target: int) -> list[dict[str, Any]]:
    """Return five quarters that end here. Each earlier one has a few requirements lower."""
    quarters, now = [], list(levels)
    for back, label in enumerate(("Q3 2026", "Q2 2026", "Q1 2026", "Q4 2025", "Q3 2025")):
        quarters.append(
            {
                "label": label,
                "at": _on(-91 * back),
                "levels": list(now),
                "at_target": max(0, at_target - 5 * back),
            }
        )
        for level in (4, 3, 2, 1):
            moved = min(now[level], level + 1)
            now[level], now[level - 1] = now[level] - moved, now[level - 1] + moved
    return quarters[::-1]


def _frame(functions: list[Any]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "tenant": {
            "name": "Acme Insurance",
            "slug": "acme-insurance",
            "unit": "Model Risk and Compliance",
            "classification": "Confidential",
            "audience": "Risk Committee and auditors",
        },
        "framework": {
            "key": "nist-ai-rmf",
            "title": "NIST AI Risk Management Framework",
            "version": "1.0",
            "digest": _digest("catalogue"),
        },
        "assessment": {
            "title": "AI risk management: position at the end of the third quarter",
            "revision": "9.0",
            "scope": "organisation",
            "scope_text": "Whole organization and five AI systems in production",
            "period": {"from": "2026-07-01", "to": "2026-09-30"},
            "status": "closed",
            "closed_at": "2026-10-09T16:30:00Z",
            "digest": _digest("assessment"),
        },
        "as_of": "2026-10-09T17:00:00Z",
        "prepared_by": "M. Rossi",
        "requested_at": "2026-10-12T08:15:00Z",
        "profile": {"name": "Profile 2026", "set_on": "2026-01-14", "set_by": "Ines Duarte"},
        "functions": functions,
        "movement": [],
        "gaps": [],
        "evidence": [],
        "findings": [],
        "revisions": [
            {
                "version": "1.0",
                "date": "2026-10-12",
                "text": "First issue for the third quarter",
                "by": "M. Rossi",
            },
            {
                "version": "0.9",
                "date": "2026-10-09",
                "text": (
                    "Draft to reviewers; MANAGE 2.3 lowered because two weeks of intake were"
                    " missing"
                ),
                "by": "M. Rossi",
            },
        ],
        "document": {
            "number": "ACME-RMF-2026-Q3",
            "version": "1.0",
            "keep_until": "2033-12-31",
            "supersedes": "ACME-RMF-2026-Q2, version 1.1",
        },
        "log": None,
        "entry": 184_203,
        "signing_key": verifier_key(KEY, KEY_NAME),
    }
