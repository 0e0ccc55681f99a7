"""The schedule of one tenant for the collectors' tests, run as the jobs process runs it."""

import csv
import io

from governance.app import schedule  # noqa: F401 - the handler of the work
from governance.assurance.collectors import jobs as collecting
from governance.assurance.collectors import queries
from governance.assurance.evidence.queries import find_version
from governance.foundation.people.jobs import actor_of
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from tests import make


def run_due_collectors(slug="acme"):
    """Queue what is due in one tenant and run all of it. Return how many runs were queued."""
    queued = collecting.collect_due_of(make.system_actor(slug))
    jobs.drain(actor_of)
    return queued


def last_run(key, slug="acme"):
    with make.acting("admin", slug):
        found = queries.collector_status(key).last
        session().expunge_all()
    return found


def read_filed_csv(run, slug="acme"):
    """Return (the facts above the table, the table's bytes) of the stored CSV."""
    with make.acting("admin", slug):
        version, _ = find_version(run.evidence_version_id)
        from governance.assurance.evidence import version_actions

        with version_actions.record_download(version) as file:
            content = file.read()
    above, _, table = content.partition(b"\r\n\r\n")
    return dict(csv.reader(io.StringIO(above.decode("utf-8-sig")))), table
