"""Send one message to one endpoint, signed by the Standard Webhooks specification.

webhook-id         the message's id: the same one again when the message is retried or replayed
webhook-timestamp  seconds since 1970, of this attempt
webhook-signature  v1,<base64 of HMAC-SHA-256 over "id.timestamp.body">; after a rotation of the
                   secret a second signature under the old one, behind a space
"""

import base64
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from standardwebhooks import Webhook

from governance.kernel import clock
from governance.kernel.safety import outbound_http

PREFIX, NEW_SECRET_BYTES = "whsec_", 32
SUCCESS, REDIRECTS, GONE = range(200, 300), range(300, 400), 410
MAX_RESPONSE_LENGTH = 500  # Characters that are stored.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
USER_AGENT = "Meridian-Webhooks/1"


@dataclass(frozen=True, slots=True)
class Message:
    """The content of one attempt: read in a transaction, sent outside of any."""

    url: str
    name: str  # The endpoint's name.
    secrets: Sequence[str]  # The current one first.
    message_id: str
    body: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an attempt. `finding` is a sentence, empty for success."""

    status: int | None
    finding: str
    response: str
    milliseconds: int

    @property
    def is_success(self) -> bool:
        return self.status in SUCCESS

    @property
    def is_gone(self) -> bool:
        return self.status == GONE


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(NEW_SECRET_BYTES)).decode()


def headers_of(message: Message, at: datetime) -> dict[str, str]:
    """Return the headers of an attempt at that instant, which is in UTC."""
    signatures = [
        Webhook(each).sign(msg_id=message.message_id, timestamp=at, data=message.body)
        for each in message.secrets
    ]
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": message.message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def post(message: Message) -> Outcome:
    """Send it once; redirects are not followed, and private addresses are not called."""
    started = time.monotonic()

    def outcome(status: int | None, finding: str, content: bytes = b"") -> Outcome:
        took = round((time.monotonic() - started) * 1000)
        return Outcome(status, finding, shown(content), took)

    try:
        reply = outbound_http.send(
            "POST",
            message.url,
            "The receiver",
            data=message.body.encode(),
            headers=headers_of(message, clock.now()),
        )
    except outbound_http.Unreachable as fault:
        return outcome(None, fault.message)
    return outcome(reply.status_code, finding_of(reply.status_code), reply.content)


def finding_of(status: int) -> str:
    """Return what a status means for the delivery; empty for success."""
    if status in SUCCESS:
        return ""
    if status in REDIRECTS:
        return f"It redirected ({status}), and Meridian doesn't follow redirects."
    if status == GONE:
        return "It answered 410 Gone, so the endpoint was disabled."
    return f"It answered {status}."


def shown(content: bytes) -> str:
    """Return the beginning of an answer as text without control characters."""
    text = content[: 4 * MAX_RESPONSE_LENGTH].decode("utf-8", "replace")
    return UNPRINTABLE.sub("", text)[:MAX_RESPONSE_LENGTH]
