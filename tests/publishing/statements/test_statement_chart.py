"""Labels of the chart in a statement's PDF: incidents, exclusions and days."""

import re
from datetime import timedelta

from governance.publishing.statements import closing, statement_document
from tests.publishing.statements import statement_samples as samples
from tests.publishing.statements.statement_samples import at, exclusion, incident


def chart_of(*incidents, **changed):
    """Return the texts of the chart. The sample's line rises on 12 October, for 495 minutes."""
    facts, counts = samples.facts(**changed), samples.counts()
    statement = samples.statement(facts, counts) | {"incidents": list(incidents)}
    shown = statement_document.context(statement, closing.notes_of(facts, counts))
    return re.findall(r"<text[^>]*>([^<]*)</text>", shown["chart"]["svg"]), shown


def test_an_incident_is_named_with_the_minutes_lost_in_it():
    texts, _ = chart_of(incident("INC-29", at(12, 1), 60), incident("INC-30", at(12, 3), 120))
    assert "INC-29: 60 min" in texts
    assert "INC-30: 120 min" in texts


def test_minutes_without_data_in_an_incident_are_named_with_it():
    held = incident("INC-31", at(9, 10), 384) | {"to": samples.text(at(12, 2))}
    assert "INC-31: 120 min, 384 min without data" in chart_of(held)[0]


def test_an_incident_in_which_nothing_was_lost_isnt_named():
    assert not [each for each in chart_of(incident("INC-7", at(20), 60))[0] if "INC" in each]


def test_what_was_excluded_is_named_only_where_it_counts():
    late = exclusion("MNT-6", at(22, 2), 90, ahead_hours=3)
    texts, _ = chart_of(exclusions=[exclusion("MNT-4", at(4, 2), 120), late])
    assert "4 Oct, maintenance: 120 min, excluded" in texts
    assert not [each for each in texts if "22 Oct" in each]


def test_no_label_covers_another_however_many_there_are():
    daily = [exclusion(f"MNT-{n}", at(1, 2) + timedelta(days=n), 30) for n in range(30)]
    svg = str(chart_of(exclusions=daily)[1]["chart"]["svg"])
    found = re.findall(r'x="([0-9.]+)" y="([0-9.]+)"[^>]*>([^<]*excluded)<', svg)
    assert 2 <= len(found) <= 8
    rows = {}
    for x, y, text in found:
        rows.setdefault(y, []).append((float(x), float(x) + 3.7 * len(text)))
    for row in rows.values():
        ordered = sorted(row)
        assert all(a[1] <= b[0] for a, b in zip(ordered, ordered[1:], strict=False))


def test_the_day_of_25_hours_moves_no_day_of_the_axis():
    days = [each for each in chart_of()[0] if each.isdigit() and int(each) < 32 and each != "0"]
    assert days == ["1", "6", "11", "16", "21", "26", "31"]


def test_the_table_says_which_lost_minutes_fell_into_an_incident():
    lost = chart_of(incident("INC-29", at(12, 1), 60))[1]["lost"]
    assert ("INC-29", "60", "12 October, counted in the line above") in lost
