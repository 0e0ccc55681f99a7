"""A tenant's own settings: permissions, rejected values, and two concurrent changes."""

import pytest

from governance.foundation.tenants import actions, queries
from governance.foundation.tenants.models import Tenant
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.errors import DomainError
from tests import make
from tests.browser import Visitor
from tests.foundation.people.conftest import entries_of_action


def acme() -> Tenant:
    with make.acting("admin", read_only=True) as who:
        found = queries.tenant_by_id(who.tenant_id)
        assert found
        from governance.kernel.data.db import session

        session().expunge(found)
        return found


def form(**changes: str) -> dict[str, str]:
    held = acme()
    return {
        "name": held.name,
        "region": held.region,
        "time_zone": held.time_zone,
        "unit": held.unit,
        "classification": held.classification,
        "audience": held.audience,
        "mark": held.mark,
    } | changes


def test_an_admin_changes_them_and_the_log_says_what(as_admin):
    page = as_admin.post(
        "settings/", follow=True, **form(name="Acme Mutual", time_zone="Europe/Paris")
    ).text
    assert "Acme Mutual stores its data in Frankfurt" in page
    assert entries_of_action("tenant.settings.changed")[-1].changes == {
        "name": ["Acme Insurance", "Acme Mutual"],
        "time_zone": ["Europe/Berlin", "Europe/Paris"],
    }


def test_saving_what_is_there_is_no_deed(as_admin):
    as_admin.post("settings/", **form())
    assert not entries_of_action("tenant.settings.changed")


@pytest.mark.parametrize("who", ["as_officer", "as_contributor", "as_viewer", "as_auditor"])
def test_others_see_them_only(app, request, who):
    visitor = request.getfixturevalue(who)
    shown = visitor.get("settings/").text
    assert "Save settings" not in shown and "Frankfurt" in shown
    visitor.post("settings/", then=403, **form(name="Mine"))
    assert acme().name == "Acme Insurance"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 121},
        {"time_zone": "Mars/Base"},
        {"region": ""},
        {"classification": "x" * 41},
    ],
)
def test_what_is_wrong_is_said_beside_its_field(as_admin, changes):
    page = as_admin.post("settings/", then=422, **form(**changes)).text
    assert "c-err" in page and acme().name == "Acme Insurance"


def test_a_name_stays_on_one_line(as_admin):
    as_admin.post("settings/", **form(name=" Acme\r\nBcc: x@evil.example\t"))
    assert acme().name == "Acme Bcc: x@evil.example"


def test_fields_that_the_form_does_not_have_change_nothing(as_admin):
    as_admin.post(
        "settings/",
        **form(slug="mine", kind="operator", tier="strict", status="closed", id="x", tenant_id="x"),
    )
    held = acme()
    assert (held.slug, held.kind, held.tier, held.status) == (
        "acme",
        "customer",
        "standard",
        "active",
    )


def test_a_stale_form_shows_what_differs_and_keeps_what_was_typed(app, as_admin):
    opened = form(unit="Mine")
    Visitor(app, make.cookie("admin")).post("settings/", **form(unit="Theirs"))
    page = as_admin.post("settings/", then=409, **opened).text
    assert (
        "Someone else changed these settings" in page
        and 'value="Mine"' in page
        and "Theirs" in page
    )
    as_admin.post("settings/", then=409, **opened | {"mark": ""})
    as_admin.post("settings/", **opened | {"mark": acme().mark})
    assert acme().unit == "Mine"


def test_another_tenants_settings_are_not_there(as_stranger):
    as_stranger.get("settings/", then=404)
    as_stranger.post("settings/", then=404, name="Mine")


# ---- work domains


def set_domains(slug: str, *domains: str) -> None:
    with current.acting_as(make.system_actor(slug)), transaction():
        tenant = queries.tenant_by_slug(slug)
        assert tenant
        actions.set_domains(tenant, set(domains))


def test_a_domain_leads_to_one_tenant(database):
    set_domains("acme", "acme.example", "Acme-Labs.example")
    with pytest.raises(
        actions.DomainTaken, match=r"acme\.example already belongs to another tenant"
    ):
        set_domains("globex", "globex.example", "acme.example")
    with transaction(read_only=True):
        assert queries.tenant_of_domain("ACME-labs.example").slug == "acme"
        assert queries.tenant_of_domain("globex.example") is None
    set_domains("acme", "acme.example")
    assert entries_of_action("tenant.domains.changed")[-1].facts == {
        "added": [],
        "removed": ["acme-labs.example"],
    }
    set_domains("globex", "acme-labs.example")


@pytest.mark.parametrize(
    "domain",
    [
        "acme",
        "-acme.example",
        "acme..example",
        "acme.example/x",
        "acme.example\n",
        "ac me.example",
        "a" * 250 + ".example",
        "*.example",
    ],
)
def test_what_is_no_domain_is_refused(database, domain):
    if domain.strip() != domain:
        set_domains("acme", domain)  # White space around it is no part of it.
        return
    with pytest.raises(DomainError, match="a valid domain"):
        set_domains("acme", domain)


def test_domains_are_counted(database):
    with pytest.raises(DomainError, match="51 work domains"):
        set_domains("acme", *[f"d{n}.example" for n in range(51)])
