"""Views of lists that people save for themselves."""

from governance.foundation.audit.registry import actions_in
from governance.foundation.list_views import actions, models, views
from governance.foundation.privacy.events import PersonErased
from governance.kernel.manifest import EntryLink, Manifest, Subscription

manifest = Manifest(
    name="list_views",
    models=(models,),
    routes=(views.feature,),
    audit=actions_in(actions),
    links={
        "ListView": EntryLink(
            no_page="only the person who saved the view has it", noun="saved view"
        )
    },
    subscribes=(Subscription(PersonErased, actions.delete_views_of, order=40),),
)
