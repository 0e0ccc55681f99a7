"""The outcome of sending a checkpoint to an anchor. Pure.

A finding follows the anchor's name in a sentence: "has 1,204 entries, but this log only 1,100: this
log was rolled back".
"""

from dataclasses import dataclass
from uuid import UUID

REDIRECTS, FAULTS, TOO_MANY_REQUESTS = range(300, 400), range(500, 600), 429


@dataclass(frozen=True, slots=True)
class PresentedCheckpoint:
    """The checkpoint that is sent.

    `path` proves that the anchor's tree is the beginning of this one.
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
    """An anchor's answer.

    `state` is agrees, away, refuses or conflict; `holds` is how many entries of this log a
    conflicting anchor has seen.
    """

    state: str
    finding: str = ""
    status: int = 0  # HTTP status; 0 = no answer
    answer: bytes = b""
    shown: PresentedCheckpoint | None = None
    holds: int = 0


def other(status: int, shown: PresentedCheckpoint | None = None) -> AnchorResponse:
    """Return the response for a status that says nothing about the log.

    It is "away" for a fault that may pass, otherwise "refuses".
    """
    if status in FAULTS or status == TOO_MANY_REQUESTS:
        return AnchorResponse("away", f"answered {status}", status, shown=shown)
    if status in REDIRECTS:
        return AnchorResponse(
            "refuses",
            f"redirected to another address ({status}), and Meridian does not follow redirects",
            status,
            shown=shown,
        )
    return AnchorResponse("refuses", f"answered {status}", status, shown=shown)
