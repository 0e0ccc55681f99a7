"""The rule for API keys: pure over the stored keys, so that a snapshot can apply it, too."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from governance.kernel.errors import KeyNeeded
from governance.kernel.web import bearer

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def stored_key(text, **changes):
    tenant = text.split("_")[1]
    facts = {"until": None, "revoked": False, "scopes": frozenset({"audit:read"})} | changes
    key = bearer.StoredKey(
        uuid4(), uuid4(), tenant, tenant.title(), "mirror", bearer.digest(text), **facts
    )
    return {(tenant, key.secret_hash): key}


def admit(text, keys):
    return bearer.admit(bearer.parse(f"Bearer {text}"), keys, NOW)


def test_a_key_is_let_in_as_itself_and_another_is_not():
    mine, other = bearer.new("acme"), bearer.new("acme")
    who = admit(mine, stored_key(mine)).actor
    assert (who.kind, who.role, who.person_id, who.tenant_slug, who.scopes) == (
        "api_key",
        "api_key",
        None,
        "acme",
        {"audit:read"},
    )
    with pytest.raises(KeyNeeded, match="This API key doesn't exist"):
        admit(other, stored_key(mine))


def test_a_key_names_its_tenant_and_cannot_be_renamed_to_another():
    mine = bearer.new("acme")
    with pytest.raises(KeyNeeded, match="This API key doesn't exist"):
        admit(mine.replace("gc_acme_", "gc_globex_"), stored_key(mine))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"revoked": True}, "was revoked"),
        ({"until": NOW}, "expired on 25 November 2026"),
        ({"until": NOW - timedelta(days=40)}, "expired on 16 October"),
    ],
)
def test_a_key_that_has_ended_says_so_to_its_holder(changes, why):
    mine = bearer.new("acme")
    with pytest.raises(KeyNeeded, match=why):
        admit(mine, stored_key(mine, **changes))
    assert admit(mine, stored_key(mine, until=NOW + timedelta(microseconds=1)))


def test_no_two_keys_are_alike_and_the_hint_keeps_their_secret():
    made = {bearer.new("acme") for _ in range(1000)}
    assert len(made) == 1000 == len({bearer.digest(text) for text in made})
    text = bearer.new("acme-2")
    assert text.startswith(bearer.hint(text)) and len(text) - len(bearer.hint(text)) == 39
    assert len(text.removeprefix("gc_acme-2_")) == 43


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic Zm9vOmJhcg==",
        "Bearer gc_acme_",
        "Bearer gc_acme_" + "a" * 42,
        "Bearer gc_acme_" + "a" * 44,
        "Bearer gc_Acme_" + "a" * 43,
        "Bearer gc_" + "a" * 60 + "_" + "a" * 43,
        "Bearer gc_acme_" + "é" * 43,
        "Bearer gc_acme_" + "a" * 43 + "\n",
        "Bearer acme." + "a" * 43,
        "Bearer " + "a" * 100_000,
        "bearer\tgc_acme_" + "a" * 43,
    ],
)
def test_what_is_no_key_is_refused_before_anything_is_looked_up(header):
    with pytest.raises(KeyNeeded):
        bearer.parse(header)


def test_the_scheme_is_written_in_any_case():
    text = bearer.new("acme")
    assert (
        bearer.parse(f"bearer {text}")
        == bearer.parse(f"BEARER {text}")
        == bearer.PresentedKey("acme", bearer.digest(text))
    )
