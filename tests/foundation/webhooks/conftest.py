import pytest

from governance.foundation.webhooks import actions, jobs, queries
from governance.kernel.data.db import session
from tests.foundation.webhooks.receiver import Receiver


class Endpoint:
    """An endpoint of a tenant whose receiver runs here, with the jobs process running."""

    def __init__(self, acting, receiver, slug="acme", events=("alert.fired",), url=None):
        self.acting, self.receiver, self.slug = acting, receiver, slug
        with acting("admin", slug):
            row, self.secret = actions.add(name="Paging", url=url or receiver.url, events=events)
            self.id = row.id

    def happen(self, event_type="alert.fired", **data):
        """Publish an event, in a transaction that commits."""
        with self.acting("admin", self.slug):
            return actions.send(event_type, data or {"ref": "ALR-1"})

    def work(self):
        jobs.send_due(side_by_side=1)

    def row(self):
        return self._read(lambda: queries.endpoint(self.id))

    def deliveries(self, **wanted):
        return self._read(lambda: list(queries.deliveries(self.id, wanted).rows))

    @property
    def delivery(self):
        [only] = self.deliveries()
        return only

    def attempts(self):
        return self._read(lambda: list(queries.attempts(self.deliveries()[0].id)))

    def _read(self, what):
        with self.acting("admin", self.slug, read_only=True):
            found = what()
            session().expunge_all()
            return found


@pytest.fixture
def endpoint(acting, database):
    """Return an endpoint whose receiver answers 204."""
    with Receiver(204).serving() as receiver:
        yield Endpoint(acting, receiver)


@pytest.fixture
def endpoint_of(acting, database):
    """Return a function that makes an endpoint for a separate receiver."""
    return lambda receiver, **more: Endpoint(acting, receiver, **more)
