"""SOC 2 readiness and the Type II matrix: sentences from the snapshot, extremes, file, runs."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import html5lib
import pikepdf
import pytest
from sqlalchemy import select

from governance.app import schedule
from governance.assurance.controls import adoption_actions
from governance.assurance.frameworks import actions as adopting
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.intervals import MINUTE, Span
from governance.kernel.pictures import pdf
from governance.kernel.work import jobs
from governance.operations.measurements import actions as measuring
from governance.publishing.reports.kinds import build
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.readiness import document as ready_document
from governance.publishing.reports.readiness import snapshot as reading_ready
from governance.publishing.reports.readiness.sentences import Ready
from governance.publishing.reports.signatures.verify import verify
from governance.publishing.reports.type2 import document as tested_document
from governance.publishing.reports.type2 import snapshot as reading_tested
from governance.publishing.reports.type2.sentences import Matrix
from tests import make
from tests.assurance.incidents import incident_helpers
from tests.assurance.testing import type2_helpers
from tests.name_helpers import show_names
from tests.operations.objectives.objective_helpers import before, define, minutes_of, objective
from tests.publishing.reports import readiness_samples, type2_samples
from tests.publishing.reports.report_helpers import PageOutline, numbers_in

assert schedule.HANDLERS  # Loading the schedule registers the kinds of work.
EXTREMES = (*readiness_samples.EXTREMES, *type2_samples.EXTREMES)
NOW = datetime(2026, 11, 25, 9, 24, tzinfo=UTC)


def said(told: dict[str, Any]) -> Ready | Matrix:
    return Ready(told) if told["schema"] == reading_ready.SCHEMA else Matrix(told)  # type: ignore[arg-type]


# ---- sentences


@pytest.mark.parametrize("made", EXTREMES)
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


@pytest.mark.parametrize("made", EXTREMES)
def test_there_is_always_something_to_say_and_it_is_short(
    made: Callable[[], dict[str, Any]],
) -> None:
    say = said(made())
    assert 1 <= len(say.key_findings) <= 3 and len(say.lede) <= 380
    for text in (
        say.lede,
        say.request,
        *(title for *_, title in say.contents),
        *(m.claim + m.text + m.act for m in say.key_findings),
    ):
        assert (
            text
            and "  " not in text
            and ".." not in text
            and not re.search(r"None\b(?! of| past)", text)
        )


@pytest.mark.parametrize("made", readiness_samples.EXTREMES)
def test_readiness_counts_what_its_tables_hold(made: Callable[[], dict[str, Any]]) -> None:
    say = Ready(made())  # type: ignore[arg-type]
    rows = say.rows
    met = sum(0 < row["target"] <= row["level"] for row in rows)
    assert (say.figures.whole.at_target, say.figures.whole.total) == (met, len(rows))
    assert sum(each.total for each in say.by_category.values()) == len(rows)
    proven = sum(row["level"] >= 3 for row in rows)
    assert numbers_in(say.levels_title) <= {proven, len(rows), 0}
    bare = sum(not row["controls"] for row in rows)
    assert (
        numbers_in(say.criteria_title) <= {len(rows) - bare, len(rows), 0}
        and len(say.unanswered) == bare
    )
    left = sum(max(0, row["target"] - row["level"]) for row in rows)
    assert say.figures.whole.left == left and say.figures.planned <= left


def test_readiness_says_all_61_criteria() -> None:
    assert (
        len(readiness_samples.rows_of_snapshot(readiness_samples.all_categories())) == 61
        and len(readiness_samples.rows_of_snapshot(readiness_samples.security_only())) == 33
    )
    assert (
        Ready(readiness_samples.all_categories()).scope == "All five categories"
        and Ready(readiness_samples.security_only()).scope == "Security"
    )  # type: ignore[arg-type]
    assert (
        "has proven 61 of 61 SOC 2 criteria; every target is met"
        in Ready(readiness_samples.all_at_target()).summary_title
    )  # type: ignore[arg-type]


def test_what_is_late_comes_before_what_fails() -> None:
    claims = [each.claim for each in Ready(readiness_samples.all_categories()).key_findings]  # type: ignore[arg-type]
    assert claims[0] == "Finding F-03 is past its retest date" and all(
        "is failing" in claim for claim in claims[1:]
    )
    assert [each.claim for each in Ready(readiness_samples.first_day()).key_findings][
        0
    ] == "61 criteria have no control"  # type: ignore[arg-type]


@pytest.mark.parametrize("made", type2_samples.EXTREMES)
def test_the_matrix_counts_what_its_tables_hold(made: Callable[[], dict[str, Any]]) -> None:
    told = made()
    say = Matrix(told)
    kinds = [cell["kind"] for each in told["controls"] for cell in each["months"]]
    good, bad = (
        kinds.count("tested") + kinds.count("performed"),
        kinds.count("exception") + kinds.count("missed"),
    )
    assert numbers_in(say.matrix_title) <= {good, bad, 0}
    rows = sum(each["row_count"] for each in told["populations"])
    assert numbers_in(say.populations_title) <= {len(told["populations"]), rows, 0}
    items = [item for each in told["samples"] for item in each["items"]]
    assert (say.items, say.tested) == (
        len(items),
        sum(item["outcome"] is not None for item in items),
    )
    assert say.failed == sum(item["outcome"] == "failed" for item in items)
    assert numbers_in(say.gaps_title) <= {
        sum(len(each["lacks"]) for each in told["controls"]),
        len(say.lacking),
        0,
    }


def test_an_altered_population_is_the_first_thing_said() -> None:
    told = type2_samples.full_year()
    told["populations"][1]["intact"] = False
    assert (
        Matrix(told).key_findings[0].claim
        == "The rows of population POP-02 have changed since it was frozen"
    )
    assert (
        Matrix(type2_samples.full_year()).key_findings[0].claim
        == "Finding F-02 is past its due date"
    )


def test_what_a_tenant_wrote_is_text() -> None:
    told, other, bad = (
        type2_samples.full_year(),
        readiness_samples.all_categories(),
        "<script>alert(1)</script>",
    )
    told["populations"][0]["query"] = told["exceptions"][0]["cause"] = told["samples"][0]["items"][
        2
    ]["note"] = bad
    readiness_samples.rows_of_snapshot(other)[0].update(owner=bad, closes=bad)
    assert "<script" not in build(told).html + build(other).html


def test_raw_rows_are_attached_and_not_printed() -> None:
    told = type2_samples.full_year()
    told["populations"][0]["rows"][0][2] = "=cmd"
    files = {each.name: each.data for each in tested_document.attachments(told)}
    assert set(files) == {
        "snapshot.json",
        "matrix.csv",
        "samples.csv",
        "exceptions.csv",
        "POP-01.csv",
        "POP-02.csv",
        "manifest.json",
    }
    rows = list(csv.DictReader(io.StringIO(files["POP-01.csv"].decode("utf-8-sig"))))
    assert len(rows) == 61 and rows[0]["owner"] == "'=cmd"
    assert len(list(csv.DictReader(io.StringIO(files["POP-02.csv"].decode("utf-8-sig"))))) == 4120
    drawn = {item["item"] for each in told["samples"] for item in each["items"]}
    html = build(told).html
    assert not any(row[0] in html for row in told["populations"][1]["rows"] if row[0] not in drawn)
    cells = list(csv.DictReader(io.StringIO(files["matrix.csv"].decode("utf-8-sig"))))
    assert len(cells) == 9 * 12 and all(
        each["why"] for each in cells if each["state"] in {"missed", "exception"}
    )
    told_digests = json.loads(files["manifest.json"])["parameters"]["populations"]
    assert [each["sha256"] for each in told_digests] == [
        each["sha256"] for each in told["populations"]
    ]


def test_readiness_attaches_every_criterion_and_no_formula() -> None:
    told = readiness_samples.all_categories()
    readiness_samples.rows_of_snapshot(told)[0]["owner"] = "=cmd"
    files = {each.name: each.data for each in ready_document.attachments(told)}
    assert set(files) == {
        "snapshot.json",
        "criteria.csv",
        "evidence.csv",
        "findings.csv",
        "manifest.json",
    }
    rows = list(csv.DictReader(io.StringIO(files["criteria.csv"].decode("utf-8-sig"))))
    assert len({row["criterion"] for row in rows}) == 61 and rows[0]["owner"] == "'=cmd"
    assert json.loads(files["snapshot.json"]) == told


def test_readiness_says_what_service_levels_attained_and_which_incidents_are_open() -> None:
    told = readiness_samples.with_service_levels()
    built = build(told)
    topics = [(topic, title) for _, topic, title in Ready(told).contents]  # type: ignore[arg-type]
    title = "15 objectives of 45 missed; 50 incidents, 25 without a review"
    assert ("5 Service levels and incidents", title) in topics
    assert [topic for topic, _ in topics][6:8] == ["6 Evidence index", "7 Method"]
    for text in (title, "5 Service levels and incidents", "6 Evidence index", "Not determinable"):
        assert text in built.html, text
    files = {each.name: each.data for each in built.attachments}
    rows = list(csv.DictReader(io.StringIO(files["incidents.csv"].decode("utf-8-sig"))))
    assert len(rows) == 50 and rows[0]["title"] == "'=cmd" and rows[1]["reviewed on"] == ""
    levels = list(csv.DictReader(io.StringIO(files["service-levels.csv"].decode("utf-8-sig"))))
    assert [row["state"] for row in levels[:3]] == ["met", "missed", "not determinable"]
    assert levels[2]["attained"] == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "made",
    [
        readiness_samples.security_only,
        pytest.param(type2_samples.full_year, marks=pytest.mark.nightly),
    ],
)
def test_the_file_claims_pdf_a_and_pdf_ua_and_is_the_same_twice(
    made: Callable[[], dict[str, Any]],
) -> None:
    built = build(made())
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
def failed(app, isolated):
    """Create a control with a frozen population and a sample of 25, of which one item failed.

    Controls of the starter set are mapped to criteria.
    """
    with make.acting("compliance_officer"):
        adopting.adopt_framework("soc2-tsc-2017")
        adoption_actions.adopt(["SEC-04", "GOV-01"], with_evidence=True)
    return type2_helpers.create_failed_sample()


def test_the_readiness_of_a_category_holds_its_criteria_and_what_answers_them(failed):
    with make.acting("compliance_officer", read_only=True):
        told = reading_ready.snapshot(["availability", "security"], clock.now())
    rows = readiness_samples.rows_of_snapshot(told)
    assert [each["key"] for each in told["categories"]] == ["security", "availability"] and len(
        rows
    ) == 36
    assert any(row["controls"] for row in rows) and all(
        row["closes"] for row in rows if row["level"] < row["target"]
    )
    assert {each["control"] for each in told["evidence"]} <= {
        c["ref"] for row in rows for c in row["controls"]
    }
    assert "service_levels" not in told  # No objective and no incident exists.


def test_readiness_reads_objectives_and_incidents_as_they_were_known_then(failed):
    with make.acting("admin"), clock.frozen(NOW):
        made = define("triage-availability", kind="downtime", min_requests=1)
        span = before(NOW, days=2)
        measuring.store(minutes_of(made, span))
        measuring.store(minutes_of(made, Span(span.start, span.start + 30 * MINUTE), good=0))
        objective(made, name="Triage", window_days=2, target=Decimal("0.99"))
        unknown = define("silent", kind="downtime", min_requests=1)
        objective(unknown, name="Silent", window_days=2)
    with clock.frozen(NOW + timedelta(hours=1)):
        incident_helpers.declare("Approvals cited a withdrawn clause")
    with make.acting("compliance_officer", read_only=True), clock.frozen(NOW + timedelta(hours=2)):
        early = reading_ready.snapshot(["security"], NOW)["service_levels"]
        late = reading_ready.snapshot(["security"], clock.now())["service_levels"]
    by_name = {each["name"]: each for each in early["objectives"]}
    assert (by_name["Triage"]["attained"], by_name["Triage"]["state"]) == ("98.958%", "missed")
    assert (by_name["Silent"]["attained"], by_name["Silent"]["state"]) == (None, "not determinable")
    assert early["incidents"] == []
    [one] = late["incidents"]
    assert (one["ref"], one["resolved_on"], one["reviewed_on"]) == ("INC-1", None, None)


def test_the_matrix_holds_the_sample_its_rule_and_the_exception(failed):
    first, last = clock.today().replace(month=1, day=1), clock.today()
    with make.acting("compliance_officer", read_only=True):
        told = reading_tested.snapshot(first, last)
    (population,), (drawn,), (exception,) = told["populations"], told["samples"], told["exceptions"]
    assert (
        population["control"],
        population["row_count"],
        len(population["rows"]),
        population["intact"],
    ) == (
        "SEC-07",
        61,
        61,
        True,
    )
    assert (drawn["size"], drawn["tested"], drawn["failed"], drawn["seed"]) == (
        25,
        25,
        1,
        "4417 90ce",
    )
    assert [item["exception"] for item in drawn["items"] if item["outcome"] == "failed"] == [
        exception["ref"]
    ]
    assert (
        exception["state"] == "open"
        and exception["finding"] is None
        and "SEC-07" in {row["ref"] for row in told["controls"]}
    )


def test_a_population_that_is_too_large_stays_with_its_digest(failed, monkeypatch):
    monkeypatch.setattr(reading_tested, "MAX_ROWS", 60)
    with make.acting("compliance_officer", read_only=True):
        (population,) = reading_tested.snapshot(
            clock.today().replace(month=1, day=1), clock.today()
        )["populations"]
    assert (
        population["attached"],
        population["intact"],
        population["rows"],
        population["row_count"],
    ) == (False, None, [], 61)


def test_another_tenant_reads_its_own(failed):
    with make.acting("compliance_officer", "globex", read_only=True):
        told = reading_tested.snapshot(clock.today().replace(month=1, day=1), clock.today())
        other = reading_ready.snapshot(["security"], clock.now())
    assert told["populations"] == told["samples"] == told["exceptions"] == other["findings"] == []


# ---- the runs


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
@pytest.mark.parametrize(
    ("path", "form", "kind"),
    [
        ("reports/readiness", {"categories": ["security", "privacy"]}, "soc2-readiness"),
        ("reports/matrices", {"framework": "soc2-tsc-2017"}, "type-ii-matrix"),
    ],
)
def test_the_officer_asks_and_anyone_verifies(as_officer, failed, acting, path, form, kind):
    show_names(True)  # There is one file then; files without names: tests/test_auditor_files.py.
    today = clock.today()
    form = form | (
        {"on": today.isoformat()}
        if "categories" in form
        else {"begins": today.replace(month=1).isoformat(), "ends": today.isoformat()}
    )
    page = as_officer.post(path, **form).location
    assert as_officer.post(path, **form).location == page  # The second click watches the first.
    jobs.drain(actor_of)
    content, note = (
        as_officer.post(f"{page}/pdf", then=200).data,
        as_officer.post(f"{page}/signature", then=200).text,
    )
    found = verify(content, note, as_officer.get("/keys").text.splitlines()[0])
    assert found.ok, found.checks
    with acting("compliance_officer"):
        made = newest_run()
        built = build(made.snapshot)
        assert (made.kind, made.fingerprint) == (kind, built.fingerprint)
    assert (
        pdf.render_in_child(
            built.html, attachments=built.attachments, at=built.at, identifier=built.identifier
        )
        == content
    )
    as_officer.get("reports/")


@pytest.mark.parametrize(
    ("path", "form", "says"),
    [
        ("reports/readiness", {"on": "2026-11-20"}, "Choose at least one category."),
        (
            "reports/readiness",
            {"on": "2999-01-01", "categories": "security"},
            "That day is in the future",
        ),
        (
            "reports/readiness",
            {"on": "1999-01-01", "categories": "security"},
            "Choose a day from the year 2000 on.",
        ),
        ("reports/readiness", {"categories": "security"}, "Choose a day."),
        (
            "reports/readiness",
            {"on": "2026-11-20", "categories": "weather"},
            "is not a valid choice",
        ),
        (
            "reports/matrices",
            {"begins": "2026-05-01", "ends": "2026-04-01"},
            "The period starts after it ends.",
        ),
        (
            "reports/matrices",
            {"begins": "2020-05-01", "ends": "2026-04-01"},
            "a matrix covers up to 18",
        ),
        (
            "reports/matrices",
            {"begins": "2999-05-01", "ends": "2999-06-01"},
            "That period is in the future.",
        ),
        ("reports/matrices", {"ends": "2026-04-01"}, "Choose the first month."),
        (
            "reports/matrices",
            {"begins": "2026-01-01", "ends": "2026-04-01", "framework": "weather"},
            "Not a valid choice",
        ),
    ],
)
def test_nonsense_is_named(as_officer, path, form, says):
    page = as_officer.post(path, then=422, **form)
    assert says in page.text and "data-errors" in page.text


@pytest.mark.parametrize("who", ["as_viewer", "as_auditor", "as_contributor"])
def test_readers_may_not_ask(who, request, failed):
    visitor = request.getfixturevalue(who)
    visitor.post("reports/readiness", then=403, on="2026-11-20", categories="security")
    visitor.post("reports/matrices", then=403, begins="2026-01-01", ends="2026-11-01")
    assert "Generate matrix" not in visitor.get("reports/").text


def test_another_tenant_finds_no_run(as_officer, as_neighbour, failed):
    page = as_officer.post(
        "reports/matrices", begins="2026-01-01", ends="2026-11-01"
    ).location.removeprefix("/t/acme/")
    as_neighbour.get(page, then=404)
