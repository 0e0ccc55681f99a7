"""Every route, requested by people without access to it: knowing an address gives no access."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from bs4 import BeautifulSoup
from wtforms import Field, SelectFieldBase

from governance.foundation.api_keys import actions as keys
from governance.foundation.people import saved_forms
from governance.foundation.people.models import SavedForm
from governance.foundation.tenants import actions as tenants
from governance.kernel import clock
from governance.kernel.files.downloads import FILE
from governance.kernel.safety import access
from governance.kernel.safety.access import ROLES
from governance.kernel.web import bearer
from tests import make, step_up_helpers
from tests.browser import Visitor
from tests.machine_client import MachineClient, create_machine_client
from tests.route_helpers import RouteMethod, call_route, objects_in, route_methods

# Only the session that stored the form finds it, which tests/foundation/people/test_step_up.py
# proves.
OF_A_SESSION = {"saved_form_id"}
PARTS = 4  # slices of the routes, for the slow walks

pytestmark = pytest.mark.spread


def refusals(
    app: Any,
    visitor: Visitor,
    walk: Iterator[tuple[RouteMethod, str]],
    *allowed: int,
    **headers: str,
) -> list[str]:
    wrong = []
    for door, path in walk:
        reply = call_route(visitor, door, path, **headers)
        if reply.status_code not in allowed:
            wrong.append(f"{door}: {reply.status_code}")
    return wrong


def test_every_word_in_an_address_is_known(app, acme_ids):
    """Require an object for each word, because the walk below would otherwise use an id of nothing."""
    unknown = {
        word
        for door in route_methods(app, "tenant")
        for word in objects_in(door)
        if word not in acme_ids
    }
    assert unknown == set()


def test_a_stranger_finds_no_page_of_another_tenant(app, as_stranger, acme_ids):
    """Request acme's addresses as the officer of globex."""
    walk = [(d, d.address(app, "acme", acme_ids)) for d in route_methods(app, "tenant")]
    assert len(walk) > 30
    assert refusals(app, as_stranger, walk, 404) == []


def test_a_neighbour_finds_no_object_of_another_tenant(app, acme_ids, isolated):
    """Request globex's own addresses with acme's ids, as its admin and its officer."""
    wrong, tried = [], 0
    for role in ("admin", "compliance_officer"):
        visitor = Visitor(app, make.cookie(role, "globex"), "globex")
        walk = [
            (d, d.address(app, "globex", acme_ids))
            for d in route_methods(app, "tenant")
            if objects_in(d) and role in d.needs.roles
        ]
        tried += len(walk)
        wrong += refusals(app, visitor, walk, 404)
    assert tried > 10
    assert wrong == []


def test_the_owner_does_find_them(app, as_admin, acme_ids):
    """Validate the walk above, which would prove nothing otherwise: acme finds these addresses."""
    lost = [
        f"{d}: 404"
        for d in route_methods(app, "tenant")
        if d.method == "GET"
        and objects_in(d) - OF_A_SESSION
        and "admin" in d.needs.roles
        and d.rule.endpoint != "statements.new_dispute"  # of a month that isn't closed yet
        and call_route(as_admin, d, d.address(app, "acme", acme_ids)).status_code == 404
    ]
    assert lost == [], "\n".join(lost)


def test_nobody_is_let_in_without_signing_in(app, client, acme_ids):
    walk = [(d, d.address(app, "acme", acme_ids)) for d in route_methods(app, "tenant", "operator")]
    for door, path in walk:
        reply = call_route(client, door, path)
        assert reply.status_code in {302, 303}, f"{door}: {reply.status_code}"
        assert reply.location.startswith("/login?"), f"{door}: {reply.location}"


def test_a_machine_that_is_nobody_gets_401(app, client, acme_ids):
    walk = [(d, d.address(app, "acme", acme_ids)) for d in route_methods(app, "tenant", "operator")]
    assert refusals(app, client, walk, 401, Accept="application/json") == []


@pytest.mark.parametrize(
    "role", ["viewer", "auditor", "contributor", "compliance_officer", "admin"]
)
def test_a_role_is_refused_what_it_does_not_hold(app, isolated, acme_ids, role):
    """Check the permission before the object, so that the id doesn't matter."""
    visitor = Visitor(app, make.cookie(role), "acme")
    walk = [
        (d, d.address(app, "acme", acme_ids))
        for d in route_methods(app, "tenant")
        if role not in d.needs.roles
    ]
    assert refusals(app, visitor, walk, 403) == []
    assert walk or role == "admin"


def test_the_operator_has_no_page_of_a_tenant(app, as_operator, acme_ids):
    walk = [(d, d.address(app, "acme", acme_ids)) for d in route_methods(app, "tenant")]
    assert refusals(app, as_operator, walk, 404) == []


def test_a_tenant_has_no_page_of_the_operator(app, as_admin):
    walk = [(d, d.address(app, "acme", {})) for d in route_methods(app, "operator")]
    assert walk
    assert refusals(app, as_admin, walk, 404) == []


@pytest.mark.parametrize("role", ["operator_admin", "operator_finance"])
def test_operators_are_refused_what_they_do_not_hold(app, isolated, role):
    visitor = Visitor(app, make.cookie(role, "console"), "console")
    walk = [
        (d, d.address(app, "console", {"slug": "acme"})) for d in route_methods(app, "operator")
    ]
    assert refusals(app, visitor, [w for w in walk if role not in w[0].needs.roles], 403) == []
    answers = {
        str(d): call_route(visitor, d, path).status_code
        for d, path in walk
        if d.method == "GET" and role in d.needs.roles
    }
    assert (
        answers
        and {where: status for where, status in answers.items() if status == 403 or status >= 500}
        == {}
    )


# ---- machines


@pytest.fixture
def machines(app, acme_ids, acting, monkeypatch) -> dict[str, MachineClient]:
    """Create the machine clients that request acme's addresses.

    One is acme's own with every scope. The others must be denied.
    """
    monkeypatch.setitem(access.known_scopes, "nothing:known", "do nothing that an address asks for")
    scopes = [name for name in access.known_scopes if name != "nothing:known"]
    made = {
        "own": create_machine_client(app, name="own", scopes=scopes),
        "revoked": create_machine_client(app, name="revoked", scopes=scopes),
        "ended": create_machine_client(
            app, name="ended", scopes=scopes, ends=clock.now() + timedelta(seconds=1)
        ),
        "stranger": create_machine_client(app, "globex", scopes=scopes),
        "narrow": create_machine_client(app, name="narrow", scopes=["nothing:known"]),
        "unknown": MachineClient(app, bearer.new("acme")),
        "nobody": MachineClient(app, None),
    }
    with acting("admin"):
        keys.revoke(keys.queries.key(made["revoked"].row.id))
    return made


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("revoked", 401),
        ("ended", 401),
        ("stranger", 404),
        ("narrow", 403),
        ("unknown", 401),
        ("nobody", 401),
    ],
)
def test_a_machine_is_refused_at_every_address_that_its_key_does_not_open(
    app, machines, acme_ids, who, status
):
    walk = [
        (d, d.address(app, "acme", acme_ids))
        for d in route_methods(app, "machine")
        if who != "stranger" or "tenant" in d.rule.arguments
    ]
    assert (
        len(walk) > 4
        # If an address names no tenant, the key decides, so a stranger reaches only their own
        # tenant.
    )
    with clock.frozen(clock.now() + timedelta(seconds=2)):
        assert [
            f"{d}: {found}"
            for d, path in walk
            if (found := machines[who].ask(d.method, path).status_code) != status
        ] == []


def test_the_machine_with_the_key_is_let_in_where_the_others_are_not(app, machines, acme_ids):
    """Validate the walk above, which would prove nothing otherwise.

    Missing objects and invalid requests are reported to the machine.
    """
    answers = {
        str(d): machines["own"].ask(d.method, d.address(app, "acme", acme_ids))
        for d in route_methods(app, "machine")
    }
    assert {
        where: reply.status_code
        for where, reply in answers.items()
        if reply.status_code in {401, 403} or reply.status_code >= 500
    } == {}
    assert all(reply.mimetype != "text/html" for reply in answers.values())


def test_a_signed_in_person_is_no_machine(app, as_admin, acme_ids):
    walk = [(d, d.address(app, "acme", acme_ids)) for d in route_methods(app, "machine")]
    assert refusals(app, as_admin, walk, 401) == []


def test_a_machine_is_no_person(app, machines, acme_ids):
    """Open no page with a key, whatever its scopes.

    Reading requires a sign-in, and writing a form of ours.
    """
    for door in route_methods(app, "tenant", "operator"):
        found = (
            machines["own"]
            .ask(door.method, door.address(app, "acme", acme_ids), Accept="application/json")
            .status_code
        )
        assert found == (401 if door.method == "GET" else 403), str(door)


def slices(*roles: str) -> list[Any]:
    """Return a role and a part of the routes for each test, in groups that workers can share."""
    return [
        pytest.param(role, part, marks=pytest.mark.xdist_group(f"tests.test_routes-{role}-{part}"))
        for role in roles
        for part in range(PARTS)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("role", "part"), slices("admin", "viewer"))
def test_no_address_breaks_the_console(app, isolated, acme_ids, role, part):
    """Answer without a server error: real and invalid ids, by GET and by an empty POST.

    Only the status is checked here. Tests of the features check the pages.
    """
    visitor = Visitor(app, make.cookie(role), "acme")
    doors = [
        d
        for d in route_methods(app, "tenant", "public", "operator")
        if d.rule.endpoint != "people.door.logout"
    ][part::PARTS]
    assert len(doors) > 100
    for ids in ({}, acme_ids):
        walk = [(d, d.address(app, "acme", ids)) for d in doors]
        broken = [
            f"{d}: 500"
            for d, path in walk
            if "logout" not in path
            and "events" not in path
            and call_route(visitor, d, path).status_code >= 500
        ]
        assert broken == []


def test_roles_are_those_the_walk_knows():
    assert set(ROLES) == {
        "admin",
        "compliance_officer",
        "contributor",
        "auditor",
        "viewer",
        "operator_admin",
        "operator_finance",
        "operator_support",
    }


# ---- forms that need a fresh sign-in


@pytest.fixture
def rolled_back(isolated):
    """Return a context manager that rolls back what was written inside.

    The same can then be done in another way.
    """

    @contextmanager
    def block() -> Iterator[None]:
        point = isolated.begin_nested()
        yield
        point.rollback()

    return block


def fields_of(
    app: Any, door: RouteMethod, path: str, role: str, slug: str, ids: dict[str, Any]
) -> dict[str, str]:
    """Return a plausible value for every field of the form that the route declares.

    This includes the form's first verb, and the previewed row of an access review.
    """
    step_up = app.view_functions[door.rule.endpoint].fresh
    verb = {} if isinstance(step_up.verb, str) else {"verb": next(iter(step_up.verb))}
    row = ids["AccessReviewItem"]
    sent = {
        "verb": "",
        "kind": "webhook",
        "format": "jsonl",
        f"row-{row}": "revoke",
        "seen": f"{row}.",
        **verb,
    }
    _, values = app.url_map.bind("localhost").match(path, method="POST")
    values.pop("tenant", None)
    with (
        app.test_request_context(path, method="POST", data=sent),
        make.acting(role, slug, read_only=True),
    ):
        form = (
            step_up.form
            if step_up.form is None or isinstance(step_up.form, type)
            else partial(step_up.form, **values)
        )
        return sent | (
            {field.name: _plausible(field) for field in form() if field.name not in sent}
            if form
            else {}
        )


def _plausible(field: Field) -> str:
    if isinstance(field, SelectFieldBase):
        return next(str(value) for value, _label in field.choices if value)
    typed = {
        "BooleanField": "y",
        "IntegerField": "12",
        "DateField": "2027-12-01",
        "DateTimeLocalField": "2027-12-01T10:00",
    }
    named = {
        "email": "somebody@acme.example",
        "issuer": "https://id.acme.example",
        "url": "https://hook.acme.example",
        "slug": "umbrella",
        "group_roles": "",
        "domains": "",
        "version": "1",
    }
    return typed.get(type(field).__name__) or named.get(field.name, f"some {field.name}")


def outcome(reply: Any) -> tuple[int, str, str, list[str]]:
    """Return the outcome of a submission: status, target, title and errors, without ids."""
    soup = BeautifulSoup(reply.text if reply.mimetype == "text/html" else "", "html.parser")
    wrong = [
        error.get_text(" ", strip=True)
        for error in soup.select(".c-err, .c-errors, .c-refused .c-lede")
    ]
    return (
        reply.status_code,
        re.sub(r"[0-9a-f-]{36}", "*", reply.headers.get("Location", "")),
        str(soup.title),
        wrong,
    )


def test_every_form_that_needs_a_fresh_sign_in_comes_out_as_if_the_sign_in_had_been_fresh(
    app, acme_ids, rolled_back
):
    tenants.create_tenant("initech", "Initech")
    done = []
    for door in route_methods(app, "tenant", "operator"):
        if door.method != "POST" or not vars(app.view_functions[door.rule.endpoint]).get("fresh"):
            continue
        role, slug = (
            ("operator_admin", "console") if door.scope == "operator" else ("admin", "acme")
        )
        assert role in door.needs.roles, f"{door}: walk it as somebody who may"
        of_acme = door.rule.endpoint.startswith(("operator_agreements", "operator_statements"))
        ids = acme_ids | {"slug": "acme" if of_acme else "initech"}
        path = door.address(app, slug, ids)
        sent = fields_of(app, door, path, role, slug, ids)
        with rolled_back():
            expected = outcome(
                Visitor(app, make.cookie(role, slug), slug).post(path, then=None, **sent)
            )
        with rolled_back():
            visitor = step_up_helpers.visitor_needing_step_up(app, role, slug)
            visitor.post(path, then=401, **sent)
            assert kept_fields(step_up_helpers.saved_forms(slug)[-1], role, slug) == list(
                sent.items()
            ), str(door)
            step_up_helpers.sign_in_again(visitor, role, slug)
            gone = (
                expected[0] == 404
            )  # The form's target is missing: both its page and its address answer 404.
            shown = visitor.get(
                step_up_helpers.newest_kept_form_page(slug), then=404 if gone else 200
            )
            found = (
                expected
                if gone
                else outcome(step_up_helpers.submit_kept_form(visitor, shown, then=None))
            )
        assert found == expected, str(door)
        assert found[0] < 500, str(door)
        done.append((str(door), found[0]))
    assert len(done) > 20
    assert sum(status in {200, 201, 303} for _, status in done) > 12, done
    assert sum(status == 404 for _, status in done) < 4, done


def kept_fields(row: SavedForm, role: str, slug: str) -> list[tuple[str, str]]:
    with make.acting(role, slug, read_only=True):
        return saved_forms.opened(row).fields


# ---- downloads


def test_every_route_that_answers_an_auditor_with_a_download_declares_it(app, acme_ids, database):
    """Request every address as an auditor, with an object of the tenant in it."""
    took, wrong = set(), []
    for door in route_methods(app, "tenant"):
        if "auditor" not in door.needs.roles or "logout" in door.rule.rule:
            continue
        visitor = Visitor(
            app, make.cookie("auditor"), "acme"
        )  # Some routes end the session, so each request has its own.
        reply = call_route(visitor, door, door.address(app, "acme", acme_ids | {"form": "csv"}))
        answers = app.view_functions[door.rule.endpoint].answers
        is_file = reply.headers.get("Content-Disposition", "").startswith("attachment")
        if reply.status_code >= 500 or (
            is_file and (answers != FILE or "X-Custody" not in reply.headers)
        ):
            wrong.append(f"{door}: {reply.status_code} {answers}")
        took |= {door.rule.endpoint} if is_file else set()
    assert wrong == []
    assert {"evidence.export", "controls.export", "testing.export", "logbook.note"} <= took
