"""The comparison of two checkpoints that shows whether one continues the other."""

from typing import NamedTuple

from governance.foundation.audit import checkpoint, logs, merkle
from governance.foundation.audit import queries as audit
from governance.foundation.audit.models import Checkpoint
from governance.kernel import formatting
from governance.kernel.errors import NotFound
from governance.kernel.safety.signed_note import NotSigned


class ComparisonNote(NamedTuple):
    """A note of the page: its kind, its conclusion, and the reason."""

    kind: str
    lead: str
    text: str


def compare(older: int, newer: int) -> ComparisonNote:
    """Compare two checkpoints by number, in either order."""
    numbers = sorted((older, newer))
    found = [each for number in numbers if (each := _checkpoint(number)) is not None]
    if len(found) < len(numbers):
        missing = next(n for n in numbers if n not in {each.number for each in found})
        return ComparisonNote(
            "warn", "Nothing was compared.", f"There is no checkpoint {missing}. Check the number."
        )
    first, last = found
    if first.size == 0:
        return ComparisonNote(
            "info",
            f"Checkpoint {first.number} covers an empty log.",
            "Every log continues an empty one, so this proves nothing.",
        )
    try:
        path = audit.consistency(first.size, last.size)
        merkle.verify_consistency(
            first.size, last.size, path, *(_signed_root(each) for each in (first, last))
        )
    except (merkle.ProofFails, NotSigned, NotFound) as problem:
        return ComparisonNote(
            "bad",
            f"Checkpoint {last.number} does not continue checkpoint {first.number}.",
            str(problem),
        )
    except (ValueError, LookupError):
        return ComparisonNote(
            "bad",
            "The stored tree cannot be read.",
            "Ask the operator to run governance audit fsck.",
        )
    reason = (
        "Their roots are the same"
        if first.size == last.size
        else f"Proved by {formatting.plural(len(path), 'hash', 'hashes')}"
    )
    return ComparisonNote(
        "ok",
        f"Checkpoint {last.number} continues checkpoint {first.number}.",
        f"{reason}, and both signatures are valid.",
    )


def _checkpoint(number: int) -> Checkpoint | None:
    try:
        return audit.checkpoint(number)
    except NotFound:
        return None


def _signed_root(signed: Checkpoint) -> bytes:
    """Return the root that was signed, independent of what the row says."""
    key = next((key for key in logs.all_keys() if logs.key_id(key) == signed.key_id), None)
    if key is None:
        raise NotSigned(f"Checkpoint {signed.number} was signed with a key that is not this log's.")
    return checkpoint.open_checkpoint(signed.note, logs.verifier(key)).root
