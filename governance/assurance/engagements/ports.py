"""Ports that features above engagements answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from governance.assurance.engagements.downloads.watermark import Watermark
from governance.kernel.ports import Port
from governance.kernel.safety.visibility_scope import Scope


class CopySigner(Protocol):
    """Signer of watermarked copies. It leaves copies of files that it didn't sign unchanged."""

    def seal(self, copy: Path, mark: Watermark) -> str | None:
        """Seal the copy in place, outside of any transaction.

        Returns the digest of the certificate, or None if the copy isn't sealed.
        """

    def sign(self, sha256: str, mark: Watermark, certificate: str | None) -> None:
        """Store a signature of the copy with this digest, in the caller's transaction."""


class _Nothing:
    def seal(self, copy: Path, mark: Watermark) -> str | None:  # noqa: ARG002 - the protocol's
        return None

    def sign(self, sha256: str, mark: Watermark, certificate: str | None) -> None:
        pass


signed_copies: Port[CopySigner] = Port("signatures of watermarked copies", default=_Nothing())


@dataclass(frozen=True, slots=True)
class SignedOriginal:
    """A signed file as stored, without a watermark, and its signature."""

    filename: str
    title: str
    content: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class SignedOriginals:
    """The signed files for a package, and the verifier keys of their signatures."""

    files: Sequence[SignedOriginal] = ()
    keys: Sequence[str] = ()


signed_originals: Port[Callable[[Scope], SignedOriginals]] = Port(
    "signed files within a scope", default=lambda _scope: SignedOriginals()
)
