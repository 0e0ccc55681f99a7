"""Flags computed from a tenant's facts: pure, over generated tenants, valid by OFREP's schema."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import jsonschema_rs
import pytest
import yaml
from hypothesis import given

from governance.operations.decisions.flags import (
    Answers,
    PlatformFacts,
)
from governance.operations.policies.dimensions import DIMENSIONS
from governance.operations.policies.effective_policies import (
    Content,
    LiveWaiver,
    Platform,
)
from governance.operations.policies.strictness import covers
from governance.operations.policies.tiers import FLOOR
from governance.operations.rollouts.queries import Serving
from tests.operations.decisions.decision_facts import (
    AUTO_APPROVE,
    NOW,
    STOPS,
    TRIAGE,
    WRITER,
    facts,
    stop,
)
from tests.operations.policies.policy_strategies import ASSIGNED_VALUES


def answer_of(answers: Answers, flag: str, system: str = "") -> dict:
    found = answers.flag(system, flag)
    assert found is not None
    return json.loads(found.body)


@given(ASSIGNED_VALUES, STOPS)
def test_a_stop_of_both_planes_answers_for_every_flag_of_its_scope(overrides, stops):
    answers = Answers(facts(Content("standard", overrides), tuple(stops)), NOW)
    for system in (TRIAGE, WRITER):
        planes = [(s.generate, s.serve) for s in stops if s.covers(system.id)]
        generate, serve = not any(g for g, _ in planes), not any(s for _, s in planes)
        switch = answer_of(answers, f"switch.{system.key}", system.key)
        assert switch["value"] is (generate and serve)
        assert (switch["metadata"]["generate"], switch["metadata"]["serve"]) == (generate, serve)
        for key in DIMENSIONS:
            flag = answer_of(answers, f"policy.{key}", system.key)
            assert (flag["variant"] == "stopped") is (not generate and not serve)
            if not generate and not serve:
                assert flag["reason"] == "DISABLED" and flag["value"] in (
                    "stopped",
                    0,
                    {"any": False, "names": []},
                )


@given(ASSIGNED_VALUES, STOPS)
def test_stale_answers_are_the_last_known_ones_and_say_so(overrides, stops):
    known = facts(Content("strict", overrides), tuple(stops))
    fresh, stale = Answers(known, NOW), Answers(known, NOW, stale=True)
    for system in ("", TRIAGE.key):
        for flag in json.loads(fresh.bulk(system).body)["flags"]:
            old = answer_of(stale, flag["key"], system)
            assert (
                old["reason"] == "STALE"
                and old["value"] == flag["value"]
                and old["variant"] == flag["variant"]
            )


def test_the_feature_of_a_stopped_system_is_stopped_and_not_the_other_way_round():
    part = Answers(facts(stops=(stop("feature", TRIAGE.id, AUTO_APPROVE.id),)), NOW)
    assert answer_of(part, "switch.claims-triage.auto-approve")["value"] is False
    assert (
        answer_of(part, "switch.claims-triage")["value"] is True
        and answer_of(part, "policy.grounding", "claims-triage")["variant"] != "stopped"
    )
    whole = Answers(facts(stops=(stop("system", TRIAGE.id),)), NOW)
    assert answer_of(whole, "switch.claims-triage.auto-approve")["value"] is False
    assert answer_of(whole, "switch.ad-copywriter")["value"] is True


def test_a_stop_of_one_plane_leaves_the_policy_readable():
    narrowed = Answers(facts(stops=(stop("system", TRIAGE.id, serve=False),)), NOW)
    switch = answer_of(narrowed, "switch.claims-triage")
    assert (
        switch["value"] is False
        and switch["metadata"]["serve"] is True
        and switch["metadata"]["generate"] is False
    )
    assert answer_of(narrowed, "policy.grounding", "claims-triage")["value"] == "sources_only"


def waiver(until: datetime) -> LiveWaiver:
    return LiveWaiver(uuid4(), WRITER.id, "pii_redaction", "off", until)


def test_a_waiver_ends_by_itself_with_the_database_away():
    held = facts(Content("baseline"), waivers=(waiver(NOW + timedelta(hours=1)),))
    now = Answers(held.at(NOW), NOW)
    flag = answer_of(now, "policy.pii_redaction", "ad-copywriter")
    assert (
        flag["value"] == "off"
        and flag["metadata"]["expires"] == "2026-11-25T10:00:00+00:00"
        and flag["metadata"]["set_by"] == "waiver"
    )
    assert now.until == NOW + timedelta(hours=1)
    later = NOW + timedelta(hours=2)
    assert (
        answer_of(
            Answers(held.at(later), later, stale=True), "policy.pii_redaction", "ad-copywriter"
        )["value"]
        == "outputs"
    )


def test_a_loosened_floor_is_back_when_its_time_is_over_with_the_database_away():
    loosened = Platform(2, {**FLOOR, "retention_days": 365}, until=NOW + timedelta(days=1))
    held = facts(Content("baseline")).under(PlatformFacts(4, loosened, (Platform(),), ()))
    assert answer_of(Answers(held.at(NOW), NOW), "policy.retention_days")["value"] == 365
    later = NOW + timedelta(days=2)
    assert answer_of(Answers(held.at(later), later), "policy.retention_days")["value"] == 90


def test_looser_floors_that_end_one_after_another_end_each_at_its_time_with_the_database_away():
    day = timedelta(days=1)
    first, second = (
        Platform(n, {**FLOOR, "retention_days": days}, until=NOW + n * day)
        for n, days in ((1, 120), (2, 180))
    )
    held = facts(Content("baseline")).under(PlatformFacts(4, first, (second, Platform()), ()))
    for n, days in ((0, 120), (1, 180), (2, 90), (9, 90)):
        moment = NOW + n * day
        answers = Answers(held.at(moment), moment)
        assert answer_of(answers, "policy.retention_days")["value"] == days
        assert answers.until == {0: NOW + day, 1: NOW + 2 * day}.get(n)


def test_what_stands_over_all_tenants_is_exchanged_without_touching_their_own():
    own, above = stop("feature", TRIAGE.id, AUTO_APPROVE.id), stop("platform")
    held = facts(stops=(own,)).under(PlatformFacts(4, Platform(), (), (above,)))
    assert held.over == 4 and set(held.stops) == {own, above}
    lifted = held.under(PlatformFacts(5, Platform(), (), ()))
    assert (
        lifted.stops == (own,)
        and answer_of(Answers(lifted, NOW), "switch.ad-copywriter")["value"] is True
    )


@given(ASSIGNED_VALUES)
def test_a_system_that_adds_nothing_has_what_holds_for_all(overrides):
    answers = Answers(facts(Content("standard", overrides)), NOW)
    policy = answers.facts.policy
    for system in policy.systems:
        assert {k: d.value for k, d in answers.resolve(system).items()} == {
            k: d.value for k, d in policy.effective(system).items()
        }
        assert all(
            covers(k, d.value, policy.effective()[k].value)
            for k, d in answers.resolve(system).items()
        )


def test_another_order_of_facts_has_the_same_tag_and_another_value_another():
    one = Answers(facts(), NOW).bulk("")
    again = Answers(replace(facts(), number=999), NOW).bulk("")
    assert one.etag == again.etag
    assert Answers(facts(Content("strict")), NOW).bulk("").etag != one.etag


@pytest.fixture(scope="module")
def schema(shared_data):
    """Return OFREP's own schema without the arm of evaluationSuccess that accepts anything.

    See reference/standards.md §7.5.
    """
    spec = yaml.safe_load((shared_data / "ofrep" / "openapi.yaml").read_text())
    text = json.dumps(spec["components"]["schemas"]).replace("#/components/schemas/", "#/$defs/")
    defined = json.loads(text)

    def loosen(node):
        if isinstance(node, dict):
            return {
                ("anyOf" if key == "oneOf" else key): loosen(value) for key, value in node.items()
            }
        return [loosen(each) for each in node] if isinstance(node, list) else node

    return lambda name: jsonschema_rs.Draft202012Validator(
        {"$defs": loosen(defined), "$ref": f"#/$defs/{name}"}
    )


@given(ASSIGNED_VALUES, STOPS)
def test_what_is_sent_is_what_the_protocol_defines(schema, overrides, stops):
    answers = Answers(facts(Content("standard", overrides), tuple(stops)), NOW)
    for system in ("", "claims-triage"):
        whole = json.loads(answers.bulk(system).body)
        schema("bulkEvaluationSuccess").validate(whole)
        for flag in whole["flags"]:
            schema("serverEvaluationSuccess").validate(flag)


@pytest.mark.parametrize("state", ["running", "paused", "halted", "finished", "rolled_back"])
def test_what_is_sent_of_rollouts_is_what_the_protocol_defines(schema, state):
    mine, theirs = (
        Serving(feature, s.key, "salt", 500, ("1", "2"), ("early",), "5%", state, UUID(int=n), s.id)
        for n, (feature, s) in enumerate([("auto-approve", TRIAGE), ("auto-approve", WRITER)])
    )
    answers = Answers(facts(rollouts=(mine, theirs)), NOW)
    for system in ("", "claims-triage"):
        for key in ("user-1", "user-2"):
            whole = json.loads(answers.bulk(system, key).body)
            schema("bulkEvaluationSuccess").validate(whole)
            for flag in whole["flags"]:
                bad = "errorCode" in flag
                schema("evaluationFailure" if bad else "serverEvaluationSuccess").validate(flag)
