"""Recording: together with its change or not at all, personal data encrypted, never altered."""

from datetime import UTC, date, datetime
from enum import Enum, IntEnum
from uuid import UUID

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import ProgrammingError

from governance.foundation.audit import personal_field_encryption, queries
from governance.foundation.audit.models import AuditEntry, DataKey
from governance.foundation.audit.record import (
    MAX_FIELD,
    MAX_ITEMS,
    UndeclaredField,
    UndeclaredTarget,
    canonical,
    record,
)
from governance.foundation.audit.registry import Action, action, registry, shape_of
from governance.foundation.people.models import Person
from governance.foundation.people.queries import timeline
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.safety import access
from tests import make
from tests.hypothesis_profiles import examples

OF_A_TENANT = {"target": "Tenant", "activity": "update", "severity": "low"}
TEST_ACTION = Action(
    "test.done", "did a test", frozenset({"ref", "what", "level"}), frozenset({"reason", "name"})
)


def tenant() -> Tenant:
    return session().scalars(select(Tenant).where(Tenant.slug == "acme")).one()


def entries():
    return session().scalars(select(AuditEntry).where(AuditEntry.action == TEST_ACTION.name)).all()


# ---- together with the change


def test_an_entry_says_who_what_on_which_and_from_where(acting):
    with (
        acting("compliance_officer") as who,
        current.coming_from(current.Origin("req-12345678", "192.0.2.0/24")),
    ):
        entry = record(TEST_ACTION, tenant(), ref="AC-1", what=None)
        assert (entry.action, entry.actor, entry.actor_kind) == (
            "test.done",
            personal_field_encryption.pseudonym(who.person_id),
            "person",
        )
        assert (entry.target_type, entry.target_id) == ("Tenant", who.tenant_id)
        assert (entry.request_id, entry.origin, entry.outcome) == (
            "req-12345678",
            "192.0.2.0/24",
            "done",
        )
        assert entry.facts == {"ref": "AC-1"} and entry.changes == {} and entry.sealed == {}


def test_only_what_changed_is_written(acting):
    with acting("admin"):
        entry = record(
            TEST_ACTION, tenant(), before={"ref": "a", "level": 1}, after={"ref": "a", "level": 2}
        )
        assert entry.changes == {"level": [1, 2]}


def test_an_entry_goes_when_its_deed_is_rolled_back(acting):
    with pytest.raises(ValueError), acting("admin"):
        record(TEST_ACTION, tenant(), ref="AC-1")
        raise ValueError
    with acting("admin"):
        assert entries() == []


def test_the_console_itself_has_no_pseudonym(app, acting):
    from governance.kernel.data.db import transaction

    with current.acting_as(make.system_actor("acme")), transaction():
        assert record(TEST_ACTION, tenant(), ref="x").actor == "0" * 32


def test_other_tenants_do_not_see_it(acting):
    with acting("admin"):
        target = tenant().id
        record(TEST_ACTION, tenant(), ref="x")
    with acting("admin", "globex"):
        assert entries() == [] and queries.entries_about([target]) == []


# ---- allowed content


def test_what_is_not_declared_is_refused_and_nothing_is_written(acting):
    with acting("admin"):
        for given_ in ({"surprise": 1}, {"after": {"surprise": 1}}):
            with pytest.raises(UndeclaredField, match="does not declare surprise"):
                record(TEST_ACTION, tenant(), **given_)
        assert entries() == []


@pytest.mark.parametrize("name", ["nodot", "Upper.case", "a.b c", "a..b", ""])
def test_actions_are_named_noun_and_verb(name):
    with pytest.raises(ValueError, match=r"is not of the form"):
        action(name, "says", **OF_A_TENANT)


@pytest.mark.parametrize("target", ["", "  "])
def test_an_action_names_the_class_of_its_rows(target):
    with pytest.raises(ValueError, match="must name the class"):
        action("test.done", "did a test", **OF_A_TENANT | {"target": target})


def test_an_action_keeps_its_first_declaration(app):
    """Keep the first declaration; a second one stops the start: tests/kernel/test_manifest.py."""
    first = registry["tenant.created"]
    assert (
        action("tenant.created", "again", **OF_A_TENANT).says == "again"
        and registry["tenant.created"] is first
    )


def test_an_action_is_recorded_on_rows_that_it_names_and_on_no_others(acting):
    with acting("admin") as who:
        assert (
            record(registry["tenant.settings.changed"], tenant(), after={"name": "A"}).target_type
            == "Tenant"
        )
        with pytest.raises(
            UndeclaredTarget,
            match=r"tenant\.settings\.changed is recorded on Tenant, not on Person",
        ):
            record(
                registry["tenant.settings.changed"],
                session().get(Person, who.person_id),
                after={"name": "B"},
            )


class Colour(Enum):
    RED = "red"


def as_kept(entry):
    """Return the row as the database stores it."""
    return session().scalars(select(AuditEntry).where(AuditEntry.id == entry.id)).one()


class Level(IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("x" * 10_000, "x" * MAX_FIELD),
        (list(range(500)), list(range(MAX_ITEMS))),
        ({3, 1, 2}, [1, 2, 3]),
        ([3, 1, 2], [3, 1, 2]),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        ("nul \0 here", "nul \ufffd here"),
        (2**53, str(2**53)),
        (-(2**53), str(-(2**53))),
        (True, True),
        (1.5, "1.5"),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (date(2026, 1, 2), "2026-01-02"),
        (UUID(int=7), str(UUID(int=7))),
        ({"a\ud800": ["\0"]}, {"a?": ["\ufffd"]}),
        (
            {"\uff61": 1, "\U0001f600": 2, "é": 3, "\x7f\x1f": "\u2028"},
            {"\U0001f600": 2, "\uff61": 1, "é": 3, "\x7f\x1f": "\u2028"},
        ),
        ([[[[[["deep"]]]]]], None),
        (b"bytes", "b'bytes'"),
    ],
)
def test_any_value_becomes_what_the_log_can_keep(acting, value, kept):
    with acting("admin"):
        entry = record(TEST_ACTION, tenant(), what=value)
        entry = as_kept(entry)
        assert entry.facts["what"] == kept or kept is None
        assert canonical(entry) == bytes(entry.body)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.dates()
    | st.uuids()
    | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(ANYTHING, st.text(st.characters()))
def test_whatever_is_recorded_is_read_back_byte_for_byte(app, acting, value, reason):
    with acting("admin"):
        entry = record(
            TEST_ACTION,
            tenant(),
            what=value,
            before={"level": value},
            after={"level": [value]},
            reason=reason,
        )
        entry = as_kept(entry)
        assert canonical(entry) == bytes(entry.body)
        assert rfc8785.dumps(entry.facts)


# ---- canonical bytes


def test_the_bytes_do_not_depend_on_the_servers_time_zone(acting):
    with acting("admin"), clock.frozen(datetime(2026, 7, 1, 12, 30, tzinfo=UTC)):
        entry = record(TEST_ACTION, tenant(), ref="x")
        before = bytes(entry.body)
        session().execute(text("SET LOCAL TIME ZONE 'Asia/Tokyo'"))
        entry = as_kept(entry)
        assert entry.at.utcoffset() != UTC.utcoffset(None) and canonical(entry) == before
        assert b'"at":"2026-07-01T12:30:00+00:00"' in before


def test_the_bytes_change_with_every_part(acting):
    with acting("admin"):
        entry = record(TEST_ACTION, tenant(), ref="x", reason="why")
        body = bytes(entry.body)
        for name, value in {
            "actor": "f" * 32,
            "action": "other.deed",
            "outcome": "denied",
            "facts": {"ref": "y"},
            "changes": {"ref": [1, 2]},
            "origin": "x",
            "request_id": "y",
            "target_type": "Other",
            "sealed": {},
        }.items():
            kept = getattr(entry, name)
            setattr(entry, name, value)
            assert canonical(entry) != body, name
            setattr(entry, name, kept)
        assert canonical(entry) == body


# ---- immutable


@pytest.mark.parametrize(
    "statement", [update(AuditEntry).values(outcome="other"), delete(AuditEntry)]
)
def test_an_entry_is_never_changed_by_the_application(acting, statement):
    with acting("admin"):
        record(TEST_ACTION, tenant(), ref="x")
        with pytest.raises(ProgrammingError, match="permission denied"), session().begin_nested():
            session().execute(statement.execution_options(synchronize_session=False))
        assert len(entries()) == 1


# ---- pseudonyms and encryption


def test_a_pseudonym_is_stable_in_a_tenant_and_unlinkable_across(acting):
    person = make.person_id("admin")
    seen = {}
    for slug in ("acme", "globex", "acme"):
        with acting("admin", slug):
            seen.setdefault(slug, set()).add(personal_field_encryption.pseudonym(person))
    assert all(len(names) == 1 for names in seen.values()) and seen["acme"] != seen["globex"]
    with acting("admin"):
        assert personal_field_encryption.pseudonym(
            make.person_id("viewer")
        ) != personal_field_encryption.pseudonym(person)
        assert str(person).replace("-", "") not in personal_field_encryption.pseudonym(person)


def test_a_pseudonym_that_is_remembered_is_the_one_that_was_computed(acting, monkeypatch):
    monkeypatch.setattr(personal_field_encryption, "MAX_CACHED_PSEUDONYMS", 2)
    people = [
        make.person_id(role) for role in ("admin", "viewer", "admin", "compliance_officer", "admin")
    ]
    with acting("admin") as who:
        personal_field_encryption._cached.clear()
        remembered = [personal_field_encryption.pseudonym(person) for person in people]
        kept = personal_field_encryption._cached[who.tenant_id].pseudonyms
        assert kept.items() <= dict(zip(people, remembered, strict=True)).items()
        assert len(kept) <= 2
        for person, pseudonym in zip(people, remembered, strict=True):
            personal_field_encryption._cached.clear()
            assert personal_field_encryption.pseudonym(person) == pseudonym


def test_personal_fields_are_sealed_under_their_subject(acting):
    with acting("admin"):
        entry = record(
            TEST_ACTION,
            tenant(),
            name="Ines Duarte",
            ref="AC-1",
            reason="Asked by Ines Duarte",
            about=make.person_id("viewer"),
        )
        assert entry.facts == {"ref": "AC-1"} and b"Ines" not in bytes(entry.body)
        assert {s["subject"] for s in entry.sealed.values()} == {
            personal_field_encryption.pseudonym(make.person_id("viewer"))
        }
        assert {n: personal_field_encryption.unseal(n, s) for n, s in entry.sealed.items()} == {
            "name": "Ines Duarte",
            "reason": "Asked by Ines Duarte",
        }
        assert personal_field_encryption.unseal("reason", entry.sealed["name"]) is None, (
            "a seal is bound to its field"
        )


def test_a_changed_personal_field_is_sealed_with_both_values(acting):
    with acting("admin"):
        entry = record(TEST_ACTION, tenant(), before={"name": "Old"}, after={"name": "New"})
        assert (
            entry.changes == {}
            and personal_field_encryption.unseal("name", entry.sealed["name"]) == "Old → New"
        )


def test_a_seal_of_one_tenant_opens_in_no_other(acting):
    with acting("admin"):
        sealed = dict(record(TEST_ACTION, tenant(), reason="secret").sealed["reason"])
    with acting("admin", "globex"):
        assert personal_field_encryption.unseal("reason", sealed) is None


def test_erasing_the_subjects_key_erases_what_it_sealed_and_not_the_entry(acting):
    with acting("admin"):
        entry = record(TEST_ACTION, tenant(), reason="secret")
        body, subject = bytes(entry.body), entry.sealed["reason"]["subject"]
        entry_id = entry.id
        session().execute(delete(DataKey).where(DataKey.subject == subject))
    with acting("admin"):
        entry = session().scalars(select(AuditEntry).where(AuditEntry.id == entry_id)).one()
        assert personal_field_encryption.unseal("reason", entry.sealed["reason"]) is None
        assert canonical(entry) == body


def test_a_key_made_in_a_savepoint_that_is_undone_seals_nothing(acting):
    """Encrypt with a new key after a savepoint was rolled back.

    A rejected form is rolled back to a savepoint; what is recorded later must still open.
    """
    with acting("viewer"):
        session().execute(delete(DataKey))
    with acting("viewer"):
        with pytest.raises(ValueError), session().begin_nested():
            record(TEST_ACTION, tenant(), reason="undone")
            raise ValueError
        kept = record(TEST_ACTION, tenant(), reason="kept").id
    with acting("viewer"):
        entry = session().scalars(select(AuditEntry).where(AuditEntry.id == kept)).one()
        assert personal_field_encryption.unseal("reason", entry.sealed["reason"]) == "kept"


def test_keys_are_looked_up_once_for_many_entries(acting, statements):
    with acting("admin"):
        record(TEST_ACTION, tenant(), reason="first")
        with statements() as seen:
            for n in range(3):
                record(TEST_ACTION, tenant(), reason=f"number {n}")
        assert [s for s in seen if "data_keys" in s or "tenant_keys" in s] == []


# ---- reading


def test_an_auditor_reads_pseudonyms_and_no_reasons(acting):
    with acting("compliance_officer"):
        record(TEST_ACTION, tenant(), ref="AC-1", reason="It was time")
        target = tenant().id
    seen = {}
    for role in ("viewer", "auditor"):
        with acting(role, read_only=True):
            [seen[role]] = [m for m in timeline([target]) if m.action == TEST_ACTION.name]
    assert (seen["viewer"].who, seen["viewer"].reason) == ("Ines Duarte", "It was time")
    assert (seen["auditor"].who, seen["auditor"].reason) == ("Officer B", None)
    assert seen["auditor"].facts == {"ref": "AC-1"}
    assert "auditor" not in access.registry["people.names"].roles


def test_the_newest_comes_first_even_within_an_instant(acting):
    with acting("admin"), clock.frozen(datetime(2026, 7, 1, tzinfo=UTC)):
        for n in range(20):
            record(TEST_ACTION, tenant(), level=n)
        assert [
            e.facts["level"]
            for e in queries.entries_about([tenant().id], limit=100)
            if e.action == TEST_ACTION.name
        ] == list(range(19, -1, -1))


def test_a_person_who_is_named_by_a_fact_is_written_by_their_pseudonym(acting):
    owned = Action(
        "test.assigned", "assigned a test", frozenset({"owner"}), frozenset(), frozenset({"owner"})
    )
    with acting("admin"):
        person = make.person_id("viewer")
        entry = record(owned, tenant(), before={"owner": None}, after={"owner": person})
        assert entry.changes == {"owner": [None, personal_field_encryption.pseudonym(person)]}
        assert str(person).encode() not in entry.body


def test_an_action_may_not_declare_an_owner_as_a_plain_field():
    with pytest.raises(ValueError, match="an owner is a person"):
        action("test.owned", "owned a test", fields="owner", **OF_A_TENANT)


@pytest.mark.parametrize(
    ("name", "facts", "shape"),
    [
        ("control.tested", {"failed": 2}, "bad"),
        ("control.tested", {"failed": 0}, "ok"),
        ("evidence.retired", {}, "stop"),
        ("control.edited", {}, "dot"),
        ("no.such.action", {}, "dot"),
    ],
)
def test_a_timeline_draws_an_entry_as_its_action_declares(name, facts, shape):
    assert shape_of(name, facts) == shape
