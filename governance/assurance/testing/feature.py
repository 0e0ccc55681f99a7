"""Type II testing: populations, samples, results, exceptions and findings."""

from governance.assurance.testing import (
    discussions,
    exception_actions,
    exception_views,
    glossary,
    inbox,
    models,
    palette,
    permissions,
    population_actions,
    population_views,
    sample_actions,
    sample_views,
    views,
)
from governance.foundation.audit.registry import actions_in
from governance.foundation.comments.subjects import COMMENT_SUBJECTS
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, Manifest, not_by_scope

# Importing these modules adds their routes to the feature.
VIEW_MODULES = (views, population_views, sample_views, exception_views)

manifest = Manifest(
    name="testing",
    models=(models,),
    routes=tuple({module.feature: None for module in VIEW_MODULES}),
    under=("evidence.index",),
    palette=(
        Command("Open Type II testing", "testing.index", permissions.VIEW),
        Command("View exceptions", "testing.exceptions", permissions.VIEW),
        Command("View findings", "testing.findings", permissions.VIEW, also="retest fix remediate"),
    ),
    search=(palette.exceptions, palette.findings, palette.populations),
    extensions=(GLOSSARY(*glossary.TERMS), COMMENT_SUBJECTS(discussions.EXCEPTION)),
    audit=actions_in(population_actions, sample_actions, exception_actions),
    links={
        "SamplingTable": EntryLink(endpoint="testing.sizes", single=True),
        "Population": EntryLink(
            endpoint="testing.population", argument="population_id", within=not_by_scope
        ),
        "Sample": EntryLink(endpoint="testing.sample", argument="sample_id", within=not_by_scope),
        "ItemResult": EntryLink(no_page="it is shown on the page of its sample item"),
        "TestException": EntryLink(
            endpoint="testing.exception", argument="exception_id", within=not_by_scope
        ),
        "Finding": EntryLink(endpoint="testing.findings"),
        "Retest": EntryLink(endpoint="testing.findings"),
    },
    inbox=inbox.SOURCES,
)
