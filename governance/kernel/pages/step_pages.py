"""Steps from one item of a list to the next: the place of its page, and what is left to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Steps:
    """The place of an item among all of them, for c.steps.

    `previous` and `next` are addresses of its neighbors, `open` that of the next item that is left
    to do and `open_label` its verb; `left` counts those, `left_word` says what they are.
    """

    noun: str
    number: int
    total: int
    previous: str | None
    next: str | None
    left: int
    left_word: str
    open: str | None = None
    open_label: str = ""
