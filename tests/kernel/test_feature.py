"""The guard of every route: tenant, sign-in, permission, step-up, and read-only GETs."""

from datetime import timedelta
from io import BytesIO

import pytest
from flask import request
from sqlalchemy import select, text

from governance.app.factory import create_app
from governance.foundation.people.models import Session
from governance.foundation.tenants.models import Tenant
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.safety import access
from governance.kernel.web.feature import Feature
from governance.kernel.web.step_up import StepUp
from tests import make, step_up_helpers
from tests.browser import Visitor
from tests.machine_client import MachineClient, create_machine_client

OWN = "people.own"
probe = Feature("probe", __name__)
machines = Feature("machine_probe", __name__, scope="machine")
failing: list[bool] = []  # Whether the view that needs a fresh sign-in fails after its write.


@pytest.fixture(scope="module")
def probed(app, settings):
    """Return the application with one more feature, whose views do what each test needs."""
    needs = access.registry[OWN]

    @probe.route("/probe/both", methods=["GET", "POST"], needs=needs)
    def both() -> str:
        session().execute(text("UPDATE tenants SET region = 'Elsewhere' WHERE slug = 'acme'"))
        if request.args.get("fail"):
            raise ValueError("after the write")
        return "written"

    @probe.get("/probe/forced", needs=needs, writes=True)
    def forced() -> str:
        return both()

    @probe.post("/probe/preview", needs=needs, writes=False)
    def preview() -> str:
        return both()

    @probe.post("/probe/fresh", needs=needs, fresh=StepUp("Send the probe"))
    def fresh() -> str:
        session().execute(
            text("UPDATE tenants SET region = :at WHERE slug = 'acme'"),
            {"at": request.form["region"]},
        )
        if failing:
            raise ValueError("after the write")
        return (
            f"{request.form['region']}"
            f" {[(name, file.read()) for name, file in request.files.items()]}"
        )

    @probe.get("/probe/who", needs=needs)
    def who() -> str:
        return (
            f"{current.actor().tenant_slug} {current.actor().name}"
            f" {sorted(request.view_args or {})}"
        )

    by_key = access.registry["audit.mirror"]

    @machines.route("/probe/<tenant>/both", methods=["GET", "POST"], needs=by_key)
    def machine_both() -> str:
        return both()

    @machines.post("/probe/mine", needs=by_key)
    def mine() -> str:
        return f"{current.actor().kind} {current.actor().tenant_slug} {current.actor().name}"

    another = create_app(settings)
    another.register_blueprint(probe)
    another.register_blueprint(machines)
    another.config["PROPAGATE_EXCEPTIONS"] = False
    return another


@pytest.fixture
def visitor(probed, isolated):
    return Visitor(probed, make.cookie("admin"), "acme")


def region() -> str:
    with make.acting("admin"):
        return session().scalars(select(Tenant.region).where(Tenant.slug == "acme")).one()


def test_a_get_cannot_write_even_where_the_route_takes_posts(visitor):
    before = region()
    assert visitor.client.get("/t/acme/probe/both").status_code == 500
    assert region() == before


def test_a_post_that_only_previews_cannot_write(visitor):
    before = region()
    assert (
        visitor.client.post(
            "/t/acme/probe/preview", data={"csrf_token": visitor.csrf()}
        ).status_code
        == 500
    )
    assert region() == before


def test_a_post_writes(visitor):
    assert (
        visitor.client.post("/t/acme/probe/both", data={"csrf_token": visitor.csrf()}).status_code
        == 200
    )
    assert region() == "Elsewhere"


def test_a_post_that_fails_leaves_nothing(visitor):
    before = region()
    reply = visitor.client.post("/t/acme/probe/both?fail=1", data={"csrf_token": visitor.csrf()})
    assert reply.status_code == 500 and "after the write" not in reply.text
    assert region() == before


def test_a_get_may_write_only_where_the_route_says_so(visitor):
    assert visitor.client.get("/t/acme/probe/forced").status_code == 200


def test_views_do_not_get_the_tenant(visitor):
    assert visitor.client.get("/t/acme/probe/who").text == "acme Sanjay Patel ['tenant']"


def test_an_old_sign_in_is_asked_again_for_what_matters(probed, isolated):
    for age, status in ((timedelta(minutes=4), 200), (timedelta(minutes=6), 401)):
        visitor = Visitor(probed, make.cookie("admin", signed_in_ago=age), "acme")
        reply = visitor.client.post(
            "/t/acme/probe/fresh", data={"csrf_token": visitor.csrf(), "region": "Elsewhere"}
        )
        assert reply.status_code == status
        assert visitor.client.get("/t/acme/probe/who").status_code == 200


def test_a_route_says_what_its_fresh_sign_in_is_for():
    with pytest.raises(TypeError, match="must say what its fresh sign-in is for"):
        Feature("hasty", __name__).post("/x", needs=access.registry[OWN], fresh=True)(lambda: "")


def test_a_kept_form_whose_view_fails_leaves_nothing_and_is_submitted_by_the_next_try(
    probed, isolated, acting
):
    visitor = step_up_helpers.visitor_needing_step_up(probed, "admin")
    visitor.post("probe/fresh", then=401, region="Elsewhere")
    step_up_helpers.sign_in_again(visitor, "admin")
    shown, before = visitor.get(step_up_helpers.newest_kept_form_page()), region()
    failing.append(True)
    assert step_up_helpers.submit_kept_form(visitor, shown, then=500) and region() == before
    failing.clear()
    step_up_helpers.submit_kept_form(visitor, shown, then=200)
    assert region() == "Elsewhere"


def test_files_are_named_and_chosen_again_after_a_fresh_sign_in(probed, isolated):
    visitor = step_up_helpers.visitor_needing_step_up(probed, "admin")
    asked = visitor.post(
        "probe/fresh", then=401, region="Elsewhere", proof=(BytesIO(b"first"), "policy <1>.pdf")
    )
    assert (
        "Files aren&#39;t kept while you sign in." in asked.text
        and "policy &lt;1&gt;.pdf" in asked.text
    )
    step_up_helpers.sign_in_again(visitor, "admin")
    shown = visitor.get(step_up_helpers.newest_kept_form_page())
    assert "Choose policy &lt;1&gt;.pdf again. Files aren't kept while you sign in." in shown.text
    sent = step_up_helpers.submit_kept_form(
        visitor, shown, then=200, proof=(BytesIO(b"second"), "policy.pdf")
    )
    assert sent.text == "Elsewhere [('proof', b'second')]" and region() == "Elsewhere"


def test_a_session_is_marked_as_seen_once_a_minute(visitor, statements, isolated):
    with statements() as first:
        visitor.client.get("/t/acme/probe/who")
    with statements() as second:
        visitor.client.get("/t/acme/probe/who")
    assert len([s for s in first if "UPDATE sessions" in s]) == 1
    assert [s for s in second if "UPDATE sessions" in s] == []
    with make.acting("admin"):
        assert session().scalars(select(Session.seen_at)).first()


def test_roles_are_read_on_every_request(visitor, acting):
    assert visitor.client.get("/t/acme/settings/members").status_code == 200
    with acting("admin"):
        session().execute(
            text("UPDATE memberships SET role = 'viewer' WHERE person_id = :who"),
            {"who": make.person_id("admin")},
        )
    assert visitor.client.get("/t/acme/settings/members").status_code == 403
    with acting("admin"):
        session().execute(
            text("UPDATE memberships SET ended_at = now() WHERE person_id = :who"),
            {"who": make.person_id("admin")},
        )
    assert visitor.client.get("/t/acme/probe/who").status_code == 302


# ---- machines


def test_a_machines_get_cannot_write_and_its_post_needs_no_form(probed, isolated):
    holder = create_machine_client(probed)
    assert holder.ask("GET", "/probe/acme/both").status_code == 500
    assert holder.ask("POST", "/probe/acme/both").status_code == 200 and region() == "Elsewhere"


def test_where_the_address_names_no_tenant_the_key_does(probed, isolated):
    assert (
        create_machine_client(probed, name="robot").ask("POST", "/probe/mine").text
        == "api_key acme robot"
    )
    assert (
        create_machine_client(probed, "globex", name="robot").ask("POST", "/probe/mine").text
        == "api_key globex robot"
    )
    assert (
        MachineClient(probed, None)
        .ask("POST", "/probe/mine", Accept="application/json")
        .status_code
        == 401
    )


def test_a_browsers_session_is_worth_nothing_at_a_machines_address(visitor):
    """Reject the session, alone and with our forms' token, so that no other site can use it."""
    for data in ({}, {"csrf_token": visitor.csrf()}):
        assert (
            visitor.client.post(
                "/probe/mine", data=data, headers={"Accept": "application/json"}
            ).status_code
            == 401
        )


def test_a_machines_address_needs_a_permission_that_a_scope_holds():
    with pytest.raises(TypeError, match="some scope holds"):
        Feature("open_to_machines", __name__, scope="machine").get(
            "/x", needs=access.registry[OWN]
        )(lambda: "")
    with pytest.raises(ValueError, match="unknown roles or scopes"):
        access.permission("machines.nothing", "do it", scopes="never:declared")
    with pytest.raises(ValueError, match="declared twice"):
        access.scope("audit:read", "read it again")
