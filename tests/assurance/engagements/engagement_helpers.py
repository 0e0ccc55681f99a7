"""Engagements with an auditor, requests and evidence in scope, made by the product's actions."""

import re
from datetime import timedelta

from governance.assurance.controls import mapping_actions
from governance.assurance.controls.queries import find_control
from governance.assurance.engagements import actions, queries
from governance.assurance.engagements.models import EngagementAuditor
from governance.assurance.engagements.requests import actions as requesting
from governance.assurance.engagements.requests import queries as request_queries
from governance.assurance.engagements.requests import responses
from governance.assurance.frameworks import queries as frameworks
from governance.kernel import clock
from governance.kernel.data.db import session
from tests import make


def create_engagement(
    firm="Brook Audit", *, slug="acme", opens=-10, closes=10, auditor=None, **options
):
    """Create an engagement whose window is `opens` to `closes` days from today.

    `auditor` is a role of the world, who gets access as a person.
    """
    today = clock.today()
    dates = {
        "period_from": today - timedelta(days=365),
        "period_to": today,
        "fieldwork_from": today + timedelta(days=opens),
        "fieldwork_to": today + timedelta(days=closes),
    }
    with make.acting("compliance_officer", slug):
        held = actions.open_engagement(firm, **({"framework_id": None} | dates | options))
        if auditor:
            who = make.person_id(auditor, slug)
            session().add(
                EngagementAuditor(
                    engagement_id=held.id,
                    name="Harriet Lowe",
                    email="auditor@audit.example",
                    person_id=who,
                )
            )
        return held.id


def world_engagement():
    """Return the engagement that the world opens for its auditor."""
    with make.acting("compliance_officer"):
        return next(held.id for held in queries.engagements() if held.firm == make.FIRM)


def end_engagement(engagement_id, reason="it is done"):
    with make.acting("compliance_officer"):
        actions.end_engagement(queries.engagement(engagement_id, lock=True), reason=reason)


def create_request(
    engagement_id, title="List of members", *, owner="contributor", slug="acme", **options
):
    with make.acting("compliance_officer", slug):
        who = make.person_id(owner, slug) if owner else None
        return requesting.add_request(
            queries.engagement(engagement_id), title=title, owner_id=who, **options
        ).id


def attach_version(engagement_id, request_id, version_id, by="contributor"):
    with make.acting(by):
        held, asked = request_queries.request(engagement_id, request_id, lock=True)
        return responses.attach_version(held, asked, version_id).id


def provide_request(engagement_id, request_id, by="contributor", said=""):
    with make.acting(by):
        responses.provide_response(
            *request_queries.request(engagement_id, request_id, lock=True), said=said
        )


def map_control(control_id, *refs, key="soc2-tsc-2017", slug="acme"):
    """Map the control to these requirements in full."""
    with make.acting("compliance_officer", slug):
        for ref in refs:
            mapping_actions.map_to(
                find_control(control_id, lock=True),
                frameworks.requirement(key, ref).id,
                coverage="full",
            )


def version_on_page(who, page):
    """Return the version of the request that the page shows."""
    return re.search(r'name="version" value="(\d+)"', who.get(page).text)[1]


def change_request_state(who, page, verb, *, then=303, **sent):
    """Provide, accept or return a request, from a page that was just opened."""
    return who.post(f"{page}/{verb}", version=version_on_page(who, page), then=then, **sent)
