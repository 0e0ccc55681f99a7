"""The operator's pages of costs: a month, a manual line, pools and names."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from governance.economics.costs import placing_actions, queries, reconciliation_queries
from governance.economics.rates import actions as rates
from governance.economics.rates.conversion import MissingRate
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.months import Month
from tests.browser import words
from tests.economics.costs.focus_helpers import import_rows, row

PAGE = "/operator/economics/costs"
OCTOBER = Month(2026, 10)


def enter(visitor, **changed):
    values = {
        "month": "2026-10",
        "provider": "Own data centre",
        "pool": "infrastructure",
        "amount": "1,200.00",
        "currency": "EUR",
        "note": "Rent of October, invoice 77",
    }
    then = changed.pop("then", 303)
    return visitor.post(f"{PAGE}/lines", then=then, **(values | changed))


def actions_of(acting, prefix):
    with acting("operator_admin", "console"):
        query = select(AuditEntry.action, AuditEntry.facts).where(AuditEntry.action.like(prefix))
        return [(name, facts) for name, facts in session().execute(query)]


def test_a_month_without_costs_says_how_they_arrive(as_operator):
    page = words(as_operator.get(f"{PAGE}?month=2026-10"))
    assert "No costs in October 2026" in page and "Import a FOCUS file" in page


def test_a_month_is_added_up_by_provider_and_pool(as_operator):
    import_rows(as_operator, [row(), row(ServiceName="Storage", ServiceCategory="Storage")])
    enter(as_operator)
    page = words(as_operator.get(f"{PAGE}?month=2026-10"))
    assert "October 2026 cost €1,300, 96% of it infrastructure" in page
    assert "Effective, in EUR €1,300.00" in page
    assert "Rent of October, invoice 77" in page and "helio-large" in page


def test_a_missing_rate_is_named_and_totals_wait_for_it(as_operator, acting):
    import_rows(as_operator, [row(BillingCurrency="USD", EffectiveCost="100")])
    page = words(as_operator.get(f"{PAGE}?month=2026-10"))
    assert "There is no rate for USD in October 2026." in page
    with acting("operator_finance", "console"):
        with pytest.raises(MissingRate, match="USD in October 2026"):
            queries.pools(OCTOBER)
        rates.enter_rate(OCTOBER, "USD", Decimal("0.9"), source="ECB")
        assert queries.pools(OCTOBER)["models"] == 90
    assert "Effective, in EUR €90.00" in words(as_operator.get(f"{PAGE}?month=2026-10"))


def test_the_list_is_filtered_and_its_file_has_every_day(as_operator):
    other = {"ChargePeriodStart": "2026-10-18", "ChargePeriodEnd": "2026-10-19"}
    credit = {"ChargeCategory": "Credit", "EffectiveCost": "-7", "BilledCost": "-7"}
    import_rows(as_operator, [row(), row(**other), row(**credit, ServiceName="Goodwill")])
    page = words(as_operator.get(f"{PAGE}?month=2026-10&category=Credit"))
    assert "Goodwill" in page and "Inference" not in page
    text = as_operator.get(f"{PAGE}.csv?month=2026-10&category=Usage").text
    found = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert [each["Day"] for each in found] == ["2026-10-17", "2026-10-18"]
    assert {each["Pool"] for each in found} == {"Models"}
    as_operator.get(f"{PAGE}.xlsx?month=2026-10")


def test_a_cost_by_hand_needs_a_note_and_can_be_removed(as_operator, acting):
    assert "Say what the cost is for." in enter(as_operator, note=" ", then=422).text
    assert "isn't an amount" in enter(as_operator, amount="a lot", then=422).text.replace(
        "&#39;", "'"
    )
    to_come = str(Month.of(clock.today()).plus(2))  # Also in the operator's time zone.
    assert "is still to come" in enter(as_operator, month=to_come, then=422).text
    with acting("operator_finance", "console"):
        assert not queries.lines(OCTOBER)
    enter(as_operator)
    with acting("operator_finance", "console"):
        (line,) = queries.lines(OCTOBER)
        line_id = line.id
        assert (line.category, line.billed, line.effective) == ("Manual", 1200, 1200)
    as_operator.post(f"{PAGE}/lines/{line_id}/remove")
    with acting("operator_finance", "console"):
        assert not queries.lines(OCTOBER)
        changes = queries.months_changed_since(datetime(2020, 1, 1, tzinfo=UTC))
        assert [(each.before, each.after) for each in changes] == [(0, 1200), (1200, 0)]
    names = [name for name, _facts in actions_of(acting, "cost_line.%")]
    assert sorted(names) == ["cost_line.entered", "cost_line.removed"]


def test_a_line_of_a_bill_cannot_be_removed_by_hand(as_operator, acting):
    import_rows(as_operator, [row()])
    with acting("operator_finance", "console"):
        (line,) = queries.lines(OCTOBER)
        line_id = line.id
    as_operator.post(f"{PAGE}/lines/{line_id}/remove", then=404)
    with acting("operator_finance", "console"):
        assert len(queries.lines(OCTOBER)) == 1


def test_rules_keep_their_order_when_one_is_added_before_and_one_removed(as_operator, acting):
    as_operator.post(f"{PAGE}/rules", provider="Helio*", pool="models")
    as_operator.post(f"{PAGE}/rules", service="Content safety*", pool="guardrails", position=1)
    as_operator.post(f"{PAGE}/rules", service="*support*", pool="support")
    refused = as_operator.post(f"{PAGE}/rules", pool="other", then=422)
    assert "Name a provider, a service or a resource." in refused.text
    with acting("operator_finance", "console"):
        assert [(r.position, r.pool) for r in queries.pool_rules()] == [
            (1, "guardrails"),
            (2, "models"),
            (3, "support"),
        ]
        first = queries.pool_rules()[0].id
    as_operator.post(f"{PAGE}/rules/{first}/remove")
    with acting("operator_finance", "console"):
        assert [(r.position, r.pool) for r in queries.pool_rules()] == [
            (1, "models"),
            (2, "support"),
        ]
    assert len(actions_of(acting, "cost_pool_rule.%")) == 4


def test_names_on_invoices_are_matched_by_model_then_by_provider(as_operator, acting):
    import_rows(
        as_operator,
        [row(x_Model="HX-7"), row(x_Model="Helio-Small"), row(x_Model="unknown"), row(x_Model="")],
    )
    known = [("helio", "helio-large"), ("helio", "helio-small")]
    wrong = as_operator.post(
        f"{PAGE}/names",
        invoice_provider="Helio Cloud",
        invoice_model="HX-7",
        usage_provider="helio",
        then=422,
    )
    assert "on both sides" in wrong.text
    as_operator.post(f"{PAGE}/names", invoice_provider="Helio Cloud", usage_provider="helio")
    with acting("operator_finance", "console"):
        placing_actions.match_name("Helio Cloud", "HX-7", provider="helio", model="helio-large")
        found = reconciliation_queries.invoiced_by_day(OCTOBER, known)
        assert sorted((each.model, each.is_matched, each.cost) for each in found) == [
            ("", False, 50),
            ("helio-large", True, 50),
            ("helio-small", True, 50),
            ("unknown", False, 50),
        ]
        assert {each.provider for each in found} == {"helio"}
        assert found[0].meters["input"].quantity == 10_000_000
        assert reconciliation_queries.unmatched_names(OCTOBER, known) == [
            ("Helio Cloud", ""),
            ("Helio Cloud", "unknown"),
        ]
        (model_match, _provider_match) = sorted(
            queries.model_names(), key=lambda each: each.invoice_model, reverse=True
        )
        match_id = model_match.id
    page = words(as_operator.get(f"{PAGE}/placing"))
    assert "HX-7" in page and "every model" in page
    with clock.frozen(datetime(2026, 11, 3, tzinfo=UTC)):
        page = words(as_operator.get(f"{PAGE}/placing"))
    assert "Helio Cloud: unknown" in page and "Helio Cloud: charges without a model" in page
    assert "Helio Cloud: HX-7" not in page
    as_operator.post(f"{PAGE}/names/{match_id}/remove")
    with acting("operator_finance", "console"):
        assert len(queries.model_names()) == 1
