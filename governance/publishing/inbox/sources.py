"""Every source of the inbox, from the features that have one."""

from governance.assurance.access_reviews import inbox as access_reviews
from governance.assurance.assessments import inbox as assessments
from governance.assurance.engagements import inbox as engagements
from governance.assurance.evidence import inbox as evidence
from governance.assurance.testing import inbox as testing
from governance.foundation.people import inbox as people
from governance.foundation.privacy import inbox as privacy
from governance.kernel.inbox import InboxSource
from governance.operations.policies import inbox as policies
from governance.operations.switches import inbox as switches

SOURCES: tuple[InboxSource, ...] = (
    *policies.SOURCES, *switches.SOURCES, *people.SOURCES, *privacy.SOURCES, *evidence.SOURCES, *assessments.SOURCES, *engagements.SOURCES,
    *access_reviews.SOURCES, *testing.SOURCES,
)  # fmt: skip
