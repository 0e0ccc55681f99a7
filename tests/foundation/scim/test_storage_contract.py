"""The suite of scim2-server's storage rules, run over PostgreSQL as a key."""

from typing import Any

import pytest
from scim2_server.testing import SEARCH_USERS, ScimStorageContract

from governance.foundation.scim.schemas import PROVIDER
from governance.foundation.scim.storage import DirectoryStorage
from governance.kernel import current
from governance.kernel.data.db import transaction
from tests.foundation.scim.directory import key_actor
from tests.machine_client import create_machine_client

KEPT = {"userName", "displayName", "name", "active", "emails"}


class TestStorage(ScimStorageContract):
    @pytest.fixture
    def provider(self) -> Any:
        return PROVIDER

    @pytest.fixture
    def storage(self, app, database):
        machine = create_machine_client(app, name="directory", scopes=("scim",))
        with current.acting_as(key_actor(machine)), transaction(), PROVIDER:
            yield DirectoryStorage()

    def search_users(self):
        return [{k: v for k, v in user.items() if k in KEPT} for user in SEARCH_USERS]
