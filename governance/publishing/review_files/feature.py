"""Files of reviews: signed PDFs, workbooks and data files of closed months."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Daily, EntryLink, Manifest
from governance.publishing.review_files import actions, jobs, models, views

manifest = Manifest(
    name="review_files",
    models=(models,),
    routes=(views.feature,),
    under=("reviews.index",),
    schedule=(Daily("tidy review files", jobs.remove_unreferenced_files, at="03:37"),),
    work=(jobs.make_review_files,),
    audit=actions_in(actions),
    links={"ReviewFile": EntryLink(no_page="its month is on the operator's pages")},
)
