"""Which store keeps the usage events of this installation.

use(url)    None: PostgreSQL, beside everything else
store()     the one in use
"""

from governance.economics.usage.event_store import EventStore
from governance.economics.usage.postgresql_events import PostgresqlEvents

_store: EventStore = PostgresqlEvents()


def store() -> EventStore:
    """The store in use."""
    return _store
