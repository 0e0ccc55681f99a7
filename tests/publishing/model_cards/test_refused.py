"""Blockers of a card's publication, each with a link to its fix."""

from datetime import timedelta

from governance.kernel import clock
from governance.operations.evaluations import queries as evaluations
from governance.operations.systems import queries as register
from governance.publishing.model_cards import queries
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.operations.evaluations import evaluation_helpers as helpers
from tests.publishing.model_cards.card_helpers import (
    HOME,
    SYSTEM,
    evaluated,
    now_digest,
    register_system,
    suite,
)


def test_publishing_is_refused_and_each_reason_has_the_page_that_fixes_it(database, as_officer):
    register_system(capabilities=[])
    suite()
    evaluated(97, 3)
    page = as_officer.get(f"{HOME}/")
    text = main_text(page)
    assert "Model card 1 can’t be published yet: 3 things are missing" in text
    assert "Hallucination is undecided. Interval" in text
    assert "Stop drill has no source." in text and "“What it does” is empty." in text
    assert "Publish model card" not in text
    for address in ("evaluations/requests/new", "/drills/new", f"systems/{SYSTEM}/edit"):
        assert address in page.text
    reply = as_officer.post(f"{HOME}/", then=422, seen=now_digest())
    assert "Not published. 3 things missing: Hallucination is undecided." in main_text(reply)
    with make.acting("compliance_officer", read_only=True):
        assert queries.newest(register.system(SYSTEM).id) is None


def test_a_system_without_any_run_has_no_card(database, as_officer):
    register_system()
    text = main_text(as_officer.get(f"{HOME}/"))
    assert "No evaluation has measured this system." in text
    as_officer.get(f"{HOME}/preview")


def test_figures_without_a_run_and_too_old_ones_are_named(database, as_officer):
    register_system()
    suite()
    evaluated(at=clock.now() - timedelta(days=45))
    text = main_text(as_officer.get(f"{HOME}/"))
    assert "Hallucination is too old. Run 1 is of" in text and "45 of 30 days Too old" in text
    suite(key="fairness")
    evaluated(number=2, release="2026.12.0")
    with make.acting("admin"):
        made = register.system(SYSTEM)
        log = helpers.log_of(300, 0, run="run-3", stats={"completed_at": "2026-11-01T10:00:00Z"})
        helpers.imported(log, evaluations.suite("fairness"), made)
    helpers.drain()
    assert "Release 2026.12.0 has no run of" in main_text(as_officer.get(f"{HOME}/"))
