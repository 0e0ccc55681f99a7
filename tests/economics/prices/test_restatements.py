"""Restatements: two people reprice history, but never a closed month."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from governance.economics.prices.models import PriceRestatement
from governance.economics.rates import ports
from governance.foundation.approvals import actions as approving
from governance.foundation.approvals import kinds
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Forbidden
from governance.kernel.months import Month
from tests import make
from tests.browser import words
from tests.economics.prices.price_helpers import add, collect, on, rows
from tests.economics.usage.usage_helpers import NOW, Product, at, event, register

SENT = {"first_month": "2026-10", "last_month": "2026-11", "reason": "A typing error."}
PRICE = {"input": Decimal(30), "output": Decimal(30)}


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def page(app, isolated):
    """Price usage of October and November. A later price would have covered November."""
    register()
    first = add()
    Product(app).send(
        [
            event(1, provider="anthropic"),
            event(2, provider="anthropic", at=at(on(20, month=10))),
        ]
    )
    collect()
    add(effective_from=date(2026, 10, 10), per_million=PRICE)
    collect()
    return f"/operator/economics/prices/{first}/restate"


def costs():
    return [(row.day.month, row.cost) for row in rows()]


BEFORE = [(10, Decimal("0.000462")), (11, Decimal("0.000462"))]
AFTER = [(10, Decimal("0.0045")), (11, Decimal("0.0045"))]  # 150 tokens at 30.


def decide(role, verb="approve"):
    with make.acting(role, "console"):
        approval = (
            session().scalars(select(Approval).where(Approval.kind == "price_restatement")).one()
        )
        if verb == "approve":
            approving.approve(approval, seen=kinds.fingerprint_seen(approval))
        else:
            approving.reject(approval, reason="The first price was right.")


def state():
    with make.acting("operator_finance", "console"):
        found = session().scalars(select(PriceRestatement)).one()
        return found.state, found.applied


def test_a_later_price_changes_no_history_by_itself(page):
    assert costs() == BEFORE


def test_a_restatement_is_previewed_requested_and_applied_by_another_person(page, as_operator):
    shown = words(as_operator.get(f"{page}?first_month=2026-10&last_month=2026-11"))
    assert "October 2026 1 $0.00 $0.00" in shown and "November 2026 1" in shown
    as_operator.post(page, **SENT)
    assert costs() == BEFORE
    with pytest.raises(Forbidden):
        decide("operator_admin")
    assert costs() == BEFORE
    decide("operator_finance")
    assert costs() == AFTER
    applied, months = state()
    assert applied == "applied" and [each["month"] for each in months] == ["2026-10", "2026-11"]
    assert months[0]["before"] == {"USD": "0.00046200"}
    assert months[0]["after"] == {"USD": "0.00450000"}
    with make.acting("operator_finance", "console"):
        names = session().scalars(
            select(AuditEntry.action).where(AuditEntry.action.startswith("price_restatement"))
        )
        assert sorted(names) == ["price_restatement.applied", "price_restatement.requested"]


def test_a_rejected_restatement_changes_nothing(page, as_operator):
    as_operator.post(page, **SENT)
    decide("operator_finance", "reject")
    assert costs() == BEFORE and state()[0] == "rejected"


def test_a_closed_month_is_not_priced_again(page, as_operator):
    with ports.closed_months.answered_by(lambda: {Month(2026, 10)}):
        as_operator.post(page, **SENT)
        decide("operator_finance")
    assert costs() == [BEFORE[0], AFTER[1]]


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"last_month": "2026-09"}, "before the first"),
        ({"first_month": "2020-01"}, "36 months at most"),
        ({"first_month": "2026-01", "last_month": "2026-02"}, "Nothing would change"),
        ({"reason": " "}, "Say why history changes"),
        ({"first_month": "x"}, "isn’t a month"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_requested(page, as_operator, sent, sentence):
    text = words(as_operator.post(page, then=422, **SENT | sent)).replace("'", "’")
    assert sentence in text
    with make.acting("operator_finance", "console"):
        assert session().scalars(select(PriceRestatement)).all() == []


def test_a_second_request_for_the_model_waits_for_the_first(page, as_operator):
    as_operator.post(page, **SENT)
    assert "awaits approval already" in words(as_operator.post(page, then=422, **SENT))


def test_people_of_a_tenant_restate_nothing(page, as_admin):
    as_admin.get(page, then=404)
    as_admin.post(page, then=404, **SENT)
