"""Depth of the brackets in a JSON text that arrives in chunks."""

import re
from itertools import accumulate

STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*("?)', re.DOTALL)
STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
OTHER_BYTES = bytes(set(range(256)) - STEPS.keys())


class BracketDepth:
    """The deepest level so far of a text that arrives in chunks.

    A chunk may begin within a string, even within an escape: a bracket there is text.
    """

    def __init__(self) -> None:
        self.deepest = 0
        self._depth = 0
        self._begins_with = b""  # Open string of the last chunk, perhaps with an escape

    def feed(self, piece: bytes) -> int:
        """Return the deepest level up to the end of this chunk."""
        # A string leaves its closing quote, so one that doesn't end in this chunk leaves none.
        outside, strings = STRING.subn(rb"\1", self._begins_with + piece)
        self._begins_with = b""
        if outside.count(b'"') < strings:
            self._begins_with = b'"\\' if outside.endswith(b"\\") else b'"'
        steps = (STEPS[each] for each in outside.translate(None, OTHER_BYTES))
        for level in accumulate(steps, initial=self._depth):
            self.deepest = max(self.deepest, level)
            self._depth = level
        return self.deepest
