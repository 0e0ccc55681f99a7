"""Features, the risk class and edits of a system, each of which raises the tenant's revision."""

import re

import pytest

from governance.kernel.data import tenant_revision
from governance.operations.systems import actions, queries
from tests import make
from tests.assurance.frameworks.framework_files import main_text

SYSTEM, FEATURE = (
    "systems/claims-triage",
    {"key": "auto-approve", "fallback": "Claims under €1,500 go to an adjuster instead"},
)


@pytest.fixture(autouse=True)
def registered_system(database):
    with make.acting("compliance_officer"):
        actions.register(
            key="claims-triage",
            stage="live",
            name="Claims triage",
            lane="standard",
            purpose="Sorts claims.",
            owner_id=None,
        )


def tenant_revision_now():
    with make.acting("admin", read_only=True):
        return tenant_revision.current_revision()


def features():
    with make.acting("admin", read_only=True):
        found = queries.features(queries.system("claims-triage").id)
        return {f.key: (f.id, f.fallback) for f in found}


def seen(page):
    return re.search(r'name="seen" value="(\w+)"', page.text)[1]


# ---- features


def test_a_feature_is_added_shown_and_followed(as_officer, as_viewer):
    before = tenant_revision_now()
    as_officer.post(f"{SYSTEM}/features/new", **FEATURE)
    text = main_text(as_viewer.get(SYSTEM))
    assert (
        "auto-approve" in text
        and "switch.claims-triage.auto-approve" in text
        and "go to an adjuster instead" in text
    )
    assert (
        "Ines Duarte added a feature to an AI system: auto-approve" in text
        and tenant_revision_now() == before + 1
    )


def test_a_second_of_the_same_short_name_is_refused(as_officer):
    as_officer.post(f"{SYSTEM}/features/new", **FEATURE)
    page = as_officer.post(f"{SYSTEM}/features/new", then=422, **FEATURE)
    assert "already has a feature auto-approve" in main_text(page) and len(features()) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", "x"),
        ("key", "Auto"),
        ("key", "a b"),
        ("key", "new"),
        ("key", "a.b"),
        ("key", "a" * 42),
        ("fallback", "  "),
        ("fallback", "x" * 201),
    ],
)
def test_what_no_feature_may_be(as_officer, field, value):
    page = as_officer.post(f"{SYSTEM}/features/new", then=422, **{**FEATURE, field: value})
    assert f'href="#{field}"' in page.text and features() == {}


def test_a_retired_feature_is_gone_and_can_come_back(as_officer):
    as_officer.post(f"{SYSTEM}/features/new", **FEATURE)
    feature_id, _ = features()["auto-approve"]
    address, before = f"{SYSTEM}/features/{feature_id}/retire", tenant_revision_now()
    as_officer.post(address, then=422, reason=" ")
    as_officer.post(address, reason="Given up.")
    assert features() == {} and tenant_revision_now() == before + 1
    assert "Retired already" in main_text(as_officer.get(address))
    as_officer.post(address, then=422, reason="Again.")
    as_officer.post(f"{SYSTEM}/features/new", key="auto-approve", fallback="A person decides")
    assert features() == {"auto-approve": (feature_id, "A person decides")}


def test_a_feature_of_another_system_is_not_found_under_this_one(as_officer):
    as_officer.post(f"{SYSTEM}/features/new", **FEATURE)
    feature_id, _ = features()["auto-approve"]
    with make.acting("compliance_officer"):
        actions.register(
            key="ad-copy", stage="live", name="Ad copy", lane="standard", purpose="x", owner_id=None
        )
    as_officer.post(f"systems/ad-copy/features/{feature_id}/retire", then=404, reason="x")


# ---- the risk class


def test_one_person_raises_the_lane_at_once(as_officer):
    before = tenant_revision_now()
    as_officer.post(f"{SYSTEM}/lane", then=422, lane="high_risk", reason="")
    text = main_text(
        as_officer.post(
            f"{SYSTEM}/lane", lane="high_risk", reason="It decides about money now.", follow=True
        )
    )
    assert (
        "High risk" in text
        and "It decides about money now." in text
        and tenant_revision_now() == before + 1
    )
    as_officer.post(f"{SYSTEM}/lane", lane="high_risk", reason="Twice.")
    assert tenant_revision_now() == before + 1


def test_who_changes_a_system_or_a_feature_keeps_no_stop_of_it_waiting(as_officer, statements):
    """Lock without blocking stops: only a key lock would, and both could deadlock."""
    as_officer.post(f"{SYSTEM}/features/new", **FEATURE)
    feature_id, _ = features()["auto-approve"]
    with statements() as sent:
        as_officer.post(f"{SYSTEM}/lane", lane="high_risk", reason="It decides about money now.")
        as_officer.post(f"{SYSTEM}/features/{feature_id}/retire", reason="Given up.")
    locks = [
        each
        for each in sent
        if " FOR " in each and ("ai_systems" in each or "system_features" in each)
    ]
    assert len(locks) == 2 and all("FOR NO KEY UPDATE" in lock for lock in locks)


def test_a_lane_is_never_lowered(as_officer):
    as_officer.post(f"{SYSTEM}/lane", lane="high_risk", reason="It decides about money now.")
    page = as_officer.post(
        f"{SYSTEM}/lane", then=422, lane="standard", reason="It does not any more."
    )
    assert (
        "A risk class can't be lowered, because that would loosen the policy of Claims triage."
        in main_text(page)
    )
    as_officer.post(f"{SYSTEM}/lane", then=422, lane="fast", reason="x")
    assert "It can’t be lowered" in main_text(as_officer.get(f"{SYSTEM}/lane"))


# ---- edits of a system


def test_two_people_edit_and_nothing_is_lost(as_officer, as_reviewer):
    mine, theirs = as_officer.get(f"{SYSTEM}/edit"), as_reviewer.get(f"{SYSTEM}/edit")
    as_reviewer.post(
        f"{SYSTEM}/edit", seen=seen(theirs), name="Triage", purpose="Sorts claims.", owner_id=""
    )
    late = as_officer.post(
        f"{SYSTEM}/edit",
        then=409,
        seen=seen(mine),
        name="Claims sorter",
        purpose="Sorts claims.",
        owner_id="",
    )
    assert "Claims sorter" in late.text and "Triage" in main_text(late)
    as_officer.post(
        f"{SYSTEM}/edit",
        seen=seen(late),
        name="Claims sorter",
        purpose="Sorts claims.",
        owner_id=str(make.person_id("contributor")),
    )
    text = main_text(as_officer.get(SYSTEM))
    assert "Claims sorter" in text and "Anna Rossi" in text


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("purpose", ""), ("owner_id", str(make.PEOPLE)), ("name", "x" * 121)],
)
def test_what_an_edit_may_not_say(as_officer, field, value):
    sent = {"name": "Triage", "purpose": "Sorts.", "owner_id": "", field: value}
    as_officer.post(f"{SYSTEM}/edit", then=422, seen=seen(as_officer.get(f"{SYSTEM}/edit")), **sent)


def test_a_retired_system_changes_no_more(as_officer):
    as_officer.post(f"{SYSTEM}/retire", reason="Gone.")
    as_officer.post(f"{SYSTEM}/features/new", then=422, **FEATURE)
    as_officer.post(f"{SYSTEM}/lane", then=422, lane="high_risk", reason="x")
    as_officer.post(
        f"{SYSTEM}/edit",
        then=422,
        seen=seen(as_officer.get(f"{SYSTEM}/edit")),
        name="Another",
        purpose="x",
        owner_id="",
    )


# ---- people and tenants


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("as_viewer", 403),
        ("as_auditor", 403),
        ("as_contributor", 403),
        ("as_stranger", 404),
        ("as_neighbour", 404),
    ],
)
@pytest.mark.parametrize("path", ["features/new", "lane", "edit"])
def test_nobody_else_changes_a_system(request, who, status, path):
    visitor = request.getfixturevalue(who)
    visitor.get(f"{SYSTEM}/{path}", then=status)
    visitor.post(f"{SYSTEM}/{path}", then=status, lane="high_risk", reason="x", **FEATURE)
    assert features() == {}
