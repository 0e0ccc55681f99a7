"""Links from a gate's figure to its page, shown only to readers of that page."""

from dataclasses import replace

from governance.assurance.frameworks import queries as frameworks
from governance.operations.gates.gates import GateReading
from tests import make
from tests.assurance.engagements import engagement_helpers

LINK = ("objectives.index", {})
OBJECTIVE = GateReading("Availability", "pass", "25% left", "82% left", link=LINK)


def test_an_auditor_of_some_criteria_gets_no_link_to_a_page_that_counts_everything(app, isolated):
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    with make.acting("compliance_officer"):
        framework_id = frameworks.framework("soc2-tsc-2017").id
    engagement_helpers.create_engagement(auditor="auditor", framework_id=framework_id)
    whole = replace(OBJECTIVE, counts_everything=True)
    with make.acting("auditor", read_only=True):
        assert whole.shown_link is None and OBJECTIVE.shown_link == LINK
    with make.acting("compliance_officer", read_only=True):
        assert whole.shown_link == OBJECTIVE.shown_link == LINK
