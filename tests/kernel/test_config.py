"""A setting that is missing or weak stops the start, by name."""

import os
import stat

import pytest

from governance.kernel.config import SettingsError, from_environment
from governance.kernel.logs import configure


@pytest.fixture
def production(tmp_path):
    """An environment that is right in every point."""
    keys = {}
    for name in ("secret", "kek"):
        (tmp_path / name).write_bytes(os.urandom(32))
        keys[name] = str(tmp_path / name)
    return {
        "DATABASE_URL": "postgres://app@db.example/console",
        "GOVERNANCE_OWNER_DATABASE_URL": "postgresql://owner@db.example/console",
        "GOVERNANCE_SECRET_KEY_FILE": keys["secret"],
        "GOVERNANCE_KEK_FILE": keys["kek"],
        "GOVERNANCE_PUBLIC_URL": "https://console.example/",
        "GOVERNANCE_VAR": str(tmp_path / "var"),
    }


def test_what_is_right_starts(production):
    settings = from_environment(production)
    assert settings.database_url == "postgresql+psycopg://app@db.example/console"
    assert settings.owner_database_url == "postgresql+psycopg://owner@db.example/console"
    assert (
        settings.secure
        and settings.host == "console.example"
        and settings.public_url == "https://console.example"
    )
    assert len(settings.kek) == 32 and not settings.demo and settings.domain == settings.host


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"GOVERNANCE_SECRET_KEY_FILE": None}, "GOVERNANCE_SECRET_KEY_FILE is not set"),
        ({"GOVERNANCE_KEK_FILE": None}, "GOVERNANCE_KEK_FILE is not set"),
        ({"GOVERNANCE_KEK_FILE": "/nowhere/kek"}, r"GOVERNANCE_KEK_FILE \(kek\) is missing"),
        (
            {"GOVERNANCE_PUBLIC_URL": "http://console.example"},
            "GOVERNANCE_PUBLIC_URL must begin with https://",
        ),
        ({"DATABASE_URL": "db.example/console"}, "DATABASE_URL isn't a database address"),
        (
            {"GOVERNANCE_OWNER_DATABASE_URL": "owner"},
            "GOVERNANCE_OWNER_DATABASE_URL isn't a database address",
        ),
        ({"GOVERNANCE_TRUSTED_PROXIES": "the proxy"}, "GOVERNANCE_TRUSTED_PROXIES must be netw"),
        ({"GOVERNANCE_TRUSTED_PROXIES": "10.0.0.1/8"}, "GOVERNANCE_TRUSTED_PROXIES must be netw"),
        ({"GOVERNANCE_SECURITY_CONTACT": "a@b.example"}, "GOVERNANCE_SECURITY_CONTACT must beg"),
        ({"GOVERNANCE_USAGE_URL": "clickhouse.example"}, "GOVERNANCE_USAGE_URL isn't an address"),
        ({"GOVERNANCE_USAGE_URL": "tcp://u:secret@h:9000"}, "GOVERNANCE_USAGE_URL isn't an addr"),
        ({"GOVERNANCE_USAGE_URL": "https://u:secret@h:x/"}, "GOVERNANCE_USAGE_URL isn't an addr"),
    ],
)
def test_what_is_missing_or_weak_is_named(production, change, named):
    environment = {
        name: value for name, value in (production | change).items() if value is not None
    }
    with pytest.raises(SettingsError, match=named):
        from_environment(environment)


@pytest.mark.parametrize("weak", [b"", b"tiny", b"a" * 64, b"changeme" * 8, b"0123456789" * 3])
def test_a_weak_key_is_named_and_never_shown(production, weak):
    with open(production["GOVERNANCE_KEK_FILE"], "wb") as file:
        file.write(weak)
    with pytest.raises(SettingsError, match="GOVERNANCE_KEK_FILE") as refusal:
        from_environment(production)
    assert not weak or weak.decode() not in str(refusal.value)


def test_one_key_for_two_purposes_is_refused(production):
    with pytest.raises(SettingsError, match="two different keys"):
        from_environment(
            production | {"GOVERNANCE_KEK_FILE": production["GOVERNANCE_SECRET_KEY_FILE"]}
        )


def test_every_fault_is_named_at_once(production):
    broken = {
        "DATABASE_URL": production["DATABASE_URL"],
        "GOVERNANCE_PUBLIC_URL": "http://console.example",
    }
    with pytest.raises(SettingsError) as refusal:
        from_environment(broken)
    assert all(name in str(refusal.value) for name in ("PUBLIC_URL", "SECRET_KEY_FILE", "KEK_FILE"))


def test_the_demo_makes_its_own_keys_and_keeps_them(production, tmp_path):
    demo = {
        "DATABASE_URL": production["DATABASE_URL"],
        "GOVERNANCE_DEMO": "1",
        "GOVERNANCE_VAR": str(tmp_path / "demo"),
    }
    first, second = from_environment(demo), from_environment(demo)
    assert first == second and first.demo and not first.secure and first.secret_key != first.kek
    assert stat.S_IMODE((tmp_path / "demo" / "kek.key").stat().st_mode) == 0o600


def test_without_a_database_address_a_laptop_has_one(server_folder):
    settings = from_environment({"GOVERNANCE_VAR": str(server_folder / "laptop")})
    assert settings.database_url.startswith("postgresql+psycopg://governance_app@")
    assert settings.owner_database_url.startswith("postgresql+psycopg://governance_owner@")


def test_logs_are_one_object_a_line(capsys):
    import json

    import structlog

    before = structlog.get_config()
    structlog.reset_defaults()
    configure()
    structlog.get_logger().info("answered", path="/t/acme/")
    line = json.loads(capsys.readouterr().err.strip())
    assert (
        line["event"] == "answered" and line["level"] == "info" and line["timestamp"].endswith("Z")
    )
    structlog.configure(**before)


def test_the_key_before_this_one_is_read_while_rotating(production, tmp_path):
    (tmp_path / "old").write_bytes(os.urandom(32))
    settings = from_environment(
        production | {"GOVERNANCE_KEK_PREVIOUS_FILE": str(tmp_path / "old")}
    )
    assert (
        settings.previous_kek == (tmp_path / "old").read_bytes()
        and from_environment(production).previous_kek is None
    )


@pytest.mark.parametrize("named", ["missing", "kek"])
def test_a_key_before_this_one_that_is_none_is_named(production, tmp_path, named):
    with pytest.raises(SettingsError, match="GOVERNANCE_KEK_PREVIOUS_FILE"):
        from_environment(production | {"GOVERNANCE_KEK_PREVIOUS_FILE": str(tmp_path / named)})
