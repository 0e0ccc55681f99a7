"""Render a preview of an untrusted file in a child process with limited memory, time and output.

    why_not(media_type, size) -> str        why such a file has no preview; empty if it may have one
    render(path, media_type) -> Rendering   a preview, or the reason why there is none

The child (renderers.py) may be compromised by a malicious file, so its output is checked like any
other input.
"""

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.assurance.evidence.file_types import (
    CSV,
    DOCX,
    JPEG,
    JSON,
    PDF,
    PNG,
    PPTX,
    TEXT,
    XLSX,
)
from governance.kernel.files import sandbox
from governance.kernel.files.sandbox import Ending, Limits

CHILD = "governance.assurance.previews.renderers"
LIMITS = Limits(memory=1024 * sandbox.MIB, seconds=10, output=6 * sandbox.MIB)
MAX_FILE_BYTES = 64 * sandbox.MIB  # For types in READ_WHOLE.
MAX_PARTS = 5  # Pages of a PDF. Other files have one part.
READ_WHOLE = {PDF.type, PNG.type, JPEG.type, XLSX.type}
SHOWN = {*READ_WHOLE, TEXT.type, JSON.type, CSV.type}
RIFF, WEBP = b"RIFF", b"WEBP"
MAX_SENTENCE_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Rendering:
    """The parts of a preview and a note on omitted content, or the reason why there is none."""

    parts: tuple[Mapping[str, Any], ...] = ()
    note: str = ""
    reason: str = ""


def why_not(media_type: str, size: int) -> str:
    """Return why a file of this type and size has no preview. Empty if it may have one."""
    if media_type in {DOCX.type, PPTX.type}:
        program = "Word" if media_type == DOCX.type else "PowerPoint"
        return f"{program} files have no preview. Download the file to read it."
    if media_type not in SHOWN:
        return "Files of this type have no preview. Download the file to read it."
    if media_type in READ_WHOLE and size > MAX_FILE_BYTES:
        return (
            f"The file is larger than {MAX_FILE_BYTES // sandbox.MIB} MB, the limit of a preview."
            " Download the file to read it."
        )
    return ""


def render(path: Path, media_type: str, *, limits: Limits = LIMITS) -> Rendering:
    """Render a file. Returns a reason, and never raises, for a damaged or malicious one."""
    outcome = sandbox.run(CHILD, str(path.resolve()), media_type, limits=limits)
    parts, end = _read(outcome.answer)
    if "reason" in end:
        return Rendering(reason=str(end["reason"])[:MAX_SENTENCE_LENGTH])
    if outcome.is_finished and parts:
        return Rendering(parts, str(end.get("note", ""))[:MAX_SENTENCE_LENGTH])
    if parts and outcome.ending in {Ending.TOO_LARGE, Ending.TOO_SLOW}:
        return Rendering(parts, "The rest takes too long, or too much memory, to preview.")
    return Rendering(reason=_REASONS.get(outcome.ending, DAMAGED))


DAMAGED = "The file is damaged, or not what its type says, so it can't be previewed."
_REASONS = {
    Ending.TOO_LARGE: "The file needs more memory than a preview may use.",
    Ending.TOO_SLOW: "The file takes longer to render than a preview may take.",
}


def _read(answer: bytes) -> tuple[tuple[Mapping[str, Any], ...], Mapping[str, Any]]:
    """Return the parts and the end that the child printed. Invalid lines are skipped."""
    parts: list[Mapping[str, Any]] = []
    for line in answer.split(b"\n"):
        with suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
            told = json.loads(line)
            if "end" in told:
                return tuple(parts[:MAX_PARTS]), dict(told["end"])
            parts.append(_checked(told))
    return tuple(parts[:MAX_PARTS]), {}


def _checked(told: Any) -> Mapping[str, Any]:
    """Return the part with only its known fields. Raises ValueError, for example, if invalid."""
    [(kind, part)] = told.items()
    if kind in {"page", "image"}:
        content = base64.b64decode(part["webp"], validate=True)
        if (content[:4], content[8:12]) != (RIFF, WEBP):
            raise ValueError(kind)
        sizes = {name: int(part[name]) for name in ("width", "height")}
        return {"kind": kind, "webp": part["webp"], "text": str(part.get("text", "")), **sizes}
    if kind == "text":
        return {"kind": kind, "text": str(part)}
    if kind == "table":
        return {"kind": kind, "rows": [[str(cell) for cell in row] for row in part]}
    raise ValueError(kind)
