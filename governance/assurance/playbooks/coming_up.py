"""Next drills for the "Coming up" list on the objectives page."""

from collections.abc import Sequence
from datetime import UTC, datetime, time

from flask import url_for

from governance.assurance.playbooks import queries
from governance.operations.objectives.ports import ComingUp


def planned_drills() -> Sequence[ComingUp]:
    """List the next two drills of playbooks, the earliest first."""
    return [
        ComingUp(
            at=datetime.combine(book.next_drill_on, time(12), UTC),
            label=f"Drill: {book.title}",
            href=url_for("playbooks.playbook", playbook_id=book.id),
            note=f"Playbook version {book.version}",
            icon="repeat",
        )
        for book in queries.upcoming_drills(limit=2)
        if book.next_drill_on is not None
    ]
