"""Two senders at once, which commit on their own connections."""

import threading

from governance.economics.usage import partitions
from governance.economics.usage.event_stores import store
from governance.kernel import clock
from tests import make
from tests.economics.usage.usage_helpers import (
    EACH_STORE,
    NOW,
    Product,
    days,
    event,
    register,
    stored,
)
from tests.waiting import MAX_WAIT_SECONDS

pytestmark = EACH_STORE


def test_the_same_events_sent_twice_at_once_count_once(app, committed_world):
    """Send from two threads of an exporter, in opposite order, each with one event of its own."""
    with make.acting("admin", "globex"), clock.frozen(NOW):
        partitions.EVENTS.create_ahead()
    register(slug="globex")
    name = f"twice-{type(store()).__name__}"  # Committed rows are visible to the other store's run.
    product = Product(app, slug="globex", name=name)
    shared = [event(n, id=f"{name}-{n}") for n in range(200)]
    before = len(stored("globex")), sum(row.requests for row in days("globex"))
    start, answers = threading.Barrier(2), []

    def send(batch):
        with clock.frozen(NOW):
            start.wait(MAX_WAIT_SECONDS)
            answers.append(product.send(batch))

    one, other = (event(n, id=f"{name}-{n}") for n in (900, 901))
    batches = ([*shared, one], [other, *reversed(shared)])
    threads = [threading.Thread(target=send, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MAX_WAIT_SECONDS)
    assert sorted((each["accepted"], each["duplicate"]) for each in answers) == [(1, 200), (201, 0)]
    after = len(stored("globex")), sum(row.requests for row in days("globex"))
    assert after == (before[0] + 202, before[1] + 202)
