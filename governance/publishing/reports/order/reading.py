"""The steps of a report's conclusions in the audit log, with proofs that they are in it.

read(facts, checkpoint) -> Order | None      None if the facts have no chain, or no log is signed yet
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.assurance.controls.models import Control
from governance.foundation.audit import merkle
from governance.foundation.audit import queries as audit
from governance.foundation.audit.models import AuditEntry, Checkpoint, Leaf
from governance.kernel.data.db import session
from governance.kernel.safety.signed_note import b64
from governance.publishing.reports.order import chains
from governance.publishing.reports.order.chains import Chain, ChainStep, Order
from governance.publishing.reports.order.check import read_entries

type Facts = Mapping[str, Any]
MAX_ENTRIES = 4000  # Per report, about 4 MB.
PAGE = 500
JUDGEMENTS = (chains.CONCLUDED, chains.SIGNED)


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that the checkpoint covers. `at` is to the second, as reports state it."""

    id: UUID
    place: int
    action: str
    target: UUID
    at: str
    facts: Mapping[str, Any]


def read(facts: Facts, checkpoint: Checkpoint | None) -> Order | None:
    if checkpoint is None:
        return None
    found = [each for each in _chains(facts, checkpoint.size) if each["steps"] or each["missing"]]
    places = _places(found)
    if not places:
        return None
    order = _proven(found, sorted(places), checkpoint.size)
    entries = read_entries(order)
    for chain in found:
        chain["exceptions"] = chains.judge(chain, entries)
    return order


def _places(found: Sequence[Chain]) -> set[int]:
    """Return the places of all steps.

    Beyond MAX_ENTRIES, a requirement keeps only its judgments.
    """
    places = set[int]()
    for chain in found:
        if len(places) >= MAX_ENTRIES and chain["kind"] == "requirement":
            chain["steps"] = [each for each in chain["steps"] if each["step"] in JUDGEMENTS]
        places |= {each["place"] for each in chain["steps"]}
    return places


def _proven(found: list[Chain], places: Sequence[int], size: int) -> Order:
    """Return the chains with their entries and paths to the root. Each hash is stored once."""
    nodes, numbers, paths = audit.nodes(), dict[str, int](), dict[str, list[int]]()
    for place in places:
        path = map(b64, merkle.inclusion(place, size, nodes))
        paths[str(place)] = [numbers.setdefault(each, len(numbers)) for each in path]
    bodies = {str(place): body for place, body in _bodies(places)}
    return {
        "size": size,
        "chains": found,
        "entries": bodies,
        "paths": paths,
        "hashes": list(numbers),
    }


def _bodies(places: Sequence[int]) -> Iterator[tuple[int, str]]:
    for start in range(0, len(places), PAGE):
        query = select(Leaf.index, AuditEntry.body).join(
            AuditEntry, (Leaf.tenant_id == AuditEntry.tenant_id) & (Leaf.id == AuditEntry.id)
        )
        rows = session().execute(query.where(Leaf.index.in_(places[start : start + PAGE])))
        for place, body in rows:
            yield place, body.decode()


def _entries(steps: Iterable[str], size: int) -> list[Found]:
    """Return the entries of these steps that the checkpoint covers, in the log's order."""
    actions = {action for step in steps for action in chains.ACTIONS[step]}
    e = AuditEntry
    query = (
        select(e.id, Leaf.index, e.action, e.target_id, e.at, e.facts)
        .join(Leaf, (Leaf.tenant_id == e.tenant_id) & (Leaf.id == e.id))
        .where(e.action.in_(actions), Leaf.index < size)
        .order_by(Leaf.index)
    )
    return [
        Found(i, place, action, target, f"{at:%Y-%m-%dT%H:%M:%SZ}", facts)
        for i, place, action, target, at, facts in session().execute(query)
    ]


def _chains(facts: Facts, size: int) -> list[Chain]:
    if "functions" in facts:
        return list(_requirements(facts, size))
    if "samples" in facts:
        return list(_samples(facts, size))
    return list(_versions(facts, size))


def _chain(kind: Any, subject: str, steps: Iterable[ChainStep], missing: Collection[str]) -> Chain:
    ordered = sorted(steps, key=lambda each: each["place"])
    return {
        "kind": kind,
        "subject": subject,
        "steps": ordered,
        "missing": list(missing),
        "exceptions": [],
    }


def _requirements(facts: Facts, size: int) -> Iterator[Chain]:
    rows = [
        row
        for function in facts["functions"]
        for category in function["categories"]
        for row in category["requirements"]
        if row["conclusion"]
    ]
    if not rows:
        return
    found = _entries(
        (chains.UPLOADED, chains.ACCEPTED, chains.TESTED, chains.CONCLUDED, chains.SIGNED), size
    )
    evidence = _Evidence(found)
    tests = _Tests(found, {c["ref"] for row in rows for c in row["controls"]})
    judged = [
        each
        for each in found
        if each.action in {a for step in JUDGEMENTS for a in chains.ACTIONS[step]}
    ]
    for row in rows:
        steps, missing = list[ChainStep](), list[str]()
        for control in row["controls"]:
            for piece in control["evidence"]:
                steps += evidence.steps(piece, control["ref"])
            if control["last_test"]:
                steps += tests.steps(control)
        for name, part in ((chains.CONCLUDED, row["conclusion"]), (chains.SIGNED, row["sign_off"])):
            if part is None:
                continue
            entry = _judgement(judged, name, row["ref"], part["at"])
            if entry is None:
                missing.append("The conclusion" if name == chains.CONCLUDED else "The sign-off")
            else:
                steps.append({"step": name, "ref": row["ref"], "place": entry.place})
        yield _chain("requirement", row["ref"], _once(steps), missing)


def _once(steps: Iterable[ChainStep]) -> list[ChainStep]:
    """Remove repeated steps: evidence that supports two controls is one step."""
    found: dict[tuple[str, str, int], ChainStep] = {}
    for each in steps:
        found.setdefault((each["step"], each["ref"], each["place"]), each)
    return list(found.values())


def _judgement(found: Sequence[Found], step: str, ref: str, at: str) -> Found | None:
    return next(
        (
            each
            for each in reversed(found)
            if each.action in chains.ACTIONS[step]
            and each.facts.get("requirement") == ref
            and each.at == at
        ),
        None,
    )


class _Evidence:
    """The upload and acceptance entries of a file, by its digest."""

    def __init__(self, found: Sequence[Found]) -> None:
        self.accepted: dict[str, Found] = {}
        self.uploads: dict[tuple[str, UUID], Found] = {}
        for each in found:
            digest = each.facts.get("sha256")
            if digest and each.action in chains.ACTIONS[chains.ACCEPTED]:
                self.accepted.setdefault(digest, each)
            elif digest and each.action in chains.ACTIONS[chains.UPLOADED]:
                self.uploads[digest, each.target] = each

    def steps(self, piece: Facts, control: str) -> Iterator[ChainStep]:
        accepted = self.accepted.get(piece["sha256"] or "")
        if accepted is None:
            return
        upload = self.uploads.get((piece["sha256"], accepted.target))
        for name, entry in ((chains.UPLOADED, upload), (chains.ACCEPTED, accepted)):
            if entry is not None:
                yield {
                    "step": name,
                    "ref": piece["ref"],
                    "place": entry.place,
                    "control": control,
                }


class _Tests:
    """The entry of a control's last test."""

    def __init__(self, found: Sequence[Found], refs: Collection[str]) -> None:
        self.found = [each for each in found if each.action in chains.ACTIONS[chains.TESTED]]
        query = select(Control.ref, Control.id).where(Control.ref.in_(refs))
        self.ids = {row.ref: row.id for row in session().execute(query)}

    def steps(self, control: Facts) -> Iterator[ChainStep]:
        test, own = control["last_test"], self.ids.get(control["ref"])
        for each in reversed(self.found):
            if each.target == own and each.facts.get("tested_on") == test["at"]:
                yield {"step": chains.TESTED, "ref": control["ref"], "place": each.place}
                return


def _samples(facts: Facts, size: int) -> Iterator[Chain]:
    found = _entries((chains.FROZEN, chains.DRAWN, chains.FIRST), size)
    populations = {each["number"]: each for each in facts["populations"]}
    for sample in facts["samples"]:
        steps, population = list[ChainStep](), populations.get(sample["population"])
        digest = population["sha256"] if population else None
        drawn = next(
            (
                each
                for each in found
                if each.action in chains.ACTIONS[chains.DRAWN]
                and each.facts.get("population_sha256") == digest
                and _seed(each.facts.get("seed")) == _seed(sample["seed"])
            ),
            None,
        )
        frozen = next(
            (
                each
                for each in found
                if each.action in chains.ACTIONS[chains.FROZEN]
                and each.facts.get("sha256") == digest
            ),
            None,
        )
        ref, results = sample["number"], _results(sample)
        tested = [
            each
            for each in found
            if each.action in chains.ACTIONS[chains.FIRST]
            and (each.facts.get("control"), each.facts.get("item_number"), each.at) in results
        ]
        for name, entry in (
            (chains.FROZEN, frozen),
            (chains.DRAWN, drawn),
            (chains.FIRST, tested[0] if tested else None),
            (chains.LAST, tested[-1] if len(tested) > 1 else None),
        ):
            if entry is not None:
                steps.append({"step": name, "ref": ref, "place": entry.place})
        yield _chain("sample", ref, steps, () if drawn else ("The draw",))


def _seed(text: Any) -> str:
    return "".join(str(text or "").split()).lower()


def _results(sample: Facts) -> Collection[tuple[str, int, str]]:
    return {
        (sample["control"], each["number"], each["tested_at"])
        for each in sample["items"]
        if each["tested_at"]
    }


def _versions(facts: Facts, size: int) -> Iterator[Chain]:
    found = _entries(chains.VERSIONS, size)
    published = {
        each.facts.get("number"): each
        for each in found
        if each.action in chains.ACTIONS[chains.PUBLISHED]
    }
    for version in facts.get("versions", ()):
        entry = published.get(version["number"])
        ref = f"Version {version['number']}"
        if entry is None:
            continue
        steps: list[ChainStep] = []
        for name in chains.VERSIONS:
            own = [
                each
                for each in found
                if each.action in chains.ACTIONS[name] and each.target == entry.target
            ]
            if own:
                steps.append({"step": name, "ref": ref, "place": own[-1].place})
        yield _chain("policy", ref, steps, ())
