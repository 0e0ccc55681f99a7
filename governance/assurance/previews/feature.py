"""Previews of evidence files: pictures, text and tables, rendered in a sandbox."""

from governance.assurance.evidence.events import EvidenceFileDeleted
from governance.assurance.previews import actions, jobs, models, views
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Daily, Manifest, Subscription

manifest = Manifest(
    name="previews",
    models=(models,),
    routes=(views.feature,),
    under=("evidence.index",),
    schedule=(Daily("tidy file previews", jobs.tidy_previews, at="03:23"),),
    work=(jobs.render_preview,),
    audit=actions_in(actions),
    subscribes=(Subscription(EvidenceFileDeleted, actions.delete_of),),
    after_request=(views.record_viewing,),
)
