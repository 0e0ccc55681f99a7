"""What reviews ask of the features above them.

build_review_files()(facts, headlines, revision)    the zip of a revision, which publishing draws
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from governance.economics.reviews.review_facts import Headline, ReviewFacts
from governance.kernel.pdf import PageSeen
from governance.kernel.ports import Port


@dataclass(frozen=True, slots=True)
class SignedSide:
    """One side's signature, as the report prints it: "Finance", a name, and when."""

    side: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionInfo:
    """What the files of a revision say beside its facts.

    `changes` are [figure, before, after] against the revision before; `sign_offs` those that exist
    when the files are made: for a new revision, none.
    """

    number: int
    closed_at: datetime
    reason: str
    input_digest: str
    changes: Sequence[Sequence[Any]] = ()
    accepted_residual: str | None = None
    sign_offs: Sequence[SignedSide] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class ReviewFiles:
    """The zip of the signed PDF, the workbook and the data file; `pages` are those of the PDF."""

    name: str
    content: bytes
    pages: int


type BuildFiles = Callable[
    [ReviewFacts, Sequence[Headline], RevisionInfo, PageSeen | None], ReviewFiles
]

build_review_files: Port[BuildFiles] = Port("files of a review")
