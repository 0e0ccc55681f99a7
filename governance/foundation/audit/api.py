"""The log as machines read it: checkpoint and tiles (C2SP tlog-tiles), and proofs.

The last checkpoint bounds what is served: tiles, entries and proofs of a larger tree are not found.
Source: https://c2sp.org/tlog-tiles
"""

import gzip
from uuid import UUID

from flask import Response, jsonify, request

from governance.foundation.audit import actions, merkle, permissions, queries, tiles
from governance.foundation.audit.merkle import HASH
from governance.foundation.audit.models import Checkpoint
from governance.kernel.errors import DomainError, Invalid, NotFound
from governance.kernel.safety.signed_note import b64
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("audit_api", __name__, scope="machine")
IMMUTABLE = "private, max-age=31536000, immutable"  # "private": only for holders of this log's keys
LENGTH_BYTES = 2  # Bytes of the length before each entry of a bundle.
MAX_DIGITS = 19


class EntryPending(DomainError):
    """The entry has no place in the tree yet, or no checkpoint covers it."""


@feature.get("/audit/<tenant>/checkpoint", needs=permissions.MIRROR)
def checkpoint() -> ResponseReturnValue:
    return Response(
        queries.cosigned_note(_signed()),
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )


def _signed() -> Checkpoint:
    last = queries.last_checkpoint()
    if last is None:
        raise NotFound("This log has no checkpoint yet.")
    return last


# ---- tiles


@feature.get("/audit/<tenant>/tile/<path:name>", needs=permissions.MIRROR)
def tile(name: str) -> ResponseReturnValue:
    """Return the hashes of a tile, 32 bytes each, as many as its name says."""
    level, index, width = _named(name)
    return _octets(queries.tile(level, index)[: width * HASH])


@feature.get(
    "/audit/<tenant>/tile/entries/<path:name>",
    needs=permissions.MIRROR,
    leaves=actions.record_machine_read,
)
def bundle(name: str) -> ResponseReturnValue:
    """Return entries, each preceded by its length in two bytes, big-endian."""
    _, index, width = _named(f"0/{name}")
    found = queries.bodies(index * tiles.WIDTH, width)
    answer = _octets(b"".join(len(body).to_bytes(LENGTH_BYTES, "big") + body for body in found))
    return _packed(answer) if request.accept_encodings.quality("gzip") else answer


def _named(name: str) -> tuple[int, int, int]:
    """Return (level, index, width) of a tile under the last checkpoint; NotFound for others."""
    named = tiles.parse(name)
    if named is None or not named[0].isdecimal():
        raise NotFound("This tile doesn't exist, or you don't have access to it.")
    level, index, width = int(named[0]), named[1], named[2]
    if (_signed().size >> tiles.HEIGHT * level) < index * tiles.WIDTH + width:
        raise NotFound("The last checkpoint does not cover this tile.")
    return level, index, width


def _octets(body: bytes) -> Response:
    return Response(
        body, content_type="application/octet-stream", headers={"Cache-Control": IMMUTABLE}
    )


def _packed(answer: Response) -> Response:
    answer.set_data(gzip.compress(answer.get_data(), compresslevel=5, mtime=0))
    answer.headers["Content-Encoding"] = "gzip"
    answer.vary.add("Accept-Encoding")
    return answer


# ---- proofs


@feature.get("/audit/<tenant>/proof/inclusion", needs=permissions.MIRROR)
def inclusion() -> ResponseReturnValue:
    """Return the proof of one entry, by `index` or `entry` (an id), in the tree of `size` entries.

    The default size is that of the last checkpoint.
    """
    signed = _signed()
    size = _number("size", 1, signed.size, default=signed.size)
    index = _number("index", 0, size - 1) if "index" in request.args else _place(size)
    node = queries.nodes()
    return jsonify(
        index=index,
        size=size,
        leaf=b64(node(0, index)),
        path=[b64(h) for h in merkle.inclusion(index, size, node)],
        checkpoint=_note(signed, size),
    )


def _place(size: int) -> int:
    value = request.args.get("entry", "")
    entry_id = uuid_or_none(value)
    if entry_id is None:
        problem = (
            f"entry: {value[:60]} is not the ID of an entry."
            if value
            else "index: name the entry by index or by entry."
        )
        raise Invalid(problem, field="entry" if value else "index")
    index = _index_of(entry_id)
    if index >= size:
        raise Invalid(
            f"size: the entry has index {index}, so the tree needs a size above {index}.",
            field="size",
        )
    return index


def _index_of(entry_id: UUID) -> int:
    """Return the entry's place.

    Raises EntryPending while it has none, NotFound if it doesn't exist.
    """
    index = queries.place_of(entry_id)
    if index is None:
        queries.entry(entry_id)
        raise EntryPending("The entry is pending: it has no place yet. Try again in two seconds.")
    return index


@feature.get("/audit/<tenant>/proof/consistency", needs=permissions.MIRROR)
def consistency() -> ResponseReturnValue:
    """Return the proof that the tree of `from` entries is the beginning of that of `to` entries.

    The default of `to` is the size of the last checkpoint.
    """
    signed = _signed()
    new = _number("to", 1, signed.size, default=signed.size)
    old = _number("from", 1, new)
    return jsonify(
        {
            "from": old,
            "to": new,
            "path": [b64(h) for h in queries.consistency(old, new)],
            "checkpoint": _note(signed, new),
        }
    )


@feature.get("/audit/<tenant>/proof/entry/<uuid:entry_id>", needs=permissions.MIRROR)
def entry(entry_id: UUID) -> ResponseReturnValue:
    """Return the proof as a file (C2SP tlog-proof), under the last checkpoint."""
    _index_of(entry_id)
    found = queries.inclusion_path(entry_id)
    if found is None:
        raise EntryPending(
            "The entry is pending: the next checkpoint will cover it. Try again in two seconds."
        )
    return Response(
        str(found.cosigned_proof),
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )


def _note(last: Checkpoint, size: int) -> str | None:
    """Return the checkpoint that signs exactly that tree, if there is one."""
    found = last if last.size == size else queries.checkpoint_of(size)
    return queries.cosigned_note(found) if found else None


def _number(name: str, least: int, most: int, *, default: int | None = None) -> int:
    """Read a number of the address between two bounds; Invalid names the parameter."""
    value = request.args.get(name)
    if value is None and default is not None:
        return default
    is_number = value and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS
    number = int(value) if value and is_number else -1
    if not least <= number <= most:
        problem = f"{value[:30]} is out of range" if value else "it is missing"
        raise Invalid(f"{name}: use a number from {least} to {most}; {problem}.", field=name)
    return number
