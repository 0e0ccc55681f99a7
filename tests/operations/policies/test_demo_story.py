"""The demo's policy story, played by the product's own actions."""

from datetime import UTC, datetime, time, timedelta

from governance.demo import policy_history as story
from governance.kernel import clock
from governance.operations.policies import preview, queries, waiver_list
from governance.operations.policies.effective_policies import read_content
from tests import make
from tests.operations.policies.conftest import effective_policy, register_systems

PARTS = {"officer": "compliance_officer", "jun": "reviewer", "operator": "operator_admin"}


def days_ago(days: int):
    return clock.today() - timedelta(days=days)


def play_story(told, slug="acme") -> None:
    for each in sorted(told, key=lambda e: (e.day, e.hour)):
        at = datetime.combine(each.day, time(each.hour), UTC)
        with clock.frozen(at), make.acting(PARTS.get(each.part, each.part), slug):
            each.act()


def test_acme_stands_at_version_17_with_a_draft_that_moves_to_strict(database):
    with clock.frozen(clock.now() - timedelta(days=600)):
        register_systems()
    play_story(story.acme(days_ago))
    now = effective_policy()
    assert (now.number, now.tier.key) == (17, "standard")
    assert now.effective()["human_review"].set_by == "tenant override"
    with make.acting("admin", read_only=True):
        row, sixteenth = queries.draft(), queries.version(16)
        assert (row.state, read_content(row.content).tier, row.made_by) == (
            "draft",
            "strict",
            make.person_id("admin"),
        )
        assert (sixteenth.loosens, sixteenth.decided_by) == (
            True,
            make.person_id("compliance_officer"),
        )
        assert [w.state for w, _ in waiver_list.waivers({}).rows] == ["rejected"]
        found = preview.effects(now, now.draft(read_content(row.content)), {})
        assert preview.totals(found) == (12, 0)
        assert not any(queries.version(n).loosens for n in range(1, 18) if n != 16)


def test_globex_went_from_baseline_to_standard(database):
    play_story(story.globex(days_ago), "globex")
    assert (effective_policy("globex").number, effective_policy("globex").tier.key) == (
        2,
        "standard",
    )


def test_the_operator_has_one_version_and_a_looser_floor_that_waits(database):
    play_story(story.operator(days_ago), "console")
    assert (
        effective_policy().platform.unwaivable == {"training_use"}
        and effective_policy().platform.floor["retention_days"] == 90
    )
    with make.acting("operator_admin", "console", read_only=True):
        assert queries.open_platform().until
