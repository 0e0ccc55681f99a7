"""Deliver a checkpoint to the tenant's own receiver, signed by the Standard Webhooks specification.

webhook-id         the checkpoint's id: the same one again after a failed delivery
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
from governance.kernel import clock
from governance.kernel.safety import outbound_http, signed_note

PREFIX = "whsec_"
MIN_SECRET_BYTES, MAX_SECRET_BYTES, NEW_SECRET_BYTES = 24, 64, 32
MAX_ANSWER_BYTES = 2000  # Bytes of an answer that are stored.
ACCEPTED = range(200, 300)


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(NEW_SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """Return the bytes of a secret; raise ValueError for another text."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"A secret starts with {PREFIX}. Copy it again.")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("The secret is damaged. Copy it again.") from None
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise ValueError(
            f"The secret has {len(key)} bytes. Use one of {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES}."
        )
    return key


def deliver(url: str, secret: str, shown: PresentedCheckpoint) -> AnchorResponse:
    """POST the checkpoint; any 2xx status confirms receipt."""
    body = payload(shown)
    headers = {
        "Content-Type": "application/json",
        **signed(secret, str(shown.id), int(clock.now().timestamp()), body),
    }
    reply = outbound_http.send("POST", url, "The receiver", data=body, headers=headers)
    if reply.status_code in ACCEPTED:
        return AnchorResponse(
            "agrees", "", reply.status_code, reply.content[:MAX_ANSWER_BYTES], shown
        )
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
    """Return the three headers."""
    mac = hmac.new(key_of(secret), f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signed_note.b64(mac)}",
    }
