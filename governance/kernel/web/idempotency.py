"""The Idempotency-Key of a request: a client's own name for it, which identifies a repetition."""

from flask import request

from governance.kernel.errors import Invalid

MAX_KEY_LENGTH = 255


def idempotency_key() -> str | None:
    """Return the header's value; None without one. Raises Invalid for one that can't be stored."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= MAX_KEY_LENGTH and key.isprintable()):
        raise Invalid(
            f"Idempotency-Key: enter 1 to {MAX_KEY_LENGTH} printable characters.",
            field="Idempotency-Key",
        )
    return key
