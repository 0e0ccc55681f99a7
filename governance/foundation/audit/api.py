"""The log as machines read it: checkpoint and tiles (C2SP tlog-tiles), and proofs.

Nothing is served that no checkpoint covers: the last signed size bounds tiles, entries and proofs
alike. Source: https://c2sp.org/tlog-tiles
"""

import gzip
from uuid import UUID

from flask import Response, jsonify, request

from governance.foundation.audit import actions, merkle, permissions, queries, tiles
from governance.foundation.audit.merkle import HASH
from governance.foundation.audit.models import Checkpoint
from governance.kernel.errors import DomainError, Invalid, NotFound
from governance.kernel.feature import Feature
from governance.kernel.forms import uuid_or_none
from governance.kernel.signed_note import b64
from governance.kernel.web import ResponseReturnValue

feature = Feature("audit_api", __name__, scope="machine")
FOR_GOOD = (  # of this log and its key's holders, and never another
    "private, max-age=31536000, immutable"
)
LENGTH = 2  # bytes before each entry of a bundle
DIGITS = 19


class NotYet(DomainError):
    """The entry waits for its place."""


@feature.get("/audit/<tenant>/checkpoint", needs=permissions.MIRROR)
def checkpoint() -> ResponseReturnValue:
    return Response(
        _signed().note,
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
    """Hashes: 32 bytes each, as many as the name says."""
    level, index, width = _named(name)
    return _octets(queries.tile(level, index)[: width * HASH])


@feature.get(
    "/audit/<tenant>/tile/entries/<path:name>", needs=permissions.MIRROR, leaves=actions.bundle_read
)
def bundle(name: str) -> ResponseReturnValue:
    """Entries: each behind its length, two bytes with the high one first."""
    _, index, width = _named(f"0/{name}")
    found = queries.bodies(index * tiles.WIDTH, width)
    answer = _octets(b"".join(len(body).to_bytes(LENGTH, "big") + body for body in found))
    return _packed(answer) if request.accept_encodings.quality("gzip") else answer


def _named(name: str) -> tuple[int, int, int]:
    """(level, index, width) of a tile that the last checkpoint covers; 404 for any other."""
    named = tiles.parse(name)
    if named is None or not named[0].isdecimal():
        raise NotFound("There is no such tile.")
    level, index, width = int(named[0]), named[1], named[2]
    if (_signed().size >> tiles.HEIGHT * level) < index * tiles.WIDTH + width:
        raise NotFound("There is no such tile under the last checkpoint.")
    return level, index, width


def _octets(body: bytes) -> Response:
    return Response(
        body, content_type="application/octet-stream", headers={"Cache-Control": FOR_GOOD}
    )


def _packed(answer: Response) -> Response:
    answer.set_data(gzip.compress(answer.get_data(), compresslevel=5, mtime=0))
    answer.headers["Content-Encoding"] = "gzip"
    answer.vary.add("Accept-Encoding")
    return answer


# ---- proofs


@feature.get("/audit/<tenant>/proof/inclusion", needs=permissions.MIRROR)
def inclusion() -> ResponseReturnValue:
    """`index` or `entry` (an id), and `size`, by default that of the last checkpoint."""
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
    given = request.args.get("entry", "")
    entry_id = uuid_or_none(given)
    if entry_id is None:
        problem = (
            f"entry: {given[:60]} is no id of an entry."
            if given
            else "index: say which entry, by index or by entry."
        )
        raise Invalid(problem, field="entry" if given else "index")
    index = _standing(entry_id)
    if index >= size:
        raise Invalid(
            f"size: the entry has index {index}, which a tree of {size} does not hold.",
            field="size",
        )
    return index


def _standing(entry_id: UUID) -> int:
    """Its place; one that has none yet is told from one that is not there."""
    index = queries.place_of(entry_id)
    if index is None:
        queries.entry(entry_id)
        raise NotYet("The entry waits for its place in the tree. Ask again in two seconds.")
    return index


@feature.get("/audit/<tenant>/proof/consistency", needs=permissions.MIRROR)
def consistency() -> ResponseReturnValue:
    """`from` and `to`, two sizes; `to` is by default that of the last checkpoint."""
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
    """The proof as a file (C2SP tlog-proof), under the last checkpoint."""
    _standing(entry_id)
    stands = queries.standing(entry_id)
    if stands is None:
        raise NotYet(
            "The entry has its place and waits for the next checkpoint. Ask again in two seconds."
        )
    return Response(
        str(stands.proof),
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )


def _note(last: Checkpoint, size: int) -> str | None:
    """The checkpoint that signs exactly that tree, if there is one."""
    found = last if last.size == size else queries.checkpoint_of(size)
    return found.note if found else None


def _number(name: str, least: int, most: int, *, default: int | None = None) -> int:
    """A number of the address between two bounds; Invalid names it."""
    given = request.args.get(name)
    if given is None and default is not None:
        return default
    number = (
        int(given) if given and given.isascii() and given.isdigit() and len(given) <= DIGITS else -1
    )
    if not least <= number <= most:
        shown = f"{given[:30]} is none of them" if given else "it is missing"
        raise Invalid(f"{name}: a number from {least} to {most}; {shown}.", field=name)
    return number
