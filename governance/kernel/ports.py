"""A port: what a feature asks of the features above it, as a typed question that one of them answers.

names_of: Port[Callable[[UUID], str]] = Port("names of AI systems")      where it is asked
names_of.connect(systems.name)                                            by the manifest of who answers
names_of()(system_id)                                                     the answer
"""


class NotConnected(Exception):
    """A port that no feature answers was asked."""


class Port[T]:
    """One question, answered by one feature. `default` answers until a feature does."""

    def __init__(self, name: str, default: T | None = None) -> None:
        self.name = name
        self._answer = default

    def connect(self, answer: T) -> None:
        self._answer = answer

    def __call__(self) -> T:
        """Return what is connected; raise NotConnected when nothing is and there is no default."""
        if self._answer is None:
            raise NotConnected(f"No feature answers: {self.name}.")
        return self._answer
