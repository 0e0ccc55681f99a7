"""Chains of steps in the audit log, and the exceptions to their order.

    judge(chain, entries) -> [sentence]     steps out of order, or all done by one person

A chain is about one subject: a requirement, a sample, a version of the policy. Its steps name
places in the log, and the entries there record who did what. The verifier judges again, from the
entries alone. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, NotRequired, TypedDict

UPLOADED, ACCEPTED, TESTED = "uploaded", "accepted", "tested"
CONCLUDED, SIGNED = "concluded", "signed off"
FROZEN, DRAWN, FIRST, LAST = "frozen", "drawn", "first item", "last item"
DRAFTED, REQUESTED, APPROVED, PUBLISHED = "drafted", "requested", "approved", "published"

# The actions that an entry at a step may record.
ACTIONS: Mapping[str, tuple[str, ...]] = {
    UPLOADED: ("evidence.version.uploaded", "evidence.version.pushed"),
    ACCEPTED: ("evidence.version.accepted",),
    TESTED: ("control.tested",),
    CONCLUDED: ("assessment.conclusion.recorded",),
    SIGNED: ("assessment.conclusion.signed_off",),
    FROZEN: ("population.frozen",),
    DRAWN: ("sample.drawn",),
    FIRST: ("sample.item.tested",),
    LAST: ("sample.item.tested",),
    DRAFTED: ("policy.drafted",),
    REQUESTED: ("policy.approval.requested",),
    APPROVED: ("policy.approved",),
    PUBLISHED: ("policy.published",),
}
VERSIONS = (DRAFTED, REQUESTED, APPROVED, PUBLISHED)
SAMPLES = (FROZEN, DRAWN, FIRST, LAST)


class ChainStep(TypedDict):
    step: str  # A key of ACTIONS.
    ref: str  # The object of the step, as the report names it.
    place: int  # Place in the log, from 0.
    control: NotRequired[str]  # The control that the evidence supports.


class Chain(TypedDict):
    kind: Literal["requirement", "sample", "policy"]
    subject: str
    steps: list[ChainStep]
    missing: list[str]  # Steps that the report states but the checkpoint doesn't cover.
    exceptions: list[str]


class Order(TypedDict):
    """A proof. `entries` are the hashed bytes by place.

    `paths` lead to the root, as indexes into `hashes`.
    """

    size: int  # Size of the checkpoint.
    chains: list[Chain]
    entries: dict[str, str]
    paths: dict[str, list[int]]
    hashes: list[str]  # In base64.


type Entry = Mapping[str, Any]  # The body of an audit entry.


def judge(chain: Chain, entries: Mapping[int, Entry]) -> list[str]:
    """Return the exceptions of a chain as sentences, the worst kinds first."""
    judges = {"requirement": _requirement, "sample": _sample, "policy": _policy}
    found = judges[chain["kind"]](chain["steps"], entries)
    missing = [f"{each} isn't covered by the checkpoint" for each in chain["missing"]]
    return list(dict.fromkeys([*found, *missing]))


def one(steps: Sequence[ChainStep], name: str) -> ChainStep | None:
    return next((each for each in steps if each["step"] == name), None)


def _same_person(a: ChainStep | None, b: ChainStep | None, entries: Mapping[int, Entry]) -> bool:
    if a is None or b is None:
        return False
    first, second = entries[a["place"]], entries[b["place"]]
    return bool(first["actor_kind"] == "person" and first["actor"] == second["actor"])


def _requirement(steps: Sequence[ChainStep], entries: Mapping[int, Entry]) -> Iterator[str]:
    concluded, signed = one(steps, CONCLUDED), one(steps, SIGNED)
    if _same_person(concluded, signed, entries):
        yield "One person concluded and signed off"
    if concluded and signed and signed["place"] < concluded["place"]:
        yield "It was signed off before it was concluded"
    accepted = [each for each in steps if each["step"] == ACCEPTED]
    for each in accepted:
        upload = next((u for u in steps if u["step"] == UPLOADED and u["ref"] == each["ref"]), None)
        if _same_person(upload, each, entries):
            yield f"One person uploaded and accepted {each['ref']}"
        if upload and each["place"] < upload["place"]:
            yield f"{each['ref']} was accepted before it was uploaded"
        if concluded and each["place"] > concluded["place"]:
            yield f"{each['ref']} was accepted after the conclusion"
    for test in (each for each in steps if each["step"] == TESTED):
        own = [each["place"] for each in accepted if each.get("control") == test["ref"]]
        if own and test["place"] < min(own):
            yield f"{test['ref']} was tested before its evidence was accepted"
        if concluded and test["place"] > concluded["place"]:
            yield f"{test['ref']} was tested after the conclusion"


def _sample(steps: Sequence[ChainStep], _entries: Mapping[int, Entry]) -> Iterator[str]:
    names = {FROZEN: "frozen", DRAWN: "drawn", FIRST: "tested", LAST: "tested to its end"}
    known = [found for name in SAMPLES if (found := one(steps, name))]
    for before, after in pairwise(known):
        if after["place"] < before["place"]:
            yield f"It was {names[after['step']]} before it was {names[before['step']]}"


def _policy(steps: Sequence[ChainStep], entries: Mapping[int, Entry]) -> Iterator[str]:
    if _same_person(one(steps, REQUESTED), one(steps, APPROVED), entries):
        yield "One person requested and approved it"
    if _same_person(one(steps, DRAFTED), one(steps, APPROVED), entries):
        yield "One person drafted and approved it"
    known = [found for name in VERSIONS if (found := one(steps, name))]
    for before, after in pairwise(known):
        if after["place"] < before["place"]:
            yield f"It was {after['step']} before it was {before['step']}"


def people_of(chain: Chain, entries: Mapping[int, Entry]) -> int:
    """Count the distinct people who did the steps."""
    return len(
        {
            entries[step["place"]]["actor"]
            for step in chain["steps"]
            if entries[step["place"]]["actor_kind"] == "person"
        }
    )
