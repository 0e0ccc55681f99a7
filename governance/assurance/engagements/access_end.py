"""What ends with an auditor's access: their sessions, and the files that are being generated for them.

Links and codes need no step of their own: each use asks the window again (auditor_sign_in.py), and so does each piece of a
file that is on its way (download_custody.py).
"""

from governance.assurance.engagements import actions, queries
from governance.assurance.engagements.events import AuditorAccessEnded
from governance.foundation.logbook import actions as log
from governance.foundation.logbook import queries as log_queries
from governance.foundation.people import actions as people
from governance.foundation.people import queries as members


def end_sessions(ended: AuditorAccessEnded) -> None:
    membership = members.membership_of(ended.person_id)
    if membership is not None:
        people.end_sessions_of(membership, how=ended.how)


def cancel_downloads(ended: AuditorAccessEnded) -> None:
    """Packages and exports of the log that the auditor requested and that are not generated yet."""
    for engagement, run in queries.packages_under_way_of(ended.person_id):
        actions.cancel_package(engagement, run)
    for export in log_queries.exports_under_way_of(ended.person_id):
        log.cancel_export(export)
