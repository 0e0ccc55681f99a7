"""Hostile answers of a proposed provider to a test sign-in, none of which pass the test.

The change is proposed once; each test starts with the test sign-in.
"""

import pytest

from governance.foundation.people import provider_metadata
from tests import make
from tests.browser import Visitor
from tests.foundation.identity_providers.sign_in_change_helpers import (
    finish_test_sign_in,
    propose_change,
    requested_change,
    sign_in_for_test,
    start_test_sign_in,
)
from tests.foundation.people.conftest import connect_tenant, no_session_starts
from tests.foundation.people.hostile_idp import ATTACKS

ADMIN = "admin@acme.example"
NEVER_HERE = {"userinfo of somebody else", "down", "refuses connections"}


@pytest.fixture(scope="module")
def proposed(app, module_transaction, provider, new_provider):
    """Return the admin's session, and the address of the change to the next provider."""
    provider.calm()
    new_provider.calm()
    provider_metadata.forget_metadata()
    connect_tenant("acme", provider)
    admin = make.cookie("admin")
    return admin, propose_change(Visitor(app, admin), new_provider)


@pytest.fixture
def change(app, proposed, isolated, new_provider):
    """Return the admin at their browser, the change, and the next provider, honest again."""
    new_provider.calm()
    provider_metadata.forget_metadata()
    admin, address = proposed
    return Visitor(app, admin), address, new_provider


def test_an_honest_answer_passes_it(change):
    admin, address, _ = change
    assert "The test sign-in passed." in sign_in_for_test(admin, address)
    assert requested_change().test["passed"]


@pytest.mark.parametrize(
    "attack",
    [name for name in ATTACKS if name not in NEVER_HERE and not name.startswith("metadata")],
)
def test_a_bent_answer_passes_no_test_and_starts_nothing(change, attack):
    admin, address, new = change
    asked = start_test_sign_in(admin, address)
    provider_metadata.forget_metadata()
    new.attack(attack)
    with no_session_starts():
        admin.get(finish_test_sign_in(asked, ADMIN), then=None)
    test = requested_change().test
    assert test is None or (not test["passed"] and test["problem"])
