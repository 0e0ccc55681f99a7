"""The decision API through the front door: answers and rejections."""

import base64
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import EnvironBuilder, run_wsgi_app

from governance.foundation.api_keys import actions as api_keys
from governance.foundation.api_keys.models import ApiKey
from governance.kernel import clock
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session
from governance.kernel.web import responses
from governance.operations.decision_counts import queries as decisions
from governance.operations.decision_counts.models import DecisionCount
from governance.operations.decisions import actions as ofrep
from governance.operations.decisions.app import FLAGS
from governance.operations.policies.dimensions import DIMENSIONS
from governance.operations.switches import actions as switches
from governance.operations.switches import queries as stops
from governance.operations.switches.models import Consumer
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.foundation.approvals.approval_helpers import approve_below_pages
from tests.operations.decisions.conftest import Product, create_key, register_system


def test_a_product_is_told_the_policy_in_force_with_the_layer_that_decides(product_client):
    told = product_client.ask("policy.grounding").get_json()
    assert told == {
        "key": "policy.grounding",
        "value": "prefer_sources",
        "reason": "STATIC",
        "variant": "prefer_sources",
        "metadata": {"policy_version": 0, "set_by": "tier standard"},
    }
    stricter = product_client.ask("policy.grounding", system="claims-triage").get_json()
    assert (
        stricter["value"] == "sources_only" and stricter["metadata"]["set_by"] == "high-risk lane"
    )
    assert stricter["metadata"]["system"] == "claims-triage"
    assert product_client.value("policy.requests_per_minute") == 600
    assert product_client.value("policy.model_access") == {"any": True, "names": []}


def test_a_live_switch_is_true(product_client):
    told = product_client.ask("switch.claims-triage").get_json()
    assert (
        told["value"] is True
        and told["variant"] == "live"
        and told["metadata"]["generate"]
        and told["metadata"]["serve"]
    )


def test_all_flags_at_once_come_with_a_tag_and_are_not_sent_twice(product_client):
    first = product_client.ask(None)
    flags = {flag["key"]: flag["value"] for flag in first.get_json()["flags"]}
    assert {f"policy.{key}" for key in DIMENSIONS} | {"switch.claims-triage"} == flags.keys()
    tag = first.headers["ETag"]
    for held in (tag, f"W/{tag}", f'"other", {tag}'):
        again = product_client.ask(None, then=304, headers={"If-None-Match": held})
        assert again.data == b"" and again.headers["ETag"] == tag
    for other in ('"other"', "*"):  # A star names no answer, so a client without one obeys none.
        assert product_client.ask(None, headers={"If-None-Match": other}).headers["ETag"] == tag
    assert product_client.ask(None, system="claims-triage").headers["ETag"] != tag


def test_a_key_of_one_system_asks_for_that_one(app, triage):
    register_system("ad-copywriter", "standard")
    bound = Product(app, create_key(name="triage only", system_id=triage.id))
    assert bound.value("policy.human_review") == "high_risk"
    assert bound.value("policy.human_review", system="claims-triage") == "high_risk"
    refused = bound.ask("policy.human_review", then=403, system="ad-copywriter").get_json()
    assert "limited to claims-triage" in refused["title"]
    assert bound.value("switch.claims-triage") is True
    bound.ask("switch.ad-copywriter", then=404)
    bundle = bound.client.get(
        "/policy/v1/bundle", headers={"Authorization": f"Bearer {bound.key}"}
    ).text.split(".")[1]
    said = json.loads(base64.urlsafe_b64decode(bundle + "==="))
    assert (
        said["systems"].keys() == {"claims-triage"}
        and said["policy"]["policy.human_review"] == "high_risk"
    )
    assert "ad-copywriter" not in json.dumps(said)


def test_a_feature_that_was_stopped_and_then_retired_stays_stopped(app, product_client):
    """Keep the stop: a missing flag would fall back to the product's default.

    Otherwise one person could restart the feature by retiring it.
    """
    with make.acting("admin"):
        found = register.system("claims-triage")
        part = systems.add_feature(found, key="auto-approve", fallback="A person does it")
        session().flush()
        switches.stop("feature", found, part, reason="Wrong citations")
        systems.retire_feature(part, found, reason="Nobody needs it")
    assert product_client.value("switch.claims-triage.auto-approve") is False
    with make.acting("admin"):
        held = session().scalars(stops.select_own_active()).all()[0]
        requested = switches.request_restart(held, seen=switches.seen(held), reason="It is gone").id
    approve_below_pages(requested, "compliance_officer")
    product_client.ask("switch.claims-triage.auto-approve", then=404)


def test_the_key_of_a_retired_system_opens_nothing(app, triage):
    bound = Product(app, create_key(name="triage only", system_id=triage.id))
    bound.ask("policy.human_review")
    with make.acting("admin"):
        systems.retire(register.system("claims-triage"), reason="Gone")
    headers = {"Authorization": f"Bearer {bound.key}"}
    replies = [
        bound.ask("policy.human_review", then=403),
        bound.ask(None, then=403),
        bound.send("/policy/v1/heartbeat", '{"version": 1}', then=403),
        *(bound.client.get(f"/policy/v1/{name}", headers=headers) for name in ("bundle", "jwks")),
    ]
    assert {reply.status_code for reply in replies} == {403} and all(
        "is retired" in reply.get_json()["title"] for reply in replies
    )


def test_another_tenants_key_is_answered_from_that_tenants_policy_and_knows_no_system_of_ours(
    app, product_client
):
    theirs = Product(app, create_key("globex"))
    assert theirs.ask("switch.claims-triage", then=404).get_json()["errorCode"] == "FLAG_NOT_FOUND"
    assert (
        theirs.ask("policy.grounding", then=400, system="claims-triage").get_json()["errorCode"]
        == "INVALID_CONTEXT"
    )
    assert theirs.value("policy.grounding") == "prefer_sources"


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ({}, "needs an API key"),
        ({"Authorization": "Basic abc"}, "needs an API key"),
        ({"Authorization": "Bearer nonsense"}, "isn't a Meridian API key"),
        ({"Authorization": "Bearer gc_acme_" + "A" * 43}, "This API key doesn't exist"),
        ({"Authorization": "Bearer gc_nobody-here_" + "A" * 43}, "This API key doesn't exist"),
    ],
)
def test_who_has_no_key_that_opens_is_asked_for_one(app, product_client, header, says):
    reply = app.test_client().post(
        f"{FLAGS}/policy.grounding", json={"context": {"targetingKey": "u"}}, headers=header
    )
    assert reply.status_code == 401 and says in reply.get_json()["title"]
    assert (
        reply.headers["WWW-Authenticate"].startswith('Bearer realm="console"')
        and reply.mimetype == "application/problem+json"
    )


def test_a_key_may_also_come_as_ofrep_calls_it(app, product_client):
    reply = app.test_client().post(
        f"{FLAGS}/policy.grounding",
        json={"context": {"targetingKey": "u"}},
        headers={"X-API-Key": product_client.key},
    )
    assert reply.status_code == 200


def test_a_key_without_the_scope_is_refused(app, triage):
    reader = Product(app, create_key(scopes=("audit:read",)))
    assert "flags:read" in reader.ask("policy.grounding", then=403).get_json()["title"]


def test_a_revoked_key_opens_nothing_from_the_next_request_on(product_client):
    product_client.ask("policy.grounding")
    with make.acting("admin"):
        api_keys.revoke(session().scalars(select(ApiKey)).one())
    product_client.ask("policy.grounding", then=401)


def test_a_key_ends_with_its_last_day_without_anybody_acting(app, triage):
    ending = Product(app, create_key(ends=clock.now() + timedelta(days=1)))
    ending.ask("policy.grounding")
    with clock.frozen(clock.now() + timedelta(days=2)):
        assert "expired on" in ending.ask("policy.grounding", then=401).get_json()["title"]


BAD = [
    ("", "PARSE_ERROR"),
    ("{", "PARSE_ERROR"),
    ("[]", "PARSE_ERROR"),
    ("[" * 40_000, "PARSE_ERROR"),
    (b"\xff\xfe", "PARSE_ERROR"),
    ("{}", "INVALID_CONTEXT"),
    ('{"context": []}', "INVALID_CONTEXT"),
    ('{"context": {}}', "TARGETING_KEY_MISSING"),
    ('{"context": {"targetingKey": ""}}', "TARGETING_KEY_MISSING"),
    ('{"context": {"targetingKey": 7}}', "INVALID_CONTEXT"),
    (json.dumps({"context": {"targetingKey": "k" * 10_240}}), "INVALID_CONTEXT"),
    ('{"context": {"targetingKey": "half of a pair \\ud83d"}}', "INVALID_CONTEXT"),
    ('{"context": {"targetingKey": "u", "system": "nowhere"}}', "INVALID_CONTEXT"),
    ('{"context": {"targetingKey": "u", "system": 7}}', "INVALID_CONTEXT"),
    *(
        (f'{{"context": {{"targetingKey": "u", "system": {other}}}}}', "INVALID_CONTEXT")
        for other in ("[]", "{}", "0", "false", "null", '"\\ud800"', "1e309")
    ),
    ('{"context": {"targetingKey": "u"}, "n": ' + "9" * 5000 + "}", "PARSE_ERROR"),
]


@pytest.mark.parametrize(("body", "code"), BAD, ids=range(len(BAD)))
def test_what_is_malformed_is_told_in_the_protocols_own_words(product_client, body, code):
    one = product_client.send(f"{FLAGS}/policy.grounding", body, then=400).get_json()
    assert one["key"] == "policy.grounding" and one["errorCode"] == code and one["errorDetails"]
    every = product_client.send(FLAGS, body, then=400).get_json()
    assert "key" not in every and every["errorCode"] == code


def test_an_unknown_flag_is_not_found(product_client):
    for name in (
        "policy.nonsense",
        "switch.nobody",
        "rollout.none",
        "policy.",
        "%2e%2e",
        "x" * 500,
    ):
        told = product_client.ask(name, then=404).get_json()
        assert told["errorCode"] == "FLAG_NOT_FOUND"


def test_other_addresses_and_methods_are_refused(app, product_client):
    assert product_client.send("/ofrep/v1/nothing", "{}", then=404)
    assert product_client.send("/ofrep/v1/evaluate/flags/", "{}", then=404)
    assert app.test_client().get(FLAGS).status_code == 405
    assert app.test_client().post("/policy/v1/bundle").headers["Allow"] == "GET"


def test_above_its_rate_a_key_is_told_when_to_come_again(app, triage):
    slow = Product(app, create_key(rate=60))
    replies = [
        slow.client.post(
            f"{FLAGS}/policy.grounding",
            json={"context": {"targetingKey": "u"}},
            headers={"Authorization": f"Bearer {slow.key}"},
        )
        for _ in range(15)
    ]
    assert [r.status_code for r in replies[:10]] == [200] * 10
    refused = [r for r in replies if r.status_code == 429]
    assert refused and all(1 <= int(r.headers["Retry-After"]) <= 6 for r in refused)
    assert Product(app, create_key(name="another")).ask("policy.grounding")


def test_nothing_is_asked_of_the_database_but_whether_anything_has_moved(
    product_client, statements
):
    product_client.ask("policy.grounding")
    with statements() as seen:
        product_client.ask("policy.grounding")
    assert [s for s in seen if "marks" in s] and not [
        s for s in seen if "policy_versions" in s or "api_keys" in s
    ]


def test_a_change_that_moves_the_mark_is_told_from_the_next_request_on(product_client):
    assert product_client.ask("switch.ad-copywriter", then=404)
    with make.acting("admin"):
        number = tenant_revision.current_revision()
    register_system("ad-copywriter", "standard")
    with make.acting("admin"):
        assert tenant_revision.current_revision() > number
    assert product_client.value("switch.ad-copywriter") is True


def test_what_was_asked_is_counted_without_who_asked(product_client, acting):
    for _ in range(3):
        product_client.ask(
            "policy.grounding", system="claims-triage", email="somebody@acme.example"
        )
    product_client.ask(None)
    product_client.ask("policy.nonsense", then=404)
    with acting("viewer", read_only=True):
        found = decisions.evaluations_since(clock.now() - timedelta(hours=1))
        assert found["claims-triage", "policy.grounding"] == {"sources_only": 3}
        assert found["", "bulk"] == {"": 1} and found["", "unknown"] == {"": 1}
        everything = " ".join(
            str(row) for row in session().execute(select(DecisionCount.__table__))
        )
        assert "user-1" not in everything and "somebody" not in everything
    with acting("compliance_officer", "globex", read_only=True):
        assert decisions.evaluations_since(clock.now() - timedelta(hours=1)) == {}


def test_a_rotated_bundle_key_signs_from_the_next_bundle_on_and_the_old_one_is_still_published(
    app, product_client
):
    header = {"Authorization": f"Bearer {product_client.key}"}
    client = app.test_client()

    def signed_by() -> str:
        head = client.get("/policy/v1/bundle", headers=header).get_data(as_text=True).split(".")[0]
        return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]

    first = signed_by()
    with make.acting("admin"):
        ofrep.rotate()
    second = signed_by()
    published = client.get("/policy/v1/jwks", headers=header).get_json(force=True)["keys"]
    assert first != second and [key["kid"] for key in published] == [first, second]
    assert all(key["kty"] == "OKP" and "d" not in key for key in published)
    with clock.frozen(clock.now() + timedelta(hours=2)):
        product_client.client.application.extensions["decisions"].snapshots.forget()
        assert [
            key["kid"]
            for key in client.get("/policy/v1/jwks", headers=header).get_json(force=True)["keys"]
        ] == [second]


def test_a_bundle_that_a_consumer_has_is_not_sent_again(app, product_client):
    header = {"Authorization": f"Bearer {product_client.key}"}
    first = app.test_client().get("/policy/v1/bundle", headers=header)
    known = header | {"If-None-Match": first.headers["ETag"]}
    same = app.test_client().get("/policy/v1/bundle", headers=known)
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", known["If-None-Match"])
    with make.acting("admin"):
        ofrep.rotate()
    other = app.test_client().get("/policy/v1/bundle", headers=known)
    assert other.status_code == 200 and other.headers["ETag"] != known["If-None-Match"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/ofrep/v1/evaluate/flags"),
        ("GET", "/policy/v1/bundle"),
        ("GET", "/policy/nothing"),
    ],
)
def test_every_answer_carries_the_headers_of_pages(app, product_client, method, path):
    for header in ({}, {"Authorization": f"Bearer {product_client.key}"}):
        reply = app.test_client().open(path, method=method, headers=header)
        for name, value in responses.HEADERS.items():
            assert reply.headers[name] == value
        assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
        assert "Strict-Transport-Security" not in reply.headers  # The tests have no TLS.


def test_a_heartbeat_says_which_bundle_is_obeyed_and_claims_no_later_one(app, product_client):
    header = {"Authorization": f"Bearer {product_client.key}"}
    with make.acting("admin"):
        number = tenant_revision.current_revision()
    product_client.send(
        "/policy/v1/heartbeat",
        json.dumps({"version": number, "consumer": "edge-1", "region": "Dublin"}),
    )
    with make.acting("viewer", read_only=True):
        (edge,) = session().scalars(select(Consumer).where(Consumer.name == "edge-1"))
        assert (edge.version, edge.region) == (number, "Dublin")
    for bad in ({"version": number + 1}, {"version": -1}, {"version": True}, {"version": "1"}, {}):
        assert (
            app.test_client().post("/policy/v1/heartbeat", json=bad, headers=header).status_code
            == 400
        )


CHUNKED = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}


def in_chunks(product: Product, path: str, body: bytes) -> Any:
    """Send a chunked body as the server passes it on: collected, without a length."""
    given = {**CHUNKED, "wsgi.input": io.BytesIO(body)}
    headers = {"Authorization": f"Bearer {product.key}"}
    return product.client.post(path, headers=headers, environ_overrides=given)


def test_a_body_in_chunks_is_read(product_client):
    body = json.dumps({"context": {"targetingKey": "user-1"}}).encode()
    one = in_chunks(product_client, f"{FLAGS}/policy.human_review", body)
    assert (one.status_code, one.get_json()["key"]) == (200, "policy.human_review")
    assert in_chunks(product_client, FLAGS, body).status_code == 200
    heartbeat = in_chunks(product_client, "/policy/v1/heartbeat", b'{"version": 1}')
    assert heartbeat.status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"x" * 65_537, 413, "at most 65,536 bytes"),
        (b"", 400, "The body is empty."),
        (b'{"context": ', 400, "isn't valid JSON at character 13"),
        (b'{"context": "\xff"}', 400, "isn't UTF-8 at byte 14"),
        (b"[1]", 400, "must be a JSON object"),
    ],
    ids=["large", "empty", "cut", "latin", "list"],
)
@pytest.mark.parametrize("path", [FLAGS, "/policy/v1/heartbeat"])
def test_a_body_that_cant_be_read_says_why_whichever_way_it_came(
    product_client, path, body, status, says
):
    for reply in (
        in_chunks(product_client, path, body),
        product_client.send(path, body, then=status),
    ):
        assert reply.status_code == status and says in reply.get_json()["errorDetails"]


@pytest.mark.parametrize("path", [FLAGS, "/policy/v1/bundle", "/policy/v1/jwks"])
@pytest.mark.parametrize("host", ["evil.example", "", None])
def test_another_host_or_none_is_refused(app, product_client, path, host):
    headers = {"Authorization": f"Bearer {product_client.key}"}
    given = {"HTTP_HOST": host} if host is not None else {}
    method = "POST" if path == FLAGS else "GET"
    environ = EnvironBuilder(path, method=method, headers=headers, data=b"{}").get_environ()
    del environ["HTTP_HOST"]
    reply = run_wsgi_app(app.wsgi_app, environ | given)
    assert reply[1].startswith("400") and b"Host" in b"".join(reply[0])
