"""A company's directory that provisions with a key, as Microsoft Entra ID and Okta do."""

import json
from typing import Any

from werkzeug.test import TestResponse

from governance.kernel.current import Actor
from tests import make
from tests.machine_client import MachineClient, create_machine_client

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def key_actor(machine: MachineClient) -> Actor:
    """Return the actor of that client's key."""
    assert machine.row
    tenant = make.system_actor("acme")
    return Actor(
        tenant.tenant_id,
        tenant.tenant_slug,
        tenant.tenant_name,
        None,
        machine.row.name,
        "api_key",
        kind="api_key",
        key_id=machine.row.id,
        scopes=frozenset(machine.row.scopes),
    )


class Directory:
    """A client that sends SCIM requests and expects a status of each."""

    def __init__(self, app: Any, slug: str = "acme", *, name: str = "directory") -> None:
        self.machine = create_machine_client(app, slug, name=name, scopes=("scim",))

    def ask(
        self, method: str, path: str, body: Any = None, *, then: int | None = None, **headers: str
    ) -> TestResponse:
        reply = self.machine.client.open(
            f"/scim/v2{path}",
            method=method,
            data=body if isinstance(body, bytes | None) else json.dumps(body).encode(),
            content_type="application/scim+json",
            headers={"Authorization": f"Bearer {self.machine.key}"} | headers,
        )
        assert then is None or reply.status_code == then, f"{reply.status_code}: {reply.text[:600]}"
        if reply.status_code >= 400:
            assert reply.mimetype == "application/scim+json" and reply.json["detail"], reply.text
            assert reply.json["status"] == str(reply.status_code)
        return reply

    def create_user(self, user_name: str, then: int = 201, **values: Any) -> Any:
        body = {"schemas": [USER], "userName": user_name, **values}
        return self.ask("POST", "/Users", body, then=then).json

    def create_group(self, name: str, *members: str, then: int = 201, **values: Any) -> Any:
        listed = [{"value": each} for each in members]
        body = {"schemas": [GROUP], "displayName": name, "members": listed, **values}
        return self.ask("POST", "/Groups", body, then=then).json

    def patch(
        self, path: str, *operations: dict[str, Any], then: int | None = None, **headers: str
    ) -> TestResponse:
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return self.ask("PATCH", path, body, then=then, **headers)

    def deactivate(self, user_id: str, then: int = 204) -> TestResponse:
        """Deactivate a user as Entra ID does."""
        operation = {"op": "Replace", "path": "active", "value": "False"}
        return self.patch(f"/Users/{user_id}", operation, then=then)

    def activate(self, user_id: str, then: int = 204) -> TestResponse:
        """Activate a user as Okta does."""
        return self.patch(
            f"/Users/{user_id}", {"op": "replace", "value": {"active": True}}, then=then
        )

    def join(self, group_id: str, *users: str, then: int = 204) -> TestResponse:
        values = [{"value": each} for each in users]
        return self.patch(
            f"/Groups/{group_id}", {"op": "Add", "path": "members", "value": values}, then=then
        )

    def leave(self, group_id: str, user_id: str, then: int = 204) -> TestResponse:
        return self.patch(
            f"/Groups/{group_id}",
            {"op": "Remove", "path": f'members[value eq "{user_id}"]'},
            then=then,
        )
