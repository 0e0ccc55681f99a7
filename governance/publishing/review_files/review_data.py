"""The data file of a review: its frozen facts, twelve months of headlines, and its revision.

    content(facts, headlines, revision)     the data behind the PDF and the workbook
    canonical(content)                      its bytes (RFC 8785): their SHA-256 is the fingerprint

Pure. Decimals are strings, so that no reader rounds them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785

from governance.economics.reviews.facts.review_facts import Headline, ReviewFacts, encode

FORMAT = "governance.unit-economics-review/1"
NAME = "unit-economics-review.json"


@dataclass(frozen=True, slots=True)
class SignedSide:
    """The signature of one side: "finance", a name, and the time."""

    side: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionInfo:
    """The data of a revision in its files, in addition to its facts.

    `changes` are [figure, before, after], compared with the previous revision. `log` is a
    checkpoint of the audit log: origin, root, note and checkpoint, as every report prints it.
    """

    number: int
    closed_at: datetime
    reason: str
    input_digest: str
    changes: Sequence[Sequence[Any]] = ()
    accepted_residual: str | None = None
    sign_offs: Sequence[SignedSide] = ()
    signing_key: str = ""
    log: Mapping[str, Any] | None = None


def content(
    facts: ReviewFacts, headlines: Sequence[Headline], revision: RevisionInfo
) -> dict[str, Any]:
    """Return the data file as JSON values."""
    return {
        "format": FORMAT,
        "facts": encode(facts),
        "months": [encode(each) for each in headlines],
        "revision": {
            "number": revision.number,
            "closed_at": instant(revision.closed_at),
            "reason": revision.reason,
            "input_digest": revision.input_digest,
            "changes": [[str(part) for part in each] for each in revision.changes],
            "accepted_residual": revision.accepted_residual,
            "sign_offs": [
                {"side": each.side, "name": each.name, "at": instant(each.at)}
                for each in revision.sign_offs
            ],
        },
        "signing_key": revision.signing_key,
    }


def canonical(data: Mapping[str, Any]) -> bytes:
    """Return the bytes that are attached, hashed and signed."""
    plain: dict[str, Any] = {**data}
    return rfc8785.dumps(plain)


def digest(data: bytes) -> str:
    """Return the hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
