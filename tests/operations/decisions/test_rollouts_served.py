"""The release a product gets for a user, current from the next request after every change.

It depends on the key's system and tenant, and is counted without the user.
"""

import base64
import json
from datetime import timedelta
from itertools import islice

import pytest
from sqlalchemy import select

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.decision_counts import queries as decisions
from governance.operations.decision_counts.models import DecisionCount
from governance.operations.decisions.app import FLAGS
from governance.operations.decisions.bucketing import bucket
from governance.operations.policies import actions as policies
from governance.operations.policies.effective_policies import Content
from governance.operations.switches import actions as switches
from governance.operations.systems import queries as register
from tests import make
from tests.operations.decisions.conftest import (
    Product,
    add_feature,
    create_key,
    register_system,
    serve_rollout,
)

FLAG = "rollout.auto-approve"
OLD, NEW = "2026.11.2", "2026.12.0"
SHADOW, ONE, FIVE, QUARTER, HALF, ALL = range(6)


@pytest.fixture
def feature(database):
    register_system("ad-copywriter", "standard")
    return add_feature("ad-copywriter", "auto-approve")


@pytest.fixture
def inside(feature) -> str:
    """Return a user who is in at 5%, and not at 1%."""
    return next(u for n in range(9_999) if 10_000 <= bucket(str(feature.id), u := f"u{n}") < 50_000)


@pytest.fixture
def outside(feature) -> list[str]:
    """Return three users who are out at 5%. Their names appear nowhere else."""
    names = (f"somebody-{n}@acme.example" for n in range(9_999))
    return list(islice((u for u in names if bucket(str(feature.id), u) >= 50_000), 3))


def told(product: Product, user: str, **context: str) -> tuple[str, str, str]:
    answer = product.ask(FLAG, targetingKey=user, **context).get_json()
    return answer["value"], answer["variant"], answer["reason"]


def test_each_stage_is_told_from_the_next_request_on(product_client, feature, inside):
    product_client.ask(FLAG, then=404)
    got = []
    for position in (SHADOW, ONE, FIVE, QUARTER, HALF, ALL):
        serve_rollout(feature, position)
        got.append(told(product_client, inside))
    current, candidate = (OLD, "current"), (NEW, "candidate")
    assert got == [
        (*current, "STATIC"),
        (*current, "SPLIT"),
        *[(*candidate, "SPLIT")] * 3,
        (*candidate, "STATIC"),
    ]
    serve_rollout(feature, ALL, "finished")
    assert told(product_client, inside) == (NEW, "candidate", "STATIC")


def test_a_halt_a_resumption_and_a_rollback_are_told_from_the_next_request_on(
    product_client, feature, inside
):
    serve_rollout(feature, FIVE)
    assert told(product_client, inside)[0] == NEW
    serve_rollout(feature, FIVE, "halted")
    assert told(product_client, inside) == (OLD, "current", "DISABLED")
    serve_rollout(feature, FIVE)
    assert told(product_client, inside)[0] == NEW
    serve_rollout(feature, FIVE, "rolled_back")
    assert told(product_client, inside) == (OLD, "current", "STATIC")


def test_a_stop_comes_before_the_rollout(product_client, feature, inside):
    serve_rollout(feature, ALL)
    with make.acting("admin"):
        system = register.system("ad-copywriter")
        switches.stop("feature", system, register.feature(feature.id), reason="Wrong claims.")
    answer = product_client.ask(FLAG, targetingKey=inside).get_json()
    assert (answer["value"], answer["reason"]) == ("stopped", "DISABLED")
    assert answer["metadata"]["stopped"] is True


def test_a_stop_of_new_model_calls_alone_serves_the_current_release(
    product_client, feature, inside
):
    serve_rollout(feature, ALL)
    with make.acting("admin"):
        system = register.system("ad-copywriter")
        switches.stop("system", system, None, serve=False, reason="The model is down.")
    assert told(product_client, inside) == (OLD, "current", "DISABLED")


def test_a_stricter_release_ring_keeps_everyone_out_of_early_stages(
    product_client, feature, inside
):
    serve_rollout(feature, FIVE)
    with make.acting("admin"):
        content = Content("standard", {"release_ring": "stable_only"})
        policies.tighten_now(content, base=0, reason="No early releases.")
    assert told(product_client, inside) == (OLD, "current", "TARGETING_MATCH")
    serve_rollout(feature, HALF)
    assert told(product_client, inside) == (NEW, "candidate", "SPLIT")


def test_a_rollout_is_of_the_system_and_tenant_of_the_key(app, product_client, feature, triage):
    serve_rollout(feature, ALL)
    own = Product(app, create_key(name="writer", system_id=feature.system_id))
    assert told(own, "u")[0] == NEW
    Product(app, create_key(name="triage only", system_id=triage.id)).ask(FLAG, then=404)
    product_client.ask(FLAG, then=404, system="claims-triage")
    assert Product(app, create_key("globex")).ask(FLAG, then=404).get_json()["errorCode"] == (
        "FLAG_NOT_FOUND"
    )


def test_a_feature_of_two_systems_asks_for_the_system(product_client, feature, triage):
    serve_rollout(feature, ALL)
    serve_rollout(add_feature("claims-triage", "auto-approve"), SHADOW)
    refused = product_client.ask(FLAG, then=400).get_json()
    assert (
        refused["errorCode"] == "INVALID_CONTEXT" and "name the system" in (refused["errorDetails"])
    )
    assert told(product_client, "u", system="ad-copywriter")[0] == NEW
    assert told(product_client, "u", system="claims-triage")[0] == OLD
    flags = product_client.ask(None).get_json()["flags"]
    assert [f["errorCode"] for f in flags if f["key"] == FLAG] == ["INVALID_CONTEXT"]


def test_all_flags_at_once_have_the_users_release_and_a_tag_of_it(
    product_client, feature, inside, outside
):
    serve_rollout(feature, FIVE)
    tags = {}
    for user, release in ((inside, NEW), (outside[0], OLD)):
        reply = product_client.ask(None, targetingKey=user)
        tags[user] = reply.headers["ETag"]
        values = {flag["key"]: flag["value"] for flag in reply.get_json()["flags"]}
        assert values[FLAG] == release and values["switch.ad-copywriter"] is True
        held = {"If-None-Match": tags[user]}
        product_client.ask(None, then=304, targetingKey=user, headers=held)
    product_client.ask(None, targetingKey=outside[0], headers={"If-None-Match": tags[inside]})
    serve_rollout(feature, FIVE, "halted")
    reply = product_client.ask(
        None, targetingKey=inside, headers={"If-None-Match": tags[inside]}
    ).get_json()
    assert {f["key"]: f["value"] for f in reply["flags"]}[FLAG] == OLD


def test_a_rollout_is_answered_without_the_database(product_client, feature, statements):
    serve_rollout(feature, FIVE)
    product_client.ask(FLAG)
    with statements() as seen:
        product_client.ask(FLAG, targetingKey="another")
        product_client.ask(None, targetingKey="another")
    assert not [each for each in seen if "rollout" in each and "SELECT" in each]


def test_the_bundle_has_the_rule_of_the_rollout_and_the_flags_have_no_users_answer(
    app, product_client, feature
):
    serve_rollout(feature, FIVE)
    headers = {"Authorization": f"Bearer {product_client.key}"}
    body = app.test_client().get("/policy/v1/bundle", headers=headers).text.split(".")[1]
    said = json.loads(base64.urlsafe_b64decode(body + "==="))
    assert said["rollouts"] == {
        "ad-copywriter": {
            FLAG: {
                "stopped": False,
                "salt": str(feature.id),
                "share": 50_000,
                "reason": "SPLIT",
                "current": OLD,
                "candidate": NEW,
                "stage": "5%",
                "state": "running",
            }
        }
    }
    assert FLAG not in said["systems"]["ad-copywriter"] and FLAG not in said["policy"]


def test_answers_are_counted_by_release_only_where_the_share_decided(
    product_client, feature, inside, outside
):
    """Count only answers that the share decided: a halt or stop would distort the stage's ratio."""
    serve_rollout(feature, FIVE)
    for user in (inside, inside, outside[0]):
        product_client.ask(FLAG, targetingKey=user)
    serve_rollout(feature, FIVE, "halted")
    product_client.ask(FLAG, targetingKey=inside)
    product_client.ask(FLAG, targetingKey=inside)
    with make.acting("viewer", read_only=True):
        found = decisions.evaluations_since(clock.now() - timedelta(hours=1))
        assert found["ad-copywriter", FLAG] == {NEW: 2, OLD: 1, "halted": 2}
        rows = session().execute(select(DecisionCount.__table__))
        assert "somebody" not in " ".join(map(str, rows))


@pytest.mark.parametrize(
    ("context", "code"),
    [
        ({}, "TARGETING_KEY_MISSING"),
        ({"targetingKey": ""}, "TARGETING_KEY_MISSING"),
        ({"targetingKey": "k" * 10_240}, "INVALID_CONTEXT"),
    ],
    ids=["none", "empty", "10-kb"],
)
def test_without_a_usable_targeting_key_nobody_is_in_and_nothing_is_counted(
    product_client, feature, context, code
):
    serve_rollout(feature, FIVE)
    for address in (f"{FLAGS}/{FLAG}", FLAGS):
        told = product_client.send(address, json.dumps({"context": context}), then=400).get_json()
        assert told["errorCode"] == code and "value" not in told
    with make.acting("viewer", read_only=True):
        found = decisions.evaluations_since(clock.now() - timedelta(hours=1))
        assert ("ad-copywriter", FLAG) not in found


def test_a_bulk_answer_counts_for_each_rollout_unless_the_product_has_it_already(
    product_client, feature, inside, outside
):
    serve_rollout(feature, FIVE)
    serve_rollout(add_feature("ad-copywriter", "headlines"), ALL)
    tag = product_client.ask(None, targetingKey=inside).headers["ETag"]
    for user in outside[:2]:
        product_client.ask(None, targetingKey=user)
    product_client.ask(None, then=304, targetingKey=inside, headers={"If-None-Match": tag})
    product_client.ask(FLAG, targetingKey=inside)
    with make.acting("viewer", read_only=True):
        found = decisions.evaluations_since(clock.now() - timedelta(hours=1))
        assert found["", "bulk"] == {"": 4}
        assert found["ad-copywriter", FLAG] == {NEW: 2, OLD: 2}
        assert found["ad-copywriter", "rollout.headlines"] == {NEW: 3}
