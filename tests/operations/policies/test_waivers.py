"""Below the floor for a while: asked by one, agreed by two others, and the floor is back by itself."""

from datetime import timedelta
from uuid import uuid4

import pytest

from governance.kernel import clock, tenant_revision
from governance.operations.policies import queries
from tests import make
from tests.assurance.frameworks.files import words
from tests.browser import Visitor
from tests.operations.policies.conftest import content, in_force, standing
from tests.operations.policies.test_pages import hidden


@pytest.fixture
def lenient(systems):
    """Without a tier that is stricter than the floor a waiver shows."""
    in_force(content("baseline"))
    return systems


def ask(visitor, systems, then=303, **more):
    day = (clock.now() + timedelta(days=20)).date().isoformat()
    given = {"system": str(systems["support-assistant"]), "dimension": "retention_days", "value": "120", "expires_on": day,
             "because": "A claim runs longer than 90 days", "compensation": "Weekly review of what is kept"} | more  # fmt: skip
    return visitor.post("policies/waivers/new", then=then, **given)


def decide(visitor, where, verb, then=303, **more):
    page = visitor.get(where).text
    seen = hidden(page, "seen") if 'name="seen"' in page else ""
    return visitor.post(where + ("/end" if verb in {"close", "withdraw"} else ""), then=then, verb=verb, seen=seen, **more)


def newest():
    with make.acting("admin", read_only=True):
        return f"policies/waivers/{queries.waivers()[0].id}"


def retention(key="support-assistant"):
    now = standing()
    return now.effective(next(s for s in now.systems if s.key == key))["retention_days"]


def test_a_waiver_is_live_when_two_others_have_agreed(lenient, as_admin, as_officer, as_reviewer, as_viewer, acting):
    assert "nobody has asked" in words(as_viewer.get("policies/waivers")).lower()
    ask(as_admin, lenient)
    where = newest()
    assert retention().value == 90
    decide(as_officer, where, "agree")
    assert retention().value == 90
    with acting("admin"):
        before = tenant_revision.mark()
    decide(as_reviewer, where, "agree")
    with acting("admin"):
        assert tenant_revision.mark() == before + 1
    found = retention()
    assert found.value == 120 and found.set_by == "waiver"
    assert retention("ad-copywriter").value == 90
    page = words(as_viewer.get("policies/waivers"))
    assert "1 waiver is live" in page and "Weekly review" in page and "days left" in page
    assert "retention_days may be 120, not 90" in words(as_viewer.get(where))
    assert "1 waiver is live" in words(as_viewer.get("policies/in-force?system=support-assistant"))


def test_a_waiver_that_the_tenants_own_tier_outdoes_says_that_it_changes_nothing(systems, as_admin, as_officer, as_reviewer):
    ask(as_admin, systems)
    assert "It would change nothing now: tier standard asks for 90" in words(as_officer.get(newest()))
    for visitor in (as_officer, as_reviewer):
        decide(visitor, newest(), "agree")
    assert "The floor lets retention_days be 120, and tier standard asks for 90" in words(as_admin.get(newest()))


def test_all_three_are_different_persons(lenient, as_admin, as_officer, as_reviewer):
    ask(as_officer, lenient)
    where = newest()
    assert "Two others decide" in words(as_officer.get(where))
    decide(as_officer, where, "agree", 403)
    decide(as_officer, where, "refuse", 403, because="x")
    decide(as_admin, where, "agree")
    decide(as_admin, where, "agree", 403)
    decide(as_admin, where, "withdraw", 403)
    assert retention().value == 90
    decide(as_reviewer, where, "agree")
    assert retention().value == 120


def test_after_its_end_the_floor_is_back_without_anybody(lenient, as_admin, as_officer, as_reviewer):
    ask(as_admin, lenient)
    for visitor in (as_officer, as_reviewer):
        decide(visitor, newest(), "agree")
    with clock.frozen(clock.now() + timedelta(days=22)):
        assert retention().value == 90
    now = standing()
    assert now.next_change(clock.now()) == now.waivers[0].until


def test_the_floor_is_brought_back_early_by_one_person(lenient, as_admin, as_officer, as_reviewer):
    ask(as_admin, lenient)
    for visitor in (as_officer, as_reviewer):
        decide(visitor, newest(), "agree")
    decide(as_admin, newest(), "close", because="Claim settled")
    assert retention().value == 90
    decide(as_admin, newest(), "close", 422)


def test_a_refused_or_withdrawn_waiver_is_never_live(lenient, as_admin, as_officer, as_reviewer):
    ask(as_admin, lenient)
    decide(as_officer, newest(), "refuse", 422, because=" ")
    decide(as_officer, newest(), "refuse", because="Not for this")
    decide(as_reviewer, newest(), "agree", 422)
    ask(as_admin, lenient)
    decide(as_admin, newest(), "withdraw")
    decide(as_reviewer, newest(), "agree", 422)
    assert retention().value == 90


def test_an_agreement_to_something_else_than_was_seen_is_refused(lenient, as_admin, as_officer, as_reviewer):
    ask(as_admin, lenient)
    seen = hidden(as_reviewer.get(newest()).text, "seen")
    decide(as_officer, newest(), "agree")
    as_reviewer.post(newest(), then=409, verb="agree", seen=seen)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"expires_on": ""}, "A waiver has an end"), ({"expires_on": "2999-01-01"}, "at most 30 days"), ({"expires_on": "2001-01-01"}, "still to come"),
        ({"because": " "}, "Say why"), ({"compensation": " "}, "what is done instead"), ({"value": "60"}, "needs no waiver"),
        ({"value": "many"}, "whole number"), ({"dimension": "memory", "value": "on"}, "nothing to waive"), ({"dimension": "mood"}, "Not a valid choice"),
        ({"dimension": "content_filter", "value": "none"}, "no level"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(lenient, as_admin, given, said):
    assert said in words(ask(as_admin, lenient, 422, **given))
    with make.acting("admin", read_only=True):
        assert not queries.waivers()


def test_a_waiver_of_thirty_days_is_allowed_and_of_thirty_one_is_not(lenient, as_admin):
    ask(as_admin, lenient, 422, expires_on=(clock.now() + timedelta(days=32)).date().isoformat())
    ask(as_admin, lenient, expires_on=(clock.now() + timedelta(days=30)).date().isoformat())


def test_asked_twice_is_refused_the_second_time(lenient, as_admin):
    ask(as_admin, lenient)
    assert "asked for or live already" in words(ask(as_admin, lenient, 422))


def test_who_may_not_and_who_comes_from_elsewhere(app, lenient, as_admin, as_contributor, as_viewer, as_neighbour, as_stranger):
    ask(as_contributor, lenient, 403)
    ask(as_viewer, lenient, 403)
    assert "Not a valid choice" in words(ask(as_neighbour, lenient, 422))
    ask(as_admin, lenient, 422, system=str(uuid4()))
    ask(as_admin, lenient)
    where = newest()
    as_viewer.post(where, then=403, verb="agree")
    as_neighbour.get(where, then=404)
    as_neighbour.post(where, then=404, verb="agree")
    as_stranger.get(where, then=404)
    stale = Visitor(app, make.cookie("compliance_officer", signed_in_ago=timedelta(minutes=6)))
    stale.post(where, then=401, verb="agree")
    as_neighbour.post(where + "/end", then=404, verb="close")
    as_viewer.post(where + "/end", then=403, verb="close")
    as_admin.post(where + "/end", then=422, verb="dance")


def test_what_the_operator_made_unwaivable_is_refused(lenient, as_admin, as_operator):
    page = as_operator.get("/operator/floor/change")
    from tests.operations.policies.test_operator_views import filled

    sent = filled(page.text) | {"unwaivable": ["retention_days"], "verb": "confirm", "because": "x"}
    as_operator.post("/operator/floor/change", **sent)
    assert "lets nobody waive retention_days" in words(ask(as_admin, lenient, 422))
