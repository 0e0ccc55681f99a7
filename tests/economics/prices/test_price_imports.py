"""A LiteLLM price table, compared with the book and then added completely."""

import json
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from governance.economics.prices import queries
from governance.economics.prices.models import Price
from governance.foundation.audit.models import AuditEntry
from governance.kernel.data.db import session
from tests.browser import words
from tests.economics.imports.import_helpers import apply, row_of, upload
from tests.economics.prices.price_helpers import CLAUDE, add

KIND = "litellm_prices"
NAME = "prices-2026-11-01.json"
OTHER = CLAUDE | {"input_cost_per_token": 1e-06, "deprecation_date": None}


@pytest.fixture
def finance(acting, isolated):
    return lambda: acting("operator_finance", "console")


def table(**models):
    return json.dumps(models)


def book(finance):
    with finance():
        return {
            row.match_key: row.input_price
            for row in session().scalars(select(Price).order_by(Price.effective_from))
        }


def test_a_table_is_previewed_and_then_added(as_operator, finance):
    add(provider="anthropic", model="same", per_million={"input": Decimal(1)})
    sent = table(
        sample_spec={"mode": "one of"},
        claude=CLAUDE,
        picture=CLAUDE | {"mode": "image_generation"},
        same={"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 1e-06},
    )
    address = upload(as_operator, sent, NAME, KIND)
    page = words(as_operator.get(address))
    for said in (
        "Effective from 1 November 2026",
        "New 1 model",
        "Changed 0 models",
        "Unchanged 1 model",
        "Skipped: Not priced by text tokens 1 model",
    ):
        assert said in page
    assert "anthropic/claude" not in book(finance)
    apply(as_operator, address)
    assert row_of(address).state == "applied"
    with finance():
        [price] = queries.history("anthropic/claude")
        assert price.effective_from == date(2026, 11, 1) and price.import_id == row_of(address).id
        assert price.unused_prices["input_cost_per_token_batches"] == "0.0000015"
        [entry] = session().scalars(
            select(AuditEntry).where(AuditEntry.action == "price.table_imported")
        )
        assert entry.facts == {"prices": 1, "effective_from": "2026-11-01"}
        price_id = price.id
    shown = words(as_operator.get(f"/operator/economics/prices/{price_id}"))
    assert "Kept, not used" in shown and "input_cost_per_token_batches 0.0000015" in shown


def test_a_changed_price_supersedes_and_leaves_the_earlier_one(as_operator, finance):
    for name, models in (("2026-10-01.json", {"claude": CLAUDE}), (NAME, {"claude": OTHER})):
        apply(as_operator, upload(as_operator, table(**models), name, KIND))
    with finance():
        assert [row.input_price for row in queries.history("anthropic/claude")] == [1, 3]


def test_the_same_file_twice_adds_nothing(as_operator, finance):
    address = upload(as_operator, table(claude=CLAUDE), NAME, KIND)
    apply(as_operator, address)
    assert upload(as_operator, table(claude=CLAUDE), NAME, KIND) == address
    again = upload(as_operator, table(claude=CLAUDE) + " ", NAME, KIND)
    assert row_of(again).rows_accepted == 0 and not row_of(again).can_be_applied
    assert len(book(finance)) == 1


def test_a_table_against_another_price_of_its_day_is_not_applied(as_operator, finance):
    add(model="claude", effective_from=date(2026, 11, 1), per_million={"input": Decimal(9)})
    address = upload(as_operator, table(claude=CLAUDE, other=CLAUDE), NAME, KIND)
    assert "Another price begins on 1 November 2026" in words(as_operator.get(address))
    apply(as_operator, address, then=422)
    assert book(finance) == {"anthropic/claude": 9}


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        ("{", NAME, "isn’t valid JSON"),
        ("[]", NAME, "is a JSON object with a model for each key"),
        (table(claude=CLAUDE), "prices-2026-02-31.json", "which doesn’t exist"),
    ],
)
def test_what_is_no_table_says_so(as_operator, content, name, sentence):
    address = upload(as_operator, content, name, KIND)
    assert sentence in words(as_operator.get(address)).replace("'", "’")
    assert row_of(address).state == "failed"
