"""The guard of every route: tenant, sign-in, permission, step-up, and a transaction that a GET cannot write in."""

from datetime import timedelta

import pytest
from flask import request
from sqlalchemy import select, text

from governance.factory import create_app
from governance.kernel import access, current
from governance.kernel.db import session
from governance.kernel.feature import Feature
from governance.people.models import Session
from governance.tenants.models import Tenant
from tests import make
from tests.browser import Visitor

OWN = "people.own"
probe = Feature("probe", __name__)


@pytest.fixture(scope="module")
def probed(app, settings):
    """The application with one more feature, whose views do what each test needs."""
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

    @probe.post("/probe/fresh", needs=needs, fresh=True)
    def fresh() -> str:
        return "fresh"

    @probe.get("/probe/who", needs=needs)
    def who() -> str:
        return f"{current.actor().tenant_slug} {current.actor().name} {sorted(request.view_args or {})}"

    another = create_app(settings)
    another.register_blueprint(probe)
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
    assert visitor.client.post("/t/acme/probe/preview", data={"csrf_token": visitor.csrf()}).status_code == 500
    assert region() == before


def test_a_post_writes(visitor):
    assert visitor.client.post("/t/acme/probe/both", data={"csrf_token": visitor.csrf()}).status_code == 200
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
        reply = visitor.client.post("/t/acme/probe/fresh", data={"csrf_token": visitor.csrf()})
        assert reply.status_code == status
        assert visitor.client.get("/t/acme/probe/who").status_code == 200


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
        session().execute(text("UPDATE memberships SET role = 'viewer' WHERE person_id = :who"), {"who": make.person_id("admin")})
    assert visitor.client.get("/t/acme/settings/members").status_code == 403
    with acting("admin"):
        session().execute(
            text("UPDATE memberships SET ended_at = now() WHERE person_id = :who"), {"who": make.person_id("admin")}
        )
    assert visitor.client.get("/t/acme/probe/who").status_code == 302
