"""The offline check of a report's order proof: entries against checkpoint, facts against entries.

read_entries(order) -> {place: body}      raises ValueError for anything else
check(snapshot) -> CheckResult | None     None if the report has no order proof
"""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from governance.foundation.audit import checkpoint, merkle
from governance.kernel.files.verification_results import CheckResult
from governance.kernel.safety.signed_note import NotSigned, split
from governance.publishing.reports.order.chains import (
    ACCEPTED,
    ACTIONS,
    CONCLUDED,
    DRAWN,
    FIRST,
    FROZEN,
    LAST,
    PUBLISHED,
    SIGNED,
    TESTED,
    UPLOADED,
    Chain,
    ChainStep,
    Entry,
    judge,
)
from governance.publishing.reports.wording import many_digits

type Snapshot = Mapping[str, Any]
MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError)
WRONG = "The order proof doesn't hold. "


class OrderFails(ValueError):
    """An error whose sentence says which check fails."""


def read_entries(order: Mapping[str, Any]) -> dict[int, Entry]:
    return {int(place): json.loads(body) for place, body in order["entries"].items()}


def check(snapshot: Snapshot) -> CheckResult | None:
    order = snapshot.get("order")
    if order is None:
        return None
    try:
        steps, found = _check(snapshot, order)
    except OrderFails as problem:
        return CheckResult("order", ok=False, sentence=f"{WRONG}{problem}")
    except (*MALFORMED, NotSigned, merkle.ProofFails):
        return CheckResult("order", ok=False, sentence=f"{WRONG}It can't be read.")
    chains = many_digits(len(order["chains"]), "chain")
    says = (
        f"The {many_digits(steps, 'step')} of {chains} are entries of the log in the order"
        f" printed, with {many_digits(found, 'exception')}."
    )
    return CheckResult("order", ok=True, sentence=says)


def _check(snapshot: Snapshot, order: Mapping[str, Any]) -> tuple[int, int]:
    _check_paths(snapshot, order)
    entries, facts = read_entries(order), _Facts(snapshot)
    for chain in order["chains"]:
        for step in chain["steps"]:
            if step["place"] not in entries:
                raise OrderFails(f"Entry {step['place']} is missing.")
            _check_step(chain, step, entries[step["place"]], facts)
        _check_pair(chain, entries)
        if list(chain["exceptions"]) != judge(chain, entries):
            raise OrderFails(f"The exceptions of {chain['subject']} aren't those of its entries.")
    stated = facts.stated()
    told = {(chain["subject"], name) for chain in order["chains"] for name in _told(chain)}
    if lost := sorted(stated - told):
        raise OrderFails(f"{lost[0][0]} has no step “{lost[0][1]}”, although the report states it.")
    return (
        sum(len(chain["steps"]) for chain in order["chains"]),
        sum(len(chain["exceptions"]) for chain in order["chains"]),
    )


def _check_paths(snapshot: Snapshot, order: Mapping[str, Any]) -> None:
    """Check that each entry is at its place in the log, by the report's own checkpoint."""
    head = checkpoint.parse(split(snapshot["log"]["note"])[0])
    if head.size != order["size"]:
        raise OrderFails("It is of another checkpoint than the report's.")
    hashes = [base64.b64decode(each, validate=True) for each in order["hashes"]]
    for place, body in order["entries"].items():
        path = [hashes[number] for number in order["paths"][place]]
        leaf = merkle.leaf_hash(body.encode())
        try:
            merkle.verify_inclusion(leaf, int(place), head.size, path, head.root)
        except merkle.ProofFails:
            raise OrderFails(f"Entry {place} isn't at that place in the log.") from None


def _check_step(chain: Chain, step: ChainStep, entry: Entry, facts: "_Facts") -> None:
    known = entry["facts"]
    if entry["action"] not in ACTIONS[step["step"]]:
        raise OrderFails(f"Entry {step['place']} records another action than “{step['step']}”.")
    match step["step"]:
        case name if name in {UPLOADED, ACCEPTED}:
            agrees = known["sha256"] in facts.digests.get(step["ref"], ())
        case name if name == TESTED:
            agrees = known["tested_on"] in facts.tests.get(step["ref"], ())
        case name if name in {CONCLUDED, SIGNED}:
            stated = facts.moments.get((chain["subject"], name))
            agrees = known["requirement"] == chain["subject"] and entry["at"][:19] == stated
        case name if name == FROZEN:
            agrees = known["sha256"] == facts.populations.get(chain["subject"])
        case name if name == DRAWN:
            agrees = known["population_sha256"] == facts.populations.get(chain["subject"])
        case name if name in {FIRST, LAST}:
            agrees = known["control"] == facts.controls.get(chain["subject"])
        case name if name == PUBLISHED:
            agrees = f"Version {known['number']}" == chain["subject"]
        case _:
            agrees = True
    if not agrees:
        raise OrderFails(
            f"Entry {step['place']} isn't about {step['ref']} as the report states it."
        )


def _check_pair(chain: Chain, entries: Mapping[int, Entry]) -> None:
    """Check that the steps of one subject have one target: the signed-off conclusion, the version."""
    together = {CONCLUDED, SIGNED} if chain["kind"] == "requirement" else set(ACTIONS)
    if chain["kind"] == "sample":
        return
    targets = {
        tuple(entries[step["place"]]["target"])
        for step in chain["steps"]
        if step["step"] in together
    }
    if len(targets) > 1:
        raise OrderFails(f"The steps of {chain['subject']} are about different things.")


def _told(chain: Chain) -> Iterator[str]:
    for step in chain["steps"]:
        yield step["step"]
    for missing in chain["missing"]:
        yield {"The conclusion": CONCLUDED, "The sign-off": SIGNED}.get(missing, missing)


class _Facts:
    """The report's statements, keyed by the names in its steps."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.digests: dict[str, set[str | None]] = {}
        self.tests: dict[str, set[str]] = {}
        self.moments: dict[tuple[str, str], str] = {}
        self.populations: dict[str, str] = {}
        self.controls: dict[str, str] = {}
        for row in _rows(snapshot):
            self._read(row)
        for sample in snapshot.get("samples", ()):
            self.populations[sample["number"]] = sample["population_sha256"]
            self.controls[sample["number"]] = sample["control"]

    def _read(self, row: Mapping[str, Any]) -> None:
        for control in row["controls"]:
            for piece in control["evidence"]:
                self.digests.setdefault(piece["ref"], set()).add(piece["sha256"])
            if control["last_test"]:
                self.tests.setdefault(control["ref"], set()).add(control["last_test"]["at"])
        for name, part in ((CONCLUDED, row["conclusion"]), (SIGNED, row["sign_off"])):
            if part:
                self.moments[row["ref"], name] = part["at"][:19]

    def stated(self) -> set[tuple[str, str]]:
        """Return the conclusions and sign-offs that need a step, or must be listed as missing."""
        return set(self.moments)


def _rows(snapshot: Snapshot) -> Iterator[Mapping[str, Any]]:
    for function in snapshot.get("functions", ()):
        for category in function["categories"]:
            yield from category["requirements"]
