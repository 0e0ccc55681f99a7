"""Reports of red teams as signed PDFs."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Daily, EntryLink, Manifest
from governance.publishing.red_team_reports import actions, jobs, models, views

manifest = Manifest(
    name="red_team_reports",
    models=(models,),
    routes=(views.feature,),
    under=("systems.index",),
    schedule=(Daily("tidy red team reports", jobs.remove_unreferenced_files, at="03:43"),),
    work=(jobs.make_red_team_report,),
    audit=actions_in(actions),
    links={"RedTeamFile": EntryLink(no_page="its red team has a page")},
)
