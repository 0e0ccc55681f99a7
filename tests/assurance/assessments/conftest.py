"""Fixtures of this feature."""

import pytest

from governance.assurance.assessments import (
    assessment_actions,
)
from governance.assurance.controls import actions as controls
from governance.assurance.controls import mapping_actions
from governance.assurance.controls.control_record import ControlContent
from governance.assurance.frameworks import queries as frameworks
from tests import make
from tests.assurance.assessments.assessment_helpers import KEY, PERIOD, item_of


@pytest.fixture
def open_assessment(acting):
    """Create an open assessment, and one control that fully covers MEASURE 2.7 without evidence."""
    with acting("compliance_officer"):
        framework = frameworks.framework(KEY)
        held = assessment_actions.start_assessment(framework.id, title="Q4 2026", **PERIOD)
        control = controls.create(
            "SEC-04",
            ControlContent(
                title="Third-party penetration test",
                does="Someone else tries to break in.",
                kind="detective",
                automation="manual",
                cadence="quarterly",
            ),
            owner_id=make.person_id("contributor"),
        )
        mapping_actions.map_to(control, frameworks.requirement(KEY, "MEASURE-2.7").id, "full")
        return held.id


@pytest.fixture
def measured_item(acting, open_assessment):
    return item_of(acting, open_assessment, "MEASURE 2.7")
