"""What came of showing a checkpoint to an anchor.

Pure.

A finding reads after the anchor's name: "holds 1,204 entries and we have 1,100: this log was rolled
back".
"""

from dataclasses import dataclass
from uuid import UUID

REDIRECTS, FAULTS, TOO_MANY = range(300, 400), range(500, 600), 429


@dataclass(frozen=True, slots=True)
class PresentedCheckpoint:
    """The checkpoint that an anchor is shown; `path` proves that the tree it holds is the beginning
    of this one.
    """

    id: UUID
    number: int
    origin: str
    size: int
    root: bytes
    note: str
    path: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class AnchorResponse:
    """`state` is agrees, away, refuses or conflict; `holds` is what a conflicting anchor has seen
    of this log.
    """

    state: str
    finding: str = ""
    status: int = 0  # HTTP; 0 where nobody answered
    answer: bytes = b""
    shown: PresentedCheckpoint | None = None
    holds: int = 0


def other(status: int, shown: PresentedCheckpoint | None = None) -> AnchorResponse:
    """A status that says nothing about the log: away while the fault may pass, otherwise
    refused.
    """
    if status in FAULTS or status == TOO_MANY:
        return AnchorResponse("away", f"answered {status}", status, shown=shown)
    if status in REDIRECTS:
        return AnchorResponse(
            "refuses",
            f"sends us to another address ({status}), and redirects are not followed",
            status,
            shown=shown,
        )
    return AnchorResponse("refuses", f"answered {status}", status, shown=shown)
