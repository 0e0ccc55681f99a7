"""The credentials of the demo: API keys, public keys, and the checkpoints that a witness cosigns."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from governance.app import factory
from governance.demo import machine_keys
from governance.demo.cast import Cast, system_actor
from governance.foundation.anchors import actions as anchors
from governance.foundation.anchors.jobs import push
from governance.foundation.audit import logs
from governance.kernel import current
from governance.kernel.config import Settings
from governance.kernel.data.db import transaction

SLUGS = ("acme", "globex")


def hand_out(settings: Settings, idp_base: str, data: Path) -> dict[str, Any]:
    """Return `api_keys` and `audit_public_key` for credentials.json.

    A key is shown once, so the story saved its keys when it created them.
    """
    factory.connect(settings)
    file = data / "keys.json"
    if not file.exists():
        keep(data, {name: made for slug in SLUGS for name, made in _anew(slug, idp_base).items()})
    return {
        "api_keys": json.loads(file.read_text()),
        "audit_public_key": {s: _public(s, idp_base) for s in SLUGS},
    }


def keep(data: Path, made: Mapping[str, Any]) -> None:
    """Save the keys, as their owners would."""
    (data / "keys.json").write_text(json.dumps(made, indent=1) + "\n")


def _anew(slug: str, idp_base: str) -> dict[str, Any]:
    """Create new keys for the same machines, after the file of keys was lost."""
    with current.acting_as(Cast(slug, f"{idp_base}/{slug}")("admin")), transaction():
        return machine_keys.make(slug)


def witness(settings: Settings, idp_base: str, url: str, key: str) -> None:
    """Add the witness to each log. It cosigns the log's checkpoints now and whenever the log grows.

    Idempotent.
    """
    factory.connect(settings)
    for slug in SLUGS:
        with current.acting_as(Cast(slug, f"{idp_base}/{slug}")("admin")), transaction():
            anchors.add(kind="witness", name="Halden & Co, witness", url=url, key=key)
        with current.acting_as(system_actor(slug)):
            push(impatient=True)


def public_keys(settings: Settings, idp_base: str) -> list[str]:
    """Return the verifier key of each log."""
    factory.connect(settings)
    return [_public(slug, idp_base) for slug in SLUGS]


def _public(slug: str, idp_base: str) -> str:
    with current.acting_as(Cast(slug, f"{idp_base}/{slug}")("admin")), transaction(read_only=True):
        key = logs.signing_key()
        return str(logs.verifier(key)) if key else ""
