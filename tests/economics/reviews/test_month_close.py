"""The close of a month: exactly once, with frozen figures; restated only after a reopening."""

from decimal import Decimal

import pytest
from sqlalchemy import event, select

from governance.economics.rates import actions as rates
from governance.economics.reviews import jobs, queries
from governance.economics.reviews.closing import actions as close_actions
from governance.economics.reviews.closing import residual_actions
from governance.economics.reviews.closing import work as closing
from governance.economics.reviews.closing.actions import NotOver
from governance.economics.reviews.models import ReviewRevision
from governance.foundation.approvals.models import Approval
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import Forbidden, Invalid, NotFound
from governance.kernel.months import Month
from governance.kernel.work import jobs as kernel_jobs
from governance.kernel.work.jobs import WorkItem
from tests import make
from tests.conftest import visitor
from tests.economics.reviews import close_helpers as month
from tests.economics.reviews.close_helpers import FINANCE, NOW, OCTOBER, PRODUCT, as_finance
from tests.economics.usage import usage_helpers
from tests.foundation.approvals.approval_helpers import approve_below_pages


@pytest.fixture
def october(app, isolated):
    """Let Acme use 30 dollars of models, which the provider billed with 1% more."""
    month.use(app)
    month.price()
    month.bill("15.15")
    month.collect()


def asked(kind):
    with as_finance():
        query = select(Approval).where(Approval.kind == kind).order_by(Approval.number)
        found = session().scalars(query).all()
        session().expunge_all()
        return found


def test_a_month_is_closed_with_what_was_used_and_billed(october):
    row = month.close()
    assert (row.revision, row.problem) == (1, None)
    facts = month.view().facts
    [acme] = [each for each in facts.tenants if each.slug == "acme"]
    assert acme.costs.models == Decimal("15.00")  # 30 dollars.
    assert acme.requests == 10 and acme.active_users == 4
    assert facts.reconciliation.residual == Decimal("0.15")
    assert facts.waterfall.gross_margin == Decimal("-15.15")
    assert [each.name for each in facts.inputs][0] == "usage"


def test_a_task_of_several_attempts_is_completed_once_and_costs_all_of_them(app, isolated):
    """Count eight failed attempts and two successes as one task."""
    month.price()
    month.use(app, requests=8, outcome="failed", task="task-1")
    with clock.frozen(month.IN_OCTOBER):
        usage_helpers.Product(app, name="second product").send(
            [
                usage_helpers.event(
                    n,
                    id=f"late-{n}",
                    at=f"2026-10-19T10:00:0{n}Z",
                    provider="anthropic",
                    feature="triage",
                    task="task-1",
                    tokens={"input": 1_000_000},
                )
                for n in range(2)
            ]
        )
    month.collect()
    month.bill("15.00")
    month.close()
    facts = month.view().facts
    [acme] = [each for each in facts.tenants if each.slug == "acme"]
    assert (acme.requests, acme.completed_tasks, acme.unnamed_tasks) == (10, 1, 0)
    assert facts.ratios.cost_per_task == Decimal("15.00")
    [system] = facts.systems
    assert (system.attempts, system.completed_tasks, system.per_task) == (10, 1, Decimal("15.00"))


def test_a_month_closed_twice_at_once_has_one_revision(october):
    with clock.frozen(NOW), as_finance():
        first, second = (close_actions.request_close(OCTOBER) for _ in range(2))
        assert first.id == second.id
    kernel_jobs.drain(actor_of)
    month.close()
    with as_finance():
        assert len(session().scalars(select(ReviewRevision)).all()) == 1


def test_a_running_month_cannot_be_closed(october):
    with clock.frozen(NOW), as_finance(), pytest.raises(NotOver, match="November 2026 isn't over"):
        close_actions.request_close(Month(2026, 11))


def test_the_job_closes_a_month_on_its_day_and_no_earlier(october):
    early = NOW.replace(day=4)
    for at, closed in ((early, 0), (NOW.replace(day=6), 1)):
        with clock.frozen(at):
            jobs.close_due_months()
            kernel_jobs.drain(actor_of)
        with as_finance():
            assert len(queries.reviewed_months()) == closed


def test_a_residual_above_the_limit_stops_the_close_until_two_people_accept_it(app, isolated):
    month.use(app)
    month.price()
    month.bill("20")
    month.collect()
    row = month.close()
    assert row.revision == 0 and row.problem.startswith("The residual is 25.00%")
    with clock.frozen(NOW), as_finance():
        made = residual_actions.ask(queries.review_of(OCTOBER), "The batch job has no key yet.")
        request_id = made.id
    with clock.frozen(NOW):
        approve_below_pages(request_id, PRODUCT, "console")
        kernel_jobs.drain(actor_of)
    found = month.view()
    assert found.revision.number == 1
    assert found.revision.accepted_residual == "The batch job has no key yet."


def test_whoever_asks_to_accept_a_residual_does_not_decide(app, isolated):
    month.use(app)
    month.price()
    month.bill("20")
    month.collect()
    month.close()
    with clock.frozen(NOW), as_finance():
        made = residual_actions.ask(queries.review_of(OCTOBER), "No reason to wait.")
        request_id = made.id
    with clock.frozen(NOW), pytest.raises(Forbidden):
        approve_below_pages(request_id, FINANCE, "console")


def test_a_month_without_a_rate_names_the_currency_and_the_month(app, isolated):
    month.use(app)
    with clock.frozen(NOW):
        month.price_helpers.add()
    month.bill("15.15")
    month.collect()
    assert month.close().problem == (
        "There is no rate for USD in October 2026. Add it under Rates."
    )


def test_provisional_rates_stop_the_close_by_name_until_they_are_entered(app, isolated):
    month.use(app)
    month.bill("15.15")
    with clock.frozen(NOW):
        month.price_helpers.add()
        with as_finance():
            rates.enter_rate(Month(2026, 9), "USD", Decimal("0.4"), source="ECB")
    month.collect()
    row = month.close()
    assert (row.revision, row.problem) == (
        0,
        "USD for October 2026 is provisional (rate of September 2026). Enter the rate, then close.",
    )
    with clock.frozen(NOW), as_finance():
        rates.enter_rate(OCTOBER, "USD", Decimal("0.45"), source="ECB")
        rates.enter_rate(OCTOBER, "USD", Decimal("0.5"), source="ECB, corrected")
    assert (month.close().revision, month.row_of().problem) == (1, None)
    facts = month.view().facts
    assert [(each.currency, each.rate) for each in facts.rates] == [("USD", Decimal("0.5"))]
    assert facts.waterfall.costs.models == Decimal("15.00")


def test_usage_without_a_price_is_named_in_the_review_and_in_no_figure(october, app):
    with clock.frozen(month.IN_OCTOBER):
        usage_helpers.Product(app, name="second product").send(
            [
                usage_helpers.event(
                    n,
                    id=f"unpriced-{n}",
                    at=f"2026-10-19T10:00:0{n}Z",
                    model="helio-large-3",
                    tokens={"input": 500},
                )
                for n in range(2)
            ]
        )
    month.collect()
    month.close()
    facts = month.view().facts
    said = "2 requests and 1,000 tokens of helio-large-3 (no provider named) have no price."
    assert facts.without_price == [f"{said} No figure has their cost."]
    assert facts.waterfall.costs.models == Decimal("15.00")
    with clock.frozen(NOW):
        finance = visitor(app, FINANCE, "console")
        assert said in finance.get("/operator/economics/reviews/2026-10/").text


def test_a_month_whose_usage_has_prices_keeps_nothing_about_it(october):
    month.close()
    with as_finance():
        stored = session().scalars(select(ReviewRevision)).one().facts
        assert "unpriced" not in stored


def test_a_provisional_rate_that_no_amount_needs_stops_nothing(october):
    with clock.frozen(NOW), as_finance():
        rates.enter_rate(Month(2026, 9), "CHF", Decimal("1.1"), source="ECB")
    assert month.close().revision == 1
    assert [each.currency for each in month.view().facts.rates] == ["USD"]


def test_a_rate_of_a_closed_month_leaves_its_figures_and_says_so(october, app):
    month.close()
    before = month.view().revision.facts
    finance = visitor(app, FINANCE, "console")
    with clock.frozen(NOW):
        said = finance.post(
            "/operator/economics/rates",
            month="2026-10",
            currency="USD",
            rate="0.6",
            source="ECB",
            follow=True,
        ).text
    assert "was corrected from 0.5 to 0.6. October 2026 is closed and keeps its figures." in said
    assert month.view().revision.facts == before


def test_both_sides_sign_and_a_restated_month_is_signed_again(october):
    month.close()
    for kind, role in (("review-finance", FINANCE), ("review-product", PRODUCT)):
        [request] = asked(kind)
        with clock.frozen(NOW):
            approve_below_pages(request.id, role, "console")
    assert {each.side for each in month.view().sign_offs} == {"finance", "product"}
    with clock.frozen(NOW), as_finance():
        close_actions.reopen(queries.review_of(OCTOBER), "The bill was corrected.")
    month.bill("-0.10")
    month.close()
    found = month.view()
    assert found.revision.number == 2 and not found.sign_offs
    assert [each.state for each in asked("review-finance")] == ["approved", "open"]


def test_the_other_side_cannot_sign(october):
    month.close()
    [request] = asked("review-finance")
    with clock.frozen(NOW), pytest.raises(NotFound):
        approve_below_pages(request.id, PRODUCT, "console")


def test_a_restatement_says_what_changed_and_why(october):
    month.close()
    before = month.view()
    month.bill("-0.10")
    with clock.frozen(NOW):
        jobs.note_late_inputs()
    with as_finance():
        assert queries.review_of(OCTOBER).late == ["Provider bills", "Invoiced model cost by day"]
    with clock.frozen(NOW), as_finance():
        close_actions.reopen(queries.review_of(OCTOBER), "The bill was corrected.")
    month.close()
    found = month.view()
    assert found.revision.reason == "The bill was corrected."
    assert ["residual", "0.15", "0.05"] in found.revision.changes
    assert month.view(number=1).facts == before.facts
    with as_finance():
        assert queries.review_of(OCTOBER).late is None


def test_reopening_needs_a_reason(october):
    month.close()
    with as_finance(), pytest.raises(Invalid, match="Say why"):
        close_actions.reopen(queries.review_of(OCTOBER), "  ")


def test_events_that_arrive_after_the_close_change_no_figure(october, app):
    month.close()
    frozen = month.view().facts
    month.use(app, slug="globex", system="router", requests=5)
    month.collect()
    month.close()
    assert month.view().facts == frozen


def test_a_customer_never_sees_a_review(october):
    month.close()
    with make.acting("admin", "acme"):
        assert queries.reviewed_months() == []


class Killed(Exception):
    """An error after which no handler runs, as after the kill of a process."""


def test_killed_at_any_statement_that_writes_it_closes_once(october, engine):
    """Kill the work at its n-th write, for each n. The next attempt closes the month."""
    with clock.frozen(NOW), as_finance():
        close_actions.request_close(OCTOBER)
    left = {"writes": None}

    def count(_connection, _cursor, statement, *_rest):
        if left["writes"] is not None and statement.startswith(("INSERT", "UPDATE", "DELETE")):
            left["writes"] -= 1
            if left["writes"] < 0:
                left["writes"] = None
                raise Killed

    event.listen(engine, "before_cursor_execute", count)
    deaths = 0
    try:
        for n in range(100):
            with as_finance():
                item = session().scalars(select(WorkItem).where(WorkItem.kind == "review")).one()
                session().expunge_all()
            left["writes"] = n
            try:
                with clock.frozen(NOW), current.acting_as(make.system_actor("console")):
                    closing.close(item, lambda *_step: None)
            except Killed:
                deaths += 1
                assert month.row_of().revision == 0
            else:
                break
    finally:
        left["writes"] = None
        event.remove(engine, "before_cursor_execute", count)
    assert deaths > 4  # The revision, its entry, two requests to sign.
    assert month.view().revision.number == 1
