"""One-time codes by email behind a personal link, for people who have no account here. Pure.

The link's token and the code are known only to their receiver: rows keep hashes. Eight digits are
quick to guess, so a code's hash is keyed by the link and covers the row, it expires, and attempts
are counted.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from governance.kernel.errors import DomainError

CODE_DIGITS, CODE_MINUTES, MAX_CODE_ATTEMPTS, MAX_CODES_PER_HOUR = 8, 10, 5, 5
EXPIRED = "This code has expired or was already used. Request another one."
TOO_MANY = "Too many wrong codes. Request another one."
WRONG = "That code is wrong. Enter the code from the latest email."
LIMIT_REACHED = "We sent five codes in the last hour. Wait, then request another one."
MAIL_SUBJECT = "Your Meridian sign-in code"


class CodeHolder(Protocol):
    """A row of somebody who signs in by link and code."""

    id: UUID
    link_hash: bytes | None
    code_hash: bytes | None
    code_ends_at: datetime | None
    code_tries: int
    codes_since: datetime | None
    codes_sent: int


def new_token() -> str:
    """Return a token for a personal link, or for a session."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> bytes:
    """Return the hash of a token that a row stores."""
    return hashlib.sha256(secret.encode()).digest()


def issue(holder: CodeHolder, now: datetime) -> str:
    """Return a new code, which replaces the previous one. Raises DomainError past five an hour."""
    if holder.codes_since is None or now - holder.codes_since >= timedelta(hours=1):
        holder.codes_since, holder.codes_sent = now, 0
    if holder.codes_sent >= MAX_CODES_PER_HOUR:
        raise DomainError(LIMIT_REACHED)
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    holder.code_hash = code_hash(holder, code)
    holder.code_ends_at = now + timedelta(minutes=CODE_MINUTES)
    holder.codes_sent, holder.code_tries = holder.codes_sent + 1, 0
    return code


def redeem(holder: CodeHolder, typed: str, now: datetime) -> str | None:
    """Use up the code; return None if it is right, otherwise the reason. Counts each attempt."""
    code = "".join(typed.split())
    if holder.code_hash is None or holder.code_ends_at is None or holder.code_ends_at <= now:
        return EXPIRED
    if holder.code_tries >= MAX_CODE_ATTEMPTS:
        return TOO_MANY
    holder.code_tries += 1
    if not hmac.compare_digest(holder.code_hash, code_hash(holder, code)):
        return WRONG
    holder.code_hash = holder.code_ends_at = None
    return None


def code_hash(holder: CodeHolder, code: str) -> bytes:
    """Return the hash of a code, keyed by the link, over the row and the code."""
    return hmac.new(holder.link_hash or b"", f"{holder.id}{code}".encode(), hashlib.sha256).digest()


def mail_body(code: str) -> str:
    """Return the text of the email with the code."""
    return (
        f"{code[:4]} {code[4:]}\n\nThis code works once and expires in {CODE_MINUTES} minutes."
        " Don't share it: Meridian never asks you for a code.\n"
    )
