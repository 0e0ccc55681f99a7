"""The protocol at its edges: filters and pages in SQL, ETags, bulk, bad input, other tenants."""

import json
from urllib.parse import urlencode

import pytest
from scim2_server.handler import ScimHandler
from sqlalchemy import event, func, select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.models import Membership
from governance.foundation.scim import call_actions
from governance.foundation.scim.models import DirectoryGroupMember, DirectoryUser, ScimCall
from governance.kernel import clock
from governance.kernel.data import db
from governance.kernel.data.db import session
from tests import make
from tests.conftest import visitor
from tests.foundation.people.conftest import entries_of_action
from tests.foundation.scim.directory import Directory
from tests.machine_client import create_machine_client

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
UNKNOWN = "01a21bc8-0000-7000-8000-000000000000"


def statements() -> list[str]:
    """Return a list that collects every statement from now on."""
    seen: list[str] = []
    event.listen(db.engine(), "before_cursor_execute", lambda *given: seen.append(given[2]))
    return seen


# ---- reading


def test_what_directories_send_by_default_is_accepted_and_the_rest_is_not_kept(directory):
    """Create a user as Microsoft Entra ID does, with the enterprise extension."""
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    user = directory.ask(
        "POST",
        "/Users",
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", enterprise],
            "externalId": "0a21b0f2",
            "userName": "Test_User@acme.example",
            "active": True,
            "displayName": "Test User",
            "emails": [{"primary": True, "type": "work", "value": "test@acme.example"}],
            "meta": {"resourceType": "User"},
            "name": {"formatted": "Test User", "familyName": "User", "givenName": "Test"},
            "phoneNumbers": [{"type": "mobile", "value": "+49 30 1234567"}],
            "title": "Head of tests",
            enterprise: {"department": "Claims", "manager": {"value": "abc"}},
        },
        then=201,
    ).json
    assert user["meta"]["location"].endswith(f"/scim/v2/Users/{user['id']}")
    assert "phoneNumbers" not in user and "title" not in user and enterprise not in user
    directory.patch(
        f"/Users/{user['id']}",
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "new@acme.example"},
        {"op": "Add", "path": f"{enterprise}:department", "value": "Sales"},
        {"op": "Add", "path": 'emails[type eq "home"].value', "value": "home@acme.example"},
        {"op": "Replace", "value": {"name.givenName": "Tess", "title": "Boss"}},
        then=204,
    )
    now = directory.ask("GET", f"/Users/{user['id']}", then=200).json
    assert [e["value"] for e in now["emails"]] == ["new@acme.example", "home@acme.example"]
    assert now["name"]["givenName"] == "Tess" and now["meta"]["version"] == 'W/"2"'
    (created,) = entries_of_action("provisioning.user.created")
    assert created.actor_kind == "api_key" and "Test" not in str(created.body)
    assert set(created.sealed) >= {"user_name", "emails"}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ('userName eq "BEN@acme.example"', ["ben@acme.example"]),
        ('externalId eq "e-1"', ["ana@acme.example"]),
        ('externalId eq "E-1"', []),
        ('userName eq "x" or (active eq true and not (userName sw "ben"))', ["ana@acme.example"]),
        ('emails[type eq "work" and value co "BEN"]', ["ben@acme.example"]),
        ('displayName eq "x\' OR 1=1 --"', []),
        ('userName sw "%"', []),
    ],
)
def test_filters_find_the_users_they_describe(directory, wanted, found):
    for name in ("ana", "ben"):
        directory.create_user(
            f"{name}@acme.example",
            externalId={"ana": "e-1"}.get(name),
            emails=[{"type": "work", "value": f"{name}@acme.example"}],
        )
    page = directory.ask("GET", f"/Users?filter={wanted}".replace("%", "%25"), then=200).json
    assert [each["userName"] for each in page["Resources"]] == found
    assert page["totalResults"] == len(found)


def test_a_page_reads_its_rows_and_no_more(app, directory):
    """Read a page of users in three statements however many there are, also for a search."""
    for number in range(12):
        directory.create_user(f"user-{number:02}@acme.example")
    seen = statements()
    page = directory.ask("GET", "/Users?startIndex=4&count=3", then=200).json
    assert [each["userName"][:7] for each in page["Resources"]] == ["user-03", "user-04", "user-05"]
    assert (page["totalResults"], page["itemsPerPage"], page["startIndex"]) == (12, 3, 4)
    reads = [each for each in seen if "FROM scim_users" in each]
    assert len(reads) == 2 and "LIMIT" in reads[1] and "OFFSET" in reads[1]


def test_a_list_without_a_count_is_bounded(directory, monkeypatch):
    config = directory.ask("GET", "/ServiceProviderConfig", then=200).json
    assert config["filter"] == {"supported": True, "maxResults": 200}
    assert config["bulk"]["supported"] and config["etag"]["supported"]
    assert config["sort"]["supported"] and not config["changePassword"]["supported"]


# ---- groups


def test_a_thousand_members_join_and_leave_in_one_request_each(app, directory):
    users = _users(1000)
    group = directory.create_group("everyone", *users[:500])["id"]
    seen = statements()
    directory.join(group, *users)
    assert len(seen) < 60, "a statement per member"
    body = directory.ask("GET", f"/Groups/{group}", then=200).json
    assert {each["value"] for each in body["members"]} == set(users)
    without = directory.ask("GET", "/Groups?excludedAttributes=members", then=200).json
    assert "members" not in without["Resources"][0]
    member = f'id eq "{group}" and members eq "{users[7]}"'
    assert directory.ask("GET", f"/Groups?filter={member}", then=200).json["totalResults"] == 1
    other = f'members[value eq "{UNKNOWN}"]'
    assert directory.ask("GET", f"/Groups?filter={other}", then=200).json["totalResults"] == 0
    directory.patch(f"/Groups/{group}", {"op": "remove", "path": "members"}, then=204)
    with make.acting("admin", read_only=True):
        assert session().scalar(select(func.count()).select_from(DirectoryGroupMember)) == 0
    last = entries_of_action("provisioning.group.changed")[-1]
    assert last.facts["removed"] == 1000 and len(last.facts["users"]) == 100


def _users(count: int) -> list[str]:
    with make.acting("admin"):
        rows = [
            DirectoryUser(
                user_name=f"u{n}",
                user_name_key=f"u{n}",
                external_id=None,
                display_name=None,
                address="",
                active=True,
                membership_id=None,
                access_ended_at=None,
            )
            for n in range(count)
        ]
        session().add_all(rows)
        session().flush()
        return [str(each.id) for each in rows]


def test_two_groups_of_one_name_are_refused_since_roles_are_mapped_by_name(directory):
    directory.create_group("governance-admins")
    refused = directory.create_group("Governance-ADMINS", then=409)
    assert refused["scimType"] == "uniqueness" and "mapped by name" in refused["detail"]


def test_a_member_who_is_no_user_of_this_tenant_is_refused(app, directory):
    theirs = Directory(app, "globex").create_user("someone@globex.example")["id"]
    for member in (theirs, UNKNOWN, "nobody", ""):
        directory.create_group("mixed", member, then=400)
    group = directory.create_group("a group")["id"]
    directory.create_group("nested", group, then=400)
    directory.join(group, theirs, then=400)


# ---- ETags


def test_a_change_with_an_old_etag_is_refused_and_changes_nothing(directory):
    user = directory.create_user("ana@acme.example")
    path, old = f"/Users/{user['id']}", user["meta"]["version"]
    change = {"op": "replace", "path": "displayName", "value": "First"}
    directory.patch(path, change, then=204, **{"If-Match": old})
    again = directory.patch(path, change | {"value": "Second"}, then=412, **{"If-Match": old})
    assert again.json["detail"]
    directory.ask("DELETE", path, then=412, **{"If-Match": old})
    now = directory.ask("GET", path, then=200)
    assert now.json["displayName"] == "First" and now.headers["ETag"] == 'W/"2"'
    directory.ask("GET", path, then=304, **{"If-None-Match": 'W/"2"'})


# ---- bulk


def test_bulk_runs_each_operation_whole_or_not_at_all(directory):
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": _user("ana@acme.example")},
        {"method": "POST", "path": "/Users", "bulkId": "b", "data": _user("ANA@acme.example")},
        {"method": "POST", "path": "/Users", "bulkId": "c", "data": _user("cem@acme.example")},
        {
            "method": "POST",
            "path": "/Groups",
            "bulkId": "g",
            "data": {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
                "displayName": "both",
                "members": [{"value": "bulkId:a"}, {"value": "bulkId:c"}],
            },
        },
    ]
    body = {"schemas": [BULK], "Operations": operations}
    answer = directory.ask("POST", "/Bulk", body, then=200).json["Operations"]
    assert [each["status"] for each in answer] == ["201", "409", "201", "201"]
    group = directory.ask("GET", "/Groups", then=200).json["Resources"][0]
    assert len(group["members"]) == 2
    with make.acting("admin", read_only=True):
        last = session().scalars(select(ScimCall).order_by(ScimCall.id.desc())).all()[1]
        assert last.problem == "Another user has this userName."


def _user(name: str) -> dict[str, object]:
    return {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name}


def test_a_bulk_request_has_a_bound(directory):
    operations = [{"method": "POST", "path": "/Users", "bulkId": "a", "data": _user("a")}] * 501
    directory.ask("POST", "/Bulk", {"schemas": [BULK], "Operations": operations}, then=413)


# ---- bad input


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/Users", b"{", 400),
        ("POST", "/Users", b"", 400),
        ("POST", "/Users", b"[]", 400),
        ("POST", "/Users", _user("a\0b"), 400),
        ("POST", "/Users", _user("a\nb"), 400),
        ("POST", "/Users", _user("x" * 401), 400),
        ("POST", "/Users", _user(""), 400),
        ("POST", "/Users", _user("a") | {"userName": 5}, 400),
        ("POST", "/Users", _user("a") | {"active": "perhaps"}, 400),
        ("POST", "/Users", _user("a") | {"emails": [{"value": "a"}] * 21}, 400),
        (
            "POST",
            "/Users",
            b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"\\ud800"}',
            400,
        ),
        ("GET", "/Users/nobody", None, 404),
        ("GET", f"/Users/{UNKNOWN}", None, 404),
        ("GET", f"/Users/{UNKNOWN.upper()}", None, 404),
        ("DELETE", f"/Users/{UNKNOWN}", None, 404),
        ("PATCH", f"/Groups/{UNKNOWN}", {"schemas": [], "Operations": []}, 400),
        ("GET", "/Users?filter=userName eq", None, 400),
        ("GET", '/Users?filter=nothing eq "a"', None, 400),
        ("GET", '/Users?filter=emails.value eq "%00"', None, 400),
        ("GET", '/Users?filter=userName eq "%00"', None, 400),
        ("GET", "/Users?startIndex=99999999999999999999", None, 200),
        ("GET", "/Users?count=99999999999999999999", None, 200),
        ("GET", "/Users?startIndex=-5&count=-5", None, 200),
        ("GET", "/Users?count=x", None, 400),
        ("GET", "/Users?sortBy=nothing", None, 400),
        ("GET", "/Groups?sortBy=members", None, 400),
        ("GET", "/Users?sortBy=userName&sortOrder=sideways", None, 400),
        ("POST", "/.search", {"schemas": []}, 200),
        ("PUT", "/Users", _user("a"), 405),
        ("GET", "/Me", None, 501),
        ("GET", "/Passwords", None, 404),
    ],
)
def test_bad_input_is_refused_by_name_and_never_breaks(directory, method, path, body, status):
    directory.ask(method, path, body, then=status)


def test_ten_megabytes_are_refused_and_a_stranger_is_not_read(app, directory):
    large = json.dumps(_user("a") | {"displayName": "x" * 10_000_000}).encode()
    assert "2 MB" in directory.ask("POST", "/Users", large, then=413).json["detail"]
    stranger = create_machine_client(app, name="reader", scopes=("audit:read",))
    directory.machine.key = stranger.key
    refused = directory.ask("POST", "/Users", large, then=403).json
    assert "It needs the scope scim." in refused["detail"]
    refused = directory.ask("POST", "/Users", _user("a"), then=403).json
    assert "It needs the scope scim." in refused["detail"]


@pytest.fixture
def no_library(monkeypatch):
    """Fail a request that reaches the library, which builds models of all users."""

    def handle(_handler: ScimHandler, _request: object) -> None:
        raise AssertionError("the request was built before it was refused")

    monkeypatch.setattr(ScimHandler, "handle", handle)


@pytest.mark.usefixtures("no_library")
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "named"),
    [
        ("PATCH", f"/Users/{UNKNOWN}", {"Operations": [{"op": "add"}] * 20_000}, 413, "500 oper"),
        ("PATCH", f"/Users/{UNKNOWN}", {"operations": [{"op": "add"}] * 501}, 413, "500 oper"),
        ("POST", "/Bulk", {"Operations": [{"method": "POST"}] * 501}, 413, "500 operations"),
        (
            "POST",
            "/Bulk",
            {"Operations": [{"method": "PATCH", "data": {"Operations": [{}] * 300}}] * 2},
            413,
            "500 operations",
        ),
        ("POST", "/Users", {"userName": "a", "emails": [{"value": "a"}] * 501}, 400, "emails has"),
        ("POST", "/Groups", {"members": [{"value": "a"}] * 20_001}, 400, "at most 20,000"),
        ("POST", "/.search", {"filter": " or ".join(["id pr"] * 20_000)}, 400, "characters"),
        ("POST", "/.search", {"filter": " or ".join(["id pr"] * 51)}, 400, "at most 50 terms"),
        ("GET", "/Users?filter=" + "+or+".join(["id+pr"] * 51), None, 400, "at most 50 terms"),
        (
            "PATCH",
            f"/Users/{UNKNOWN}",
            {"Operations": [{"path": f"emails[{' or '.join(['type pr'] * 51)}]"}]},
            400,
            "at most 50 terms",
        ),
    ],
    ids=["patch", "501", "bulk", "patches", "emails", "members", "filter", "51", "query", "path"],
)
def test_a_request_with_too_much_is_refused_before_anything_is_built_of_it(
    directory, method, path, body, status, named
):
    assert named in directory.ask(method, path, body, then=status).json["detail"]


def test_deeply_nested_and_long_filters_are_refused(directory):
    for filter_, status in (
        ("not (" * 3000 + "userName pr" + ")" * 3000, 400),
        ("(" * 3000 + "userName pr" + ")" * 3000, 200),
        (" or ".join(['userName eq "a and b or c"'] * 50), 200),
        (" or ".join(['userName eq "a"'] * 51), 400),
        (" OR ".join(['userName eq "a"'] * 20_000), 400),
        ('userName eq "' + "a" * 10_000 + '"', 400),
    ):
        search = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": filter_,
        }
        directory.ask("POST", "/Users/.search", search, then=status)


def test_without_a_key_or_with_a_wrong_one_nothing_is_told(app, directory):
    user = directory.create_user("ana@acme.example")["id"]
    right = directory.machine.key
    for key in (None, "nonsense", right[:-1] + ("a" if right[-1] != "a" else "b")):
        directory.machine.key = key
        reply = directory.ask("GET", f"/Users/{user}", then=401)
        assert reply.headers["WWW-Authenticate"].startswith('Bearer realm="SCIM"')


def test_another_tenants_users_and_groups_do_not_exist(app, directory):
    user = directory.create_user("ana@acme.example")["id"]
    group = directory.create_group("ours", user)["id"]
    globex = Directory(app, "globex")
    for path in (f"/Users/{user}", f"/Groups/{group}"):
        globex.ask("GET", path, then=404)
        globex.ask("DELETE", path, then=404)
        globex.ask("PUT", path, _user("mine"), then=404)
        globex.patch(path, {"op": "replace", "path": "displayName", "value": "mine"}, then=404)
    assert globex.ask("GET", "/Users", then=200).json["totalResults"] == 0
    assert globex.create_user("ana@acme.example")["id"] != user
    before = make.system_actor("acme")
    with make.acting("admin", read_only=True):
        assert session().scalar(
            select(func.count())
            .select_from(Membership)
            .where(Membership.tenant_id == before.tenant_id)
        )


# ---- the settings page


def test_the_page_shows_the_address_the_key_the_groups_and_the_errors(app, directory):
    admin = visitor(app, "admin")
    page = admin.get("settings/provisioning").text
    assert "http://localhost/scim/v2" in page and "No group gives a role." in page
    user = directory.create_user("ana@acme.example")["id"]
    directory.create_group("Reviewers of ana@acme.example")
    directory.create_user("ana@acme.example", then=409)
    directory.ask("GET", '/Users?filter=userName eq "ana@acme.example"', then=200)
    directory.ask("GET", "/Users/ana@acme.example", then=404)
    page = admin.get("settings/provisioning").text
    assert "1 provisioned user" in page and "Another user has this userName." in page
    assert "GET /Users/…" in page and "directory" in page
    errors = admin.get("settings/provisioning?show=problems").text
    assert "Another user has this userName." in errors and "POST /Groups" not in errors
    with make.acting("admin", read_only=True):
        kept = session().scalars(select(ScimCall)).all()
        assert "ana" not in " ".join(f"{each.path} {each.problem}" for each in kept)
    assert user
    for role, status in (("compliance_officer", 200), ("viewer", 403), ("contributor", 403)):
        visitor(app, role).get("settings/provisioning", then=status)


def test_old_requests_are_forgotten(directory, monkeypatch):
    monkeypatch.setattr(call_actions, "MAX_CALLS", 3)
    for _ in range(5):
        directory.ask("GET", "/Users", then=200)
    with make.acting("admin"):
        call_actions.forget_old()
        assert session().scalar(select(func.count()).select_from(ScimCall)) == 3
    with clock.frozen(clock.now() + call_actions.RETENTION * 2), make.acting("admin"):
        call_actions.forget_old()
        assert session().scalar(select(func.count()).select_from(ScimCall)) == 0


def test_the_page_asks_to_rotate_a_key_that_a_former_member_has_seen(app, directory):
    from governance.foundation.people import member_actions, queries

    with make.acting("admin"):
        make_second = queries.membership_of(make.person_id("compliance_officer"))
        assert make_second
        make_second.role = "admin"
    with make.acting("compliance_officer"):
        from governance.foundation.api_keys import actions as keys

        keys.create("second directory", ("scim",))
    officer = visitor(app, "admin")
    assert "Rotate a key." not in officer.get("settings/provisioning").text
    with make.acting("admin"):
        member_actions.remove_member(queries.membership_of(make.person_id("compliance_officer")))
    assert "Rotate a key." in officer.get("settings/provisioning").text


def test_every_change_is_in_the_log_with_the_key_as_its_actor(directory):
    user = directory.create_user("ana@acme.example")["id"]
    group = directory.create_group("g", user)["id"]
    directory.deactivate(user)
    directory.activate(user)
    directory.patch(
        f"/Users/{user}", {"op": "replace", "path": "displayName", "value": "Ana"}, then=204
    )
    directory.leave(group, user)
    directory.ask("DELETE", f"/Groups/{group}", then=204)
    directory.ask("DELETE", f"/Users/{user}", then=204)
    with make.acting("admin", read_only=True):
        query = select(AuditEntry.action).where(AuditEntry.actor_kind == "api_key")
        assert session().scalars(query.order_by(AuditEntry.id)).all() == [
            "provisioning.user.created",
            "provisioning.group.created",
            "provisioning.user.deactivated",
            "provisioning.user.reactivated",
            "provisioning.user.changed",
            "provisioning.group.changed",
            "provisioning.group.deleted",
            "provisioning.user.deleted",
        ]


SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


@pytest.fixture
def everyone(directory):
    """Create two users and two groups, in this order."""
    ana = directory.create_user("ana@acme.example", displayName="Ana", active=True)
    risk = directory.create_group("Risk", ana["id"])
    directory.create_user("bo@acme.example", displayName="Bo", active=False)
    directory.create_group("Ana's team")
    return directory, ana, risk


def names(reply):
    return [each.get("userName") or each["displayName"] for each in reply.json["Resources"]]


@pytest.mark.parametrize(
    ("scim_filter", "found"),
    [
        ("id pr", ["ana@acme.example", "Risk", "bo@acme.example", "Ana's team"]),
        ('displayName sw "ana"', ["ana@acme.example", "Ana's team"]),
        ('userName eq "BO@acme.example"', ["bo@acme.example"]),
        ("active eq false", ["bo@acme.example"]),
        ("members pr", ["Risk"]),
        ('meta.resourceType eq "Group"', ["Risk", "Ana's team"]),
        ('userName pr or displayName eq "Risk"', ["ana@acme.example", "Risk", "bo@acme.example"]),
        ('emails.value eq "nobody@acme.example"', []),
    ],
)
def test_a_search_at_the_root_finds_users_and_groups_by_get_and_by_post(
    everyone, scim_filter, found
):
    directory, *_ = everyone
    query = urlencode({"filter": scim_filter})
    body = {"schemas": [SEARCH], "filter": scim_filter}
    replies = [
        directory.ask("GET", f"?{query}"),
        directory.ask("GET", f"/?{query}"),
        directory.ask("POST", "/.search", body),
    ]
    assert [names(each) for each in replies] == [found] * 3
    assert {each.json["totalResults"] for each in replies} == {len(found)}


def test_a_search_at_the_root_is_paged_as_one_list(everyone):
    directory, *_ = everyone
    pages = [directory.ask("GET", f"/?startIndex={start}&count=2") for start in (1, 3, 5)]
    assert [names(each) for each in pages] == [
        ["ana@acme.example", "Risk"],
        ["bo@acme.example", "Ana's team"],
        [],
    ]
    assert {each.json["totalResults"] for each in pages} == {4}


@pytest.mark.parametrize(
    ("sorting", "found"),
    [
        (
            "sortBy=displayName",
            ["ana@acme.example", "Ana's team", "bo@acme.example", "Risk"],
        ),
        (
            "sortBy=userName",
            ["ana@acme.example", "bo@acme.example", "Risk", "Ana's team"],
        ),
        (
            "sortBy=userName&sortOrder=descending",
            ["Risk", "Ana's team", "bo@acme.example", "ana@acme.example"],
        ),
        ("sortBy=active", ["bo@acme.example", "ana@acme.example", "Risk", "Ana's team"]),
    ],
)
def test_a_search_at_the_root_is_sorted_as_one_list(everyone, sorting, found):
    """Sort those without a value last, and first in descending order."""
    directory, *_ = everyone
    assert names(directory.ask("GET", f"/?{sorting}", then=200)) == found
    second = directory.ask("GET", f"/?{sorting}&startIndex=2&count=2", then=200)
    assert names(second) == found[1:3]


def test_users_are_sorted_by_their_name_whatever_its_case(directory):
    for name in ("bo@acme.example", "Ana@acme.example", "cy@acme.example"):
        directory.create_user(name)
    page = directory.ask("GET", "/Users?sortBy=userName&sortOrder=descending&count=2", then=200)
    assert names(page) == ["cy@acme.example", "bo@acme.example"]
    assert names(directory.ask("GET", "/Users?sortBy=userName"))[0] == "Ana@acme.example"


def test_a_search_at_the_root_leaves_out_what_was_not_asked_for(everyone):
    directory, ana, risk = everyone
    reply = directory.ask("GET", "/?attributes=displayName")
    assert {key for each in reply.json["Resources"] for key in each} <= {
        "schemas",
        "id",
        "displayName",
        "meta",
    }
    whole = directory.ask("GET", f"/?{urlencode({'filter': 'members pr'})}")
    assert whole.json["Resources"][0]["members"][0]["value"] == ana["id"]
    assert whole.json["Resources"][0]["id"] == risk["id"]


def test_nobody_searches_another_tenant_or_without_a_key(app, everyone):
    other = Directory(app, "globex")
    assert other.ask("GET", "/").json["totalResults"] == 0
    reply = other.machine.client.get("/scim/v2/")
    assert reply.status_code == 401 and reply.mimetype == "application/scim+json"
    everyone[0].ask("DELETE", "/", then=405)
    everyone[0].ask("GET", '/?filter=shoeSize+eq+"43"', then=400)
