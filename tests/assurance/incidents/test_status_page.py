"""The private status page: who may read it, what it shows, and what it never shows."""

import re

from sqlalchemy import select

from governance.assurance.incidents import (
    actions,
    contact_actions,
    queries,
    update_actions,
    update_queries,
)
from governance.assurance.incidents.models import StatusContact
from governance.kernel.data.db import session
from governance.kernel.work.jobs import WorkItem
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.assurance.incidents import incident_helpers as incidents
from tests.browser import Visitor
from tests.operations.objectives import objective_helpers

LINK = re.compile(r"/status/([a-z-]+)/enter/([\w-]+)")
CODE = re.compile(r"^(\d{4}) (\d{4})$", re.MULTILINE)


def add_contact(slug: str = "acme", email: str = "kim@customer.example") -> str:
    """Return the path of the contact's personal link."""
    with make.acting("admin", slug):
        contact_actions.add_contact("Kim Weber", email)
        body = _last_mail()
    return LINK.search(body)[0]


def _last_mail() -> str:
    query = select(WorkItem.params).where(WorkItem.kind == "mail").order_by(WorkItem.id.desc())
    return session().scalars(query.limit(1)).one()["body"]


def enter(client: Visitor, link: str, slug: str = "acme") -> None:
    client.post(f"{link}/code", then=200)
    with make.acting("admin", slug):
        code = CODE.search(_last_mail())[0]
    client.post(link, code=code)


def tell(incident_id, title: str = "Approvals are paused", slug: str = "acme") -> None:
    """Send an update about the incident."""
    with make.acting("compliance_officer", slug):
        found = queries.incident(incident_id)
        update = update_actions.draft(found)
        update_actions.edit(found, update, version=1, title=title, body="Claims go to adjusters.")
        update_actions.send(found, update_queries.update_of(incident_id, update.id))


def test_members_and_contacts_read_it_and_nobody_else(
    app, database, client, as_viewer, as_neighbour
):
    tell(incidents.declare(systems=[incidents.register_system()]))
    link = add_contact()
    closed = client.get("/status/acme", then=401)
    assert "This status page is private" in closed.text
    assert client.get("/status/nobody", then=401).text == closed.text
    member = as_viewer.get("/status/acme")
    assert "Approvals are paused" in member.text
    assert "noindex" in member.headers["X-Robots-Tag"]
    as_neighbour.get("/status/acme", then=401)
    enter(client, link)
    page = client.get("/status/acme").text
    assert "Approvals are paused" in page
    assert "Claims Triage" in page
    client.post("/status/acme/leave")
    client.get("/status/acme", then=401)


def test_it_shows_what_customers_were_told_and_nothing_else(database, as_viewer):
    told = incidents.declare("Internal words about a supplier", summary="Secret cause")
    untold = incidents.declare("Nobody was told")
    with make.acting("admin"):
        actions.add_note(queries.incident(told), "A private note")
        update_actions.draft(queries.incident(untold))
    tell(told)
    page = as_viewer.get("/status/acme").text
    assert "Approvals are paused" in page
    for secret in ("Internal words", "Secret cause", "private note", "INC-2", "Jun Chen"):
        assert secret not in page


def test_a_system_that_it_tells_of_leads_to_it_for_who_may_read_it(database, as_viewer):
    touched = incidents.declare(systems=[incidents.register_system()])
    incidents.register_system("ad-copywriter")
    page = "systems/claims-triage"
    assert "Status page" not in main_text(as_viewer.get(page)), "nobody was told yet"
    tell(touched)
    found = as_viewer.get(page)
    assert "Status page" in main_text(found) and 'href="/status/acme"' in found.text
    assert "Status page" not in main_text(as_viewer.get("systems/ad-copywriter"))


def test_a_system_with_an_objective_leads_to_it(database, as_viewer):
    with make.acting("admin"):
        objective_helpers.objective()
    assert 'href="/status/acme"' in as_viewer.get("systems/claims-triage").text


def test_another_tenants_contact_sees_nothing_of_this_one(app, database, client):
    tell(incidents.declare())
    theirs = incidents.declare("Theirs", by="compliance_officer", slug="globex")
    tell(theirs, "Globex only", slug="globex")
    enter(client, add_contact("globex", "lee@globex-customer.example"), "globex")
    page = client.get("/status/globex").text
    assert "Globex only" in page
    assert "Approvals are paused" not in page
    client.get("/status/acme", then=401)
    # The same token under another tenant's name.
    cookie = client.client.get_cookie("status")
    client.client.set_cookie("status", cookie.value.replace("globex.", "acme."))
    client.get("/status/acme", then=401)
    for path in ("/t/globex/incidents/", f"/t/globex/incidents/{theirs}"):
        assert client.get(path, then=None).status_code in {302, 303, 401, 404}


def test_links_codes_and_removal(app, database, client):
    link = add_contact()
    client.get("/status/acme/enter/nonsense", then=404)
    client.get(link.replace("/acme/", "/globex/"), then=404)
    client.post(f"{link}/code", then=200)
    assert "That code is wrong" in client.post(link, then=422, code="0000 0000").text
    enter(client, link)
    client.get("/status/acme")
    with make.acting("admin"):
        contact = session().scalars(select(StatusContact)).one()
        contact_actions.remove_contact(contact)
    client.get("/status/acme", then=401)
    client.get(link, then=404)


def test_it_is_counted_which_contacts_opened_an_update(
    app, database, client, as_officer, as_viewer
):
    link = add_contact()
    add_contact(email="lee@customer.example")
    enter(client, link)
    client.get("/status/acme")  # No update was sent yet.
    found = incidents.declare()
    tell(found)
    path = f"incidents/{found}"
    assert "to 2 contacts, opened by 0" in squeezed(as_officer.get(path))
    as_viewer.get("/status/acme")  # A member is no contact.
    assert "opened by 0" in squeezed(as_officer.get(path))
    client.get("/status/acme")
    client.get("/status/acme")
    assert "to 2 contacts, opened by 1" in squeezed(as_officer.get(path))
    tell(found, "Resolved")
    assert "opened by 0" in squeezed(as_officer.get(path))
    with make.acting("admin"):
        later, first = update_queries.updates(found)
        assert [update_queries.opened_by(each) for each in (later, first)] == [0, 1]
        first_id = first.id
    page = squeezed(as_officer.get(f"{path}/updates/{first_id}"))
    assert "Opened on the status page by 1 of 2." in page
    add_contact(email="new@customer.example")  # This contact got no notice of it.
    client.get("/status/acme")
    with make.acting("admin"):
        assert [update_queries.opened_by(each) for each in update_queries.updates(found)] == [1, 1]


def squeezed(answer) -> str:
    return " ".join(answer.text.split())


def test_contacts_are_managed_in_the_settings(database, as_officer, as_contributor, as_neighbour):
    as_contributor.get("incidents/settings", then=403)
    as_officer.post("incidents/settings/contacts", name="Kim Weber", email="kim@customer.example")
    twice = as_officer.post(
        "incidents/settings/contacts", then=422, name="Kim", email="KIM@customer.example"
    )
    assert "already a contact" in twice.text
    as_officer.post("incidents/settings/contacts", then=422, name="Kim", email="kim at home")
    with make.acting("admin"):
        contact = session().scalars(select(StatusContact.id)).one()
    as_neighbour.post(f"incidents/settings/contacts/{contact}/remove", then=404)
    as_officer.post(f"incidents/settings/contacts/{contact}/link")
    as_officer.post(f"incidents/settings/contacts/{contact}/remove")
    assert "No contacts yet" in as_officer.get("incidents/settings").text


def test_severities_are_renamed_once_each(database, as_officer, as_neighbour):
    names = {f"name_{n}": f"P{n}" for n in range(1, 5)}
    meanings = {f"meaning_{n}": f"Meaning {n}" for n in range(1, 5)}
    as_officer.post("incidents/settings/severities", **names, **meanings)
    assert "P1: Meaning 1" in as_officer.get("incidents/new").text
    assert "SEV1" in as_neighbour.get("incidents/new").text
    same = as_officer.post(
        "incidents/settings/severities", then=422, **(names | {"name_2": "p1"}), **meanings
    )
    assert "Another severity is called p1" in same.text


def test_markup_in_an_incident_is_text_on_every_page_and_in_the_mail(database, client, as_admin):
    hostile = '"><img src=x onerror=alert(1)>{{7*7}}[x](javascript:alert(1))'
    system = incidents.register_system()
    found = incidents.declare(hostile, summary=hostile, systems=[system])
    link = add_contact()
    with make.acting("admin"):
        incident = queries.incident(found)
        actions.add_note(incident, hostile)
        update = update_actions.draft(incident)
        update_actions.edit(incident, update, version=1, title=hostile, body=hostile)
        update_actions.send(incident, update_queries.update_of(found, update.id))
        mail = _last_mail()
    enter(client, link)
    paths = ("incidents/", f"incidents/{found}", f"incidents/{found}?show=notes", "inbox")
    pages = [client.get("/status/acme").text, *(as_admin.get(p, then=None).text for p in paths)]
    assert pages[0].count("&lt;img src=x") == 2, "title and text, as they were written"
    for page in pages:
        assert "<img src=x" not in page and "49[x]" not in page and 'href="javascript:' not in page
    assert mail.startswith(hostile), "mail is plain text"
