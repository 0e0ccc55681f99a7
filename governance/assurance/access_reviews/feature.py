"""Access reviews: reviewers decide who keeps access."""

from governance.assurance.access_reviews import (
    actions,
    collectors,
    glossary,
    inbox,
    jobs,
    models,
    palette,
    permissions,
    views,
)
from governance.foundation.audit.registry import actions_in
from governance.foundation.populations.collector import COLLECTORS
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, Daily, EntryLink, Manifest

manifest = Manifest(
    name="access_reviews",
    models=(models,),
    routes=(views.feature,),
    under=("tenant_settings.settings",),
    schedule=(Daily("remind of access reviews", jobs.remind_all_tenants, at="07:11"),),
    palette=(Command("Start access review", "access_reviews.start_form", permissions.REVIEW),),
    search=(palette.access_reviews,),
    extensions=(GLOSSARY(*glossary.TERMS), COLLECTORS(collectors.AccessReviews())),
    audit=actions_in(actions),
    links={
        "AccessReview": EntryLink(endpoint="access_reviews.review", argument="access_review_id"),
        "AccessReviewItem": EntryLink(no_page="listed on the page of its access review"),
    },
    inbox=inbox.SOURCES,
)
