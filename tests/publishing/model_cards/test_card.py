"""The content of a card, its blockers and its changes: pure, without a database."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from governance.publishing.model_cards import card
from governance.publishing.model_cards.card import CardDrill, CardFigure, KnownFailure

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
FIGURE = CardFigure(
    suite="Claims grounding",
    suite_key="claims-grounding",
    suite_version=1,
    measure="hallucination",
    name="Hallucination",
    unit="share",
    point=0.026,
    low=0.018,
    high=0.037,
    n=1200,
    successes=31,
    limit=0.03,
    verdict="pass",
    run=12,
    run_id="0190aaaa-0000-7000-8000-000000000001",
    ran_at=NOW - timedelta(days=2),
)
DRILL = CardDrill("d", NOW - timedelta(days=44), True, 14, 14, 800)
FAILURE = KnownFailure(
    "finding", "f", "EVF-1", "Hallucination missed its limit", NOW, None, "Wrong", "It cited."
)
SYSTEM = {
    "name": "Claims triage",
    "purpose": "Sorts claims.",
    "intended_users": "",
    "autonomy": "",
    "capabilities": ["Explains"],
    "limits": ["Decides"],
    "controls": [["Memory", "On"]],
    "models": [{"provider": "Helio", "name": "helio-4", "version": ""}],
    "data_sets": [],
}
TEXTS = {"What it does": ["Explains"], "What it doesn't do": ["Decides"]}


def content(*every, drill=DRILL, failures=(), **changes):
    return card.content(
        tenant="Acme",
        release="2026.11.2",
        system=SYSTEM | changes,
        policy={"tier": "Standard", "settings": [["Content filter", "Strict"]]},
        every=every or (FIGURE,),
        drill=drill,
        failures=failures,
        incidents={"days": 365, "count": 0, "open": 0},
    )


def changed(figure=FIGURE, **fields):
    return replace(figure, **fields)


def reasons(*every, drill=DRILL, failures=(), texts=TEXTS):
    found = card.blockers("triage", "2026.11.2", every, drill, failures, at=NOW, texts=texts)
    return [each.lead for each in found]


def test_a_card_with_a_source_for_everything_is_blocked_by_nothing():
    assert reasons(FIGURE, failures=[FAILURE]) == []


@pytest.mark.parametrize(
    ("state", "lead"),
    [
        ("missing", "Hallucination has no source."),
        ("undecided", "Hallucination is undecided."),
        ("stale", "Hallucination is too old."),
    ],
)
def test_each_figure_that_is_not_ready_blocks_by_its_name(state, lead):
    assert reasons(changed(state=state)) == [lead]
    assert reasons(FIGURE, changed(state=state, is_signal=True)) == []


def test_a_missed_limit_does_not_block():
    assert reasons(changed(verdict="fail")) == []


def test_a_card_needs_a_figure_a_drill_and_both_lists():
    assert reasons() == ["No evaluation has measured this system."]
    assert reasons(FIGURE, drill=None) == ["Stop drill has no source."]
    old = CardDrill("d", NOW - timedelta(days=91), True, 14, 14, 800)
    assert reasons(FIGURE, drill=old) == ["Stop drill is too old."]
    assert reasons(FIGURE, texts=TEXTS | {"What it does": []}) == ["“What it does” is empty."]


def test_a_known_failure_needs_a_text_of_its_present_state():
    assert reasons(FIGURE, failures=[replace(FAILURE, text="")]) == [
        "Known failure EVF-1 has no text."
    ]
    over = replace(FAILURE, ended=NOW, is_outdated=True)
    assert reasons(FIGURE, failures=[over]) == [
        "Known failure EVF-1 is over, and its text is older."
    ]
    again = replace(FAILURE, is_outdated=True)
    assert reasons(FIGURE, failures=[again]) == [
        "Known failure EVF-1 goes on again, and its text is older."
    ]


def test_a_figure_is_published_with_cases_and_interval_or_not_at_all():
    shown = content(FIGURE, changed(n=0), changed(low=None), changed(is_signal=True, state="stale"))
    assert len(shown["figures"]) == 1
    assert shown["figures"][0]["n"] == 1200 and shown["figures"][0]["high"] == 0.037


def test_readers_get_no_id():
    plain = card.without_ids(content(failures=[FAILURE]))
    assert "run_id" not in str(plain) and "'id'" not in str(plain)
    assert plain["figures"][0]["run"] == 12 and plain["known_failures"][0]["ref"] == "EVF-1"


def test_nothing_changed_while_a_later_run_has_the_same_figure():
    later = changed(run=13, ran_at=NOW, point=0.02604)
    assert card.changes(content(), content(later)) == []


@pytest.mark.parametrize(
    ("later", "part", "new"),
    [
        (changed(point=0.046, low=0.032, high=0.064), "Hallucination", "4.6% (3.2 to 6.4%)"),
        (changed(verdict="fail"), "Hallucination", "2.6% (1.8 to 3.7%)"),
        (changed(limit=0.02), "Hallucination", "2.6% (1.8 to 3.7%)"),
        (changed(suite_version=2), "Hallucination", "2.6% (1.8 to 3.7%)"),
        (changed(measure="other", name="Other"), "Hallucination", "no figure"),
    ],
)
def test_a_figure_that_readers_would_see_otherwise_is_a_change(later, part, new):
    found = card.changes(content(), content(later))
    assert (found[0].part, found[0].old, found[0].new) == (part, "2.6% (1.8 to 3.7%)", new)


@pytest.mark.parametrize(
    ("later", "part"),
    [
        ({"purpose": "Pays claims."}, "Purpose"),
        ({"limits": []}, "What it doesn't do"),
        ({"models": []}, "Model"),
        ({"drill": None}, "Emergency stop"),
        ({"failures": [FAILURE]}, "Known failures"),
    ],
)
def test_each_part_that_changed_is_named(later, part):
    assert [each.part for each in card.changes(content(), content(**later))] == [part]


def test_a_new_figure_is_not_named_to_readers():
    more = content(FIGURE, changed(measure="secret", name="Secret measure"))
    (found,) = card.changes(content(), more)
    assert found.part == "A new figure" and "Secret measure" in found.new


def test_a_published_card_is_outdated_once_a_figure_is_older_than_its_window():
    published = deepcopy(content())
    assert card.outdated(published, NOW) == []
    assert card.outdated(published, NOW + timedelta(days=29)) == [
        "Hallucination was measured more than 30 days ago."
    ]
    assert "The last stop drill was more than 90 days ago." in card.outdated(
        published, NOW + timedelta(days=50)
    )
