"""Memory that workers share with the process that they are forked from, and keep sharing.

    keep_shared()    once, when everything is loaded and before the first fork

Python counts the references to an object in the object itself, so a worker that only reads one
writes its page, and soon has a copy of most of what it was forked with. An object that is never
freed needs no count: PEP 683 calls it immortal. What is loaded before the fork stays loaded anyway.
"""

import ctypes
import gc
import platform
import sys
import sysconfig

M_ARENA_MAX, ARENAS = -8, 2  # mallopt(3)
IMMORTAL = 0xFFFFFFFF  # the low half of the count, as CPython's refcount.h has it
KNOWN = {(3, 13)}  # where objects begin with their count, and immortal ones are so marked
BATCH = 10_000


def keep_shared() -> None:
    """Make every object immortal, and leave all of them out of the collector's rounds."""
    _share_arenas()
    gc.collect()
    if _is_known():
        _make_immortal()
    gc.freeze()


def _share_arenas() -> None:
    """Let threads allocate from the same memory, since Python runs one at a time.

    From arenas of their own, what one has freed serves no other.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # not on macOS
        libc.mallopt(M_ARENA_MAX, ARENAS)


def _is_known() -> bool:
    """Whether this interpreter counts as the constants above say; others only share less."""
    return (
        platform.python_implementation() == "CPython"
        and sys.version_info[:2] in KNOWN
        and sys.byteorder == "little"
        and sys.maxsize > 2**32
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
        and not hasattr(sys, "gettotalrefcount")  # of a build for debugging
    )


def _make_immortal() -> None:
    """What the collector knows, and what is reached from it: it doesn't know text or code."""
    waiting = gc.get_objects()
    while waiting:
        batch = waiting[-BATCH:]
        del waiting[-BATCH:]
        found = []
        for each in batch:
            count = ctypes.c_uint32.from_address(id(each))
            if count.value != IMMORTAL:
                count.value = IMMORTAL
                found.append(each)
        waiting += gc.get_referents(*found)
