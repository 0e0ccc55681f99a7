"""Helpers that generate, download and unpack evidence packages."""

import io
import zipfile

from sqlalchemy import select

from governance.app import schedule
from governance.assurance.engagements.models import EvidencePackage
from governance.foundation.audit import logs, sequencer
from governance.foundation.people.jobs import actor_of
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from governance.kernel.work.jobs import WorkItem

assert schedule.HANDLERS  # Loading the schedule registers the kind of work.


def sequence_entries(acting):
    with acting("admin"):
        while sequencer.sequence():
            pass


def log_verifier_key(acting):
    with acting("admin"):
        return str(logs.verifier(logs.all_keys()[0]))


def generate_package(who, engagement):
    """Generate a package and return its address."""
    page = who.post(f"engagements/{engagement}/packages").location
    jobs.drain(actor_of)
    return page


def download_package(who, engagement):
    page = generate_package(who, engagement)
    return who.post(f"{page}/download", then=200).data


def unpack_package(content, folder):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    [bag] = folder.iterdir()
    return bag


def package_state(acting):
    with acting("admin"):
        query = select(WorkItem.state, WorkItem.step, EvidencePackage.storage_key).join(
            EvidencePackage, EvidencePackage.work_item_id == WorkItem.id
        )
        return session().execute(query).one()
