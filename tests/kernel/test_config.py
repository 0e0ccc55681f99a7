"""Settings: a missing or weak one stops the start, by name."""

import os
import re
import stat
from pathlib import Path

import pytest

from governance.app.settings import feature_settings, from_environment
from governance.kernel import setting_names
from governance.kernel.config import SettingsError
from governance.kernel.logs import configure


@pytest.fixture
def production(tmp_path):
    """Return an environment in which every setting is right."""
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
        (
            {"GOVERNANCE_KEK_FILE": "/nowhere/kek"},
            r"GOVERNANCE_KEK_FILE \(/nowhere/kek\) doesn't exist",
        ),
        (
            {"GOVERNANCE_PUBLIC_URL": "http://console.example"},
            "GOVERNANCE_PUBLIC_URL must begin with https://",
        ),
        ({"DATABASE_URL": "db.example/console"}, "DATABASE_URL isn't a PostgreSQL address"),
        (
            {"GOVERNANCE_OWNER_DATABASE_URL": "owner"},
            "GOVERNANCE_OWNER_DATABASE_URL isn't a PostgreSQL address",
        ),
        ({"DATABASE_URL": "mysql://app@db.example/c"}, "DATABASE_URL isn't a PostgreSQL address"),
        (
            {"DATABASE_URL": None},
            "DATABASE_URL is not set: name your PostgreSQL",
        ),
        ({"GOVERNANCE_PUBLIC_URL": None}, "GOVERNANCE_PUBLIC_URL is not set: name the address"),
        (
            {"GOVERNANCE_PUBLIC_URL": "https://x.example/meridian"},
            "GOVERNANCE_PUBLIC_URL must end after the host: https://x.example/meridian has more",
        ),
        ({"GOVERNANCE_SMTP_URL": "http://mail.example"}, "GOVERNANCE_SMTP_URL isn't an address"),
        ({"GOVERNANCE_WEB_WORKERS": "many"}, "GOVERNANCE_WEB_WORKERS must be a number"),
        ({"GOVERNANCE_PRIVATE_NETWORKS": "ours"}, "GOVERNANCE_PRIVATE_NETWORKS must be networks"),
        (
            {"GOVERNANCE_SMPT_URL": "smtp://mail.example"},
            r"GOVERNANCE_SMPT_URL isn't a setting\. Did you mean GOVERNANCE_SMTP_URL\?",
        ),
        ({"GOVERNANCE_COLOR": "blue"}, r"GOVERNANCE_COLOR isn't a setting\.$"),
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


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"tiny", "is 4 bytes long and must have at least 32"),
        (os.urandom(32).hex().encode() + b"\n", "is text and must be raw random bytes"),
        (b"abc" * 20, "is text"),
        (b"xyz" * 20, "is not random"),
    ],
)
def test_a_weak_key_is_told_apart_from_a_missing_one(production, content, named):
    with open(production["GOVERNANCE_KEK_FILE"], "wb") as file:
        file.write(content)
    with pytest.raises(SettingsError, match=named) as refusal:
        from_environment(production)
    assert production["GOVERNANCE_KEK_FILE"] in str(refusal.value)


def test_one_key_for_two_purposes_is_refused(production):
    with pytest.raises(SettingsError, match="two different keys"):
        from_environment(
            production | {"GOVERNANCE_KEK_FILE": production["GOVERNANCE_SECRET_KEY_FILE"]}
        )


def test_every_fault_is_named_at_once(production):
    broken = {
        "GOVERNANCE_SMPT_URL": "smtp://mail.example",
        "GOVERNANCE_PUBLIC_URL": "http://console.example",
    }
    with pytest.raises(SettingsError) as refusal:
        from_environment(broken)
    named = ("DATABASE_URL", "SMPT_URL", "PUBLIC_URL", "SECRET_KEY_FILE", "KEK_FILE")
    assert all(name in str(refusal.value) for name in named)


def test_the_documents_list_every_setting():
    text = Path("docs/operating/README.md").read_text()
    assert setting_names.table(feature_settings()) in text


def test_every_name_of_the_code_is_a_setting():
    """List each setting that the code reads, since an unlisted one would stop the start."""
    known = (
        setting_names.SETTINGS.keys()
        | setting_names.INTERNAL
        | {s.name for s in feature_settings()}
    )
    for folder in ("governance", "tests", "bench", "tools"):
        for path in Path(folder).rglob("*.py"):
            names = set(re.findall(r"GOVERNANCE_[A-Z_]*[A-Z]", path.read_text()))
            assert names - known <= {"GOVERNANCE_SMPT_URL", "GOVERNANCE_COLOR"}, path


def test_the_demo_makes_its_own_keys_and_keeps_them(production, tmp_path):
    demo = {
        "DATABASE_URL": production["DATABASE_URL"],
        "GOVERNANCE_DEMO": "1",
        "GOVERNANCE_VAR": str(tmp_path / "demo"),
    }
    first, second = from_environment(demo), from_environment(demo)
    assert first == second and first.demo and not first.secure and first.secret_key != first.kek
    assert stat.S_IMODE((tmp_path / "demo" / "kek.key").stat().st_mode) == 0o600


@pytest.mark.slow
def test_without_a_database_address_the_demo_has_one(server_folder):
    settings = from_environment(
        {"GOVERNANCE_VAR": str(server_folder / "laptop"), "GOVERNANCE_DEMO": "1"}
    )
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


@pytest.mark.parametrize(
    ("demo", "address"), [("", "https://console.example"), ("1", "https://console.example")]
)
def test_only_the_demo_on_loopback_may_have_its_clock_moved(production, demo, address):
    moved = production | {"GOVERNANCE_DEMO": demo, "GOVERNANCE_PUBLIC_URL": address}
    with pytest.raises(SettingsError, match="GOVERNANCE_CLOCK_MOVED_BY is for the demo and tests"):
        from_environment(moved | {"GOVERNANCE_CLOCK_MOVED_BY": "86400"})
