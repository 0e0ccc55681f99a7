"""The peak memory of an act in the test's own process."""

from pathlib import Path


def peak_of(act, *arguments):
    """Return the act's result, and by how many MB it enlarged this process at most.

    Linux resets the earlier peak first (proc(5), clear_refs): the memory of an earlier test, or of
    the parent process, would otherwise hide it.
    """
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak_kib()
    found = act(*arguments)
    return found, (_peak_kib() - before) // 1024


def _peak_kib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
