"""The default names and meanings of the four severities."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Severity:
    """A severity. `level` 1 is the worst."""

    level: int
    name: str
    meaning: str


DEFAULT = (
    Severity(1, "SEV1", "People are harmed, or a system that customers rely on is down."),
    Severity(2, "SEV2", "A system gives wrong or unsafe results, or part of it is down."),
    Severity(3, "SEV3", "Some users are affected, and there is a way around it."),
    Severity(4, "SEV4", "Little or no effect on users, but it has to be understood."),
)
LEVELS = tuple(each.level for each in DEFAULT)
MAX_NAME_LENGTH, MAX_MEANING_LENGTH = 24, 200
