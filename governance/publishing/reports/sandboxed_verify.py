"""A stranger's file is checked in a child with limits of memory and time: a small PDF can unpack to
more than there is.

verify(pdf, signature, key) → ReportVerdict       as verify.verify; what breaks a limit is a failed
                                                  check
python -m governance.publishing.reports.sandboxed_verify       that child: one line of JSON, then
the PDF, on standard input
"""

import json
import sys
import threading
from dataclasses import astuple

from governance.kernel import sandbox
from governance.kernel.errors import Unavailable
from governance.kernel.verification_results import Check
from governance.publishing.reports import verify as rules
from governance.publishing.reports.verify import ReportVerdict

MEMORY, SECONDS = 768 * 1024 * 1024, 20
AT_ONCE, PATIENCE = 2, 5  # children of one worker, and the seconds that one waits for its turn
TOO_MUCH = Check(
    "file",
    ok=False,
    sentence="The file takes more memory or time to unpack than any report of ours.",
)
_turns = threading.BoundedSemaphore(AT_ONCE)


def verify(
    pdf: bytes, signature: str, key: str, *, memory: int = MEMORY, seconds: int = SECONDS
) -> ReportVerdict:
    if not _turns.acquire(timeout=PATIENCE):
        raise Unavailable("Several files are being checked just now. Try again in a moment.")
    try:
        return _asked(pdf, signature, key, memory, seconds)
    finally:
        _turns.release()


def _asked(pdf: bytes, signature: str, key: str, memory: int, seconds: int) -> ReportVerdict:
    order = json.dumps({"signature": signature, "key": key}).encode() + b"\n"
    limits = sandbox.Limits(memory=memory, seconds=seconds)
    outcome = sandbox.run(
        "governance.publishing.reports.sandboxed_verify", limits=limits, sent=order + pdf
    )
    try:
        told = json.loads(outcome.answer) if outcome.is_finished else None
    except ValueError:
        told = None
    if told is None:
        return ReportVerdict((TOO_MUCH,), None, None)
    return ReportVerdict(
        tuple(Check(*each) for each in told["checks"]), told["fingerprint"], told["filename"]
    )


def main() -> None:
    order = json.loads(sys.stdin.buffer.readline())
    found = rules.verify(sys.stdin.buffer.read(), order["signature"], order["key"])
    checks = [astuple(each) for each in found.checks]
    print(  # noqa: T201
        json.dumps({"checks": checks, "fingerprint": found.fingerprint, "filename": found.filename})
    )


if __name__ == "__main__":
    main()
