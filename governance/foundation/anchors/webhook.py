"""Gives a checkpoint to a receiver of the tenant's own, signed as standardwebhooks.com has it.

webhook-id         the checkpoint's id: the same one is given again after a fault
webhook-timestamp  seconds since 1970
webhook-signature  v1,<base64 of HMAC-SHA-256 over "id.timestamp.body" under the shared secret>
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets

from governance.foundation.anchors.anchor_response import AnchorResponse, PresentedCheckpoint, other
from governance.kernel import clock, outbound_http, signed_note

PREFIX = "whsec_"
FEWEST, MOST, NEW = 24, 64, 32  # bytes of a secret
KEPT = 2000  # bytes of an answer
TAKEN = range(200, 300)


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(NEW)).decode()


def key_of(secret: str) -> bytes:
    """The bytes behind a secret; ValueError when it is none."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"A secret begins with {PREFIX}.")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(
            "The secret cannot be read: a character was lost or changed in copying."
        ) from None
    if not FEWEST <= len(key) <= MOST:
        raise ValueError(f"The secret has {len(key)} bytes; it needs {FEWEST} to {MOST}.")
    return key


def deliver(url: str, secret: str, shown: PresentedCheckpoint) -> AnchorResponse:
    """POST it; any 2xx means that the receiver has taken it."""
    body = payload(shown)
    headers = {
        "Content-Type": "application/json",
        **signed(secret, str(shown.id), int(clock.now().timestamp()), body),
    }
    reply = outbound_http.send("POST", url, "The receiver", data=body, headers=headers)
    if reply.status_code in TAKEN:
        return AnchorResponse("agrees", "", reply.status_code, reply.content[:KEPT], shown)
    return other(reply.status_code, shown)


def payload(shown: PresentedCheckpoint) -> bytes:
    fields = {
        "origin": shown.origin,
        "number": shown.number,
        "size": shown.size,
        "root": signed_note.b64(shown.root),
    }
    return json.dumps({**fields, "checkpoint": shown.note}, ensure_ascii=False).encode()


def signed(secret: str, message_id: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers."""
    mac = hmac.new(key_of(secret), f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signed_note.b64(mac)}",
    }
