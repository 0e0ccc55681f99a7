"""Views of lists that people save, for themselves or for everyone, and how their lists open."""

from governance.foundation.audit.registry import actions_in
from governance.foundation.list_views import actions, glossary, models, queries, views
from governance.foundation.privacy.events import PersonErased
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import EntryLink, Manifest, PortAnswer, Subscription
from governance.kernel.pages.list_pages import preference_of

manifest = Manifest(
    name="list_views",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature,),
    audit=actions_in(actions),
    links={
        "ListView": EntryLink(
            no_page="only the person who saved the view has it", noun="saved view"
        ),
        "ListDefault": EntryLink(no_page="only that person's list opens so", noun="list"),
    },
    answers=(PortAnswer(preference_of, queries.preference_of),),
    subscribes=(Subscription(PersonErased, actions.delete_views_of, order=40),),
)
