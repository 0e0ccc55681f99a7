from typing import Any

import pytest

from tests.foundation.people.conftest import arrive, connect_tenant, idp, provider
from tests.foundation.scim.directory import Directory

__all__ = ["arrive", "connect_tenant", "idp", "provider"]


@pytest.fixture
def directory(app: Any, database: Any) -> Directory:
    """Return Acme's directory, with its own key."""
    return Directory(app)
