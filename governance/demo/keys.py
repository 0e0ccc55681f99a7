"""What the demo hands to machines: a key to each tenant's log, kept beside the world as a machine would keep it; public keys.

And what it hands to somebody outside: each log's checkpoints, to a witness of the auditors.
"""

import json
from pathlib import Path
from typing import Any

from governance import factory
from governance.anchors import actions as anchors
from governance.anchors.jobs import push
from governance.api_keys import actions, queries
from governance.audit import logs
from governance.demo.world import Cast, founder
from governance.kernel import current
from governance.kernel.config import Settings
from governance.kernel.db import transaction

NAMES = {"mirror": "acme", "mirror-globex": "globex"}
SCOPES = ("audit:read",)


def hand_out(settings: Settings, idp_base: str, data: Path) -> dict[str, Any]:
    """`api_keys` and `audit_public_key` of credentials.json. A key is shown once, so it is made once with the world."""
    factory.connect(settings)
    file = data / "keys.json"
    if not file.exists():
        file.write_text(json.dumps({name: _make(name, slug, idp_base) for name, slug in NAMES.items()}, indent=1) + "\n")
    return {"api_keys": json.loads(file.read_text()), "audit_public_key": {s: _public(s, idp_base) for s in NAMES.values()}}


def witness(settings: Settings, idp_base: str, url: str, key: str) -> None:
    """Each log has its checkpoints cosigned there, now and whenever it grows. Done again, it changes nothing."""
    factory.connect(settings)
    for slug in NAMES.values():
        with current.acting_as(Cast(slug, f"{idp_base}/{slug}")("admin")), transaction():
            anchors.add(kind="witness", name="Halden & Co, witness", url=url, key=key)
        with current.acting_as(founder(slug)):
            push(impatient=True)


def public_keys(settings: Settings, idp_base: str) -> list[str]:
    """The verifier key of each log."""
    factory.connect(settings)
    return [_public(slug, idp_base) for slug in NAMES.values()]


def _make(name: str, slug: str, idp_base: str) -> dict[str, Any]:
    with current.acting_as(Cast(slug, f"{idp_base}/{slug}")("admin")), transaction():
        for lost in (row for row in queries.live() if row.name == f"demo {name}"):  # a start was killed before it wrote the file
            actions.revoke(lost)
        _, key = actions.make(f"demo {name}", SCOPES)
    return {"tenant": slug, "key": key, "scopes": list(SCOPES)}


def _public(slug: str, idp_base: str) -> str:
    with current.acting_as(Cast(slug, f"{idp_base}/{slug}")("admin")), transaction(read_only=True):
        key = logs.signing_key()
        return str(logs.verifier(key)) if key else ""
