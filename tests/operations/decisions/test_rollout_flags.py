"""Releases by the flag of a rollout: pure, over generated rollouts, stops and keys.

The flag is evaluated one by one, in bulk, and at the edge.
"""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.operations.decisions import counting
from governance.operations.decisions.bucketing import MILLION, bucket, grouped
from governance.operations.decisions.bundle import claims
from governance.operations.decisions.counting import DecisionCounter
from governance.operations.decisions.flags import AmbiguousRollout, Answers
from governance.operations.gates.stage import RINGS
from governance.operations.policies.dimensions import DIMENSIONS
from governance.operations.policies.effective_policies import Content
from governance.operations.rollouts.ladders import LADDERS
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

OLD, NEW = "2026.11.2", "2026.12.0"
KEYS = st.text(
    st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1, max_size=40
)
STATES = st.sampled_from(["running", "paused", "halted", "finished", "rolled_back"])
OPEN_POLICY = Content("baseline", {"release_ring": "canary"})


def served(
    share: int = 500,
    state: str = "running",
    *,
    feature: str = AUTO_APPROVE.key,
    system=TRIAGE,
    rings: tuple[str, ...] = RINGS,
    feature_id: UUID = AUTO_APPROVE.id,
) -> Serving:
    return Serving(
        feature,
        system.key,
        str(feature_id),
        0 if state in {"halted", "rolled_back"} else share,
        (OLD, NEW),
        rings,
        "Shadow" if not share else f"{share / 100:g}%",
        state,
        feature_id,
        system.id,
    )


SERVED = st.builds(
    served,
    st.sampled_from(sorted({s.share for each in LADDERS.values() for s in each})),
    STATES,
    rings=st.lists(st.sampled_from(RINGS), unique=True).map(tuple),
)


def answers(*rollouts: Serving, content: Content = OPEN_POLICY, stops=(), **more) -> Answers:
    return Answers(facts(content, tuple(stops), rollouts=tuple(rollouts)), NOW, **more)


def answer_of(found: Answers, key: str, *, flag: str = "rollout.auto-approve") -> dict:
    rollout = found.rollout(TRIAGE.key, flag)
    assert rollout is not None
    return json.loads(rollout.answer(key).body)


@given(st.lists(KEYS, min_size=1, max_size=30))
def test_a_key_that_gets_the_candidate_gets_it_at_every_later_stage(keys):
    for ladder in LADDERS.values():
        stages = [answers(served(stage.share)) for stage in ladder]
        for key in keys:
            got = [answer_of(stage, key)["value"] == NEW for stage in stages]
            assert got == sorted(got) and not got[0] and got[-1]


def test_a_split_tells_the_stage_and_says_that_it_is_one():
    told = [answer_of(answers(served()), f"user-{n}") for n in range(2_000)]
    assert {(t["value"], t["variant"], t["reason"]) for t in told} == {
        (OLD, "current", "SPLIT"),
        (NEW, "candidate", "SPLIT"),
    }
    assert 60 < sum(t["value"] == NEW for t in told) < 140
    assert told[0]["metadata"] == {
        "policy_version": 17,
        "system": "claims-triage",
        "stage": "5%",
        "state": "running",
    }


def test_another_rollout_of_the_feature_reaches_the_same_keys_first():
    first = answers(served(100))
    second = answers(replace(served(100), variants=(NEW, "2027.1.0"), state="paused"))
    for n in range(1_000):
        one, other = (answer_of(each, f"user-{n}")["variant"] for each in (first, second))
        assert one == other


def test_the_shadow_stage_serves_nobody_and_names_the_release_that_answers_too():
    told = answer_of(answers(served(0)), "user-1")
    assert (told["value"], told["variant"], told["reason"]) == (OLD, "current", "STATIC")
    assert told["metadata"]["shadow"] == NEW
    rolled_back = answer_of(answers(served(0, "rolled_back")), "user-1")
    assert rolled_back["value"] == OLD and "shadow" not in rolled_back["metadata"]


def test_a_finished_rollout_serves_its_release_to_everybody():
    told = answer_of(answers(served(10_000, "finished")), "user-1")
    assert (told["value"], told["variant"], told["reason"]) == (NEW, "candidate", "STATIC")


@given(SERVED, STOPS, KEYS)
def test_nobody_gets_the_candidate_where_anything_is_stopped(rollout, stops, key):
    told = answer_of(answers(rollout, stops=stops), key)
    mine = [s for s in stops if s.covers(TRIAGE.id, AUTO_APPROVE.id)]
    if mine:
        both = any(s.generate for s in mine) and any(s.serve for s in mine)
        assert told["value"] == ("stopped" if both else OLD) and told["reason"] == "DISABLED"
        assert told["metadata"]["stopped"] is True and "shadow" not in told["metadata"]
    else:
        assert told["value"] in {OLD, NEW} and "stopped" not in told["metadata"]


@given(SERVED, st.sampled_from(DIMENSIONS["release_ring"].values), KEYS)
def test_who_takes_no_release_so_new_gets_the_current_one(rollout, ring, key):
    content = Content("baseline", {"release_ring": ring})
    found = answers(rollout, content=content)
    in_force = found.resolve(TRIAGE)["release_ring"].value
    told = answer_of(found, key)
    if rollout.share and in_force not in rollout.rings:
        assert (told["value"], told["reason"]) == (OLD, "TARGETING_MATCH")
    else:
        assert told["reason"] != "TARGETING_MATCH"


def test_the_ring_is_the_one_of_the_systems_own_policy():
    """Exclude the users of a system with a stricter override, and of no other system."""
    content = Content("baseline", {}, {WRITER.id: {"release_ring": "stable_only"}})
    writer = replace(served(10_000, rings=("canary", "early")), system="ad-copywriter")
    writer = replace(writer, system_id=WRITER.id, feature="headlines")
    found = answers(writer, served(10_000, rings=("canary", "early")), content=content)
    out = found.rollout(WRITER.key, "rollout.headlines")
    assert out is not None and json.loads(out.answer("u").body)["reason"] == "TARGETING_MATCH"
    ring = found.resolve(TRIAGE)["release_ring"].value
    assert (answer_of(found, "u")["value"] == NEW) is (ring in {"canary", "early"})


@given(SERVED, KEYS)
def test_a_halted_rollout_serves_the_current_release_to_every_key(rollout, key):
    told = answer_of(answers(replace(rollout, share=0, rings=(), state="halted")), key)
    assert (told["value"], told["variant"], told["reason"]) == (OLD, "current", "DISABLED")
    assert told["metadata"]["state"] == "halted" and "shadow" not in told["metadata"]


@given(
    st.lists(st.tuples(SERVED, st.integers(0, 999)), max_size=90, unique_by=lambda each: each[1]),
    STOPS,
    KEYS,
)
def test_all_at_once_are_the_same_answers_as_one_by_one(drawn, stops, key):
    rollouts = [
        replace(each, feature=f"feature-{n}", salt=f"salt-{n}", feature_id=UUID(int=1_000 + n))
        for each, n in drawn
    ]
    found = answers(*rollouts, stops=stops)
    flags = json.loads(found.bulk(TRIAGE.key, key).body)["flags"]
    every = {flag["key"]: flag for flag in flags}
    assert len(every) == len(flags)
    for rollout in rollouts:
        flag = f"rollout.{rollout.feature}"
        assert every[flag] == answer_of(found, key, flag=flag)


def test_keys_with_other_answers_have_other_tags_and_the_same_ones_the_same():
    found = answers(served(5_000))
    tags: dict[bool, set[str]] = {True: set(), False: set()}
    for n in range(50):
        key = f"user-{n}"
        tags[answer_of(found, key)["value"] == NEW].add(found.bulk(TRIAGE.key, key).etag)
    assert [len(each) for each in tags.values()] == [1, 1] and tags[True] != tags[False]
    assert answers(served(2_500)).bulk(TRIAGE.key, "user-1").etag not in tags[True] | tags[False]


def test_a_thousand_features_are_in_one_bulk_answer():
    rollouts = [replace(served(5_000), feature=f"f-{n}", salt=f"s-{n}") for n in range(1_000)]
    found = answers(*rollouts)
    for key in ("user-1", "user-2"):
        flags = json.loads(found.bulk("", key).body)["flags"]
        values = [flag["value"] for flag in flags if flag["key"].startswith("rollout.")]
        assert len(values) == 1_000 and 400 < values.count(NEW) < 600


@given(st.lists(st.lists(st.booleans(), min_size=7, max_size=7), max_size=40), st.integers(1, 9))
def test_bulk_answers_count_what_each_of_them_held_however_many_are_added_up(held, most):
    rollouts = [replace(served(5_000), feature=f"f-{n}", salt=f"s-{n}") for n in range(7)]
    served_at_once, tally = answers(*rollouts).bulk_parts(TRIAGE.key).rollouts, DecisionCounter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "MAX_NOTED", most)
        for each in held:
            tally.note_rollouts("acme", served_at_once, grouped(each))
    found: Counter[tuple[str, str]] = Counter()
    for (_, _, flag, word), asked in tally.take_counts().get("acme", {}).items():
        found[flag, word] += asked
    assert found == Counter(
        (f"rollout.f-{n}", NEW if is_in else OLD) for each in held for n, is_in in enumerate(each)
    )


def test_more_answers_than_a_byte_holds_are_all_counted():
    rollouts = [replace(served(5_000), feature=f"f-{n}", salt=f"s-{n}") for n in range(2)]
    served_at_once, tally = answers(*rollouts).bulk_parts(TRIAGE.key).rollouts, DecisionCounter()
    for _ in range(600):
        tally.note_rollouts("acme", served_at_once, grouped([True, False]))
    found: Counter[tuple[str, str]] = Counter()
    for (_, _, flag, word), asked in tally.take_counts()["acme"].items():
        found[flag, word] += asked
    assert found == {("rollout.f-0", NEW): 600, ("rollout.f-1", OLD): 600}


def test_a_feature_of_two_systems_needs_the_system_alone_and_at_once():
    found = answers(served(), replace(served(10_000), system=WRITER.key, system_id=WRITER.id))
    with pytest.raises(AmbiguousRollout):
        found.rollout("", "rollout.auto-approve")
    (told,) = [
        flag
        for flag in json.loads(found.bulk("", "user-1").body)["flags"]
        if flag["key"] == "rollout.auto-approve"
    ]
    assert told["errorCode"] == "INVALID_CONTEXT" and "name the system" in told["errorDetails"]
    writer = found.rollout(WRITER.key, "rollout.auto-approve")
    assert writer is not None and json.loads(writer.answer("u").body)["value"] == NEW
    assert answers(served()).rollout("", "rollout.auto-approve") is not None
    assert answers(served()).rollout(WRITER.key, "rollout.auto-approve") is None
    assert answers(replace(served(), system="retired")).rollout("", "rollout.auto-approve") is None


@given(SERVED, STOPS, KEYS)
def test_a_stale_answer_is_the_last_known_one_and_says_so(rollout, stops, key):
    fresh = answer_of(answers(rollout, stops=stops), key)
    stale = answer_of(answers(rollout, stops=stops, stale=True), key)
    assert stale == fresh | {"reason": "STALE"}


def decided_at_the_edge(rule: dict, key: str) -> str:
    """Decide as docs/api.md describes it, in code independent of Meridian's."""
    if rule["stopped"]:
        return "stopped"
    first, second = (
        int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big")
        for text in (rule["salt"], key)
    )
    x, whole = first ^ second, 2**64
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) % whole
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) % whole
    x = x ^ (x >> 31)
    return rule["candidate"] if x * MILLION // whole < rule["share"] else rule["current"]


@given(SERVED, STOPS, st.lists(KEYS, min_size=1, max_size=10))
def test_a_product_at_the_edge_decides_as_meridian_does(rollout, stops, keys):
    found = answers(rollout, stops=stops)
    rule = claims(found, "meridian", NOW)["rollouts"]["claims-triage"]["rollout.auto-approve"]
    for key in keys:
        told = answer_of(found, key)
        assert decided_at_the_edge(rule, key) == told["value"]


def test_the_bundle_of_one_system_has_no_rollout_of_another():
    found = answers(served(), replace(served(), system=WRITER.key, system_id=WRITER.id))
    assert claims(found, "m", NOW)["rollouts"].keys() == {TRIAGE.key, WRITER.key}
    assert claims(found, "m", NOW, only=TRIAGE.key)["rollouts"].keys() == {TRIAGE.key}
    assert claims(answers(), "m", NOW)["rollouts"] == {}


def test_a_stop_of_another_feature_leaves_the_rollout_as_it_is():
    other = stop("feature", TRIAGE.id, UUID(int=99))
    for n in range(100):
        with_stop = answer_of(answers(served(), stops=[other]), f"user-{n}")
        assert (with_stop["value"] == NEW) is (bucket(str(AUTO_APPROVE.id), f"user-{n}") < 50_000)
