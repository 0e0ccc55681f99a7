"""Eighteen months of usage by the demo's customers, from two imported files."""

import pytest
from sqlalchemy import func, select

from governance.demo import economics_revenue_story, economics_usage_story
from governance.economics.imports.models import FileImport
from governance.economics.usage.models import DAYS
from governance.kernel.data.db import session
from tests import make
from tests.economics.usage.usage_helpers import register


@pytest.fixture
def told(app, isolated):
    economics_revenue_story.create_customers()
    register("claims-triage")
    register("router", slug="globex")
    economics_usage_story.register_systems()
    economics_usage_story.tell(make.actor("operator_finance", "console"))


def test_both_files_are_applied_and_a_customer_has_usage_of_both(told):
    with make.acting("operator_finance", "console", read_only=True):
        assert [each.state for each in session().scalars(select(FileImport))] == ["applied"] * 2
    with make.acting("admin", "acme", read_only=True):
        first, last = session().execute(select(func.min(DAYS.c.day), func.max(DAYS.c.day))).one()
    assert (last - first).days > 500
