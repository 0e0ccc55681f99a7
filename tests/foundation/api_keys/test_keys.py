"""Pages of API keys: create and show once, rotate, revoke; permissions; double clicks."""

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from governance.foundation.api_keys import actions, queries
from governance.foundation.api_keys.models import ApiKey
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.kernel.formatting import thousands
from governance.kernel.web.bearer import KEY_PATTERN, digest
from governance.operations.systems import actions as systems
from tests import make
from tests.browser import Visitor
from tests.machine_client import MachineClient, create_machine_client

# Answers 404 to a valid key until something is sequenced.
CHECKPOINT = "/audit/acme/checkpoint"


def keys(tenant="acme"):
    with make.acting("admin", tenant, read_only=True):
        found = list(session().scalars(select(ApiKey).order_by(ApiKey.created_at)))
        session().expunge_all()
        return found


def entries(*names):
    with make.acting("admin", read_only=True):
        found = list(
            session().scalars(
                select(AuditEntry).where(AuditEntry.action.in_(names)).order_by(AuditEntry.at)
            )
        )
        session().expunge_all()
        return found


def filled(visitor, **changes):
    """Return the form as a browser sends it, with its hidden fields."""
    page = BeautifulSoup(visitor.get("settings/keys/new").text, "html.parser")
    return {
        "name": "log mirror in Dublin",
        "scopes": "audit:read",
        "once": page.find("input", {"name": "once"})["value"],
    } | changes


def key_in(reply):
    return KEY_PATTERN.search(reply.text)[0]


def opens(app, key):
    return MachineClient(app, key).ask("GET", CHECKPOINT).status_code in {200, 404}


# ---- making


def test_an_admin_makes_a_key_sees_it_once_and_a_machine_is_let_in(app, as_admin):
    form = filled(as_admin)
    reply = as_admin.post("settings/keys/new", then=201, **form)
    key = key_in(reply)
    assert opens(app, key) and reply.headers["Cache-Control"] == "no-store"
    again = as_admin.post("settings/keys/new", **form)  # The page is loaded again.
    page = as_admin.get(again.location).text
    assert "shown once" in page and key not in page and not KEY_PATTERN.search(page)
    assert "log mirror in Dublin" in page and "1 active API key" in page
    (row,) = keys()
    assert row.secret_hash == digest(key) and key not in str(vars(row)) and key.startswith(row.hint)


def test_what_is_logged_of_a_key_never_tells_the_key(as_admin):
    last = clock.today() + timedelta(days=9)
    key = key_in(
        as_admin.post("settings/keys/new", then=201, **filled(as_admin, ends_on=last.isoformat()))
    )
    (entry,) = entries("api_key.created")
    assert entry.facts["scopes"] == ["audit:read"] and entry.facts["name"] == "log mirror in Dublin"
    assert key not in entry.body.decode() and digest(key).hex() not in entry.body.decode()


def test_a_key_is_good_to_the_end_of_its_last_day_where_the_tenant_is(app, as_admin):
    last = clock.today() + timedelta(days=9)
    key = key_in(
        as_admin.post("settings/keys/new", then=201, **filled(as_admin, ends_on=last.isoformat()))
    )
    midnight = datetime.combine(last + timedelta(days=1), time.min, ZoneInfo("Europe/Berlin"))
    with clock.frozen(midnight.astimezone(UTC) - timedelta(seconds=1)):
        assert opens(app, key)
    with clock.frozen(midnight.astimezone(UTC)):
        assert not opens(app, key)


def test_the_list_shows_a_machines_last_use_and_what_ends_soon(app, as_officer, as_admin):
    gone = create_machine_client(app, name="billing", ends=clock.now() + timedelta(days=3))
    page = as_officer.get("settings/keys").text
    assert "expires within 14 days" in page and "Never" in page and gone.row.hint in page
    gone.ask("GET", CHECKPOINT)
    page = as_officer.get("settings/keys").text
    assert "> Never<" not in page
    assert "Rotate" not in page and "Rotate" in as_admin.get("settings/keys").text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": " "}, "Enter the name of the machine"),
        ({"name": "x" * 81}, "80 characters"),
        ({"scopes": None}, "Choose at least one scope"),
        ({"scopes": "everything"}, "Choose scopes from the list"),
        ({"ends_on": "yesterday"}, "a date. Enter one such as"),
        ({"ends_on": "2020-01-01"}, "date after today"),
        ({"ends_on": "9999-12-31"}, "within ten years"),
        ({"ends_on": "0001-01-01"}, "date after today"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused_beside_its_field(as_admin, wrong, sentence):
    reply = as_admin.post("settings/keys/new", then=422, **filled(as_admin, **wrong))
    assert sentence in reply.text and "Not created." in reply.text and keys() == []


def test_two_live_keys_do_not_bear_one_name_and_an_ended_one_frees_it(app, as_admin):
    first = create_machine_client(app, name="Mirror")
    assert (
        "Another active key"
        in as_admin.post("settings/keys/new", then=422, **filled(as_admin, name="mirror")).text
    )
    as_admin.post(f"settings/keys/{first.row.id}/revoke")
    as_admin.post("settings/keys/new", then=201, **filled(as_admin, name="mirror"))
    create_machine_client(app, "globex", name="Mirror")


def test_a_tenant_has_no_more_keys_than_a_page_can_show(acting, database, monkeypatch):
    monkeypatch.setattr(actions, "MAX_LIVE_KEYS", 3)
    with acting("admin"):
        for number in range(3):
            actions.create(f"m{number}", ["audit:read"])
        with pytest.raises(Invalid, match="has 3 active keys"):
            actions.create("one more", ["audit:read"])
        actions.revoke(queries.live()[0])
        actions.create("one more", ["audit:read"])


def test_two_clicks_at_the_same_moment_make_one_key(app, as_admin, statements):
    """Let the second click wait for the lock, then find the key made."""
    form = filled(as_admin)
    with statements() as seen:
        as_admin.post("settings/keys/new", then=201, **form)
    lock = next(n for n, each in enumerate(seen) if "pg_advisory_xact_lock" in each)
    assert lock < next(n for n, each in enumerate(seen) if "lower(api_keys.name)" in each)
    assert (
        "shown once"
        in as_admin.post("settings/keys/new", follow=True, **form | {"name": "another"}).text
    )
    assert len(keys()) == 1


def test_a_form_without_its_hidden_id_still_makes_a_key(as_admin):
    as_admin.post("settings/keys/new", then=201, **filled(as_admin, once="nonsense"))
    assert len(keys()) == 1


def test_the_id_of_another_tenants_key_is_no_use(app, as_admin):
    theirs = create_machine_client(app, "globex")
    as_admin.post("settings/keys/new", then=201, **filled(as_admin, once=str(theirs.row.id)))
    assert len(keys("globex")) == 1 and keys("globex")[0].secret_hash == digest(theirs.key)


# ---- rotating


def test_a_rotated_key_has_a_new_secret_and_the_old_one_works_as_long_as_was_said(app, as_admin):
    old = create_machine_client(app)
    new = key_in(
        as_admin.post(
            f"settings/keys/{old.row.id}/rotate", then=201, overlap="2", seen=old.row.hint
        )
    )
    assert new != old.key and opens(app, new) and opens(app, old.key)
    with clock.frozen(clock.now() + timedelta(days=2, seconds=1)):
        assert opens(app, new)
        assert "expired on" in MachineClient(app, old.key).get(CHECKPOINT, then=401).json["title"]
    (entry,) = entries("api_key.rotated")
    assert entry.facts["overlap_days"] == 2 and new not in entry.body.decode()


def test_with_no_overlap_the_old_secret_stops_at_once(app, as_admin):
    old = create_machine_client(app)
    reply = as_admin.post(
        f"settings/keys/{old.row.id}/rotate", then=201, overlap="0", seen=old.row.hint
    )
    assert "has stopped working" in reply.text
    assert opens(app, key_in(reply)) and not opens(app, old.key)


def test_rotating_does_not_make_a_key_live_longer_than_it_was_to(app, as_admin):
    old = create_machine_client(app, ends=clock.now() + timedelta(days=1))
    new = key_in(
        as_admin.post(
            f"settings/keys/{old.row.id}/rotate", then=201, overlap="7", seen=old.row.hint
        )
    )
    with clock.frozen(clock.now() + timedelta(days=1, seconds=1)):
        assert not opens(app, new) and not opens(app, old.key)


def test_a_second_click_does_not_rotate_again(app, as_admin):
    old = create_machine_client(app)
    new = key_in(
        as_admin.post(
            f"settings/keys/{old.row.id}/rotate", then=201, overlap="1", seen=old.row.hint
        )
    )
    second = as_admin.post(f"settings/keys/{old.row.id}/rotate", overlap="1", seen=old.row.hint)
    assert "was rotated since" in as_admin.get(second.location).text
    assert opens(app, new) and len(entries("api_key.rotated")) == 1


@pytest.mark.parametrize("overlap", ["8", "-1", "", "many"])
def test_an_overlap_that_is_no_choice_is_refused(app, as_admin, overlap):
    old = create_machine_client(app)
    as_admin.post(
        f"settings/keys/{old.row.id}/rotate", then=422, overlap=overlap, seen=old.row.hint
    )
    assert keys()[0].secret_hash == digest(old.key)


def test_an_ended_key_is_not_rotated_back_to_life(app, as_admin):
    old = create_machine_client(app)
    as_admin.post(f"settings/keys/{old.row.id}/revoke")
    assert "no longer active" in as_admin.get(f"settings/keys/{old.row.id}/rotate").text
    as_admin.post(f"settings/keys/{old.row.id}/rotate", then=422, overlap="7", seen=old.row.hint)
    assert not opens(app, old.key)


# ---- revoking


def test_a_revoked_key_is_refused_from_the_next_request_on_under_both_secrets(
    app, as_admin, as_officer
):
    old = create_machine_client(app)
    new = key_in(
        as_admin.post(
            f"settings/keys/{old.row.id}/rotate", then=201, overlap="7", seen=old.row.hint
        )
    )
    as_admin.post(f"settings/keys/{old.row.id}/revoke")
    as_admin.post(f"settings/keys/{old.row.id}/revoke")
    assert not opens(app, new) and not opens(app, old.key)
    assert len(entries("api_key.revoked")) == 1
    page = as_officer.get("settings/keys").text
    assert "revoked " in page and "No active API keys" in page


# ---- permissions


@pytest.mark.parametrize(
    ("role", "list_", "form"),
    [
        ("admin", 200, 200),
        ("compliance_officer", 200, 403),
        ("viewer", 403, 403),
        ("auditor", 403, 403),
    ],
)
def test_who_may_see_and_who_may_make(app, database, role, list_, form):
    visitor = Visitor(app, make.cookie(role))
    visitor.get("settings/keys", then=list_)
    visitor.get("settings/keys/new", then=form)
    visitor.post(
        "settings/keys/new",
        then=201 if form == 200 else 403,
        name="mirror",
        scopes="audit:read",
        once=str(uuid4()),
    )


@pytest.mark.parametrize("path", ["new", "{}/rotate", "{}/revoke"])
def test_every_act_asks_for_a_fresh_sign_in(app, database, path):
    held = create_machine_client(app)
    late = Visitor(app, make.cookie("admin", signed_in_ago=timedelta(minutes=10)))
    late.post(
        "settings/keys/" + path.format(held.row.id),
        then=401,
        name="x",
        scopes="audit:read",
        overlap="0",
        seen=held.row.hint,
    )
    assert opens(app, held.key) and len(keys()) == 1


def test_the_operator_has_keys_to_its_own_log_and_to_no_tenants(app, as_operator):
    form = filled(Visitor(app, make.cookie("operator_admin", "console"), "console"))
    key = key_in(
        Visitor(app, make.cookie("operator_admin", "console"), "console").post(
            "settings/keys/new", then=201, **form
        )
    )
    assert MachineClient(app, key).ask("GET", "/audit/console/checkpoint").status_code in {200, 404}
    assert MachineClient(app, key).get(CHECKPOINT, then=404)


def test_another_tenants_list_shows_none_of_ours(app, as_neighbour):
    held = create_machine_client(app, name="only ours")
    page = as_neighbour.get("settings/keys").text
    assert "only ours" not in page and held.row.hint not in page


def test_the_list_asks_the_database_as_often_for_many_keys_as_for_one(app, as_officer, statements):
    def asked():
        with statements() as seen:
            as_officer.get("settings/keys")
        return [each for each in seen if "FROM api_keys" in each or "FROM people" in each]

    create_machine_client(app, name="m0")
    few = asked()
    for number in range(1, 12):
        create_machine_client(app, name=f"m{number}")
    assert len(asked()) == len(few) == 3  # Keys, who created them, and which to rotate.


# ---- the scope of a product's key


def test_a_key_may_be_bound_to_one_system_and_to_a_rate(as_admin):
    with make.acting("admin"):
        triage = systems.register(
            key="claims-triage",
            stage="live",
            name="Claims triage",
            lane="high_risk",
            purpose="Sorts.",
            owner_id=None,
        ).id
    as_admin.post(
        "settings/keys/new",
        then=201,
        **filled(as_admin, scopes="flags:read", system_id=str(triage), rate="1200"),
    )
    (made,) = keys()
    assert (made.system_id, made.rate, made.scopes) == (triage, 1200, ["flags:read"])
    assert (
        f"Claims triage only, {thousands(1200)} requests/min" in as_admin.get("settings/keys").text
    )
    (entry,) = entries("api_key.created")
    assert entry.facts["system"] == str(triage) and entry.facts["rate"] == 1200


@pytest.mark.parametrize(
    ("rate", "says"),
    [
        ("0", "Enter a number from 1 to"),
        ("-5", "Enter a number from 1 to"),
        ("99999999999", "Enter a number from 1 to"),
        ("many", "Not a valid integer"),
    ],
)
def test_a_rate_is_a_whole_number_within_bounds(as_admin, rate, says):
    assert says in as_admin.post("settings/keys/new", then=422, **filled(as_admin, rate=rate)).text
    assert keys() == []


def test_another_tenants_system_is_no_choice(as_admin):
    with make.acting("admin", "globex"):
        theirs = systems.register(
            key="theirs",
            stage="live",
            name="Theirs",
            lane="standard",
            purpose="Theirs.",
            owner_id=None,
        ).id
    assert (
        "Choose one of the options"
        in as_admin.post(
            "settings/keys/new", then=422, **filled(as_admin, system_id=str(theirs))
        ).text
    )
