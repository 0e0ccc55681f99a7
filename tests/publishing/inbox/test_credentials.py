"""Expiring keys, secrets and certificates, in the inbox of those who can renew them."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from governance.foundation.api_keys import actions as keys
from governance.foundation.api_keys.models import ApiKey
from governance.foundation.audit import logs
from governance.foundation.audit.models import LogKey
from governance.foundation.people.models import Membership
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.publishing.inbox import queries
from governance.publishing.reports.seals.models import SealCertificate
from tests import make
from tests.conftest import visitor
from tests.row_factory import RowFactory

DAY = timedelta(days=1)


@pytest.fixture
def create_key(app, acting, isolated):
    """Create a key, change its row, and return its id."""

    def create(scopes=("audit:read",), **values):
        with acting("admin"):
            row, _token = keys.create(values.get("name", "Pipeline"), list(scopes))
            for name, value in values.items():
                setattr(row, name, value)
            return row.id

    return create


@pytest.mark.parametrize(
    ("scopes", "days", "says"),
    [
        (["audit:read"], 13, "API key Pipeline expires soon"),
        (["scim"], 13, "The directory&#39;s key Pipeline expires soon"),
        (["scim"], 15, None),
        (["audit:read"], -1, None),
    ],
)
def test_a_key_is_listed_two_weeks_before_it_expires(app, create_key, scopes, days, says):
    create_key(scopes, expires_at=clock.now() + days * DAY)
    listed = visitor(app, "admin").get("inbox/").text
    assert ("Pipeline" in listed) == (says is not None)
    assert says is None or says in listed
    assert "Pipeline" not in visitor(app, "compliance_officer").get("inbox/").text
    assert "Pipeline" not in visitor(app, "admin", "globex").get("inbox/").text


def test_a_revoked_key_leaves_the_inbox_and_is_listed_as_done(app, create_key, acting):
    key_id = create_key(expires_at=clock.now() + DAY)
    admin = visitor(app, "admin")
    assert "API key Pipeline expires soon" in admin.get("inbox/").text
    with acting("admin"):
        keys.revoke(session().get(ApiKey, (make.system_actor("acme").tenant_id, key_id)))
    assert "Pipeline" not in admin.get("inbox/").text
    assert "Pipeline" in admin.get("inbox/?view=done").text


def test_a_secret_that_was_replaced_is_listed_before_it_ends(app, create_key):
    create_key(previous_hash=b"x" * 32, previous_until=clock.now() + DAY)
    assert "The previous secret of API key Pipeline" in visitor(app, "admin").get("inbox/").text


def test_keys_that_a_former_member_has_seen_are_one_item_until_all_are_rotated_or_revoked(
    app, create_key, acting
):
    left = make.person_id("viewer")
    seen = [str(left), str(make.person_id("admin"))]
    rotated = create_key(["scim"], hands=seen)
    revoked = create_key(hands=seen, name="Mirror", secret_hash=b"m" * 32)
    create_key(hands=seen[1:], name="Collector", secret_hash=b"c" * 32)
    admin = visitor(app, "admin")
    assert "Pipeline" not in admin.get("inbox/").text
    with acting("admin"):
        mine = Membership.person_id == left
        ended_at = clock.now() - 8 * DAY
        session().execute(update(Membership).where(mine).values(ended_at=ended_at))
    listed = admin.get("inbox/").text
    assert "Rotate 2 API keys that a former member has seen" in listed
    assert "Mirror, Pipeline" in listed and "Collector" not in listed
    assert "late" in listed  # Due 7 days after they left.
    for who in (visitor(app, "admin", "globex"), visitor(app, "compliance_officer")):
        assert "former member" not in who.get("inbox/").text
    with acting("admin"):
        row = session().get(ApiKey, (make.system_actor("acme").tenant_id, rotated))
        keys.rotate(row, overlap_days=7, seen=row.hint)
    assert "Rotate an API key that a former member has seen" in admin.get("inbox/").text
    with acting("admin"):
        keys.revoke(session().get(ApiKey, (make.system_actor("acme").tenant_id, revoked)))
    assert "former member" not in admin.get("inbox/").text


@pytest.mark.parametrize(
    ("source", "days", "listed"),
    [
        ("uploaded", 59, True),
        ("uploaded", 61, False),
        ("issued", 59, False),
    ],
)
def test_a_certificate_is_listed_before_it_ends_unless_meridian_renews_it(
    app, acting, isolated, source, days, listed
):
    with acting("admin"):
        row_id = RowFactory().of(SealCertificate)
        row = session().get(SealCertificate, (make.system_actor("acme").tenant_id, row_id))
        row.source, row.retired_at, row.not_after = source, None, clock.now() + days * DAY
        row.subject = "Acme Seal 2026"
    page = visitor(app, "admin").get("inbox/").text
    assert ("Replace the report certificate Acme Seal 2026" in page) == listed
    assert "Acme Seal 2026" not in visitor(app, "compliance_officer").get("inbox/").text


def test_an_old_signing_key_is_listed_for_who_looks_after_the_log(app, acting, isolated):
    with acting("admin"):
        logs.open_log()
        session().execute(update(LogKey).values(created_at=clock.now() - 731 * DAY))
    for role, listed in (("admin", True), ("compliance_officer", True), ("viewer", False)):
        page = visitor(app, role).get("inbox/").text
        assert ("The signing key of the audit log is more than" in page) == listed, role


def test_what_is_in_order_adds_nothing(app, create_key, acting):
    create_key(expires_at=clock.now() + 300 * DAY)
    with acting("admin", read_only=True):
        before = queries.tally().open
    assert "API key" not in visitor(app, "admin").get("inbox/").text and before >= 0
