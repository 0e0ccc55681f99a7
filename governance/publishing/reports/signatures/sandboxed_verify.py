"""The verification of an uploaded file, in a child process with limits of memory and time.

A small PDF can unpack to more memory than the machine has.

verify(pdf, signature, key) → ReportVerdict       as verify.verify, and also for a zip with both
                                                  files; breaking a limit fails a check
python -m governance.publishing.reports.signatures.sandboxed_verify
                                  the child: reads one line of JSON, then the file, from
                                  standard input
"""

import json
import sys
import threading
from dataclasses import astuple

from governance.kernel.errors import Unavailable
from governance.kernel.files import sandbox
from governance.kernel.files.verification_results import CheckResult
from governance.publishing.reports.signatures import signed_files
from governance.publishing.reports.signatures import verify as rules
from governance.publishing.reports.signatures.verify import ReportVerdict

MAX_MEMORY, MAX_SECONDS = 768 * 1024 * 1024, 20
MAX_CHILDREN, MAX_WAIT = 2, 5  # Per worker, and the seconds until a child gets its turn.
TOO_MUCH = CheckResult(
    "file",
    ok=False,
    sentence="The file takes more memory or time to unpack than any Meridian report.",
)
NO_PAIR = CheckResult(
    "file", ok=False, sentence="The zip doesn't contain one report with its signature."
)
_turns = threading.BoundedSemaphore(MAX_CHILDREN)


def verify(
    pdf: bytes, signature: str, key: str, *, memory: int = MAX_MEMORY, seconds: int = MAX_SECONDS
) -> ReportVerdict:
    if not _turns.acquire(timeout=MAX_WAIT):
        raise Unavailable("Several files are being verified right now. Try again in a moment.")
    try:
        return _verify_in_child(pdf, signature, key, memory, seconds)
    finally:
        _turns.release()


def _verify_in_child(
    pdf: bytes, signature: str, key: str, memory: int, seconds: int
) -> ReportVerdict:
    order = json.dumps({"signature": signature, "key": key}).encode() + b"\n"
    limits = sandbox.Limits(memory=memory, seconds=seconds)
    outcome = sandbox.run(
        "governance.publishing.reports.signatures.sandboxed_verify", limits=limits, sent=order + pdf
    )
    try:
        answer = json.loads(outcome.answer) if outcome.is_finished else None
    except ValueError:
        answer = None
    if answer is None:
        return ReportVerdict((TOO_MUCH,), None, None)
    return ReportVerdict(
        tuple(CheckResult(*each) for each in answer["checks"]),
        answer["fingerprint"],
        answer["filename"],
    )


def main() -> None:
    order = json.loads(sys.stdin.buffer.readline())
    found = _found(sys.stdin.buffer.read(), order["signature"], order["key"])
    checks = [astuple(each) for each in found.checks]
    print(  # noqa: T201
        json.dumps({"checks": checks, "fingerprint": found.fingerprint, "filename": found.filename})
    )


def _found(content: bytes, signature: str, key: str) -> ReportVerdict:
    """Verify the file. A zip has its own signature."""
    if content.startswith(signed_files.MAGIC):
        try:
            content, signature = signed_files.unpack(content)
        except signed_files.NotAPair:
            return ReportVerdict((NO_PAIR,), None, None)
    return rules.verify(content, signature, key)


if __name__ == "__main__":
    main()
