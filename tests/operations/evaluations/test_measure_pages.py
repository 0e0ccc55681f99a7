"""The measures of a draft: valid input, and no overwriting of another person's changes."""

import pytest
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.kernel.data.db import session
from governance.operations.evaluations import queries
from governance.operations.evaluations.files.records import RunFacts
from governance.operations.evaluations.runs.judging import MeasureRule, judge_run
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.evaluations.suites.task_packs import TIERS
from tests import make
from tests.conftest import visitor
from tests.operations.evaluations.series_helpers import summary_of

SUITE = "evaluations/suites/claims-grounding"
FIELDS = {
    "name": "Tone",
    "key": "tone",
    "kind": "rate",
    "unit": "share",
    "direction": "least",
    "baseline": "80",
    "standard": "85.5",
    "strict": "90",
    "regulated": "95",
    "min_samples": "400",
    "sources": "tone, polite ,tone",
    "risks": "LLM07:2026",
}


@pytest.fixture(autouse=True)
def _draft(app, isolated):
    with make.acting("admin"):
        suite_actions.create(
            key="claims-grounding", name="Claims grounding", purpose="Cites.", pack="support"
        )


def seen():
    with make.acting("admin"):
        from governance.operations.evaluations.suites import measure_actions

        version = queries.versions(queries.suite("claims-grounding").id)[0]
        return measure_actions.fingerprint(version, queries.measures(version.id))


def measures():
    with make.acting("admin"):
        version = queries.versions(queries.suite("claims-grounding").id)[0]
        found = {each.key: each for each in queries.measures(version.id)}
        session().expunge_all()
    return found


def entries():
    with make.acting("admin"):
        query = select(AuditEntry).where(AuditEntry.action == "evaluation.suite.version.edited")
        found = session().scalars(query).all()
        session().expunge_all()
    return found


def sent(app, path="new", then=303, role="admin", **changes):
    return visitor(app, role).post(
        f"{SUITE}/measures/{path}", then=then, **({"seen": seen()} | FIELDS | changes)
    )


def test_a_measure_is_added_with_limits_minimum_and_owasp_ids(app):
    sent(app)
    found = measures()["tone"]
    assert (found.position, found.at_least, found.min_samples) == (8, True, 400)
    assert found.limits == {"baseline": 0.8, "standard": 0.855, "strict": 0.9, "regulated": 0.95}
    assert (found.sources, found.risks) == (["tone", "polite"], ["LLM07:2026"])
    assert entries()[-1].facts["measures"][-1] == "tone"
    page = visitor(app, "admin").get(SUITE).text
    assert "LLM07:2026" in page
    assert "400 samples at least" in page
    history = page.partition('id="history"')[2]
    assert "created an evaluation suite" in history


def test_the_form_shows_a_measure_as_it_is_typed_and_saves_it_in_its_place(app):
    page = visitor(app, "admin").get(f"{SUITE}/measures/hallucination").text
    for typed in ('value="5"', 'value="3"', 'value="grounded, faithfulness"'):
        assert typed in page
    sent(app, "hallucination", name="Made up", key="hallucination", direction="least")
    found = measures()["hallucination"]
    assert (found.position, found.name, found.at_least) == (1, "Made up", True)
    assert len(measures()) == 7


def test_a_measure_is_removed(app):
    visitor(app, "admin").post(f"{SUITE}/measures/latency-p50/remove", seen=seen())
    assert "latency-p50" not in measures()
    visitor(app, "admin").post(f"{SUITE}/measures/latency-p50/remove", seen="long gone")
    assert len(entries()) == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"regulated": "101"}, "between 0% and 100%"),
        ({"regulated": "-1"}, "at least 0"),
        ({"regulated": "NaN"}, "at least 0"),
        ({"regulated": "60"}, "a stricter tier can&#39;t have a looser limit"),
        ({"standard": ""}, "Enter the limit of the tier Standard."),
        ({"key": "hallucination"}, "Two measures have the slug hallucination."),
        ({"key": "new"}, "needs a name and a slug"),
        ({"kind": "percentile", "unit": "s"}, "which one, such as 95"),
        ({"kind": "percentile", "percent": "95"}, "a percentile has another"),
        ({"unit": "EUR"}, "a share of cases has the unit share"),
        ({"risks": "LLM07"}, "is not a valid choice|Choose one of the list|not valid choices"),
        ({"min_samples": "-4"}, "Enter 0 to 10,000,000."),
    ],
)
def test_a_measure_that_makes_no_sense_is_not_saved(app, changes, says):
    page = sent(app, then=422, **changes).text
    assert any(each in page for each in says.split("|")), page
    assert len(measures()) == 7


def test_two_people_who_edit_one_draft_do_not_overwrite_each_other(app):
    opened = seen()
    sent(app, "hallucination", key="hallucination", seen=opened)
    second = sent(app, "cost-per-request", key="cost", seen=opened, then=409)
    assert "Someone else changed this draft while you were editing." in second.text
    assert "cost-per-request" in measures()
    visitor(app, "admin").post(f"{SUITE}/measures/latency-p50/remove", seen=opened, then=409)
    visitor(app, "admin").post(f"{SUITE}/edit", method="Another", seen=opened, then=409)
    visitor(app, "admin").post(f"{SUITE}/edit", method="Another", seen=seen())
    sent(app, "cost-per-request", key="cost")
    assert "cost" in measures()


def test_a_published_version_a_viewer_and_a_neighbour_change_nothing(app):
    sent(app, then=403, role="viewer")
    visitor(app, "admin", "globex").post(f"{SUITE}/measures/new", then=404, **FIELDS)
    sent(app, "unknown", then=404)
    visitor(app, "admin").get(f"{SUITE}/measures/unknown", then=404)
    with make.acting("admin"):
        suite = queries.suite("claims-grounding")
        suite_actions.publish(queries.versions(suite.id)[0], suite)
    sent(app, then=409)
    visitor(app, "admin").get(f"{SUITE}/measures/new", then=409)
    assert "Add measure" not in visitor(app, "admin").get(SUITE).text


@pytest.mark.parametrize(
    ("passed", "n", "verdict", "more"),
    [
        (399, 399, "undecided", 1),
        (400, 400, "pass", None),
        (60, 100, "fail", None),
        (9, 10, "undecided", 390),
    ],
)
def test_with_fewer_samples_than_asked_nothing_passes(passed, n, verdict, more):
    limits = dict.fromkeys(TIERS, 0.9)
    rule = MeasureRule("tone", "rate", "share", at_least=True, limits=limits, min_samples=400)
    (judged,) = judge_run(summary_of(RunFacts("inspect"), {"tone": (passed, n)}), [rule])
    assert judged.by_tier["standard"].verdict == verdict
    assert judged.by_tier["standard"].more_samples == more
