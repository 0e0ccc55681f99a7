"""The AI RMF report against its snapshot: sentences, tables, extremes, and the file."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import html5lib
import pdfplumber
import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.kernel.pictures import pdf
from governance.publishing.reports import kinds
from governance.publishing.reports.ai_rmf.attachments import attachments
from governance.publishing.reports.ai_rmf.document import build
from governance.publishing.reports.ai_rmf.ranking import ranked
from governance.publishing.reports.ai_rmf.sentences import Sentences
from governance.publishing.reports.ai_rmf.snapshot import (
    Snapshot,
    canonical,
    fingerprint,
    requirements,
    shortfall,
)
from governance.publishing.reports.wording import (
    clip,
    digits,
    keep_last_words_together,
    many,
    per_cent,
)
from tests.hypothesis_profiles import examples
from tests.publishing.reports import (
    attestation_samples,
    readiness_samples,
    rmf_samples,
    type2_samples,
)
from tests.publishing.reports.report_helpers import PageOutline, numbers_in

pytestmark = pytest.mark.slow

AT = datetime(2026, 10, 12, tzinfo=UTC)
EXTREMES = (
    rmf_samples.first_day,
    rmf_samples.targets_only,
    rmf_samples.all_at_target,
    rmf_samples.one_requirement,
    rmf_samples.long_texts,
    rmf_samples.sample_snapshot,
)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Draw the sample with any levels, targets, actions, evidence states and signatures."""
    made = rmf_samples.sample_snapshot(pieces=draw(st.integers(0, 30)))
    keep = draw(st.integers(1, len(made["functions"])))
    made["functions"] = made["functions"][:keep]
    dice = draw(st.randoms(use_true_random=False))
    rows: list[Any] = list(requirements(made))
    lowest, highest = draw(st.sampled_from([(0, 4), (0, 0), (3, 4), (4, 4)]))
    for row in rows:
        row["level"], row["target"] = dice.randint(lowest, highest), dice.randint(0, 4)
        if dice.random() < 0.3:
            row["sign_off"] = None
        if dice.random() < 0.2:
            row["conclusion"] = row["sign_off"] = None
    refs = [row["ref"] for row in rows]
    made["gaps"] = [
        {
            "action": f"Do thing {place}",
            "closes": [
                {"ref": ref, "gained": dice.randint(1, 4)}
                for ref in dice.sample(refs, min(3, len(refs)))
            ],
            "points": 0,
            "owner": dice.choice([None, "P. Nair"]),
            "due": dice.choice([None, "2026-11-30"]),
        }
        for place in range(dice.randint(0, 9))
    ]
    known = set(refs)
    made["findings"] = [each for each in made["findings"] if each["requirement"] in known]
    for piece in made["evidence"]:
        piece["state"] = dice.choice(["fresh", "fresh", "due", "overdue", "missing", "in review"])
    return made


@settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(snapshots())
def test_every_number_in_a_sentence_is_counted_from_the_snapshot(made: Snapshot) -> None:
    say, rows = Sentences(made), list(requirements(made))
    aimed = [row for row in rows if row["target"]]
    met = sum(row["level"] >= row["target"] for row in aimed)
    left = sum(max(0, row["target"] - row["level"]) for row in rows)
    top = ranked(made)[:5]
    moved, useful = sum(action.points for action in top), sum(action.points > 0 for action in top)
    unsigned = sum(row["conclusion"] is not None and row["sign_off"] is None for row in rows)

    proven = sum(row["level"] >= 3 for row in rows)

    assert numbers_in(say.summary_title) <= {proven, useful, moved, left, len(rows)}
    assert say.position.startswith(f"{proven} of {len(rows)} requirement")
    assert met == say.figures.whole.at_target and len(aimed) == say.figures.whole.with_target
    assert numbers_in(say.gaps_title) <= {useful, moved, left}
    assert moved <= left
    assert sum(action.points for action in ranked(made)) <= left
    assert [int(figure) for _, figure, unit, _ in say.kpis if unit != "%" and figure != "–"][
        :1
    ] == [proven]
    assert say.kpis[3][1] == str(left)
    assert (say.figures.whole.coverage == 100) == (bool(aimed) and not left)
    if unsigned:
        assert unsigned in numbers_in(say.draft or "")
        assert unsigned in numbers_in(say.request)
    attention = sum(piece["state"] != "fresh" for piece in made["evidence"])
    assert numbers_in(say.evidence_title) <= {attention, len(made["evidence"]), 0}
    for function in made["functions"]:
        own = [row for category in function["categories"] for row in category["requirements"]]
        short = sum(shortfall(row) for row in own)
        held = {
            len(own),
            short,
            sum(row["target"] > 0 for row in own),
            sum(row["level"] >= 3 for row in own),
            sum(shortfall(row) for row in own),
        }
        assert numbers_in(say.function_title(function["key"])) <= held | {0, 1}


@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(snapshots())
def test_sentences_are_whole_for_any_snapshot(made: Snapshot) -> None:
    say = Sentences(made)
    texts = [
        say.lede,
        say.request,
        *(title for *_, title in say.contents),
        *(finding.claim + finding.text + finding.act for finding in say.key_findings),
    ]
    for text in texts:
        assert text
        assert not re.search(r"  |\.\.|None\b(?! of)| ,|\bone \w+s (are|meet)\b", text), text
    assert len(say.key_findings) <= 3
    assert len(say.lede) <= 380


def test_an_action_that_closes_what_another_closed_counts_once() -> None:
    made = rmf_samples.one_requirement()
    closes = [{"ref": "GOVERN 1.1", "gained": 1}]
    made["gaps"] = [
        {"action": "Later", "closes": closes, "points": 1, "owner": None, "due": "2026-12-01"},  # type: ignore[typeddict-item]
        {"action": "Sooner", "closes": closes, "points": 1, "owner": None, "due": "2026-11-01"},  # type: ignore[typeddict-item]
    ]
    assert [(each.text, each.points) for each in ranked(made)] == [("Sooner", 1), ("Later", 0)]


def a_row(level: int, target: int, *reasons: tuple[str, str, str]) -> dict[str, Any]:
    """Return a requirement's row with these reasons: (severity, fact, ref)."""
    return {
        "level": level,
        "target": target,
        "reasons": [
            {"severity": severity, "fact": fact, "consequence": "", "ref": ref}
            for severity, fact, ref in reasons
        ],
    }


def two_gaps() -> Snapshot:
    """Return a record due in 14 days, worth more points, and a failed red-team sign-off."""
    made = rmf_samples.sample_snapshot()
    rows: list[Any] = [row for row in requirements(made) if row["controls"]][:2]
    later, failed = rows
    for row in requirements(made):
        row.update(level=3, target=3, reasons=[])  # type: ignore[call-arg, typeddict-item]
    later.update(a_row(0, 3, ("warn", "The record is missing, due in 14 days", "EV-0001")))
    failed.update(
        a_row(
            1,
            3,
            ("bad", "The report is 12 days overdue", "EV-0002"),
            ("bad", "1 of 25 samples failed", "EXC-03"),
        )
    )
    made["findings"] = [made["findings"][0] | {"ref": "EXC-03", "requirement": failed["ref"]}]  # type: ignore[typeddict-item]
    made["gaps"] = [
        {
            "action": action,
            "closes": [{"ref": row["ref"], "gained": 3}],
            "points": 3,
            "owner": "P. Nair",
            "due": due,
        }
        for action, row, due in (
            ("Complete the record", later, "2026-10-23"),
            ("Fix the sign-off", failed, "2026-12-01"),
        )
    ]
    return made


def test_a_failed_test_ranks_above_what_closes_more_points() -> None:
    made = two_gaps()
    assert [(each.text, each.points) for each in ranked(made)] == [
        ("Fix the sign-off", 2),
        ("Complete the record", 3),
    ]
    first = Sentences(made).key_findings[0]
    assert first.act.startswith("Fix the sign-off")
    assert "1 of 25 samples failed" in first.text
    html = build(made).html
    assert html.index("<td>Fix the sign-off</td>") < html.index("<td>Complete the record</td>")
    bars = [float(width) for width in re.findall(r'class="bar[^>]*width: ([\d.]+)mm', html)]
    assert bars and max(bars) <= 22  # All are in their column.


def test_the_worst_reason_comes_first_and_each_is_stated_once() -> None:
    made = two_gaps()
    failed: Any = next(row for row in requirements(made) if row["level"] == 1)
    failed["reasons"] *= 2
    text = Sentences(made).reason_text(failed)
    assert text == "1 of 25 samples failed. The report is 12 days overdue."


def test_a_conclusion_does_not_contradict_the_table_beside_it() -> None:
    made = rmf_samples.sample_snapshot()
    row: Any = next(row for row in requirements(made) if row["controls"][:1])
    piece = row["controls"][0]["evidence"][0]
    for each in row["controls"]:
        for other in each["evidence"]:
            other["collected_on"] = "2026-10-01"
    row["conclusion"] = {
        "level": None,
        "text": "The missing penetration test keeps me from concluding",
        "assessor": "M. Rossi",
        "at": "2026-10-06T09:00:00Z",
    }
    assert not Sentences(made).later_evidence(row)
    piece.update(title="Penetration test report", state="fresh", collected_on="2026-10-08")
    says = Sentences(made).later_evidence(row)
    assert (
        says
        == "Written before Penetration test report was collected (8\N{NO-BREAK SPACE}Oct 2026); the"
        " table shows the current record."
    )
    assert says in build(made).html


@pytest.mark.parametrize(
    "made",
    [
        rmf_samples.sample_snapshot(),
        readiness_samples.all_categories(),
        attestation_samples.sample_period(),
        type2_samples.full_year(),
    ],
    ids=["ai-rmf", "readiness", "attestation", "type-ii"],
)
def test_management_decides_and_auditors_are_asked_for_nothing(made: Any) -> None:
    made["tenant"]["audience"] = "Risk Committee and auditors"
    html = kinds.build(made).html
    (decisions,) = re.findall(r'<div class="ask">(.*?)</div>', html, re.DOTALL)
    assert "<h3>Decisions for management</h3>" in decisions
    assert "auditors" not in decisions and "readers" not in decisions


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, None), (0, 9, 0), (1, 1000, 1), (999, 1000, 99), (7, 7, 100), (1, 2, 50)],
)
def test_coverage_never_rounds_to_an_end_it_has_not_reached(
    part: int, whole: int, said: int | None
) -> None:
    assert per_cent(part, whole) == said


def test_small_words() -> None:
    assert clip("one two three", 9) == "one two…"
    assert (
        keep_last_words_together("Five actions close 19 of the 43 missing points in all").count(
            "\N{NO-BREAK SPACE}"
        )
        == 2
    )
    assert numbers_in("Five of 72") == {5, 72}
    assert (digits(1200), many(1200, "row")) == ("1,200", "1,200 rows")


# --- The page -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", EXTREMES)
def test_the_page_is_whole(make: Callable[[], Snapshot]) -> None:
    built = build(make())
    assert html5lib.HTMLParser(strict=True).parse(built.html) is not None
    outline = PageOutline(built.html)
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.links <= set(outline.ids)
    assert outline.titles == 1
    assert built == build(make())


def test_tables_hold_the_numbers_of_the_sentences() -> None:
    made = rmf_samples.sample_snapshot()
    html, say = re.sub(r">\s+<", "><", build(made).html), Sentences(made)
    assert html.count('class="req') == 72
    assert (
        f"<td>{len({ref for action in say.figures.actions for ref, gained in action.shares if gained})}"
        f" requirements</td><td>{say.figures.planned}</td>" in html
    )
    whole = say.figures.whole
    assert (
        f'<td class="r">{whole.reached} of {whole.points}</td><td class="r">{whole.left}</td>'
        in html
    )
    assert len(re.findall(r'<td class="q l\d below">', html)) == sum(
        shortfall(row) > 0 for row in requirements(made)
    )


def test_a_draft_says_so_and_a_final_report_does_not() -> None:
    draft, final = (
        build(rmf_samples.sample_snapshot()).html,
        build(rmf_samples.all_at_target()).html,
    )
    assert "Draft: 14 conclusions are not signed off." in draft
    assert "Draft:" not in final
    assert "Draft, " not in final


def test_without_a_checkpoint_the_cover_says_what_cannot_be_proved() -> None:
    html = build(rmf_samples.sample_snapshot()).html
    assert "none yet: this report cannot prove the state of the log" in html
    assert "entry 184203" in html
    assert "cannot prove" not in build(rmf_samples.all_at_target()).html


def test_text_of_the_tenant_is_escaped() -> None:
    made = rmf_samples.one_requirement()
    made["tenant"]["name"] = made["findings"][0]["text"] = "<script>alert(1)</script>"
    made["functions"][0]["key"] = "<u>GOVERN"
    html = build(made).html
    assert "<script" not in html
    assert "<u>" not in html


# --- The files inside -----------------------------------------------------------------------------


def test_the_manifest_names_the_digest_of_each_attachment() -> None:
    made = rmf_samples.sample_snapshot()
    files = {each.name: each.data for each in attachments(made)}
    manifest = json.loads(files["manifest.json"])
    assert {each["name"]: each["sha256"] for each in manifest["attachments"]} == {
        name: hashlib.sha256(data).hexdigest()
        for name, data in files.items()
        if name != "manifest.json"
    }
    assert (
        manifest["fingerprint"]
        == fingerprint(canonical(made))
        == hashlib.sha256(files["snapshot.json"]).hexdigest()
    )
    assert json.loads(files["snapshot.json"]) == made


def test_csv_cannot_be_made_to_run() -> None:
    made = rmf_samples.sample_snapshot()
    next(iter(requirements(made)))["title"] = "=cmd|' /C calc'!A0"
    made["evidence"][0]["title"] = "+1+1"
    files = {each.name: each.data.decode("utf-8-sig") for each in attachments(made)}
    rows = list(csv.DictReader(io.StringIO(files["requirements.csv"])))
    assert rows[0]["title"].startswith("'=")
    assert len(rows) == 72
    assert next(csv.DictReader(io.StringIO(files["evidence.csv"])))["title"] == "'+1+1"


# --- The file -------------------------------------------------------------------------------------

PAGE = (
    '<!doctype html><html lang="en"><head><title>T</title><meta name="dcterms.created"'
    ' content="2026-10-12"></head><body><h1>T</h1>{}</body></html>'
)


def test_the_contents_of_a_whole_report_and_how_to_read_it_fit_on_one_page() -> None:
    """Keep the contents on one page: the rest would be printed over the next page's title."""
    exception = {"kind": "requirement", "subject": "GOVERN 1.1", "steps": [], "exceptions": ["x"]}
    proof = {"size": 3026, "chains": [exception], "entries": {}}
    made: Any = rmf_samples.sample_snapshot() | {"order": proof}
    built = build(made)
    [contents] = re.findall(r'<section id="contents">.*?</section>', built.html, re.DOTALL)
    assert contents.count('class="topic"') == 15
    head, _ = built.html.split("<body", 1)
    page = f"{head}<body><p>Cover</p>{contents}<section><h2>Next</h2></section></body></html>"
    drawn = pdf.render(page, attachments=(), at=built.at, identifier=built.identifier)
    with pdfplumber.open(io.BytesIO(drawn)) as printed:
        pages = [each.extract_text() for each in printed.pages]
    assert "Expected but not provided" in pages[1] and "Next" in pages[2] and len(pages) == 3


def test_the_file_claims_pdf_a_and_pdf_ua_and_is_the_same_twice() -> None:
    built = build(rmf_samples.one_requirement())
    first, second = (
        pdf.render(
            built.html, attachments=built.attachments, at=built.at, identifier=built.identifier
        )
        for _ in range(2)
    )
    assert first == second
    with pikepdf.open(io.BytesIO(first)) as file:
        meta = file.open_metadata()
        assert meta["pdfaid:part"] == "3"
        assert meta["pdfaid:conformance"] == "A"
        assert meta["pdfuaid:part"] == "1"
        assert set(file.attachments) == {each.name for each in built.attachments}
        assert {str(each.A.Scope) for each in _headers(file)} == {"/Row", "/Column"}


def _headers(file: pikepdf.Pdf) -> list[Any]:
    return [
        each
        for each in file.objects
        if isinstance(each, pikepdf.Dictionary) and each.get("/S") == "/TH"
    ]


@pytest.mark.parametrize(
    "address",
    [
        "http://tracker.example/x.svg",
        "file:///etc/passwd",
        "app:/static/../kernel/pictures/pdf.py",
        "app:/static/../../README.md",
    ],
)
def test_nothing_but_our_own_assets_is_fetched(address: str) -> None:
    with pytest.raises((ValueError, OSError)):
        pdf._fetcher().fetch(address)


def test_the_child_gives_the_same_bytes_and_counts_pages() -> None:
    built, seen = build(rmf_samples.one_requirement()), list[int]()
    data = pdf.render_in_child(
        built.html,
        attachments=built.attachments,
        at=built.at,
        identifier=built.identifier,
        on_progress=seen.append,
    )
    assert data == pdf.render(
        built.html, attachments=built.attachments, at=built.at, identifier=built.identifier
    )
    with pikepdf.open(io.BytesIO(data)) as file:
        assert seen == sorted(set(seen))
        assert seen[-1] == len(file.pages)


def test_the_child_can_be_stopped() -> None:
    with pytest.raises(pdf.RenderStopped):
        pdf.render_in_child(
            PAGE.format("<p>x" * 30_000), at=AT, identifier=b"x", cancelled=lambda: True
        )


def test_what_progress_raises_stops_the_child() -> None:
    def refuse(page: int) -> None:
        raise LookupError(page)

    with pytest.raises(LookupError):
        pdf.render_in_child(
            PAGE.format("<p>x</p>" * 300), at=AT, identifier=b"x", on_progress=refuse
        )


def test_the_child_has_a_limit_of_time() -> None:
    with pytest.raises(pdf.RenderFailed, match="took too long"):
        pdf.render_in_child(PAGE.format("<p>x" * 60_000), at=AT, identifier=b"x", seconds=1)


def test_the_child_has_a_limit_of_memory() -> None:
    with pytest.raises(pdf.RenderFailed, match="nothing was saved"):
        pdf.render_in_child(
            PAGE.format("<p>x" * 60_000), at=AT, identifier=b"x", memory=160 * 1024 * 1024
        )
