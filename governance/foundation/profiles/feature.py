"""Profiles: each person's choices in a tenant."""

from governance.foundation.audit.registry import actions_in
from governance.foundation.people import permissions
from governance.foundation.profiles import actions, glossary, views
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, Manifest

manifest = Manifest(
    name="profiles",
    extensions=(GLOSSARY(*glossary.TERMS),),
    routes=(views.feature,),
    under=("tenant_settings.settings",),
    palette=(Command("Edit your profile", "profiles.profile", permissions.OWN),),
    audit=actions_in(actions),
)
