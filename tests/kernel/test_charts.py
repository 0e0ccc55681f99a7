"""Charts: well-formed, safe under the content policy, true to their figures.

They are readable without color.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from governance.assurance.assessments.level_charts import level_bar, level_columns
from governance.assurance.evidence.coverage_chart import CoveragePiece, CoverageRow, coverage_bars
from governance.foundation.audit.proof_charts import proof_path, proof_tree
from governance.kernel.pictures import charts, drawing
from governance.operations.switches.obedience_chart import RegionObedience, obedience_chart

PERIOD = (date(2025, 12, 1), date(2026, 11, 30))
TODAY = date(2026, 11, 25)
ROWS = (
    CoverageRow(
        "Penetration test",
        "SEC-04",
        (
            CoveragePiece(date(2025, 12, 1), date(2026, 6, 30)),
            CoveragePiece(date(2026, 7, 1), date(2026, 9, 30), "missing"),
            CoveragePiece(date(2026, 10, 1), date(2026, 12, 31), "open"),
        ),
        "Q3 overdue",
        "bad",
    ),
    CoverageRow(
        "Restore drills",
        "RES-02",
        (CoveragePiece(date(2025, 1, 1), date(2026, 11, 25), "due"),),
        "due 5 Dec",
    ),
)
PICTURES: dict[str, Callable[[str], Markup]] = {
    "sparkline": lambda t: charts.sparkline([1, 3, 2], t),
    "sparkline of nothing": lambda t: charts.sparkline([], t),
    "sparkline of one": lambda t: charts.sparkline([4], t),
    "lines": lambda t: charts.lines(
        [charts.Series("a", [1, None, 3], [(0, 2), (0, 2), (2, 4)]), charts.Series("b", [2, 2, 2])],
        ["Sep", "Oct", "Nov"],
        t,
        unit="%",
        limit=(3, "limit 3%"),
    ),
    "lines of nothing": lambda t: charts.lines(
        [charts.Series("a", [None, None])], ["Sep", "Oct"], t
    ),
    "columns": lambda t: charts.columns(
        [charts.ChartColumn("now", 9, "bad"), charts.ChartColumn("7 Dec", 0)], t
    ),
    "columns of nothing": lambda t: charts.columns([], t),
    "waterfall": lambda t: charts.waterfall(
        [
            charts.WaterfallStep("Revenue", 400),
            charts.WaterfallStep("Models", -70),
            charts.WaterfallStep("Margin", total=True),
        ],
        t,
    ),
    "stacked bar": lambda t: charts.stacked_bar(
        [("f1", 141), ("warn", 14), ("bad", 5), ("mute", 0)], t
    ),
    "stacked bar of nothing": lambda t: charts.stacked_bar([], t),
    "level bar": lambda t: level_bar({4: 6, 3: 9, 2: 4, 1: 2, 0: 1}, t),
    "share bar": lambda t: charts.share_bar(0.63, t),
    "level columns": lambda t: level_columns([("Q1", {4: 6, 0: 66}), ("Q2", {})], t),
    "coverage bars": lambda t: coverage_bars(ROWS, PERIOD, TODAY, t),
    "interval": lambda t: charts.interval(2.9, 4.4, 6.4, t, ceiling=8, limit=3),
    "obeyed": lambda t: obedience_chart(
        [RegionObedience("Frankfurt & Main", [0.1, 0.8], 3)],
        t,
        median=0.45,
        clicked="click",
        until="seconds",
    ),
    "obeyed late": lambda t: obedience_chart(
        [RegionObedience("a", [0.1, 86400], 2), RegionObedience("b", [], 1)], t
    ),
    "obeyed by nobody": lambda t: obedience_chart([], t),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_chart_is_well_formed_and_says_its_conclusion(name: str) -> None:
    root = ET.fromstring(PICTURES[name]("Measure fell <1 & rose>"))  # noqa: S314 our own output
    assert root.get("role") == "img"
    assert root[0].tag.endswith("title")
    assert root[0].text == "Measure fell <1 & rose>"
    assert root[1].tag.endswith("desc")
    assert root[1].text


@pytest.mark.parametrize("name", PICTURES)
def test_a_chart_lives_under_the_content_policy_and_beside_others(name: str) -> None:
    drawn = PICTURES[name]("t")
    assert not re.search(r"\s(style|id|on\w+)=|<script|<style|url\(", drawn)


@pytest.mark.parametrize("name", PICTURES)
def test_every_coloured_part_has_a_colour_for_the_pdf_and_a_class_for_the_theme(name: str) -> None:
    for part in ET.fromstring(PICTURES[name]("t")).iter():  # noqa: S314 our own output
        if part.tag.rpartition("}")[2] in {"path", "rect", "circle", "text"}:
            assert "k-" in part.get("class", "")
            assert part.get("fill", part.get("stroke", "")).startswith("#") or part.get(
                "stroke", ""
            ).startswith("#")


@pytest.mark.parametrize("name", PICTURES)
def test_no_coordinate_is_not_a_number(name: str) -> None:
    assert not re.search(
        r"\b(nan|inf|None)\b", re.sub(r"<title>.*</desc>", "", PICTURES[name]("t"))
    )


def test_words_of_a_tenant_are_escaped() -> None:
    drawn = charts.columns([charts.ChartColumn('"><script>', 1)], "t")
    assert "<script>" not in drawn


def test_the_period_chart_names_what_is_missing() -> None:
    drawn = coverage_bars(ROWS, PERIOD, TODAY, "t")
    assert "missing 1 Jul 2026 to 30 Sep 2026" in drawn
    assert drawn.count('class="k-hatch"') == 1
    assert "today" in drawn


def test_a_piece_is_cut_to_the_period() -> None:
    outside = CoverageRow("Old", "X-1", (CoveragePiece(date(2024, 1, 1), date(2024, 12, 31)),))
    assert coverage_bars([outside], PERIOD, TODAY, "t").count("<rect") == 0


def test_the_bars_of_a_waterfall_start_where_the_last_one_ended() -> None:
    steps = [
        charts.WaterfallStep("Revenue", 412.4),
        charts.WaterfallStep("Models", -73.6),
        charts.WaterfallStep("Margin", total=True),
        charts.WaterfallStep("Sales", -8),
    ]
    assert charts._spans(steps) == [
        (0.0, 412.4),
        (412.4, 338.79999999999995),
        (0.0, 338.79999999999995),
        (338.79999999999995, 330.79999999999995),
    ]  # noqa: SLF001


def test_a_report_prints_the_same_chart_in_its_own_inks() -> None:
    chart = level_bar({4: 6, 1: 2}, "t")
    printed = charts.for_print(chart)
    assert "#27348f" in printed
    assert "#0b5a78" not in printed
    assert len(re.findall("<rect", printed)) == len(re.findall("<rect", chart))


def test_every_ink_of_a_report_is_an_ink_of_ours() -> None:
    assert set(charts.REPORT) <= set(drawing.INKS)


@given(st.dictionaries(st.integers(0, 4), st.integers(0, 5000)))
def test_the_parts_of_a_bar_fill_it_exactly(counts: dict[int, int]) -> None:
    drawn = level_bar(counts, "t")
    widths = [float(w) for w in re.findall(r"<rect[^>]* width=\"([\d.]+)\"", drawn)]
    assert abs(sum(widths) + 2 * (len(widths) - 1) - 190) < 0.1
    assert all(w > 1.9 for w in widths)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1234.5, "1,234.5"),
        (-73.6, "−73.6"),
        (0.0031, "0.003"),
        (9, "9"),
        (None, "none"),
        (100, "100"),
        (0, "0"),
        (10.0, "10"),
    ],
)
def test_numbers_in_words(value: float | None, words: str) -> None:
    assert charts.number(value) == words


@pytest.mark.parametrize(
    ("share", "words"), [(0.708, "71%"), (0.999, "99%"), (0.001, "1%"), (0, "0%"), (1, "100%")]
)
def test_nearly_all_is_not_all(share: float, words: str) -> None:
    assert charts.percent(share) == words


def test_a_change_has_its_sign() -> None:
    assert [charts.signed(v) for v in (1.3, -1.1, 0)] == ["+1.3", "−1.1", "0"]


def test_the_proof_tree_draws_one_path_to_the_root() -> None:
    assert proof_tree().count('class="k-f1"') == 4


@pytest.mark.parametrize(
    ("steps", "drawn", "missing"), [(0, 0, 0), (1, 1, 0), (3, 3, 0), (4, 3, 1), (16, 3, 13)]
)
def test_the_proof_of_an_entry_draws_three_siblings_and_counts_the_others(
    steps: int, drawn: int, missing: int
) -> None:
    for side in ("left", "right"):
        picture = proof_path(
            [(side, f"hash{n}") for n in range(steps)], "leaf", "root", top="root of checkpoint 9"
        )  # type: ignore[misc]
        assert picture.count(">sibling<") == drawn
        assert (f">{missing} more<" in picture) == bool(missing)
        assert f"{steps} step" in picture and ">leaf<" in picture and ">root<" in picture
        places = [float(x) for x in re.findall(r'cx="(-?[\d.]+)"', picture)]
        assert all(5 <= x <= 361 for x in places)


def test_the_promise_stands_at_its_place_and_who_broke_it_is_named() -> None:
    kept = obedience_chart([RegionObedience("Dublin", [0.5], 1)], "kept")
    assert "target: under 1 s" in kept and "0.5 s" in kept and ">1.0 s<" in kept
    late = obedience_chart([RegionObedience("Dublin", [0.5, 3.2], 3)], "late")
    assert ">4.0 s<" in late and "3.2 s" in late and "1 not yet" in late
    assert "Dublin: 2 of 3, 0.50 s, 3.20 s" in late


@pytest.mark.parametrize(
    "labels", [["overdue", "23 Nov", "30", "7 Dec", *"abcdef"], ["a"], [], ["x" * 99]]
)
def test_a_column_is_as_wide_as_its_label_and_all_fill_the_chart(labels: list[str]) -> None:
    found = drawing.slots(labels, 320)
    assert len(found) == len(labels) and (not labels or sum(found) == pytest.approx(320))
    if sum(map(len, labels)) < 40:
        assert all(slot >= 6 * len(label) for slot, label in zip(found, labels, strict=True))
