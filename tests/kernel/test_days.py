"""Days, written as 2026-11-25 in forms and addresses; invalid ones are explained in words."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from wtforms import Form

from governance.kernel.days import ANY_DAY, CENTURY, DayField, parse_day
from governance.kernel.errors import Invalid


class DueForm(Form):
    due = DayField("Due")
    end = DayField("End", required="When does it end?", bounds=ANY_DAY)
    retest = DayField("Retest", required=False)


def errors(**sent: str) -> dict[str, list[str]]:
    form = DueForm(MultiDict({"due": "2026-11-25", "end": "2026-11-25"} | sent))
    form.validate()
    return form.errors


@given(st.dates(*CENTURY))
def test_a_day_is_read_as_it_is_written(day: date) -> None:
    assert parse_day(f" {day.isoformat()} ") == day
    form = DueForm(MultiDict({"due": day.isoformat(), "end": day.isoformat()}))
    assert form.validate() and (form.due.data, form.end.data, form.retest.data) == (day, day, None)


@given(st.text(max_size=60))
def test_what_is_no_day_is_refused_with_an_example(text: str) -> None:
    try:
        date.fromisoformat(text.strip())
    except ValueError:
        with pytest.raises(Invalid, match="such as 2026-11-25") as refused:
            parse_day(text, field="due")
        assert refused.value.field == "due" and len(refused.value.message) < 100


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"due": "soon"}, {"due": ["“soon” isn't a date. Enter one such as 2026-11-25."]}),
        (
            {"due": "2026-02-30"},
            {"due": ["“2026-02-30” isn't a date. Enter one such as 2026-11-25."]},
        ),
        (
            {"due": "1999-12-31"},
            {"due": ["1999-12-31 is before the year 2000. Enter a later date."]},
        ),
        (
            {"due": "2101-01-01"},
            {"due": ["2101-01-01 is after the year 2100. Enter a date from 2000 to 2100."]},
        ),
        ({"due": "  "}, {"due": ["Due: choose a date."]}),
        ({"end": ""}, {"end": ["When does it end?"]}),
        ({"end": "0001-01-01", "retest": ""}, {}),
        ({"retest": "x"}, {"retest": ["“x” isn't a date. Enter one such as 2026-11-25."]}),
    ],
)
def test_each_problem_is_told_once_beside_its_field(
    sent: dict[str, str], says: dict[str, list[str]]
) -> None:
    assert errors(**sent) == says


def test_what_was_sent_is_shown_again() -> None:
    form = DueForm(MultiDict({"due": "soon"}))
    form.validate()
    assert 'value="soon"' in form.due()


def test_where_the_field_is_not_in_sight_the_sentence_names_it() -> None:
    with pytest.raises(Invalid, match=r"^since: “yesterday” isn't a date\."):
        parse_day("yesterday", field="since", is_named=True)
