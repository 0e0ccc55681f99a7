"""Child processes that take too much, die or never end: the caller learns how they ended.

Nothing of them remains.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from governance.kernel.files.sandbox import MIB, ChildOutcome, Ending, Limits, run

LIMITS = Limits(memory=512 * MIB, seconds=20)
MODULE = "tests.misbehaving_child"


def stat_of(pid: int | str) -> list[str]:
    """Return state and parent of a process, or [] if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return []


def is_gone(pid: int) -> bool:
    """Return whether the process ended, perhaps as a zombie of another parent."""
    stat = stat_of(pid)
    return not stat or (stat[0] == "Z" and stat[1] != str(os.getpid()))


def own_zombies() -> list[str]:
    """Return this process's dead children that nobody has waited for."""
    return [
        path.name
        for path in Path("/proc").glob("[0-9]*")
        if stat_of(path.name) == ["Z", str(os.getpid())]
    ]


def test_what_is_sent_arrives_whole_and_the_answer_comes_back() -> None:
    for size in (0, 1, 3 * MIB + 7):
        outcome = run(MODULE, "count_input", limits=LIMITS, sent=bytes(size))
        assert (outcome.ending, outcome.answer, outcome.code) == (
            Ending.FINISHED,
            f"{size}\n".encode(),
            0,
        )


def test_the_child_sees_its_arguments_and_none_of_our_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    told = json.loads(run(MODULE, "print_environment", "two words", limits=LIMITS).answer)
    assert told["arguments"] == ["print_environment", "two words"]
    assert told["environment"]["LANG"] == "C.UTF-8" and "DATABASE_URL" not in told["environment"]


def test_too_much_memory_is_too_large() -> None:
    outcome = run(MODULE, "take_memory", limits=LIMITS)
    assert outcome.ending is Ending.TOO_LARGE and "MemoryError" in outcome.errors


@pytest.mark.slow
def test_too_much_of_the_processor_is_too_slow() -> None:
    assert (
        run(MODULE, "take_time", limits=Limits(memory=512 * MIB, seconds=1)).ending
        is Ending.TOO_SLOW
    )


def test_one_that_waits_for_ever_is_too_slow_and_is_ended() -> None:
    pids: list[int] = []
    outcome = run(
        MODULE,
        "sleep",
        limits=Limits(memory=512 * MIB, seconds=2),
        on_line=lambda line: pids.append(int(line)),
    )
    assert outcome.ending is Ending.TOO_SLOW and all(is_gone(pid) for pid in pids)


def test_a_flood_of_output_is_cut_off() -> None:
    outcome = run(
        MODULE, "flood_output", limits=Limits(memory=512 * MIB, seconds=20, output=100_000)
    )
    assert outcome.ending is Ending.TOO_LARGE and len(outcome.answer) < 200_000
    listening = Limits(memory=512 * MIB, seconds=20, output=100_000)
    assert (
        run(MODULE, "flood_output", limits=listening, on_line=lambda _line: None).ending
        is Ending.TOO_LARGE
    )


def test_of_a_flood_of_errors_the_last_words_are_kept() -> None:
    outcome = run(MODULE, "flood_errors", limits=LIMITS)
    assert (outcome.ending, outcome.code) == (Ending.FAILED, 4)
    assert outcome.errors.endswith("last words\n") and len(outcome.errors) <= 4096


def test_a_file_of_the_child_has_a_limit(tmp_path: Path) -> None:
    limits = Limits(memory=512 * MIB, seconds=20, file_size=1000)
    outcome = run(MODULE, "write_large_file", str(tmp_path / "large"), limits=limits)
    assert outcome.ending is Ending.FAILED and "File too large" in outcome.errors
    assert (tmp_path / "large").stat().st_size <= 1000


def may_have_namespaces() -> bool:
    """Return whether this machine lets a process have its own network."""
    asked = "import os; os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)"
    return not subprocess.run([sys.executable, "-c", asked], check=False).returncode


@pytest.mark.skipif(not may_have_namespaces(), reason="this machine allows no namespaces")
def test_a_child_has_no_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        outcome = run(MODULE, "connect", port, limits=LIMITS)
    assert outcome.answer == b"Network is unreachable\n"


def test_a_child_that_dies_was_killed() -> None:
    outcome = run(MODULE, "die", limits=LIMITS)
    assert (outcome.ending, outcome.code) == (Ending.KILLED, -9)


def test_a_module_that_is_not_there_is_a_failure() -> None:
    outcome = run("tests.no_such_module", limits=LIMITS)
    assert outcome.ending is Ending.FAILED and "no_such_module" in outcome.errors


def test_a_child_that_closes_its_input_may_still_answer() -> None:
    outcome = run(MODULE, "close_input", limits=LIMITS, sent=bytes(3 * MIB))
    assert outcome.ending is Ending.FINISHED and outcome.answer == b"done\n"


def test_a_line_is_answered_once_and_the_input_ends() -> None:
    lines: list[bytes] = []

    def reply(line: bytes) -> bytes | None:
        lines.append(line)
        return b"more\nand more" if line.isdigit() else None

    outcome = run(MODULE, "wait_for_input", limits=LIMITS, sent=b"hello\nrest", on_line=reply)
    assert outcome.ending is Ending.FINISHED and lines == [b"got hello", b"the end"]


def test_the_caller_can_cancel() -> None:
    pids: list[int] = []
    outcome = run(
        MODULE,
        "sleep",
        limits=LIMITS,
        on_line=lambda line: pids.append(int(line)),
        is_cancelled=lambda: bool(pids),
    )
    assert outcome.ending is Ending.CANCELLED and is_gone(pids[0])


def test_what_the_listener_raises_ends_the_child_and_is_heard() -> None:
    pids: list[int] = []

    def refuse(line: bytes) -> None:
        pids.append(int(line))
        raise LookupError

    with pytest.raises(LookupError):
        run(MODULE, "sleep", limits=LIMITS, on_line=refuse)
    assert is_gone(pids[0])


def test_what_the_child_has_started_ends_with_it() -> None:
    outcome = run(MODULE, "leave_grandchild", limits=LIMITS)
    assert outcome.ending is Ending.FINISHED
    pid = int(outcome.answer)
    while not is_gone(pid):  # Its new parent waits for it, not we.
        time.sleep(0.05)


def test_no_zombie_is_left() -> None:
    before = own_zombies()  # Other tests may have left some.
    endings: list[ChildOutcome] = [
        run(MODULE, verb, limits=LIMITS) for verb in ("count_input", "die", "take_memory")
    ]
    assert [each.ending for each in endings] == [Ending.FINISHED, Ending.KILLED, Ending.TOO_LARGE]
    assert set(own_zombies()) <= set(before)
