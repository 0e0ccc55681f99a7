"""Events of privacy for every feature that stores something about a person."""

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class PersonErased(Event):
    """A person is being erased, in this transaction.

    Names in the text of rows are replaced afterwards, for every table (redaction.py); a subscriber
    removes what that can't reach, such as stored files and access.

    `words` are the names and addresses by which the tenant knows the person; `addresses` those that
    are addresses. A subscriber adds to `removed` how many of which kind it removed: the record of
    the erasure shows it. It writes no name and no address into the log, since their keys are
    destroyed already and would be created again.
    """

    person_id: UUID
    words: Collection[str]
    addresses: Collection[str]
    removed: dict[str, int] = field(default_factory=dict)
