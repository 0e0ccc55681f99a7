"""Display settings of a person, which affect nobody else."""

from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.models import Membership
from governance.foundation.people.preferences import Preferences
from governance.kernel import clock, current, formatting
from governance.kernel.data import tenant_cache
from governance.kernel.data.db import session
from tests import make
from tests.conftest import visitor

PROFILE = "settings/profile"
NOTIFY = {
    "mention": "email",
    "comment": "digest",
    "discussion": "email",
    "decision": "email",
    "assignment": "digest",
    "admin": "email",
    "finding": "email",
    "rollout": "email",
    "report": "email",
    "report_failure": "email",
    "digest": "y",
    "digest_hour": "8",
}
US = {"locale": "en-US", "time_zone": "America/New_York", "theme": "dark"} | NOTIFY


def soup(reply) -> BeautifulSoup:
    return BeautifulSoup(reply.text, "html.parser")


def session_starts(reply) -> list[str]:
    return [
        " ".join(cell.get_text(" ").split())
        for cell in soup(reply).select("td[data-label='signed in']")
    ]


def test_times_and_dates_follow_the_reader_and_nobody_else(as_officer, as_admin):
    as_officer.post(PROFILE, **US)
    [mine] = session_starts(as_officer.get("settings/sessions"))
    [others] = session_starts(as_admin.get("settings/sessions"))
    assert mine.endswith(("EST", "EDT")) and (" AM " in mine or " PM " in mine)
    assert others.endswith(("CET", "CEST")) and " AM " not in others and " PM " not in others


def test_a_file_keeps_the_tenants_form(as_officer):
    before = as_officer.get("settings/sessions.csv").text
    as_officer.post(PROFILE, **US)
    assert as_officer.get("settings/sessions.csv").text.split()[:8] == before.split()[:8]


def test_what_pages_remember_for_everybody_is_in_nobodys_form(acting):
    with (
        acting("compliance_officer", read_only=True) as who,
        current.acting_as(replace(who, locale="en-US")),
    ):
        kept = tenant_cache.recall(
            "a day", lambda: formatting.day(clock.today()), under=lambda: (1,)
        )
        assert kept != formatting.day(clock.today())


def test_the_page_shows_what_is_chosen_and_the_log_only_names_the_fields(as_officer, acting):
    as_officer.post(PROFILE, **US)
    page = soup(as_officer.get(PROFILE))
    assert page.select_one("#locale option[selected]")["value"] == "en-US"
    assert page.select_one("#time_zone option[selected]")["value"] == "America/New_York"
    assert page.select_one("[name=theme][checked]")["value"] == "dark"
    with acting("admin"):
        entry = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "profile.changed"))
            .one()
        )
        assert entry.facts == {"changed": ["locale", "theme", "time_zone"]}
        assert "New_York" not in str((entry.facts, entry.changes, entry.sealed))


def test_saved_twice_it_is_changed_once(as_officer, acting):
    for _ in range(2):
        as_officer.post(PROFILE, **US)
    with acting("admin"):
        query = select(AuditEntry).where(AuditEntry.action == "profile.changed")
        assert len(session().scalars(query).all()) == 1


@pytest.mark.parametrize("theme", ["light", "dark", "system"])
def test_the_theme_holds_in_another_browser_until_that_one_chooses(as_officer, app, theme):
    as_officer.post(PROFILE, **US | {"theme": theme})
    elsewhere = visitor(app, "compliance_officer")
    page = soup(elsewhere.get(PROFILE))
    drawn = "dark" if theme == "dark" else "light"
    assert page.html["data-bs-theme"] == drawn
    assert bool(page.select("script[src*='system-theme']")) == (theme == "system")
    elsewhere.post("/theme", theme="light" if drawn == "dark" else "dark", back="/")
    assert soup(elsewhere.get(PROFILE)).html["data-bs-theme"] != drawn


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("locale", "xx-XX"),
        ("locale", "de"),
        ("time_zone", "Mars/Olympus"),
        ("theme", "neon"),
        ("mention", "pigeon"),
        ("decision", "off"),
        ("assignment", "off"),
        ("digest_hour", "24"),
    ],
)
def test_a_made_up_choice_is_refused(as_officer, acting, field, value):
    as_officer.post(PROFILE, then=422, **US | {field: value})
    with acting("compliance_officer"):
        assert session().scalars(own()).one().preferences == {}


def own():
    return select(Membership).where(Membership.person_id == make.person_id("compliance_officer"))


def test_everybody_has_one_in_each_tenant(as_auditor, as_viewer, as_operator, as_neighbour):
    for each in (as_auditor, as_viewer, as_operator, as_neighbour):
        each.post(PROFILE, **US)
        assert soup(each.get(PROFILE)).select_one("#locale option[selected]")["value"] == "en-US"


def test_a_choice_that_no_longer_exists_is_the_default():
    stored = {"locale": "en-XX", "theme": "neon", "time_zone": "Asia/Tokyo", "former": 1}
    assert Preferences.of(stored) == Preferences(time_zone="Asia/Tokyo")
    assert Preferences.of({}).stored() == {}


def test_a_profile_costs_no_statement(as_officer, statements):
    with statements() as before:
        as_officer.get("settings/sessions")
    as_officer.post(PROFILE, **US)
    with statements() as after:
        as_officer.get("settings/sessions")
    assert len(after) <= len(before)


def test_how_a_person_is_notified_is_theirs_to_choose(as_officer, acting):
    form = soup(as_officer.get(PROFILE))
    assert form.select_one("#decision option[value=off]") is None
    assert "You can't turn this off." in form.select_one("#decision-help").get_text()
    assert form.select_one("#mention option[value=off]") is not None
    as_officer.post(PROFILE, **US | {"mention": "off", "digest_hour": "17", "digest": None})
    with acting("compliance_officer"):
        kept = Preferences.of(session().scalars(own()).one().preferences)
    assert kept.channels == {"mention": "off"}
    assert (kept.digest, kept.digest_hour) == (False, 17)
    page = soup(as_officer.get(PROFILE))
    assert page.select_one("#mention option[selected]")["value"] == "off"
    assert page.select_one("#digest[checked]") is None
