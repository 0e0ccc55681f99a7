"""Acme's directory, which provisions people over SCIM as Entra ID and Okta do.

It provisions three colleagues and two groups. One colleague left and is deactivated.

    provision(base, key)      over HTTP, with the directory's key
"""

from typing import Any

import requests

from governance.demo.cast import PROVISIONED

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
LEFT = "priya.nair@acme.example"
MEMBERS = {
    "governance-contributors": ("lena.fuchs@acme.example", LEFT),
    "governance-viewers": ("omar.diallo@acme.example",),
}


def provision(base: str, key: str) -> None:
    with requests.Session() as directory:
        directory.headers["Authorization"] = f"Bearer {key}"
        users = {}
        for person in PROVISIONED:
            user = {
                "schemas": [USER],
                "userName": person.email,
                "externalId": person.sub,
                "displayName": person.name,
                "active": True,
            }
            users[person.email] = _ask(directory, "POST", f"{base}/scim/v2/Users", user)["id"]
        for name, emails in MEMBERS.items():
            listed = [{"value": users[email]} for email in emails]
            group = {"schemas": [GROUP], "displayName": name, "members": listed}
            _ask(directory, "POST", f"{base}/scim/v2/Groups", group)
        gone = [{"op": "replace", "path": "active", "value": False}]
        leaver = f"{base}/scim/v2/Users/{users[LEFT]}"
        _ask(directory, "PATCH", leaver, {"schemas": [PATCH], "Operations": gone})


def _ask(directory: requests.Session, method: str, address: str, body: dict[str, Any]) -> Any:
    reply = directory.request(
        method, address, json=body, headers={"Content-Type": "application/scim+json"}, timeout=60
    )
    if not reply.ok:
        raise SystemExit(f"{method} {address} answered {reply.status_code}: {reply.text[:400]}")
    return reply.json() if reply.content else {}
