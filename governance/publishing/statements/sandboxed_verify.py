"""The verification of a statement, in a child process with limits of memory and time.

verify(data, key) → StatementVerdict        as verify.verify; breaking a limit fails a check
python -m governance.publishing.statements.sandboxed_verify     the child: reads one line of JSON,
                                            then the file, from standard input
"""

import json
import sys
from dataclasses import astuple

from governance.kernel.files import sandbox
from governance.kernel.files.verification_results import CheckResult
from governance.publishing.statements import verify as rules
from governance.publishing.statements.data_file import MAX_BYTES
from governance.publishing.statements.verify import StatementVerdict

MAX_MEMORY, MAX_SECONDS = 1024 * 1024 * 1024, 60
TOO_MUCH = CheckResult(
    "file", ok=False, sentence="The file takes more memory or time to verify than any statement."
)


def verify(
    data: bytes, key: str = "", *, memory: int = MAX_MEMORY, seconds: int = MAX_SECONDS
) -> StatementVerdict:
    """Run verify.verify in the child.

    `memory` is in bytes of address space, `seconds` is processor time.
    """
    if len(data) > MAX_BYTES:
        return StatementVerdict((TOO_MUCH,))
    order = json.dumps({"key": key}).encode() + b"\n"
    outcome = sandbox.run(
        "governance.publishing.statements.sandboxed_verify",
        limits=sandbox.Limits(memory=memory, seconds=seconds),
        sent=order + data,
    )
    try:
        answer = json.loads(outcome.answer) if outcome.is_finished else None
    except ValueError:
        answer = None
    if answer is None:
        return StatementVerdict((TOO_MUCH,))
    checks = tuple(CheckResult(*each) for each in answer["checks"])
    return StatementVerdict(checks, answer["number"], answer["credit"])


def main() -> None:
    """Run the child."""
    order = json.loads(sys.stdin.buffer.readline())
    found = rules.verify(sys.stdin.buffer.read(), order["key"])
    answer = {
        "checks": [astuple(each) for each in found.checks],
        "number": found.number,
        "credit": found.credit,
    }
    print(json.dumps(answer))  # noqa: T201


if __name__ == "__main__":
    main()
