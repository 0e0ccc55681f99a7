"""An actor's visible scope: computed once a transaction, never shared, and not after a change."""

from governance.assurance.engagements import queries
from governance.assurance.frameworks import queries as frameworks
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.safety.visibility_scope import limits, scope
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.evidence import evidence_helpers


def soc2():
    return frameworks.framework("soc2-tsc-2017")


def limited():
    """Return Acme's auditor of SOC 2 alone, with one control that is mapped to a criterion."""
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    control = evidence_helpers.create_control("SEC-77", "In scope")
    with make.acting("compliance_officer"):
        held = soc2()
    engagement = engagement_helpers.create_engagement(auditor="auditor", framework_id=held.id)
    engagement_helpers.map_control(control, "CC6.1")
    return engagement, control


def test_members_see_all_and_pay_nothing_for_it(acting, statements, database):
    limited()
    with acting("viewer", read_only=True), statements() as seen:
        assert scope() is None
    assert seen == []


def test_an_auditor_s_scope_is_found_once_a_transaction(acting, statements, database):
    _, control = limited()
    with acting("auditor", read_only=True), statements() as seen:
        assert scope().controls == {control}
        asked = len(seen)
        assert scope() is scope() and limits() is scope()
    assert len(seen) == asked <= 5


def test_an_engagement_over_everything_limits_nothing(acting, database):
    with acting("auditor"):
        assert scope() is not None and limits() is None


def test_the_next_transaction_finds_what_changed_in_between(acting, database):
    engagement, control = limited()
    with acting("auditor", read_only=True):
        assert scope().holds(control)
    with acting("compliance_officer"):
        row = queries.engagement(engagement, lock=True)
        row.criteria = ["A1"]
    with acting("auditor", read_only=True):
        assert not scope().holds(control)


def test_the_same_transaction_finds_what_it_changed_itself(acting, database):
    _, control = limited()
    with acting("auditor"):
        assert scope().holds(control)
        [held] = queries.open_engagements_of(current.person_id())
        with session().begin_nested() as saved:
            held.criteria = ["A1"]
            session().flush()
            assert not scope().holds(control)
            saved.rollback()
        assert scope().holds(control)


def test_another_actor_in_the_same_transaction_has_a_scope_of_their_own(acting, database):
    _, control = limited()
    with acting("compliance_officer"):
        with current.acting_as(make.actor("auditor")):
            assert scope().controls == {control}
        assert scope() is None


def test_criteria_hold_what_lies_below_them_and_two_engagements_add_up(acting, database):
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    with acting("compliance_officer"):
        by_ref = {each.ref: each.id for each in frameworks.requirements(soc2().id)}
    engagement_helpers.create_engagement(
        auditor="auditor", framework_id=soc2().id, criteria=["CC6"]
    )
    with acting("auditor"):
        assert scope().holds_requirement(by_ref["CC6.1"]) and not scope().holds_requirement(
            by_ref["A1.1"]
        )
        assert scope().holds_framework("soc2-tsc-2017") and not scope().holds_framework(
            "nist-ai-rmf-1.0"
        )
    engagement_helpers.create_engagement(
        "Second firm", auditor="auditor", framework_id=soc2().id, criteria=["A1"]
    )
    with acting("auditor"):
        assert scope().holds_requirement(by_ref["CC6.1"]) and scope().holds_requirement(
            by_ref["A1.1"]
        )
        assert not scope().holds_requirement(by_ref["C1.1"])
    engagement_helpers.create_engagement("Third firm", auditor="auditor")
    with acting("auditor"):
        assert limits() is None


def test_without_an_open_engagement_nothing_is_in_scope(acting, database):
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    with acting("auditor"):
        held = limits()
        assert (held.controls, held.evidence, held.frameworks, held.requirements) == (
            set(),
            set(),
            set(),
            set(),
        )
        assert not held.open
