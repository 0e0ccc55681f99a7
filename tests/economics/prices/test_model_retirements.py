"""Vendors' retirement dates of models, from the price book into customers' registers."""

from datetime import date

import pytest

from governance.economics.prices import retirement_jobs
from governance.operations.systems import actions, queries
from tests import make
from tests.economics.prices.price_helpers import add

pytestmark = pytest.mark.usefixtures("database")


def register(slug, models):
    with make.acting("compliance_officer", slug):
        actions.register(
            key="claims-triage",
            stage="live",
            name="Claims triage",
            lane="standard",
            purpose="Sorts claims.",
            owner_id=None,
            facts={"models": models},
        )


def models_of(slug):
    with make.acting("admin", slug, read_only=True):
        return [
            (each["retires_on"], each["successor"])
            for each in queries.system("claims-triage").models
        ]


def test_each_night_every_customers_register_gets_the_vendors_days():
    add(deprecation_date=date(2027, 3, 31), successor_model="claude-next")
    add(model="gone", deprecation_date=date(2025, 1, 1))
    register("acme", "Anthropic, anthropic/claude-sonnet-4-5\nHelio, own, , 2029-01-01")
    register("globex", "anthropic, gone")
    for _twice in range(2):
        retirement_jobs.enter_model_retirements()
    assert models_of("acme") == [("2027-03-31", "claude-next"), ("2029-01-01", "")]
    assert models_of("globex") == [("2025-01-01", "")]
    with make.acting("admin", read_only=True):
        assert queries.system("claims-triage").version == 2
