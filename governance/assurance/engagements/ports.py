"""What the engagements ask of the features above them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from governance.assurance.engagements.downloads.watermark import Watermark
from governance.kernel.ports import Port
from governance.kernel.safety.visibility_scope import Scope


class CopySigner(Protocol):
    """Signs watermarked copies of the files that it signs itself; others stay as they are."""

    def seal(self, copy: Path, mark: Watermark) -> str | None:
        """Seal the copy in place, outside of any transaction.

        Returns the digest of the certificate; None where nothing seals it.
        """

    def sign(self, sha256: str, mark: Watermark, certificate: str | None) -> None:
        """Keep a signature of the copy with this digest, in the caller's transaction."""


class _Nothing:
    def seal(self, copy: Path, mark: Watermark) -> str | None:  # noqa: ARG002 - the protocol's
        return None

    def sign(self, sha256: str, mark: Watermark, certificate: str | None) -> None:
        pass


signed_copies: Port[CopySigner] = Port("signatures of watermarked copies", default=_Nothing())


@dataclass(frozen=True, slots=True)
class SignedOriginal:
    """A signed file as it is stored: what a watermarked copy of it names."""

    filename: str
    title: str
    content: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class SignedOriginals:
    """Those for a package, and the verifier keys of their signatures."""

    files: Sequence[SignedOriginal] = ()
    keys: Sequence[str] = ()


signed_originals: Port[Callable[[Scope], SignedOriginals]] = Port(
    "signed files within a scope", default=lambda _scope: SignedOriginals()
)
