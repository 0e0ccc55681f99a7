"""The job that generates the report of a red team. A killed job runs again."""

import io

from governance.foundation.tenants.for_each_tenant import once_a_day_in_each
from governance.kernel.data.db import transaction
from governance.kernel.files.storage import Blob
from governance.kernel.work.background_work import keep, sweep, target_of
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.publishing.red_team_reports import actions, queries, report_data, report_layout
from governance.publishing.reports import actions as signing_keys
from governance.publishing.reports.signatures import signed_pdf


@work(actions.FILES.name)
def make_red_team_report(item: WorkItem, progress: Progress) -> None:
    """Generate the report of one RedTeamFile (item.target_id)."""
    signed_pdf.begin(progress)
    with transaction():
        row = queries.red_team_file(target_of(actions.FILES, item))
        key = signing_keys.current_signing_key()
        data = report_data.content(
            row.red_team_id, requested_at=row.created_at, signing_key=signing_keys.key_line(key)
        )
        private, key_name = signing_keys.private_key(key), key.name
    built = report_layout.build(data)
    packed = signed_pdf.generate(built, private, key_name, progress)

    def file(blob: Blob) -> bool:
        found = queries.red_team_file(target_of(actions.FILES, item), lock=True)
        return actions.file(
            found,
            blob,
            name=signed_pdf.zip_name(built),
            is_draft=data["is_draft"],
            open_findings=report_layout.open_findings(data),
        )

    keep(actions.FILES, item, io.BytesIO(packed), file)


def remove_unreferenced_files() -> None:
    """Remove stored files that no row names."""
    once_a_day_in_each("tidy red team reports", lambda: sweep(actions.FILES))
