"""Files and streams: a route that answers with one declares it, so that each is recorded.

    @feature.get(…, answers=FILE)       a file to keep
    @feature.get(…, answers=STREAM)     a stream that goes on after its view, such as server-sent
                                        events

The port `custody` is called for each declared answer. A route that answers with a file or a stream
and declares none fails, for everybody: what isn't declared doesn't leave.
"""

from collections.abc import Callable
from typing import Any, Literal, Protocol

from flask import Response

from governance.kernel.ports import Port

type Answers = Literal["page", "file", "stream"]
type Finish = Callable[[Response], Response]
PAGE: Answers = "page"
FILE: Answers = "file"
STREAM: Answers = "stream"
OK = 200


class DownloadCustody(Protocol):
    """The port that records a file that leaves, and guards it on its way."""

    def begin(self, answer: Response, *, answers: Answers, may_write: bool) -> Finish:
        """Begin the custody of an answer, in the view's own transaction, as the acting person.

        `may_write`: that transaction accepts writes. The function that this returns is called with
        the answer when the transaction has ended, and returns what leaves.
        """


class _Nothing:
    # The protocol's signature.
    def begin(self, answer: Response, *, answers: Answers, may_write: bool) -> Finish:  # noqa: ARG002
        return as_it_is


custody: Port[DownloadCustody] = Port("the custody of files that leave", default=_Nothing())


class Undeclared(RuntimeError):
    """A route answered with a file or a stream, and does not declare it."""


def as_it_is(answer: Response) -> Response:
    return answer


def begin(answer: Any, answers: Answers, *, may_write: bool) -> Finish | None:
    """Pass a view's answer to the custody; return None if it is only a page.

    Raises Undeclared.
    """
    if not isinstance(answer, Response) or answer.status_code != OK or not _leaves(answer):
        return None
    if answers == PAGE:
        raise Undeclared("This route answers with a file or a stream: declare it by `answers=`.")
    return custody().begin(answer, answers=answers, may_write=may_write)


def _leaves(answer: Response) -> bool:
    return answer.is_streamed or answer.headers.get("Content-Disposition", "").startswith(
        "attachment"
    )
