"""A process that carries out a deletion and is killed in the middle, for test_offboarding.py."""

import os
import signal

from sqlalchemy import event

from governance.foundation.people.jobs import actor_of
from governance.kernel.data import db
from governance.kernel.files import storage
from governance.kernel.files.storage import ObjectStore
from governance.kernel.work import jobs
from tests.assurance.engagements import worker_process
from tests.foundation.audit import crash_processes

ROWS, FILES = "rows", "files"


def run(url: str, storage_url: str, where: str, nth: int) -> None:
    """Do all ready work, and send SIGKILL before the nth batch commits or after the nth file.

    Exit with 0 if there are fewer.
    """
    crash_processes.connect(url)
    worker_process.use_storage(storage_url)
    left = nth

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def after_statement(_connection, _cursor, statement, *_rest) -> None:
        if "delete_offboarded_rows" in statement:
            step()

    if where == ROWS:
        event.listen(db.engine(), "after_cursor_execute", after_statement)
    else:
        _after_each_file(storage.store(), step)
    jobs.drain(actor_of)
    os._exit(0)


def _after_each_file(store: ObjectStore, step) -> None:
    removed = store.remove

    def remove(key: str) -> None:
        removed(key)
        step()

    vars(store)["remove"] = remove
