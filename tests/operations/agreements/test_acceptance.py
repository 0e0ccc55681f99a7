"""Acceptance by two sides, of exactly the same terms; accepted terms never change."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid, NotFound, Stale
from governance.kernel.intervals import Span
from governance.kernel.months import Month
from governance.operations.agreements import (
    acceptance_actions,
    actions,
    ports,
    proposal_actions,
    queries,
)
from governance.operations.agreements.models import Commitment
from tests import make
from tests.operations.agreements import agreement_helpers as some
from tests.operations.objectives.objective_helpers import define, objective


@pytest.fixture
def indicator(database):
    with make.acting():
        return define()


def test_version_is_in_force_once_one_person_of_each_side_accepted_it(indicator):
    row = some.proposed(indicator)
    with some.operating():
        version = queries.version(row.id)
        assert acceptance_actions.accept(version, seen=version.fingerprint) is False
        assert version.state == "proposed"
    with make.acting("admin"):
        version = queries.version(row.id)
        assert (
            acceptance_actions.accept(version, seen=version.fingerprint, title="Head of claims")
            is True
        )
        assert version.state == "accepted"
        sides = {each.side: each.name for each in queries.acceptances([row.id])[row.id]}
        assert sides == {"provider": "Eva Brandt", "customer": "Sanjay Patel"}
        around = Span(some.OCTOBER - timedelta(minutes=1), some.OCTOBER + timedelta(minutes=1))
        [(span, in_force)] = queries.versions_in(row.agreement_id, around)
        assert in_force.id == version.id
        assert span == Span(some.OCTOBER, around.end)


def test_officer_edits_and_may_not_accept_for_the_tenant(indicator):
    row = some.proposed(indicator)
    with make.acting("compliance_officer"), pytest.raises(Forbidden, match="accept or end"):
        version = queries.version(row.id)
        acceptance_actions.accept(version, seen=version.fingerprint)


def test_one_side_accepts_once(indicator):
    row = some.proposed(indicator)
    with some.operating():
        version = queries.version(row.id)
        acceptance_actions.accept(version, seen=version.fingerprint)
    make.add_member("second_operator", "console")
    with some.operating(who="second_operator"), pytest.raises(Stale, match="Eva Brandt accepted"):
        version = queries.version(row.id)
        acceptance_actions.accept(version, seen=version.fingerprint)


def test_terms_that_changed_since_they_were_seen_are_not_accepted(indicator):
    row = some.proposed(indicator)
    with some.operating():
        version = queries.version(row.id)
        seen = version.fingerprint
        acceptance_actions.accept(version, seen=seen)
        proposal_actions.return_to_draft(version, reason="Lower the cap", seen=seen)
        changed = some.content(some.promise(indicator_id=indicator), credit_cap=Decimal("0.2"))
        actions.save_draft(version, changed, seen=version.edited, reason="Cap 20%")
        proposal_actions.propose(version, seen=version.edited)
        assert version.fingerprint != seen
        assert queries.acceptances([row.id])[row.id] == []  # Those given before are void.
    with make.acting("admin"), pytest.raises(Stale, match="terms have changed"):
        acceptance_actions.accept(queries.version(row.id), seen=seen)


def test_accepted_version_never_changes_whoever_writes(indicator):
    row = some.in_force(indicator)
    with some.operating():
        version = queries.version(row.id)
        with pytest.raises(Stale, match="never changes"):
            actions.save_draft(
                version, some.content(some.promise(indicator_id=indicator)), seen=1, reason=""
            )
        for statement in (
            "UPDATE agreement_versions SET monthly_fee = 1 WHERE id = :id",
            "UPDATE agreement_versions SET state = 'draft' WHERE id = :id",
            "DELETE FROM agreement_commitments WHERE version_id = :id",
            "DELETE FROM agreement_acceptances WHERE version_id = :id",
        ):
            with pytest.raises(DBAPIError, match=r"changes"), session().begin_nested():
                session().execute(text(statement), {"id": row.id})
        with pytest.raises(DBAPIError, match="only a draft"), session().begin_nested():
            session().add(Commitment(version_id=row.id, clause=9, target=1, bands=[], fee_part=0))
            session().flush()


def test_proposed_version_has_one_content(indicator):
    row = some.proposed(indicator)
    with some.operating():
        with pytest.raises(DBAPIError, match="returns to draft"), session().begin_nested():
            session().execute(
                text("UPDATE agreement_versions SET credit_cap = 0 WHERE id = :id"),
                {"id": row.id},
            )
        with pytest.raises(Stale, match="Return it to draft"):
            version = queries.version(row.id)
            actions.save_draft(version, some.content(), seen=version.edited, reason="")


def test_draft_is_its_own_sides_alone_until_it_is_proposed(indicator):
    row = some.drafted(indicator)
    with make.acting("admin"):
        with pytest.raises(NotFound):
            queries.version(row.id)
        assert queries.versions(row.agreement_id) == []
    some_proposed = some.proposed(indicator)
    with make.acting("admin"):
        assert queries.version(some_proposed.id).number == 1


def test_customers_draft_is_hidden_from_the_operator(indicator):
    with make.acting("compliance_officer"):
        row = actions.create("Ours", some.content(some.promise(indicator_id=indicator)), reason="")
        version_id = row.id
    with some.operating(), pytest.raises(NotFound):
        queries.version(version_id)


def test_two_people_editing_one_draft_the_second_is_told(indicator):
    row = some.drafted(indicator)
    with some.operating():
        version = queries.version(row.id)
        terms = some.content(some.promise(indicator_id=indicator), monthly_fee=1_300_000)
        actions.save_draft(version, terms, seen=1, reason="")
        with pytest.raises(Stale, match="Someone else edited"):
            actions.save_draft(version, terms, seen=1, reason="")


@pytest.mark.parametrize("hours", [0, 1])
def test_effective_date_lies_after_the_last_closed_month(indicator, hours):
    starts = some.OCTOBER - timedelta(hours=hours)
    row = some.drafted(indicator, effective_from=starts)
    with ports.last_closed_month.answered_by(lambda: Month(2026, 9)), some.operating():
        version = queries.version(row.id)
        if hours:
            with pytest.raises(Invalid, match="2026-09 is closed") as refused:
                proposal_actions.propose(version, seen=1)
            assert refused.value.field == "effective_from"
        else:
            proposal_actions.propose(version, seen=1)


def test_month_that_closes_before_the_second_signature_stops_it(indicator):
    row = some.proposed(indicator)
    with (
        ports.last_closed_month.answered_by(lambda: Month(2026, 10)),
        make.acting("admin"),
        pytest.raises(Invalid, match="2026-10 is closed"),
    ):
        version = queries.version(row.id)
        acceptance_actions.accept(version, seen=version.fingerprint)


def test_agreement_that_changes_in_the_middle_of_a_month(indicator):
    first = some.in_force(indicator)
    middle = some.OCTOBER + timedelta(days=14)
    with some.operating():
        agreement = queries.agreement(first.agreement_id)
        second = actions.draft_next(agreement, queries.version(first.id), reason="More")
        terms = some.content(
            some.promise(indicator_id=indicator), effective_from=middle, monthly_fee=1_500_000
        )
        actions.save_draft(second, terms, seen=1, reason="More")
        proposal_actions.propose(second, seen=2)
        second_id = second.id
    some.accept_both(second_id)
    october = Span(some.OCTOBER, datetime(2026, 10, 31, 23, tzinfo=UTC))
    with make.acting("viewer"):
        found = queries.versions_in(first.agreement_id, october)
        assert [(span, version.number) for span, version in found] == [
            (Span(october.start, middle), 1),
            (Span(middle, october.end), 2),
        ]
        # October has a day of 25 hours.
        assert sum(span.minutes for span, _ in found) == 31 * 1440 + 60
        accepted = [version for _, version in found]
        agreement = queries.agreement(first.agreement_id)
        assert queries.current_version(agreement, accepted, clock.now()).number == 2


def test_later_version_takes_effect_after_the_earlier_one(indicator):
    first = some.in_force(indicator)
    with some.operating():
        agreement = queries.agreement(first.agreement_id)
        second = actions.draft_next(agreement, queries.version(first.id), reason="")
        with pytest.raises(DomainError, match="open draft"):
            actions.draft_next(agreement, queries.version(first.id), reason="")
        with pytest.raises(Invalid, match="Version 1 takes effect"):
            proposal_actions.propose(second, seen=1)


def test_currency_of_an_agreement_stays(indicator):
    first = some.in_force(indicator)
    with some.operating():
        agreement = queries.agreement(first.agreement_id)
        second = actions.draft_next(agreement, queries.version(first.id), reason="")
        terms = some.content(some.promise(indicator_id=indicator), currency="USD")
        with pytest.raises(Invalid, match="is in EUR"):
            actions.save_draft(second, terms, seen=1, reason="")


def test_ended_agreement_and_ended_term_promise_nothing(indicator):
    row = some.in_force(indicator, ends_on=datetime(2026, 10, 10, tzinfo=UTC).date())
    whole = Span(some.OCTOBER, some.OCTOBER + timedelta(days=60))
    with make.acting("admin"):
        [(span, _)] = queries.versions_in(row.agreement_id, whole)
        assert span.end == some.OCTOBER + timedelta(days=10)
        ends = some.OCTOBER + timedelta(days=5)
        actions.end(queries.agreement(row.agreement_id), at=ends, reason="Product retired")
        [(span, _)] = queries.versions_in(row.agreement_id, whole)
        assert span.end == ends
    with make.acting("compliance_officer"), pytest.raises(Forbidden):
        actions.end(queries.agreement(row.agreement_id), at=ends, reason="Me too")


@pytest.mark.parametrize(
    ("change", "field", "why"),
    [
        ({"bands": [["0.99", "0.1"], ["0.995", "0.2"]]}, "c0_b0_below", "band 2"),
        ({"bands": [["2", "0.1"]]}, "c0_b0_below", "share from 0 to 1"),
        ({"target": Decimal(0)}, "c0_target", "above 0%"),
        ({"fee_part": 2_000_000}, "c0_fee", "more than the month's fee"),
        ({"indicator_id": None}, "c0_measures", "choose an objective or an indicator"),
    ],
)
def test_commitment_that_cannot_be_kept_is_refused_by_field(indicator, change, field, why):
    bad = some.promise(**{"indicator_id": indicator, **change})
    with some.operating(), pytest.raises(Invalid, match=why) as refused:
        actions.create("Bad", some.content(bad), reason="")
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": "XXX"}, "currency"),
        ({"close_day": 31}, "close_day"),
        ({"credit_cap": Decimal("1.5")}, "cap"),
        ({"minimum_coverage": Decimal(-1)}, "coverage"),
        ({"excluded_categories": ("bad_luck",)}, "categories"),
        ({"ends_on": datetime(2026, 9, 1, tzinfo=UTC).date()}, "ends_on"),
        ({"business_hours": {**some.CALENDAR, "zone": "Nowhere"}}, "time_zone"),
    ],
)
def test_terms_that_contradict_themselves_are_refused_by_field(indicator, change, field):
    terms = some.content(some.promise(indicator_id=indicator), **change)
    with some.operating(), pytest.raises(Invalid) as refused:
        actions.create("Bad", terms, reason="")
    assert refused.value.field == field


def test_empty_agreement_is_not_proposed(database):
    with some.operating():
        row = actions.create("Empty", some.content(), reason="")
        with pytest.raises(Invalid, match="promises nothing"):
            proposal_actions.propose(row, seen=1)


def test_commitment_names_only_the_tenants_own_objectives(indicator):
    with make.acting("compliance_officer", "globex"):
        theirs = objective(define("globex-availability")).id
    with some.operating(), pytest.raises(Invalid, match="one of the tenant's"):
        actions.create("Bad", some.content(some.promise(objective_id=theirs)), reason="")


def test_terms_are_exact_texts_and_stay_as_proposed(indicator):
    row = some.in_force(indicator)
    with make.acting("viewer"):
        terms = queries.terms(queries.version(row.id))
    assert terms["agreement"] == "AGR-1"
    assert terms["credit_cap"] == "0.3"
    assert terms["commitments"][0]["bands"] == some.BANDS
    assert terms["commitments"][0]["target"] == "0.999"
    assert terms["effective_from"] == "2026-09-30T22:00:00Z"


# ---- vendors


def test_vendor_agreement_needs_a_signature_and_another_operator(database):
    row = some.vendor_draft()
    with some.operating("console"):
        version = queries.version(row.id)
        proposal_actions.propose(version, seen=1)
        seen = version.fingerprint
        acceptance_actions.record_vendor_signature(
            version, seen=seen, name="H. Vogel", title="CFO", document="contracts/helio.pdf"
        )
        with pytest.raises(Forbidden, match="another operator"):
            acceptance_actions.accept(version, seen=seen)
    make.add_member("second_operator", "console")
    with some.operating("console", "second_operator"):
        assert acceptance_actions.accept(queries.version(row.id), seen=seen) is True
        minute = Span(clock.now(), clock.now() + timedelta(minutes=1))
        [(agreement, _versions)] = queries.in_force_during(minute, "from_vendor")
        assert agreement.ref == "VEN-1"


def test_vendor_agreement_is_invisible_to_tenants(indicator):
    row = some.vendor_draft()
    for slug in ("acme", "globex"):
        with make.acting("admin", slug):
            with pytest.raises(NotFound):
                queries.agreement(row.agreement_id)
            with pytest.raises(NotFound):
                queries.version(row.id)
        with some.operating(slug):
            assert (
                queries.in_force_during(
                    Span(some.OCTOBER, some.OCTOBER + timedelta(days=1)), "from_vendor"
                )
                == []
            )


def test_tenant_keeps_no_vendor_agreement(indicator):
    terms = some.content(some.promise(vendor=True))
    with make.acting("admin"), pytest.raises(Forbidden, match="Only the operator"):
        actions.create("Ours", terms, direction=some.FROM_VENDOR, counterparty="X", reason="")


def test_second_tenant_sees_no_agreement_of_the_first(indicator):
    row = some.in_force(indicator)
    with make.acting("admin", "globex"), pytest.raises(NotFound):
        queries.agreement(row.agreement_id)
