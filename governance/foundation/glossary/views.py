"""The glossary page, for everyone: inside the shell for people who are signed in."""

from flask import g

from governance.foundation.glossary import document
from governance.foundation.people import session_views
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("glossary", __name__, scope="public")


@feature.get("/glossary", needs=PUBLIC)
def index() -> ResponseReturnValue:
    g.actor = session_views.signed_in_anywhere()
    return page("foundation/glossary/index.html", groups=document.groups())
