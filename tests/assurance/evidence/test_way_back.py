"""The way back to a requirement or a control after evidence is attached from it."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup

from governance.kernel import clock
from tests.assurance.evidence import evidence_helpers

ITEM = {
    "title": "Pen test",
    "kind": "report",
    "cadence": "quarterly",
    "confidentiality": "internal",
}


def version():
    today = clock.today()
    return {
        "url": "https://files.example/report",
        "collected_on": today.isoformat(),
        "period_from": (today - timedelta(days=30)).isoformat(),
        "period_to": today.isoformat(),
        "valid_until": (today + timedelta(days=30)).isoformat(),
    }


def link(reply, text):
    found = BeautifulSoup(reply.text, "html.parser").find("a", string=lambda s: s and text in s)
    return found["href"].removeprefix("/t/acme/")


def test_from_a_control_to_a_new_item_its_version_and_back(as_officer, database):
    control = evidence_helpers.create_control("SEC-77", "In scope")
    page = f"controls/{control}?tab=evidence"
    new = link(as_officer.get(page), "Create evidence item")
    assert link(as_officer.get(new), "Cancel") == page
    upload = as_officer.post(new, **ITEM, controls=str(control)).location
    path = urlsplit(upload).path
    assert path.endswith("/versions/new") and link(as_officer.get(upload), "Cancel") == page
    done = as_officer.post(upload, **version())
    assert done.location == f"/t/acme/{page}"
    assert "Version 1 of EV-0001 was uploaded" in as_officer.get(done.location).text


def test_without_a_page_to_return_to_it_stays_with_the_evidence(as_officer, database):
    control = evidence_helpers.create_control("SEC-77", "In scope")
    made = as_officer.post("evidence/new", **ITEM, controls=str(control))
    assert made.location.startswith("/t/acme/evidence/") and "versions" not in made.location
    done = as_officer.post(f"{made.location}/versions/new", **version())
    assert done.location == made.location


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/t/globex/controls/",
        "/t/acme/../globex/",
        "/t/acme/%2e%2e/globex/",
        "javascript:alert(1)",
        "/t/acme/controls/\nSet-Cookie: x=1",
        "/login",
        "/t/acme/" + "x" * 2000,
    ],
)
def test_it_never_leads_out_of_the_tenant(as_officer, database, back):
    control = evidence_helpers.create_control("SEC-77", "In scope")
    query = {"back": back}
    page = as_officer.get("evidence/new", query_string=query)
    assert link(page, "Cancel") == "evidence/"
    made = as_officer.client.post(
        "/t/acme/evidence/new",
        query_string=query,
        data=ITEM | {"controls": str(control), "csrf_token": as_officer.csrf()},
    )
    assert made.status_code == 303 and "versions" not in made.location
