"""The platform minimum and tiers: tightened at once for everybody, loosened by two people.

A loosened minimum has an end.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from governance.foundation.approvals import actions as approvals
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.data.tenant_revision import OVER_ALL, TenantRevision
from governance.operations.policies.models import PlatformPolicy
from governance.operations.policies.tiers import FLOOR
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.operations.policies.conftest import (
    effective_policy,
    hidden_value,
    policy_content,
    put_in_force,
)
from tests.operations.policies.page_helpers import form_values

CHANGE = "/operator/floor/change"


def change_floor(
    visitor, verb="confirm", then=303, until=None, reason="The regulator asks for it", **values
):
    sent = form_values(visitor.get(CHANGE).text) | {f"value_{k}": v for k, v in values.items()}
    return visitor.post(
        CHANGE, then=then, **(sent | {"verb": verb, "reason": reason, "until": until or ""})
    )


def days_from_today(days: int) -> str:
    return (clock.now() + timedelta(days=days)).date().isoformat()


def platform_revision() -> int:
    with make.acting("operator_admin", "console", read_only=True):
        return (
            session().scalar(select(TenantRevision.number).where(TenantRevision.id == OVER_ALL))
            or 0
        )


def test_a_stricter_floor_is_in_force_for_every_tenant_at_once(systems, as_operator):
    before = platform_revision()
    looked = change_floor(as_operator, "look", 200, retention_days="30")
    assert "Applies immediately, to every tenant" in main_text(
        looked
    ) and "Platform minimum: Retention" in main_text(looked)
    assert effective_policy().platform.number == 0
    change_floor(as_operator, retention_days="30")
    for slug in ("acme", "globex"):
        assert effective_policy(slug).effective()["retention_days"].value == 30
    assert platform_revision() == before + 1
    with make.acting("operator_admin", "console", read_only=True):
        entry = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "platform_minimum.changed"))
            .one()
        )
        assert entry.facts["lines"] == [["floor", "retention_days", "90", "30"]]
    with make.acting("admin", read_only=True):
        assert (
            not session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "platform_minimum.changed"))
            .all()
        )


def test_a_looser_floor_takes_a_second_operator_and_an_end(systems, as_operator, second_operator):
    looked = main_text(change_floor(as_operator, "look", 200, retention_days="180"))
    assert "a second operator must approve it" in looked and "Request approval" in looked
    assert "A looser minimum must end" in main_text(
        change_floor(as_operator, then=422, retention_days="180")
    )
    assert "at most 90 days" in main_text(
        change_floor(as_operator, then=422, retention_days="180", until=days_from_today(95))
    )
    assert "future day" in main_text(
        change_floor(as_operator, then=422, retention_days="180", until="2001-01-01")
    )
    where = change_floor(as_operator, retention_days="180", until=days_from_today(60)).location
    page = main_text(second_operator.get(where))
    assert (
        "Eva" in page
        and "asks to loosen the platform minimum" in page
        and "1 setting loosens for every tenant" in page
    )
    assert (
        "Retention Platform minimum, policy.retention_days from 90 days" in page
        and "to 180 days loosens" in page
        and "Every tenant gets a looser minimum" in page
    )
    assert "can’t approve your own request" in main_text(as_operator.get(where))
    as_operator.post(
        where, then=403, verb="approve", seen=hidden_value(second_operator.get(where).text, "seen")
    )
    assert effective_policy().platform.floor["retention_days"] == 90
    second_operator.post(where, then=409, verb="approve", seen="nothing")
    second_operator.post(
        where, verb="approve", seen=hidden_value(second_operator.get(where).text, "seen")
    )
    now = effective_policy()
    assert (
        now.platform.floor["retention_days"] == 180
        and now.next_change(clock.now()) == now.platform.until
    )
    with clock.frozen(clock.now() + timedelta(days=62)):
        back = effective_policy().platform
        assert (back.floor, back.number, back.until) == (FLOOR, 0, None)


def test_what_changes_while_the_floor_is_looser_outlives_it_and_the_looser_floor_does_not(
    systems, as_operator, second_operator
):
    where = change_floor(as_operator, retention_days="180", until=days_from_today(60)).location
    second_operator.post(
        where, verb="approve", seen=hidden_value(second_operator.get(where).text, "seen")
    )
    sent = form_values(as_operator.get("/operator/floor/tiers/new").text) | {
        "key": "guarded",
        "name": "Guarded",
        "reason": "x",
        "verb": "confirm",
    }
    as_operator.post("/operator/floor/tiers/new", **sent)
    assert effective_policy().platform.until is not None
    with clock.frozen(clock.now() + timedelta(days=62)):
        back = effective_policy().platform
        assert back.floor == FLOOR and "guarded" in back.tiers
    change_floor(as_operator, retention_days="90")
    assert effective_policy().platform.until is None and effective_policy().platform.floor == FLOOR


def test_a_tier_is_added_chosen_and_never_taken_away(systems, as_operator, as_admin):
    sent = form_values(as_operator.get("/operator/floor/tiers/new").text) | {
        "key": "guarded",
        "name": "Guarded",
        "means": "For guests.",
        "reason": "x",
    }
    assert "Guarded" in main_text(
        as_operator.post("/operator/floor/tiers/new", then=200, **sent, verb="look")
    )
    as_operator.post("/operator/floor/tiers/new", **sent, verb="confirm")
    as_operator.post("/operator/floor/tiers/new", then=422, **sent, verb="confirm")
    as_operator.post(
        "/operator/floor/tiers/new", then=422, **(sent | {"key": "G!"}), verb="confirm"
    )
    assert "Guarded" in main_text(as_admin.get("policies/?tier=guarded"))
    put_in_force(policy_content("guarded"))
    with make.acting("operator_admin", "console"):
        from governance.kernel.errors import Invalid
        from governance.operations.policies import platform_minimum

        with pytest.raises(Invalid, match="can't be removed"):
            platform_minimum.change({"floor": {}, "tiers": {}}, base=1, reason="x")


def test_a_looser_tier_waits_for_a_second_operator(systems, as_operator, second_operator):
    sent = form_values(as_operator.get("/operator/floor/tiers/strict").text) | {
        "value_memory": "on",
        "reason": "x",
        "verb": "confirm",
    }
    where = as_operator.post("/operator/floor/tiers/strict", **sent).location
    put_in_force(policy_content("strict"))
    assert effective_policy().tier.values["memory"] == "opt_in"
    assert "The Strict tier loosens" in main_text(second_operator.get(where))
    second_operator.post(where, then=422, verb="reject", reason=" ")
    second_operator.post(where, verb="reject", reason="No")
    second_operator.post(where, then=409, verb="approve", seen="x")
    assert "was rejected" in main_text(as_operator.get(where))
    assert "Nothing was changed" in main_text(as_operator.get(record_of_newest()))


def record_of_newest() -> str:
    with make.acting("operator_admin", "console", read_only=True):
        row_id = (
            session()
            .scalars(select(PlatformPolicy.id).order_by(PlatformPolicy.created_at.desc()))
            .first()
        )
        return f"/operator/floor/decisions/{row_id}"


def test_one_looser_change_is_open_at_a_time_and_its_requester_can_withdraw_it(
    as_operator, second_operator
):
    where = change_floor(as_operator, retention_days="180", until=days_from_today(60)).location
    assert "awaits a second operator" in main_text(
        change_floor(as_operator, then=422, retention_days="365", until=days_from_today(60))
    )
    assert where in as_operator.get("/operator/floor").text
    second_operator.post(where, then=403, verb="withdraw")
    as_operator.post(where, verb="withdraw")
    change_floor(as_operator, retention_days="365", until=days_from_today(60))


def test_tightening_never_waits_for_a_looser_request_which_is_void_then(
    as_operator, second_operator
):
    where = change_floor(as_operator, retention_days="180", until=days_from_today(60)).location
    seen = hidden_value(second_operator.get(where).text, "seen")
    assert "This voids APR-" in main_text(
        change_floor(as_operator, "look", 200, retention_days="30")
    )
    change_floor(second_operator, retention_days="30")
    assert effective_policy().platform.floor["retention_days"] == 30
    page = main_text(as_operator.get(where))
    assert (
        "is void" in page
        and "Version 1 changed the platform minimum after this request was made" in page
    )
    second_operator.post(where, then=409, verb="approve", seen=seen)
    assert effective_policy().platform.floor["retention_days"] == 30
    change_floor(as_operator, retention_days="180", until=days_from_today(60))


def test_a_request_that_nobody_decided_expires_and_can_be_made_again(as_operator, second_operator):
    where = change_floor(as_operator, retention_days="180", until=days_from_today(60)).location
    with clock.frozen(clock.now() + timedelta(days=15)):
        with make.acting("operator_admin", "console"):
            approvals.expire()
        with make.acting("operator_admin", "console", read_only=True):
            found = session().scalars(select(PlatformPolicy.state)).all()
            assert list(found) == ["expired"]
    assert "expired" in main_text(as_operator.get(where))


def test_who_may_not_decide_sees_what_was_requested(app, as_operator, second_operator):
    from tests.conftest import visitor

    where = change_floor(as_operator, retention_days="180", until=days_from_today(60)).location
    finance, record = visitor(app, "operator_finance", "console"), record_of_newest()
    assert record in finance.get("/operator/floor").text
    page = main_text(finance.get(record))
    assert (
        "requests a looser platform minimum" in page
        and "Platform minimum: Retention" in page
        and "Open approval" not in page
    )
    finance.get(where, then=404)
    assert "Open approval" in main_text(second_operator.get(record))
    second_operator.post(
        where, verb="approve", seen=hidden_value(second_operator.get(where).text, "seen")
    )
    assert finance.get(record, then=302).location == "/operator/floor/versions/1"


def test_two_operators_at_once_the_second_is_told(as_operator):
    sent = form_values(as_operator.get(CHANGE).text) | {
        "value_retention_days": "40",
        "verb": "confirm",
        "reason": "x",
    }
    change_floor(as_operator, retention_days="30")
    reply = as_operator.post(CHANGE, then=409, **sent)
    assert "Version 1 was published" in main_text(reply) and 'value="40"' in reply.text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("value_retention_days", "-1", "whole number"),
        ("value_model_access", "a b", "isn't a valid model name"),
        ("value_memory", "often", "choice"),
    ],
)
def test_a_value_that_is_none_is_named_beside_its_field(as_operator, field, value, said):
    sent = form_values(as_operator.get(CHANGE).text) | {
        field: value,
        "verb": "confirm",
        "reason": "x",
    }
    reply = as_operator.post(CHANGE, then=422, **sent)
    assert said in main_text(reply) and f'href="#{field}"' in reply.text


def test_nothing_changed_and_no_reason_are_refused(as_operator):
    assert "Nothing changes" in main_text(change_floor(as_operator, then=422))
    assert "Enter a reason" in main_text(
        change_floor(as_operator, then=422, reason=" ", retention_days="30")
    )


def test_who_may_look_and_who_may_change(app, as_operator, as_admin, database):
    from tests.conftest import visitor

    finance = visitor(app, "operator_finance", "console")
    finance.get("/operator/floor")
    finance.get("/operator/floor/versions")
    finance.get(CHANGE, then=403)
    as_admin.get("/operator/floor", then=404)
    as_operator.get("/operator/floor/tiers/lenient", then=404)
    as_operator.get("/operator/floor/versions/1", then=404)
    change_floor(as_operator, retention_days="30")
    assert "Platform minimum: Retention" in main_text(as_operator.get("/operator/floor/versions/1"))
    assert "Version 1" in main_text(as_operator.get("/operator/floor/versions"))


def test_a_tenants_transaction_cannot_write_the_operators_layer(database, acting):
    with (
        acting("admin"),
        pytest.raises(DBAPIError, match="row-level security"),
        session().begin_nested(),
    ):
        session().execute(
            text(
                "INSERT INTO platform_policies (id, state, content, digest, base, loosens, reason,"
                " made_by, created_at) VALUES (gen_random_uuid(), 'live', '{}', '', 0, false, '',"
                " gen_random_uuid(), now())"
            )
        )
