"""Comments on objects of any feature, with mentions."""

from governance.foundation.audit.registry import actions_in
from governance.foundation.comments import actions, glossary, models, views
from governance.foundation.comments.events import CommentWritten
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import EntryLink, Manifest

manifest = Manifest(
    name="comments",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature,),
    audit=actions_in(actions),
    links={
        "ObjectComment": EntryLink(no_page="it is shown on the page of its object", noun="comment")
    },
    publishes=(CommentWritten,),
)
