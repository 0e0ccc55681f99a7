"""What the test of a killed worker runs in a process of its own."""

from governance import schedule
from governance.audit import sealing
from governance.kernel import jobs, storage
from governance.people.jobs import actor_of
from tests.audit import crashing


def work(url: str, storage_url: str) -> None:
    """As `governance jobs` does: everything that is ready."""
    crashing.connect(url)
    storage.use(storage_url, sealing.object_key)
    assert schedule.HANDLERS
    jobs.drain(actor_of)
