"""The errors that reject a request. Features raise these; the kernel renders them once."""

from collections.abc import Mapping


class DomainError(Exception):
    """A rule of the domain was violated. The message is written for the person at the keyboard."""

    status = 409

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message, self.field = message, field


class Forbidden(DomainError):
    """The person can see the object and may not do this to it."""

    status = 403


class NotFound(DomainError):
    """There is no such object, or not for this person: the answer is the same."""

    status = 404


class Gone(DomainError):
    """The object was withdrawn; a reader who has its address learns that."""

    status = 410


class Invalid(DomainError):
    """A field, line or row is wrong; the message names it."""

    status = 422


class TooLarge(DomainError):
    status = 413


class Stale(DomainError):
    """Someone else changed the object since the form was opened.

    Carries what changed: name → (then, now).
    """

    def __init__(
        self, message: str, changes: Mapping[str, tuple[object, object]] | None = None
    ) -> None:
        super().__init__(message)
        self.changes = dict(changes or {})


class Unavailable(DomainError):
    """Something outside this process is down; trying again later can help."""

    status = 503


class TooManyRequests(DomainError):
    """A key or session exceeds its share; `retry_after` is in seconds."""

    status = 429

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TenantSuspended(DomainError):
    """The operator has suspended the tenant: nothing is lost, and nobody works in it."""

    status, title = 403, "This tenant is suspended"

    def __init__(self, message: str, *, slug: str) -> None:
        super().__init__(message)
        self.slug = slug


class SignInNeeded(DomainError):
    status = 401


class KeyNeeded(DomainError):
    """A machine's address was called without a key that opens it.

    `reason` is RFC 6750's word; None when no key was shown.
    """

    status = 401

    def __init__(self, message: str, *, reason: str | None = "invalid_token") -> None:
        super().__init__(message)
        self.reason = reason


class StepUpNeeded(DomainError):
    """The action needs a sign-in of the last five minutes."""

    status = 401
