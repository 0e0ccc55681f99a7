"""An engagement with evidence in scope."""

import pytest

from tests.assurance.engagements import engagement_helpers
from tests.assurance.engagements.package_helpers import sequence_entries
from tests.assurance.evidence import evidence_helpers


@pytest.fixture
def engagement_with_files(acting, database):
    """Create an engagement with three files in scope, one provided in a request with a thread.

    Return (engagement, versions).
    """
    engagement = engagement_helpers.world_engagement()
    control = evidence_helpers.create_control()
    versions = [
        evidence_helpers.upload_version(
            evidence_helpers.create_evidence("Penetration test", supports=[control])
        ),
        evidence_helpers.upload_version(
            evidence_helpers.create_evidence("Members", supports=[control]),
            b"name,role\nAnna,owner\n",
            "mitglieder äöü %20.csv",
        ),
        evidence_helpers.upload_version(
            evidence_helpers.create_evidence("Loose"), b"a,b\n1,2\n", "loose.csv"
        ),
    ]
    request = engagement_helpers.create_request(engagement)
    engagement_helpers.attach_version(engagement, request, versions[2])
    engagement_helpers.provide_request(
        engagement, request, said="<script>alert(1)</script> as asked"
    )
    sequence_entries(acting)
    return engagement, versions
