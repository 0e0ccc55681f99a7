"""An identity provider on loopback, and people who sign in through it."""

import pytest

from governance.foundation.people import provider_metadata
from governance.kernel import clock
from tests import make
from tests.browser import Visitor
from tests.foundation.people.conftest import arrive, idp, provider
from tests.foundation.people.hostile_idp import HostileIdP

__all__ = ["arrive", "idp", "provider"]


@pytest.fixture
def second(app, isolated):
    """Return another admin, who has been one for years."""
    make.add_member("second_admin", since=clock.now() - make.MEMBERS_FOR)
    return Visitor(app, make.cookie("second_admin"))


@pytest.fixture(scope="module")
def new_provider():
    """Yield the company's next provider: the same people at another issuer."""
    with HostileIdP.serving("acme") as running:
        yield running


@pytest.fixture
def new(new_provider, idp):
    new_provider.calm()
    provider_metadata.forget_metadata()
    return new_provider
