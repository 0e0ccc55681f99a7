"""Ports: a typed question of a feature that one of the features above it answers.

    names_of: Port[Callable[[UUID], str]] = Port("names of AI systems")    in the feature that asks
    names_of.connect(systems.name)                      by the manifest of the feature that answers
    names_of()(system_id)                               the answer
    with names_of.answered_by(lambda _id: "x"): …       in a test of the feature that asks

A port with a default may stay unconnected: the feature then works without those above it.
"""

from collections.abc import Generator
from contextlib import contextmanager


class NotConnected(Exception):
    """A port was used that no feature answers."""


class AlreadyConnected(Exception):
    """Two features answer one port."""


class Port[T]:
    """One question, answered by one feature. `default` answers until a feature does."""

    def __init__(self, name: str, default: T | None = None) -> None:
        self.name = name
        self._default = default
        self._answer: T | None = None

    def connect(self, answer: T) -> None:
        """Connect the port to `answer`. Idempotent; another answer raises AlreadyConnected."""
        if self._answer is not None and self._answer != answer:
            raise AlreadyConnected(f"Two features answer one port: {self.name}.")
        self._answer = answer

    @contextmanager
    def answered_by(self, answer: T) -> Generator[None]:
        """Use `answer` inside, instead of what is connected."""
        before, self._answer = self._answer, answer
        try:
            yield
        finally:
            self._answer = before

    def __call__(self) -> T:
        """Return what is connected; raise NotConnected when nothing is and there is no default."""
        answer = self._default if self._answer is None else self._answer
        if answer is None:
            raise NotConnected(f"No feature answers: {self.name}.")
        return answer
