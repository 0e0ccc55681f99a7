"""A program with an API key, which it sends with each request and nothing else."""

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from governance.foundation.api_keys import actions
from governance.foundation.api_keys.models import ApiKey
from governance.kernel.data.db import session
from tests import make


class MachineClient:
    def __init__(self, app: Flask, key: str | None, row: ApiKey | None = None) -> None:
        self.client, self.key, self.row = app.test_client(use_cookies=False), key, row

    def get(self, path: str, *, then: int = 200, **headers: str) -> TestResponse:
        reply = self.ask("GET", path, **headers)
        assert reply.status_code == then, (
            f"{path}: {reply.status_code}, expected {then}: {reply.text[:400]}"
        )
        if then >= 400:
            assert (
                reply.mimetype == "application/problem+json"
                and reply.json["status"] == then
                and reply.json["title"]
            )
        return reply

    def ask(self, method: str, path: str, **headers: str) -> TestResponse:
        given = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return self.client.open(path, method=method, headers=given | headers)


def create_machine_client(
    app: Flask,
    tenant: str = "acme",
    *,
    name: str = "mirror",
    scopes: Any = ("audit:read",),
    **options: Any,
) -> MachineClient:
    """Return a client with a new key of the tenant's admin."""
    with make.acting("admin", tenant):
        row, key = actions.create(name, scopes, **options)
        session().expunge(row)
    return MachineClient(app, key, row)
