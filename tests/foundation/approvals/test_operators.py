"""Approvals in the operator's tenant: one operator requests, another decides."""

import pytest

from governance.foundation.approvals import actions
from governance.foundation.approvals.kinds import ApprovalKind, Description
from governance.foundation.people import permissions
from governance.kernel import clock
from governance.kernel.data.ids import uuid7
from governance.publishing.inbox import statements
from tests import make
from tests.conftest import visitor
from tests.foundation.approvals.approval_helpers import (
    approvals_in_inbox,
    decide_approval,
    newest_approval_page,
)
from tests.foundation.approvals.conftest import registered_kind


def forget_statements():
    """Forget cached statements, which follow from the kinds of a process."""
    for statement in (
        statements.page_statement,
        statements.tally_statement,
        statements.keys_statement,
        statements.item_statement,
    ):
        statement.cache_clear()


@pytest.fixture
def applied(app):
    found = []
    kind = ApprovalKind(
        name="test_platform",
        label="Platform change",
        permission=permissions.MANAGE,
        describe=lambda a: Description(a.summary),
        fingerprint=lambda a: {"target": a.target_id},
        apply=lambda a: found.append(a.target_id),
    )
    with registered_kind(kind):
        forget_statements()
        yield found
    forget_statements()


def test_what_an_operator_requested_is_in_the_inbox_of_another(app, as_operator, database, applied):
    make.add_member("second_operator", "console", since=clock.now() - make.MEMBERS_FOR)
    with make.acting("operator_admin", "console"):
        actions.request(
            "test_platform", uuid7(), summary="raise the platform minimum", reason="It is time"
        )
    noor, path = visitor(app, "second_operator", "console"), newest_approval_page("console")
    assert (
        approvals_in_inbox(noor, "console") == {path}
        and approvals_in_inbox(as_operator, "console") == set()
    )
    for address in ("/operator/frameworks", "/t/console/settings/members"):
        assert (
            "<b>1</b>" in noor.get(address).text and "<b>1</b>" not in as_operator.get(address).text
        )
    decide_approval(noor, path, verb="approve")
    assert len(applied) == 1 and approvals_in_inbox(noor, "console") == set()
    done = noor.get("/t/console/inbox/?view=done").text
    assert (
        "Raise the platform minimum" in done
        and "You approved this request" in done
        and path in done
    )
    theirs = as_operator.get("/t/console/inbox/?view=done").text
    assert "Your request was approved" in theirs and "You approved this request" not in theirs


def test_a_tenant_neither_sees_nor_decides_it(app, as_admin, applied):
    with make.acting("operator_admin", "console"):
        actions.request(
            "test_platform", uuid7(), summary="raise the platform minimum", reason="It is time"
        )
    path = newest_approval_page("console")
    as_admin.get(path, then=404)
    as_admin.get(path.replace("/console/", "/acme/"), then=404)
    assert approvals_in_inbox(as_admin) == set()
