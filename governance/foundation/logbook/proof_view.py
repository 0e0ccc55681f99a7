"""An entry's proof as a page shows it, verified here.

It includes all that the reader's browser needs to verify it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from governance.foundation.audit import logs, merkle
from governance.foundation.audit import proof as proofs
from governance.foundation.audit import queries as audit
from governance.foundation.audit.models import AuditEntry, LogKey
from governance.foundation.audit.proof_charts import Side, proof_path
from governance.foundation.audit.queries import InclusionPath
from governance.foundation.audit.record import canonical
from governance.foundation.logbook.queries import NumberedEntry
from governance.kernel import formatting
from governance.kernel.safety.signed_note import NotSigned, VerifierKey, b64

UNREADABLE = (
    "The stored tree cannot be read at this entry's place. Ask the operator to run governance"
    " audit fsck."
)
NO_KEY = "The checkpoint was signed with a key that is not this log's."
DIFFERS = "The entry differs from the bytes that were signed. Ask the operator to investigate."


@dataclass(frozen=True, slots=True)
class Proven:
    """The server's verification. `trouble` is empty when the entry leads to the signed root."""

    entry: AuditEntry
    inclusion: InclusionPath | None
    key: VerifierKey | None
    key_since: datetime | None
    key_retired: datetime | None
    trouble: str

    @property
    def data(self) -> dict[str, str]:
        """The attributes of an element with which a browser verifies the proof itself."""
        if self.inclusion is None or self.key is None:
            return {}
        inclusion = self.inclusion
        return {
            "index": str(inclusion.index),
            "path": " ".join(b64(h) for h in inclusion.path),
            "note": inclusion.checkpoint.note,
            "number": formatting.thousands(inclusion.checkpoint.number),
            "body": b64(self.entry.body),
            "key": b64(self.key.public),
            "key-name": self.key.name,
            "key-id": self.key.key_id.hex(),
        }

    @property
    def leaf(self) -> str:
        return merkle.leaf_hash(self.entry.body).hex()

    @property
    def drawing(self) -> Markup:
        if self.inclusion is None:
            return Markup()
        inclusion = self.inclusion
        steps = [
            (side, _short(digest.hex(), 4))
            for side, digest in zip(
                sides(inclusion.index, inclusion.checkpoint.size), inclusion.path, strict=False
            )
        ]
        top = f"root of checkpoint {formatting.thousands(inclusion.checkpoint.number)}"
        return proof_path(
            steps, _short(self.leaf), _short(inclusion.checkpoint.root.hex()), top=top
        )


def _short(digest: str, first: int = 8) -> str:
    return f"{digest[:first]}…{digest[-4:]}"


def sides(index: int, size: int) -> list[Side]:
    """Return the side of each sibling of a path, from the leaf up (RFC 9162, 2.1.3.2)."""
    found: list[Side] = []
    at, last = index, size - 1
    while last:
        if at & 1 or at == last:
            found.append("left")
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found.append("right")
        at, last = at >> 1, last >> 1
    return found


def prove(row: NumberedEntry) -> Proven | None:
    """Verify an entry under the last checkpoint; None while no checkpoint covers it.

    The result's `trouble` says why an entry can't be proved.
    """
    if row.index is None:
        return None
    try:
        inclusion = audit.inclusion_path(row.entry.id)
    except (ValueError, LookupError):
        return Proven(row.entry, None, None, None, None, UNREADABLE)
    return None if inclusion is None else _checked(row.entry, inclusion, logs.all_keys())


def _checked(entry: AuditEntry, inclusion: InclusionPath, keys: Sequence[LogKey]) -> Proven:
    key = next((each for each in keys if logs.key_id(each) == inclusion.checkpoint.key_id), None)
    if key is None:
        return Proven(entry, inclusion, None, None, None, NO_KEY)
    verifier = logs.verifier(key)
    return Proven(
        entry,
        inclusion,
        verifier,
        key.created_at,
        key.retired_at,
        _trouble(entry, inclusion, verifier),
    )


def _trouble(entry: AuditEntry, inclusion: InclusionPath, key: VerifierKey) -> str:
    try:
        proofs.verify(str(inclusion.proof), entry.body, key)
    except (merkle.ProofFails, NotSigned) as problem:
        return str(problem)
    return "" if canonical(entry) == entry.body else DIFFERS
