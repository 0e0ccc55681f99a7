"""How much memory an act takes in the test's own process."""

from pathlib import Path


def peak_of(act, *arguments):
    """What it returned, and by how many MB it made this process larger at the worst.

    Linux forgets the earlier peak first (proc(5), clear_refs): what an earlier test, or the process
    that started this one, took would otherwise hide it.
    """
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak_kib()
    found = act(*arguments)
    return found, (_peak_kib() - before) // 1024


def _peak_kib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
