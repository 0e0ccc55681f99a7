"""Pages of the log: the list and its filters, entries and proofs, actors, checkpoints, views."""

import base64
import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.assurance.controls.models import Control
from governance.foundation.audit import checkpoint, logs, personal_field_encryption, proof
from governance.foundation.audit import queries as audit
from governance.foundation.audit.models import AuditEntry, LogHead
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import Action, registry
from governance.foundation.logbook import queries
from governance.foundation.logbook.models import SavedView
from governance.foundation.logbook.proof_view import sides
from governance.foundation.privacy import unmasking_actions
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.data.ids import uuid7
from governance.operations.systems import actions as systems
from tests import make
from tests.conftest import visitor
from tests.foundation.approvals.approval_helpers import approve_below_pages
from tests.foundation.logbook.log_page_helpers import (
    CHANGED,
    entry_ids_on_page,
    parse_page,
    sequence_entries,
    walk_pages,
    write_entries,
)

# ---- the list


def test_the_list_shows_each_entry_once_the_newest_first(as_officer, acting):
    ids = [str(i) for i in write_entries(acting, 120)]
    sequence_entries(acting)
    seen, pages = walk_pages(as_officer, "audit/")
    assert pages >= 3 and len(seen) == len(set(seen))
    assert [i for i in seen if i in ids] == ids[::-1]
    with acting("admin"):
        assert len(seen) == len(session().scalars(select(AuditEntry.id)).all())


def heads(reply):
    return [th.get_text() for th in parse_page(reply).select("thead th")]


def test_its_columns_are_chosen_and_kept_with_filters_and_pages(as_officer, as_admin, acting):
    """Keep the proof on the page of each entry, whichever columns are hidden."""
    write_entries(acting, 120)
    usual = heads(as_officer.get("audit/"))
    assert usual[0] == "Entry" and "Meaning" not in usual and "IP address" not in usual
    chosen = ["meaning", "origin", "outcome"]
    reply = as_officer.post("lists/log/columns?action=tenant", columns=["none", *chosen])
    assert "action=tenant" in reply.location
    page = as_officer.get("audit/?action=tenant")
    assert heads(page)[1:] == ["Actor", "Action", "Meaning", "IP address", "Outcome"]
    assert CHANGED.says in parse_page(page).get_text()
    older = parse_page(page).select_one("a[rel=next]")["href"]
    assert "action=tenant" in older and heads(as_officer.get(older)) == heads(page)
    opened = parse_page(page).select_one("tr[data-entry] a[data-opens]")["href"]
    assert heads(as_officer.get(opened)) == heads(page)
    assert heads(as_admin.get("audit/")) == usual


def test_an_entry_without_a_place_says_so_and_gets_its_number(as_officer, acting):
    [entry_id] = write_entries(acting, 1)
    waiting = parse_page(as_officer.get("audit/")).select_one(f"tr[data-entry='{entry_id}']")
    assert "pending" in waiting.get_text()
    assert "proof pending" in as_officer.get(f"audit/entries/{entry_id}").text
    sequence_entries(acting)
    with acting("admin"):
        place = audit.place_of(entry_id)
    assert parse_page(as_officer.get("audit/")).select_one(
        f"tr[data-entry='{entry_id}'] td"
    ).get_text() == str(place + 1)


def test_the_count_is_of_the_tree_and_of_what_waits(as_officer, acting):
    write_entries(acting, 3)
    sequence_entries(acting)
    write_entries(acting, 2)
    with acting("admin"):
        expected = session().scalar(select(LogHead.size)) + 2
    kicker = parse_page(as_officer.get("audit/")).select_one(".c-kicker").get_text()
    assert kicker.startswith(f"{expected} entries since ") and "kept for 7 years" in kicker


def test_filters_narrow_and_say_what_hides_the_rest(as_officer, acting):
    ids = {str(i) for i in write_entries(acting, 2, role="admin")}
    with acting("compliance_officer"):
        theirs = str(
            record(
                CHANGED,
                session().scalars(select(Tenant).where(Tenant.slug == "acme")).one(),
                after={"name": "B"},
            ).id
        )
        admin, officer = (
            personal_field_encryption.pseudonym(make.person_id("admin")),
            personal_field_encryption.pseudonym(make.person_id("compliance_officer")),
        )
    assert (
        set(entry_ids_on_page(as_officer.get(f"audit/?action=tenant.settings&actor={admin}")))
        == ids
    )
    assert theirs in entry_ids_on_page(
        as_officer.get(f"audit/?actor=p-{officer[:4]}-{officer[4:8]}&action=tenant")
    )
    without = entry_ids_on_page(as_officer.get("audit/?action=-tenant"))
    assert without and not ids & set(without)
    assert entry_ids_on_page(as_officer.get("audit/?since=2030-01-01")) == []
    assert "No entries match" in as_officer.get("audit/?until=2001-01-01").text
    chips = parse_page(as_officer.get("audit/?action=-session&since=2026-01-01")).select(
        ".c-chip:not(.c-chip-add)"
    )
    assert [chip.get_text(" ", strip=True) for chip in chips] == [
        "Since: 1 January 2026",
        "Action: All except sign-ins",
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("since=yesterday", "since"),
        ("action=DROP TABLE", "action"),
        ("actor=%25", "actor"),
        ("target=Control:1", "target"),
        ("after=zzz", "This link"),
        ("q=name&after=zzz", "belongs to another list"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_named(as_officer, query, names):
    assert names in as_officer.get(f"audit/?{query}", then=422).text


def test_a_page_of_the_list_costs_four_statements_of_its_own(as_officer, acting, statements):
    write_entries(acting, 60)
    with acting("admin"):
        systems.register(
            key="ad-copywriter",
            stage="live",
            name="Ad copywriter",
            lane="standard",
            purpose="Copy",
            owner_id=None,
        )
    sequence_entries(acting)
    second_page = parse_page(as_officer.get("audit/")).find("a", rel="next")["href"]
    with statements() as base:
        as_officer.get("settings/sessions")
    for query in (
        "",
        "?action=-session",
        f"?after={second_page.partition('after=')[2]}",
    ):
        with statements() as seen:
            as_officer.get(f"audit/{query}")
        mine = [s for s in seen if "audit_" in s or "saved_views" in s or "retention" in s]
        own = [s for s in mine if "retention" not in s and "anchors" not in s]
        assert len(own) <= 4, "\n\n".join(own)
        assert len(seen) <= len(base) + 5


def test_targets_are_called_by_their_names(as_officer, acting):
    with acting("admin"):
        made = systems.register(
            key="ad-copywriter",
            stage="live",
            name="Ad copywriter",
            lane="standard",
            purpose="Copy",
            owner_id=None,
        )
        systems.retire(made, reason="The campaign is over.")
    page = parse_page(as_officer.get("audit/?action=system"))
    assert [cell["title"] for cell in page.select("td .c-clip")] == [
        "ad-copywriter Ad copywriter"
    ] * 2
    entry = parse_page(
        as_officer.get(f"audit/entries/{page.select_one('tr[data-entry]')['data-entry']}")
    )
    link = entry.find("a", string=re.compile("Ad copywriter"))
    assert as_officer.get(link["href"], then=302).location.endswith("/systems/ad-copywriter")


def test_an_owner_is_shown_by_their_pseudonym_and_a_look_by_its_page(
    as_officer, as_auditor, acting
):
    with acting("admin") as who:
        target, person = Control(id=who.tenant_id), make.person_id("contributor")
        entry_id = record(
            registry["control.assigned"], target, before={"owner": None}, after={"owner": person}
        ).id
        label = personal_field_encryption.pseudonym(person)
    page = parse_page(as_officer.get(f"audit/entries/{entry_id}"))
    assert page.select_one(".c-diff ins").get_text() == f"p-{label[:4]}-{label[4:8]}"
    as_auditor.get("controls/")
    cells = parse_page(as_officer.get("audit/?action=tenant.page")).select("td .c-clip")
    assert [cell["title"] for cell in cells] == ["Controls"]


# ---- live


def test_the_tail_counts_what_came_since_under_the_same_filters(as_officer, acting):
    address = parse_page(as_officer.get("audit/?action=tenant")).select_one("[data-live]")[
        "data-live"
    ]
    assert as_officer.get(address).json == {"count": 0, "words": "0 new entries"}
    write_entries(acting, 1)
    assert as_officer.get(address).json == {"count": 1, "words": "1 new entry"}
    with acting("admin"):
        systems.register(
            key="other", stage="live", name="Other", lane="standard", purpose="x", owner_id=None
        )
    assert as_officer.get(address).json["count"] == 1
    write_entries(acting, 130)
    assert as_officer.get(address).json == {"count": 100, "words": "99+ new entries"}


def test_another_tenants_entries_are_no_news(as_officer, acting):
    address = parse_page(as_officer.get("audit/")).select_one("[data-live]")["data-live"]
    write_entries(acting, 3, "globex")
    assert as_officer.get(address).json["count"] == 0


@pytest.mark.parametrize(
    "mark",
    [
        "",
        "x",
        "2026-01-01~x",
        "2026-01-01~00000000-0000-0000-0000-000000000000",
        "9999-99-99T00:00:00+00:00~0",
    ],
)
def test_a_bent_mark_is_refused(as_officer, mark):
    assert "live update" in as_officer.get(f"audit/live?mark={mark}", then=422).text


# ---- one entry


def proof_data(page):
    section = page.select_one("#proof")
    return {
        name.removeprefix("data-"): value
        for name, value in section.attrs.items()
        if name.startswith("data-")
    }


def test_an_entry_carries_all_that_a_browser_needs_to_prove_it(as_officer, acting):
    ids = write_entries(acting, 7, reason="Harriet asked for it")
    sequence_entries(acting)
    page = parse_page(as_officer.get(f"audit/entries/{ids[3]}"))
    data = proof_data(page)
    with acting("admin"):
        entry, key = audit.entry(ids[3]), logs.verifier(logs.signing_key())
        assert base64.b64decode(data["body"]) == entry.body
        stated = proof.verify(
            str(
                proof.Proof(
                    int(data["index"]),
                    [base64.b64decode(h) for h in data["path"].split()],
                    data["note"],
                )
            ),
            entry.body,
            key,
        )
        assert stated[0] == audit.place_of(ids[3])
    assert data["key-id"] == key.key_id.hex() and base64.b64decode(data["key"]) == key.public
    said = json.loads(base64.b64decode(data["body"]))
    assert page.select_one("[data-signed=action]").get_text() == said["action"]
    assert said["actor"].startswith(
        page.select_one("[data-signed=actor]").get_text()[2:].replace("-", "")
    )
    text = page.get_text(" ", strip=True)
    assert (
        "Included in checkpoint" in text
        and "encrypted, may contain names" in text
        and "Harriet" not in text
    )
    assert [cell.get_text() for cell in page.select(".c-diff del, .c-diff ins")] == ["A", "Name3"]


def test_the_files_of_a_proof_verify_without_us(as_officer, acting):
    [entry_id] = write_entries(acting, 1)
    assert "no proof yet" in as_officer.get(f"audit/entries/{entry_id}/proof", then=409).text
    sequence_entries(acting)
    file, content = (
        as_officer.get(f"audit/entries/{entry_id}/proof"),
        as_officer.get(f"audit/entries/{entry_id}/bytes").data,
    )
    assert ".tlog-proof" in file.headers["Content-Disposition"] and file.content_type.startswith(
        "text/plain"
    )
    with acting("admin"):
        key = logs.verifier(logs.signing_key())
    index, head = proof.verify(file.text, content, key)
    assert index < head.size and json.loads(content)["id"] == str(entry_id)


def test_an_entry_opens_beside_the_list_and_as_a_fragment(as_officer, acting):
    ids = write_entries(acting, 2)
    sequence_entries(acting)
    page = parse_page(as_officer.get(f"audit/?action=tenant&entry={ids[0]}"))
    assert page.select_one("#panel:not([hidden]) #proof")
    assert page.select_one("tr[aria-current]")["data-entry"] == str(ids[0])
    fragment = as_officer.get(
        f"audit/entries/{ids[0]}", headers={"HX-Request": "true", "HX-Target": "aside#panel"}
    ).text
    assert "<html" not in fragment and "data-proof" in fragment
    after = parse_page(as_officer.get(f"audit/entries/{ids[0]}")).find("a", title="Newer entry")
    assert after["href"].endswith(str(ids[1]))


def test_a_tampered_tree_is_said_and_not_hidden(as_officer, acting):
    [entry_id] = write_entries(acting, 1)
    sequence_entries(acting)
    with acting("admin"):
        head = session().scalars(select(LogHead)).one()
        head.edge = bytes(len(head.edge))
    text = as_officer.get(f"audit/entries/{entry_id}").text
    assert "Proof failed" in text and "does not lead to the signed root" in text
    assert "Included in checkpoint" not in text
    with acting("admin"):
        session().scalars(select(LogHead)).one().edge = b"short"
    assert "fsck" in as_officer.get(f"audit/entries/{entry_id}").text


@pytest.mark.parametrize("size", range(1, 18))
def test_the_drawing_has_its_siblings_on_the_side_where_they_are_hashed(size):
    """Build the drawing by hand: a leaf's label is its number.

    A path is right when it puts all labels in order.
    """
    for index in range(size):
        held, path = [index], _siblings(index, size)
        for side, sibling in zip(sides(index, size), path, strict=True):
            held = sibling + held if side == "left" else held + sibling
        assert held == list(range(size))


def _siblings(index, size, start=0):
    if size == 1:
        return []
    half = 1 << (size - 1).bit_length() - 1
    if index < half:
        return [*_siblings(index, half, start), list(range(start + half, start + size))]
    return [*_siblings(index - half, size - half, start + half), list(range(start, start + half))]


class Benchmark:
    """A row of a class that this version no longer has."""

    def __init__(self):
        self.id = uuid7()


# As 0.1.0 declared it, with the fields of its entries.
RELEASED = Action("benchmark.released", "", frozenset({"month", "measure"}), frozenset())


def test_an_entry_of_a_removed_feature_stays_readable(as_officer, acting):
    with acting("admin"):
        entry = record(RELEASED, Benchmark(), month="2026-10", measure="cached_share").id
    sequence_entries(acting)
    listed = parse_page(as_officer.get("audit/?action=benchmark"))
    assert [row["data-entry"] for row in listed.select("tr[data-entry]")] == [str(entry)]
    assert listed.select_one("option[value='benchmark.released']")
    shown = parse_page(as_officer.get(f"audit/entries/{entry}")).get_text(" ", strip=True)
    for text in ("benchmark.released", "released a benchmark", "2026-10", "cached_share"):
        assert text in shown


# ---- one actor


def test_an_actor_is_a_pseudonym_with_their_deeds(as_officer, acting):
    ids = {str(i) for i in write_entries(acting, 4)}
    with acting("admin"):
        admin = personal_field_encryption.pseudonym(make.person_id("admin"))
    reply = as_officer.get(f"audit/actors/{admin}")
    assert ids <= set(entry_ids_on_page(reply))
    text = parse_page(reply).get_text(" ", strip=True)
    assert f"p-{admin[:4]}-{admin[4:8]}" in text and "tenant.settings.changed 4" in text
    assert "Sanjay" not in parse_page(reply).find("main").get_text()


def test_an_actor_of_another_tenant_is_nobody_here(as_officer, as_neighbour, acting):
    write_entries(acting, 1, "globex")
    with acting("admin", "globex"):
        theirs = personal_field_encryption.pseudonym(make.person_id("admin", "globex"))
    assert as_neighbour.get(f"audit/actors/{theirs}")
    as_officer.get(f"audit/actors/{theirs}", then=404)
    as_officer.get("audit/actors/nobody", then=404)


# ---- encrypted facts


def test_a_name_and_a_reason_are_seen_by_the_one_who_was_allowed_to_and_for_an_hour(
    app, as_officer, as_reviewer, as_auditor, acting
):
    [entry_id] = write_entries(acting, 1, reason="Harriet asked for it")
    page = f"audit/entries/{entry_id}"
    with acting("admin"):
        admin = personal_field_encryption.pseudonym(make.person_id("admin"))
    ask = parse_page(as_officer.get(page)).find("a", string="Request name")["href"]
    assert ask.endswith(f"subject={admin}")
    with acting("compliance_officer"):
        asked = unmasking_actions.request_unmasking(admin, "An incident of 12 May").id
    assert "Harriet" not in as_officer.get(page).text
    approve_below_pages(asked, "reviewer")
    seen = parse_page(as_officer.get(page)).find("main").get_text(" ", strip=True)
    assert "Sanjay Patel unmasked for you" in seen and "Harriet asked for it" in seen
    assert (
        "Sanjay Patel"
        in parse_page(as_officer.get(f"audit/actors/{admin}")).find("main").get_text()
    )
    for other in (as_reviewer, as_auditor):
        told = parse_page(other.get(page)).find("main").get_text()
        assert "Sanjay" not in told and "Harriet" not in told
    with clock.frozen(clock.now() + timedelta(minutes=61)):
        assert "Harriet" not in visitor(app, "compliance_officer").get(page).text


def test_what_was_erased_reads_as_erased(as_officer, acting):
    [entry_id] = write_entries(acting, 1, reason="Harriet asked for it")
    with acting("admin"):
        admin = personal_field_encryption.pseudonym(make.person_id("admin"))
    with acting("compliance_officer"):
        asked = unmasking_actions.request_unmasking(admin, "An incident").id
    approve_below_pages(asked, "reviewer")
    with acting("reviewer"):
        personal_field_encryption.destroy([admin])
    text = as_officer.get(f"audit/entries/{entry_id}").text
    assert "permanently erased" in text and "Harriet" not in text


# ---- checkpoints


def signed_twice(acting):
    write_entries(acting, 3)
    sequence_entries(acting)
    write_entries(acting, 5)
    sequence_entries(acting)
    with acting("admin"):
        return [(c.id, c.number) for c in queries.checkpoints({}).rows]


def test_checkpoints_are_listed_and_given_as_they_were_signed(as_officer, acting):
    (newest, number), *_ = signed_twice(acting)
    page = as_officer.get("audit/checkpoints")
    assert f"{number} checkpoints signed" in page.text
    note = as_officer.get(f"audit/checkpoints/{newest}/note")
    with acting("admin"):
        key = logs.verifier(logs.signing_key())
        assert checkpoint.open_checkpoint(note.text, key).size == session().scalar(
            select(LogHead.size)
        )
    assert str(key) in page.text


def test_one_checkpoint_is_proved_to_be_the_beginning_of_another(as_officer, acting):
    (_, newer), (_, older), *_ = signed_twice(acting)
    text = (
        parse_page(as_officer.get(f"audit/checkpoints?from={older}&to={newer}"))
        .select_one(".c-note")
        .get_text(" ", strip=True)
    )
    assert text.startswith(f"Checkpoint {newer} continues checkpoint {older}. Proved by ")
    assert (
        "There is no checkpoint" in as_officer.get(f"audit/checkpoints?from={older}&to=99999").text
    )
    assert "should be a number" in as_officer.get("audit/checkpoints?from=x&to=1", then=422).text


def test_a_checkpoint_of_another_history_is_found_out(as_officer, acting):
    (_, newer), (_, older), *_ = signed_twice(acting)
    with acting("admin"):
        head = session().scalars(select(LogHead)).one()
        head.edge = head.edge[::-1]
    assert (
        "is not the beginning of"
        in as_officer.get(f"audit/checkpoints?from={older}&to={newer}").text
    )


def test_a_retired_key_stays_and_is_marked(as_officer, acting):
    signed_twice(acting)
    with acting("admin"):
        old = str(logs.verifier(logs.signing_key()))
        new = str(logs.verifier(logs.rotate_key()))
    text = as_officer.get("audit/checkpoints").text
    assert old in text and new in text and "Its signatures stay verifiable" in text


# ---- saved views


def test_a_view_is_saved_opened_and_removed(as_officer, as_auditor, as_admin, acting):
    as_officer.get("audit/views/new?action=-session")
    assert as_officer.post(
        "audit/views/new?action=-session", name=" All  but sign-ins "
    ).location.endswith("/audit/?action=-session")
    as_officer.post("audit/views/new?action=-session", name="All but sign-ins")  # A double click.
    with acting("admin"):
        [view] = session().scalars(select(SavedView))
        assert (view.name, view.query) == ("All but sign-ins", {"action": "-session"})
        view_id = view.id
        saved = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "audit.view.saved"))
            .one()
        )
        assert saved.facts == {"filters": ["action"]} and "name" in saved.sealed
    link = parse_page(as_auditor.get("audit/")).find("a", string="All but sign-ins")
    assert link["href"] == "/t/acme/audit/?action=-session"
    assert "Delete the view" not in as_auditor.get("audit/").text
    as_auditor.post(f"audit/views/{view_id}/remove", then=403)
    as_admin.post(f"audit/views/{view_id}/remove")
    with acting("admin"):
        assert session().scalars(select(SavedView)).all() == []
    as_admin.post(f"audit/views/{view_id}/remove", then=404)


def test_a_view_without_a_name_or_filters_or_of_a_taken_name_is_refused(as_officer, acting):
    as_officer.post("audit/views/new?action=-session", name="Mine")
    assert (
        "exists, with other filters"
        in as_officer.post("audit/views/new?action=system", name="Mine", then=422).text
    )
    assert (
        "Give the view a name"
        in as_officer.post("audit/views/new?action=system", name=" ", then=422).text
    )
    assert "no filters to save" in as_officer.post("audit/views/new", name="All", then=422).text
    assert (
        "at most 60 characters"
        in as_officer.post("audit/views/new?action=system", name="x" * 61, then=422).text
    )
    with acting("admin"):
        assert [view.name for view in session().scalars(select(SavedView))] == ["Mine"]


# ---- permissions


def test_who_reads_the_log_and_who_does_not(
    as_admin, as_officer, as_auditor, as_contributor, as_viewer, as_stranger, acting
):
    [entry_id] = write_entries(acting, 1)
    pages = (
        "audit/",
        f"audit/entries/{entry_id}",
        "audit/checkpoints",
        f"audit/entries/{entry_id}/bytes",
    )
    for page in pages:
        for reader in (as_admin, as_officer, as_auditor):
            reader.get(page)
        for other in (as_contributor, as_viewer):
            other.get(page, then=403)
        as_stranger.get(page, then=404)
    assert (
        "audit/"
        not in parse_page(as_viewer.get("")).find("nav", attrs={"aria-label": "Sections"}).decode()
    )


def test_another_tenants_entry_is_not_found_under_ones_own_address(as_neighbour, acting):
    [entry_id] = write_entries(acting, 1)
    sequence_entries(acting)
    for page in (
        f"audit/entries/{entry_id}",
        f"audit/entries/{entry_id}/proof",
        f"audit/entries/{entry_id}/bytes",
        f"audit/?entry={entry_id}",
    ):
        as_neighbour.get(page, then=404)
    assert str(entry_id) not in as_neighbour.get("audit/").text


def test_days_begin_at_midnight_in_the_tenants_time_zone(as_officer, acting):
    with clock.frozen(
        clock.now().replace(year=2026, month=6, day=30, hour=23, minute=30, second=0)
    ):
        [entry_id] = write_entries(acting, 1)
    assert str(entry_id) in entry_ids_on_page(
        as_officer.get("audit/?since=2026-07-01&until=2026-07-01")
    )
    assert str(entry_id) not in entry_ids_on_page(as_officer.get("audit/?until=2026-06-30"))
    day = (
        parse_page(as_officer.get("audit/?until=2026-07-01&since=2026-07-01"))
        .select_one(".c-day")
        .get_text(strip=True)
    )
    assert day == "Wednesday 1 July"
