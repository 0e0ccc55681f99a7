"""The worker process that a test kills."""

from governance.app import schedule
from governance.foundation.audit import personal_field_encryption
from governance.foundation.people.jobs import actor_of
from governance.kernel.files import storage
from governance.kernel.work import jobs
from tests.foundation.audit import crash_processes


def use_storage(storage_url: str) -> None:
    storage.use(storage_url, personal_field_encryption.object_key)


def run_ready_work(url: str, storage_url: str) -> None:
    """Run all ready work, as `governance jobs` does."""
    crash_processes.connect(url)
    use_storage(storage_url)
    assert schedule.HANDLERS
    jobs.drain(actor_of)
