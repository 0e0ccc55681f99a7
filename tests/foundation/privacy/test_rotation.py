"""Rotation of the installation's key: all data moves to it, the old one can be dropped.

A killed rotation can be run again.
"""

import os
from subprocess import CompletedProcess

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import select, update

from governance.foundation.audit import logs, personal_field_encryption
from governance.foundation.audit.models import AuditEntry, LogKey, TenantKey
from governance.foundation.people import sign_in_state
from governance.foundation.people.models import Connection
from governance.foundation.privacy import rotation
from governance.kernel import current
from governance.kernel.data import embedded
from governance.kernel.data.db import session, transaction
from governance.kernel.safety import key_encryption
from governance.publishing.reports import actions as reports
from governance.publishing.reports.models import SigningKey
from tests import faults, make
from tests.migrated_databases import migrated_database
from tests.preloaded_python import run_python

OLD, NEW = bytes(range(1, 33)), bytes(range(100, 132))


@pytest.fixture(autouse=True)
def the_old_key(app, isolated):
    yield
    key_encryption.use(app.config["SETTINGS"].kek)


@pytest.fixture
def everything(departing_member, acting):
    """Return one of each thing that the installation's key encrypts."""
    with acting("admin"):
        session().add(
            Connection(
                issuer="https://id.example",
                client_id="console",
                enforced=False,
                group_roles={},
                tested_at=None,
                findings=[],
                secret=key_encryption.wrap(
                    b"its secret", sign_in_state.secret_context(current.actor().tenant_id)
                ),
            )
        )
        logs.open_log()
        reports.create_signing_key()
    return departing_member


def opens(nadia) -> None:
    with current.acting_as(make.system_actor("acme")), transaction():
        entry = (
            session()
            .scalars(
                select(AuditEntry)
                .where(AuditEntry.action == "membership.started")
                .order_by(AuditEntry.at.desc())
                .limit(1)
            )
            .one()
        )
        assert personal_field_encryption.unseal("name", entry.sealed["name"]) == "Nadia Kowalczyk"
        assert personal_field_encryption.pseudonym(nadia.person_id) == nadia.pseudonym
        logs.private_key(logs.signing_key())
        assert (
            sign_in_state.oidc_client(session().scalars(select(Connection)).one(), "x").secret
            == "its secret"
        )
        reports.private_key(
            session()
            .scalars(select(SigningKey).order_by(SigningKey.created_at.desc()).limit(1))
            .one()
        )


def rotated() -> list[tuple[str, dict[str, int]]]:
    found = []
    for slug in ("acme", "globex", "console"):
        with current.acting_as(make.system_actor(slug)), transaction():
            entries = session().scalars(
                select(AuditEntry).where(AuditEntry.action == "encryption_key.rotated")
            )
            found += [(slug, e.facts["rewrapped"]) for e in entries]
    return found


def test_after_a_rotation_the_old_key_can_be_dropped_and_everything_opens(everything):
    key_encryption.use(NEW, OLD)
    result = rotation.rotate()
    assert result.is_done and set(result.rewrapped) == {
        "tenant_keys",
        "audit_log_keys",
        "signing_keys",
        "connections",
        "sessions",
    }
    key_encryption.use(NEW)
    opens(everything)
    told = dict(rotated())
    assert set(told) == {"acme", "globex", "console"} and all(
        counts["tenant_keys"] == 2 for counts in told.values()
    )
    assert "signing_keys" in told["console"] and "signing_keys" not in told["acme"]
    key_encryption.use(OLD)
    with pytest.raises(InvalidTag):
        opens(everything)


def test_run_again_it_has_nothing_to_do_and_leaves_no_entry(everything):
    key_encryption.use(NEW, OLD)
    rotation.rotate()
    before = rotated()
    again = rotation.rotate()
    assert again.is_done and not again.rewrapped and rotated() == before


KEYS_OF_A_TENANT = r"FROM tenant_keys.* FOR UPDATE"


def test_killed_between_two_tenants_it_is_run_again(everything, isolated):
    key_encryption.use(NEW, OLD)
    with (
        faults.killed_in_transaction_of(isolated, KEYS_OF_A_TENANT, at=2),
        pytest.raises(faults.Killed),
    ):
        rotation.rotate()
    opens(everything)
    assert len(rotated()) == 1
    result = rotation.rotate()
    assert result.is_done and result.rewrapped["tenant_keys"] == 4
    key_encryption.use(NEW)
    opens(everything)


def test_killed_inside_a_tenant_nothing_of_it_is_changed(everything, isolated):
    key_encryption.use(NEW, OLD)
    with (
        faults.killed_in_transaction_of(isolated, "^UPDATE ", at=2),
        pytest.raises(faults.Killed),
    ):
        rotation.rotate()
    key_encryption.use(OLD)
    opens(everything)


def test_what_another_process_wraps_under_the_old_key_meanwhile_is_not_called_done(
    everything, isolated
):
    def somebody_signs_in():
        key_encryption.use(OLD)
        make.cookie("admin")
        key_encryption.use(NEW, OLD)

    key_encryption.use(NEW, OLD)
    acme = str(make.system_actor("acme").tenant_id)
    with faults.after_transaction_of(isolated, KEYS_OF_A_TENANT, somebody_signs_in, value=acme):
        result = rotation.rotate()
    assert not result.is_done and result.left == {"sessions": 1}
    assert rotation.rotate().is_done


def test_what_no_key_opens_is_named(everything):
    with current.acting_as(make.system_actor("acme")), transaction():
        session().execute(
            update(LogKey).values(
                wrapped=key_encryption.Keyring(bytes(range(50, 82))).wrap(b"x", logs.SIGNING)
            )
        )
    key_encryption.use(NEW, OLD)
    result = rotation.rotate()
    assert not result.is_done and result.lost == {"audit_log_keys": 1}


def test_a_key_of_another_tenant_does_not_pass(everything, acting):
    """Bind keys to their tenant by context, so that a moved row doesn't open."""
    with acting("admin"):
        row = session().scalars(select(TenantKey).where(TenantKey.purpose == "seal")).one()
        theirs = key_encryption.wrap(
            key_encryption.new_key(),
            b"tenant-key\0" + make.system_actor("globex").tenant_id.bytes + b"seal",
        )
        row.wrapped = theirs
    key_encryption.use(NEW, OLD)
    assert rotation.rotate().lost == {"tenant_keys": 1}


def test_the_application_may_change_nothing_else_of_a_signing_key(everything, acting):
    from sqlalchemy.exc import ProgrammingError

    with (
        acting("admin"),
        pytest.raises(ProgrammingError, match="permission denied"),
        session().begin_nested(),
    ):
        session().execute(update(SigningKey).values(name="another"))


@pytest.mark.slow
def test_the_command_says_when_the_old_key_can_be_dropped(server, tmp_path):
    """Use a separate database, since its keys change for good."""
    mine = migrated_database("rotated_kek")
    for name in ("kek", "kek-2", "secret"):
        (tmp_path / name).write_bytes(os.urandom(32))

    def run(*command: str, kek: str, previous: str | None = None) -> CompletedProcess[str]:
        named = {
            "GOVERNANCE_KEK_FILE": str(tmp_path / kek),
            "GOVERNANCE_SECRET_KEY_FILE": str(tmp_path / "secret"),
        }
        named |= {"GOVERNANCE_KEK_PREVIOUS_FILE": str(tmp_path / previous)} if previous else {}
        named |= {
            "DATABASE_URL": mine.app_url,
            "GOVERNANCE_VAR": str(tmp_path),
            "GOVERNANCE_DEMO": "1",
        }
        return run_python(*command, environment=os.environ | named)

    found = (
        "from governance.app.factory import create_app; from governance.foundation.tenants import"
        " actions; create_app(); actions.create_tenant('acme', 'Acme')"
    )
    assert run("-c", found, kek="kek").returncode == 0
    rotate = ("-m", "governance.app.cli", "keys", "rotate-kek")
    lost = run(*rotate, kek="kek-2")
    assert (
        lost.returncode == 1
        and "tenant_keys: 2 can't be decrypted with either key" in lost.stdout
        and "Keep the previous key" in lost.stdout
    )
    done = run(*rotate, kek="kek-2", previous="kek")
    assert (
        done.returncode == 0
        and "tenant_keys 2" in done.stdout
        and "You can remove it" in done.stdout
    )
    again = run(*rotate, kek="kek-2")
    assert again.returncode == 0 and "nothing to do" in again.stdout
    embedded.drop(mine, "rotated_kek")
