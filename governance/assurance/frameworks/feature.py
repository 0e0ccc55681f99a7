"""Frameworks: their requirements, adoption, official texts and crosswalks."""

from governance.assurance.frameworks import (
    actions,
    corrections,
    glossary,
    models,
    permissions,
    views,
)
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import EntryLink, Manifest, NavItem

manifest = Manifest(
    name="frameworks",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature, views.operator_feature),
    navigation=(
        NavItem(
            label="Frameworks",
            icon="shield",
            endpoint="frameworks.index",
            permission=permissions.VIEW,
            order=20,
            group="assurance",
        ),
        NavItem(
            label="Frameworks",
            icon="shield",
            endpoint="operator_frameworks.index",
            permission=permissions.INSTALLED,
            order=20,
            group="platform",
            audience="operator",
        ),
    ),
    audit=actions_in(actions, corrections),
    links={
        "Adoption": EntryLink(endpoint="frameworks.index", noun="framework"),
        "FrameworkRevision": EntryLink(
            no_page="the operator's list of catalogues has their present words"
        ),
        "FrameworkImport": EntryLink(
            no_page="the imported texts are on the pages of their requirements"
        ),
    },
)
