"""A stranger's file is checked in a child with limits of memory and time: a small PDF can unpack to more than there is.

verify(pdf, signature, key) → ReportVerdict       as verify.verify; what breaks a limit is a failed check
python -m governance.publishing.reports.sandboxed_verify       that child: one line of JSON, then the PDF, on standard input
"""

import json
import os
import resource
import subprocess
import sys
import threading
from dataclasses import astuple
from pathlib import Path

from governance.kernel.checks import Check
from governance.kernel.errors import Unavailable
from governance.publishing.reports import verify as rules
from governance.publishing.reports.verify import ReportVerdict

MEMORY, SECONDS = 768 * 1024 * 1024, 20
AT_ONCE, PATIENCE = 2, 5  # children of one worker, and the seconds that one waits for its turn
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH")
TOO_MUCH = Check("file", ok=False, sentence="The file takes more memory or time to unpack than any report of ours.")
_turns = threading.BoundedSemaphore(AT_ONCE)


def verify(pdf: bytes, signature: str, key: str, *, memory: int = MEMORY, seconds: int = SECONDS) -> ReportVerdict:
    if not _turns.acquire(timeout=PATIENCE):
        raise Unavailable("Several files are being checked just now. Try again in a moment.")
    try:
        return _asked(pdf, signature, key, memory, seconds)
    finally:
        _turns.release()


def _asked(pdf: bytes, signature: str, key: str, memory: int, seconds: int) -> ReportVerdict:
    order = json.dumps({"signature": signature, "key": key}).encode() + b"\n"
    command = [sys.executable, "-m", "governance.publishing.reports.sandboxed_verify", str(memory), str(seconds)]
    here = Path(__file__).resolve().parents[3]
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter and module, no shell
            command, input=order + pdf, capture_output=True, timeout=2 * seconds, check=False, cwd=here, env=kept
        )
        told = json.loads(child.stdout) if child.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError):
        told = None
    if told is None:
        return ReportVerdict((TOO_MUCH,), None, None)
    return ReportVerdict(tuple(Check(*each) for each in told["checks"]), told["fingerprint"], told["filename"])


def main(memory: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    order = json.loads(sys.stdin.buffer.readline())
    found = rules.verify(sys.stdin.buffer.read(), order["signature"], order["key"])
    checks = [astuple(each) for each in found.checks]
    print(json.dumps({"checks": checks, "fingerprint": found.fingerprint, "filename": found.filename}))  # noqa: T201 - the child's one voice


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
