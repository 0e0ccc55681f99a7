"""The policy attestation: sentences from the snapshot, extremes, the file, and the run."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import html5lib
import pikepdf
import pytest
from sqlalchemy import select

from governance.app import schedule
from governance.foundation.people.jobs import actor_of
from governance.foundation.privacy.events import PersonErased
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.pictures import pdf
from governance.kernel.work import jobs
from governance.operations.systems import actions as systems
from governance.publishing.reports import actions
from governance.publishing.reports.attestation import snapshot as reading
from governance.publishing.reports.attestation.attachments import attachments
from governance.publishing.reports.attestation.figures import shown, speed
from governance.publishing.reports.attestation.sentences import Attested
from governance.publishing.reports.kinds import build
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.signatures.verify import verify
from tests import make
from tests.assurance.controls.policy_and_switch_rows import (
    add_finished_drill,
    add_live_version,
    add_live_waiver,
    add_platform_minimum,
    add_stop,
    approved,
)
from tests.name_helpers import show_names
from tests.publishing.reports import attestation_samples
from tests.publishing.reports.report_helpers import PageOutline, frozen_facts, numbers_in

assert schedule.HANDLERS  # Loading the schedule registers the kind of work.
NOW = datetime(2026, 11, 25, 9, 24, tzinfo=UTC)
ATTESTATIONS = "reports/attestations"


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


# ---- sentences


@pytest.mark.parametrize("made", attestation_samples.EXTREMES)
def test_the_page_is_whole_and_the_same_twice(made: Callable[[], dict[str, Any]]) -> None:
    built = build(made())
    assert html5lib.HTMLParser(strict=True).parse(built.html) is not None
    outline = PageOutline(built.html)
    assert (
        len(outline.ids) == len(set(outline.ids))
        and outline.links <= set(outline.ids)
        and outline.titles == 1
    )
    assert built == build(made())


@pytest.mark.parametrize("made", attestation_samples.EXTREMES)
def test_numbers_in_titles_are_counted_from_the_snapshot(
    made: Callable[[], dict[str, Any]],
) -> None:
    told = made()
    say = Attested(told)
    stops, live = len(told["stops"]), [w for w in told["waivers"] if w["state"] == "live"]
    states = [each["state"] for each in told["switches"]]
    values = [each for scope in told["scopes"] if scope["end"] for each in scope["end"].values()]
    assert numbers_in(say.force_title) <= {sum(v["kind"] == "tier" for v in values), len(values)}
    assert numbers_in(say.changes_title) <= {
        len(told["versions"]),
        sum(v["loosens"] for v in told["versions"]),
        0,
        1,
    } | {v["number"] for v in told["versions"]}
    assert numbers_in(say.drills_title) <= {states.count("armed"), len(states)}
    assert numbers_in(say.waivers_title) <= {len(live), len(told["waivers"]), 0}
    assert numbers_in(say.stops_title.split(";", maxsplit=1)[0]) <= {stops}
    assert len(say.key_findings) <= 3 and say.key_findings and len(say.lede) <= 380
    for text in (
        say.lede,
        say.request,
        *(title for *_, title in say.contents),
        *(m.claim + m.text + m.act for m in say.key_findings),
    ):
        assert (
            text and "  " not in text and ".." not in text and not re.search(r"None\b(?! of)", text)
        )


def test_the_worst_comes_first() -> None:
    claims = [each.claim for each in Attested(attestation_samples.sample_period()).key_findings]
    assert claims == [
        "The kill switch of ad-copywriter failed its last drill",
        "One consumer has not confirmed the stop of summaries of support-assistant",
        "Release ring of ad-copywriter is below the platform minimum",
    ]
    assert "nothing needs a decision" in Attested(attestation_samples.quiet_period()).summary_title
    alone = attestation_samples.sample_period()
    alone["versions"][-1]["decided_by"] = None
    assert (
        Attested(alone).key_findings[0].claim
        == "Version 6 loosened the policy without a second approver"
    )


def test_active_stops_are_counted_in_good_english() -> None:
    told = attestation_samples.sample_period()
    told["stops"] = told["stops"][1:]
    assert "One stop was ordered and is still active." in Attested(told).lede
    assert (
        "Two stops were ordered; one is still active."
        in Attested(attestation_samples.sample_period()).lede
    )


def test_a_waiver_that_changes_nothing_is_not_said_to_lower_anything() -> None:
    told = attestation_samples.sample_period()
    told["waivers"][0] |= {"system": "claims-triage"}
    assert any(
        each.claim == "A waiver for claims-triage is active but not used"
        for each in Attested(told).points
    )


def test_strictness_counts_steps_and_says_which_way_a_value_moved() -> None:
    say = Attested(attestation_samples.sample_period())
    general = say.now[0]
    assert (
        say.strictness(general["begin"]).steps,
        say.strictness(general["end"]).steps,
        say.strictness(general["end"]).most,
    ) == (12, 20, 26)
    assert (
        say.move(general, "retention_days") == "stricter"
        and say.move(general, "content_filter") == ""
    )
    assert "The policy became stricter by eight steps" in say.moved_title


def test_values_in_words() -> None:
    assert [shown(v) for v in ("sources_only", ["*"], [], ["b", "a"], None)] == [
        "Sources only",
        "Any",
        "None",
        "b, a",
        "–",
    ]
    assert (shown(4096, "tokens"), speed(820)) == ("4,096 tokens", "0.8\N{NO-BREAK SPACE}s")


def test_what_a_tenant_wrote_is_text() -> None:
    told = attestation_samples.sample_period()
    told["versions"][0]["reason"] = told["waivers"][0]["reason"] = told["stops"][0]["reason"] = (
        "<script>alert(1)</script>"
    )
    assert "<script" not in build(told).html


def test_the_attachments_hold_every_value_and_no_formula() -> None:
    told = attestation_samples.sample_period()
    told["versions"][0]["reason"] = "=cmd"
    files = {each.name: each.data for each in attachments(told)}
    assert set(files) == {
        "snapshot.json",
        "in-force.csv",
        "changes.csv",
        "switches.csv",
        "manifest.json",
    }
    assert json.loads(files["snapshot.json"]) == told
    rows = list(csv.DictReader(io.StringIO(files["in-force.csv"].decode("utf-8-sig"))))
    assert len(rows) == 4 * 15 and {
        r["decided by"]
        for r in rows
        if r["system"] == "ad-copywriter" and r["setting"] == "release_ring"
    } == {"Waiver"}
    changes = list(csv.DictReader(io.StringIO(files["changes.csv"].decode("utf-8-sig"))))
    assert changes[0]["reason"] == "'=cmd" and {
        r["approved by"] for r in changes if r["loosens"] == "yes"
    } == {"Ines Duarte"}
    assert json.loads(files["manifest.json"])["parameters"]["period"] == {
        "from": "2026-09-01",
        "to": "2026-11-24",
    }


@pytest.mark.slow
def test_the_file_claims_pdf_a_and_pdf_ua_and_is_the_same_twice() -> None:
    built = build(attestation_samples.quiet_period())
    first, second = (
        pdf.render(
            built.html, attachments=built.attachments, at=built.at, identifier=built.identifier
        )
        for _ in range(2)
    )
    assert first == second
    with pikepdf.open(io.BytesIO(first)) as file:
        meta = file.open_metadata()
        assert (meta["pdfaid:part"], meta["pdfaid:conformance"], meta["pdfuaid:part"]) == (
            "3",
            "A",
            "1",
        )
        headers = [
            each
            for each in file.objects
            if isinstance(each, pikepdf.Dictionary) and each.get("/S") == "/TH"
        ]
        assert {str(each.A.Scope) for each in headers} == {"/Row", "/Column"}


# ---- inputs


@pytest.fixture
def tenant_with_policy_history(app, isolated):
    """Create two systems, three versions, a platform minimum, a waiver, stops and drills.

    The last version loosened, with a second person.
    """
    with clock.frozen(days_ago(200)), make.acting("compliance_officer"):
        ids = tuple(
            systems.register(
                key=key,
                stage="live",
                name=key.replace("-", " "),
                purpose="Works.",
                lane=lane,
                owner_id=None,
            ).id
            for key, lane in (("claims-triage", "high_risk"), ("ad-copywriter", "standard"))
        )
    with make.acting("operator_admin", "console"):
        add_platform_minimum(days_ago(30), 1, {"retention_days": 60, "training_use": "opt_in"})
    with make.acting("admin"):
        add_live_version(days_ago(100), 1, "standard")
        add_live_version(days_ago(40), 2, "strict")
        add_live_version(
            days_ago(10),
            3,
            "standard",
            loosens=True,
            reason="Support needs memory.",
            decided_by=make.person_id("compliance_officer"),
            decided_at=days_ago(10),
        )
        approved(
            add_live_waiver(ids[1], "retention_days", 80, since=days_ago(9), until=days_ago(-8)),
            "compliance_officer",
            "reviewer",
        )
        add_stop(
            ids[0],
            days_ago(20),
            restarted_at=days_ago(19),
            restarted_by=make.person_id("compliance_officer"),
            restart_reason="Fixed.",
        )
        add_stop(None, days_ago(300), restarted_at=days_ago(299))
        add_finished_drill(ids[0], days_ago(50))
        add_finished_drill(ids[1], days_ago(3), passed=False)
    with clock.frozen(NOW):
        yield ids


def read_snapshot(since, until=NOW):
    with make.acting("compliance_officer", read_only=True):
        return reading.snapshot(since, until)


def test_a_period_holds_what_stood_changed_and_was_approved_in_it(tenant_with_policy_history):
    told = read_snapshot(days_ago(60))
    assert [(v["number"], v["made_by"], v["decided_by"]) for v in told["versions"]] == [
        (2, "Sanjay Patel", None),
        (3, "Sanjay Patel", "Ines Duarte"),
    ]
    back = {
        c["dimension"]: (c["before"], c["after"], c["move"])
        for c in told["versions"][1]["changes"]
        if not c["system"]
    }
    assert back["memory"] == ("opt_in", "opt_out", "loosens") and back["retention_days"] == (
        30,
        90,
        "loosens",
    )
    by_key = {each["key"]: each for each in told["scopes"]}
    assert list(by_key) == ["", "ad-copywriter", "claims-triage"]
    assert by_key["claims-triage"]["end"]["grounding"]["set_by"] == "High risk class"
    assert by_key["claims-triage"]["end"]["retention_days"] == {
        "value": 60,
        "set_by": "Platform minimum, version 1",
        "kind": "floor",
        "spoke": [
            {"layer": "Platform minimum, version 1", "value": 60},
            {"layer": "Standard tier", "value": 90},
        ],
    }
    assert (
        by_key["ad-copywriter"]["end"]["retention_days"]["kind"] == "waiver"
        and by_key[""]["begin"]["retention_days"] == 90
    )
    assert [p["label"] for p in told["points"]] == ["start", "version 2", "version 3", "end"]
    assert [
        (c["number"], [d["dimension"] for d in c["changes"]]) for c in told["floor"]["changes"]
    ] == [(1, ["content_filter", "content_capture", "pii_redaction", "retention_days"])]
    assert [(w["system"], w["first_by"], w["second_by"], w["state"]) for w in told["waivers"]] == [
        ("ad-copywriter", "Ines Duarte", "Jun Chen", "live")
    ]
    assert [(s["scope"], s["by"], s["restarted_by"]) for s in told["stops"]] == [
        ("claims-triage", "Anna Rossi", "Ines Duarte")
    ]
    assert [(d["scope"], d["state"]) for d in told["drills"]] == [
        ("claims-triage", "passed"),
        ("ad-copywriter", "failed"),
    ]
    assert {s["system"]: s["state"] for s in told["switches"]} == {
        "claims-triage": "armed",
        "ad-copywriter": "dead",
    }


def test_a_day_is_told_as_it_stood_then(tenant_with_policy_history):
    told = read_snapshot(None, days_ago(15))
    assert told["tier"]["name"] == "Strict" and [v["number"] for v in told["versions"]] == [2]
    assert (
        told["waivers"] == []
        and told["stops"] == []
        and told["drills"] == []
        and told["points"] == []
    )
    assert {s["system"]: s["state"] for s in told["switches"]} == {
        "claims-triage": "armed",
        "ad-copywriter": "unproven",
    }
    still = read_snapshot(None, days_ago(19.5))
    assert [(s["scope"], s["restarted_at"]) for s in still["stops"]] == [("claims-triage", None)]


def test_before_everything_the_default_stood(tenant_with_policy_history):
    told = read_snapshot(None, days_ago(190))
    assert (
        told["tier"]["version"] == 0
        and told["versions"] == []
        and told["switches"][0]["state"] == "unproven"
    )
    assert build(
        told | {k: v for k, v in attestation_samples.first_day().items() if k not in told}
    ).html


def test_another_tenant_attests_its_own(tenant_with_policy_history):
    with make.acting("compliance_officer", "globex", read_only=True):
        told = reading.snapshot(days_ago(60), NOW)
    assert [each["key"] for each in told["scopes"]] == [""] and told["versions"] == told[
        "waivers"
    ] == told["stops"] == told["drills"] == []
    assert [c["number"] for c in told["floor"]["changes"]] == [1]


def test_a_change_of_the_floor_is_told_against_the_floor_that_held_just_before_it(
    tenant_with_policy_history,
):
    """Compare with the minimum just before, not with a looser one that ended unversioned."""
    with make.acting("operator_admin", "console"):
        add_platform_minimum(
            days_ago(25),
            2,
            {"retention_days": 120, "training_use": "opt_in"},
            loosens=True,
            until=days_ago(15),
        )
        add_platform_minimum(days_ago(5), 3, {"retention_days": 30, "training_use": "opt_in"})
    told = [
        (c["before"], c["after"], c["move"])
        for change in read_snapshot(days_ago(60))["floor"]["changes"][1:]
        for c in change["changes"]
    ]
    assert told == [(60, 120, "loosens"), (60, 30, "tightens")]


# ---- the run


def newest_run():
    return (
        session()
        .scalars(
            select(ReportRun)
            .where(ReportRun.without_names_of.is_(None))
            .order_by(ReportRun.created_at.desc(), ReportRun.id.desc())
            .limit(1)
        )
        .one()
    )


@pytest.mark.slow
def test_the_officer_asks_for_a_period_and_anyone_verifies(
    as_officer, tenant_with_policy_history, acting
):
    show_names(True)  # There is one file then; files without names: tests/test_auditor_files.py.
    form = {"span": "period", "since": "2026-09-26", "until": "2026-11-25"}
    page = as_officer.post("reports/attestations", **form).location
    assert (
        as_officer.post("reports/attestations", **form).location == page
    )  # The second click watches the first.
    assert "Policy attestation, 26 September 2026 to 25 November 2026" in as_officer.get(page).text
    jobs.drain(actor_of)
    assert (
        "governance verify-report ACME-POL-2026-09-26-to-2026-11-25-v1.0.pdf"
        in as_officer.get(page).text
    )
    content, note = (
        as_officer.post(f"{page}/pdf", then=200).data,
        as_officer.post(f"{page}/signature", then=200).text,
    )
    found = verify(content, note, as_officer.get("/keys").text.splitlines()[0])
    assert found.ok, found.checks
    with acting("compliance_officer"):
        made = newest_run()
        built = build(made.snapshot)
        assert (made.kind, made.fingerprint, made.parameters) == (
            "policy-attestation",
            built.fingerprint,
            {"from": "2026-09-26", "to": "2026-11-25"},
        )
    assert (
        pdf.render_in_child(
            built.html, attachments=built.attachments, at=built.at, identifier=built.identifier
        )
        == content
    )
    as_officer.get("reports/")


@pytest.mark.slow
def test_reports_of_one_day_are_editions_of_one_document(
    as_officer, tenant_with_policy_history, acting
):
    """Give each its own version and file name, and name the one issued before it."""
    show_names(True)  # There is one file of each then.

    def generate(day):
        page = as_officer.post(ATTESTATIONS, span="day", until=day).location
        jobs.drain(actor_of)
        shown = as_officer.get(page).text
        with acting("compliance_officer"):
            return re.search(r"verify-report (\S+)", shown)[1], newest_run().snapshot

    names, first = generate("2026-11-20")
    again, second = generate("2026-11-20")
    assert (names, again) == ("ACME-POL-2026-11-20-v1.0.pdf", "ACME-POL-2026-11-20-v1.1.pdf")
    assert first["document"]["supersedes"] is None
    assert second["document"]["supersedes"] == "ACME-POL-2026-11-20, version 1.0"
    assert [(each["version"], each["text"]) for each in second["revisions"]] == [
        ("1.1", "Generated again from current data"),
        ("1.0", "First edition"),
    ]
    with acting("compliance_officer"):
        run = newest_run()
        actions.withdraw_naming(PersonErased(run.requested_by, ["a name of nobody"], []))
        assert run.is_withdrawn and run.snapshot is None
    third = frozen_facts(as_officer, acting, ATTESTATIONS, span="day", until="2026-11-20")
    assert third["document"] | {"keep_until": None} == {
        "number": "ACME-POL-2026-11-20",
        "version": "1.2",  # A withdrawn version keeps its number.
        "keep_until": None,
        "supersedes": "ACME-POL-2026-11-20, version 1.1",
    }
    other = frozen_facts(as_officer, acting, ATTESTATIONS, span="day", until="2026-11-19")
    assert (other["document"]["number"], other["document"]["version"]) == (
        "ACME-POL-2026-11-19",
        "1.0",
    )


def test_one_day_needs_no_beginning(as_officer, tenant_with_policy_history, acting):
    page = as_officer.post(
        "reports/attestations", span="day", since="2026-09-26", until="2026-11-20"
    ).location
    assert "Policy attestation, 20 November 2026" in as_officer.get(page).text
    with acting("compliance_officer"):
        assert newest_run().parameters == {"from": None, "to": "2026-11-20"}
        assert newest_run().as_of == datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (
            {"span": "period", "since": "2026-11-02", "until": "2026-11-01"},
            "The period starts after it ends.",
        ),
        ({"span": "period", "until": "2026-11-01"}, "Choose the first day of the period."),
        ({"span": "day", "until": "2026-11-26"}, "That day is in the future"),
        ({"span": "day", "until": "0001-01-01"}, "Choose a day from the year 2000 on."),
        (
            {"span": "period", "since": "1999-12-31", "until": "2026-11-01"},
            "Choose a day from the year 2000 on.",
        ),
        ({"span": "day"}, "Choose a day."),
        ({"span": "week", "until": "2026-11-01"}, "Not a valid choice"),
        ({"span": "day", "until": "yesterday"}, "a date. Enter one such as"),
    ],
)
def test_nonsense_is_named(as_officer, tenant_with_policy_history, form, says):
    page = as_officer.post("reports/attestations", then=422, **form)
    assert says in page.text and "data-errors" in page.text


@pytest.mark.parametrize("who", ["as_viewer", "as_auditor", "as_contributor"])
def test_readers_may_not_ask(who, request, tenant_with_policy_history):
    visitor = request.getfixturevalue(who)
    visitor.post("reports/attestations", then=403, span="day", until="2026-11-20")
    assert "Generate attestation" not in visitor.get("reports/").text


def test_another_tenant_finds_no_run(as_officer, as_neighbour, tenant_with_policy_history):
    page = as_officer.post(
        "reports/attestations", span="day", until="2026-11-20"
    ).location.removeprefix("/t/acme/")
    as_neighbour.get(page, then=404)
    as_neighbour.post(f"{page}/pdf", then=404)
