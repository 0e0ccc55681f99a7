"""Forked workers share what was loaded before them, also after they have used it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import gc, os, sys, weakref
from pathlib import Path
from governance.kernel import forked_memory

class Loaded: pass

loaded = [Loaded() for _ in range(200_000)]
for number, each in enumerate(loaded):
    each.text = f"of object {number:08}"
{call}
reading, writing = os.pipe()
if os.fork() == 0:
    assert sum(len(each.text) for each in loaded) == 200_000 * 18  # reads each of them
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:"))
    os.write(writing, str(own).encode())
    os._exit(0)
print(os.read(reading, 20).decode(), os.wait()[1])
later = Loaded()
told, known = [], weakref.ref(later, lambda _: told.append("freed"))
loaded[0].text = later
del later
loaded[0].text = ""
cycle = Loaded()
cycle.itself = cycle
gone = weakref.ref(cycle, lambda _: told.append("collected"))
del cycle
gc.collect()
print(*told)
"""


def run(call: str) -> tuple[int, list[str]]:
    """Kilobytes that a fork has for itself, and what the program says at its end."""
    command = [sys.executable, "-c", PROGRAM.replace("{call}", call)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    own, status, *told = done.stdout.split()
    assert status == "0" and done.stderr == ""
    return int(own), told


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux tells it")
def test_a_fork_that_reads_what_was_loaded_keeps_sharing_it():
    alone, _ = run("gc.collect()")
    shared, _ = run("forked_memory.keep_shared()")
    assert shared < alone / 4, (shared, alone)


def test_what_is_made_later_is_freed_as_ever():
    assert run("forked_memory.keep_shared()")[1] == ["freed", "collected"]


def test_an_interpreter_that_is_not_known_only_collects():
    shared, told = run("forked_memory.KNOWN = set(); forked_memory.keep_shared()")
    assert shared > 0 and told == ["freed", "collected"]
