"""Evidence pushed by machines: once per request, with a file or by the digest of a stored one."""

import copy
import hashlib
import io
import json
import re
import threading
from datetime import timedelta

import psycopg
import pytest
from openapi_spec_validator import validate
from sqlalchemy import create_engine, func, make_url, select

from governance.assurance.evidence import push
from governance.assurance.evidence.models import EvidencePush, EvidenceVersion
from governance.foundation.api_keys import actions as keys
from governance.foundation.api_keys.models import ApiKey
from governance.kernel import clock
from governance.kernel.data import db
from governance.kernel.data.db import lock_tenant, session
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.assurance.evidence.evidence_helpers import PDF, count_rows, entries_of_action
from tests.conftest import visitor
from tests.waiting import MAX_WAIT_SECONDS

SHA = hashlib.sha256(PDF).hexdigest()


class Machine:
    def __init__(self, app, scopes=("evidence:write",), slug="acme", name="pipeline"):
        with make.acting("admin", slug):
            _, self.key = keys.create(name, scopes)
        self.client = app.test_client()

    def push(self, then=201, key=None, content=PDF, name="report.pdf", **fields):
        sent = version_dates() | {"evidence": "EV-0001"} | fields
        if content is not None:
            sent["file"] = (io.BytesIO(content), name)
        return self._sent(then, key, data=sent, content_type="multipart/form-data")

    def digest(self, then=201, key=None, **fields):
        return self._sent(
            then, key, json=version_dates() | {"evidence": "EV-0001", "sha256": SHA} | fields
        )

    def _sent(self, then, key, **options):
        headers = {"Authorization": f"Bearer {self.key}"} | (
            {"Idempotency-Key": key} if key else {}
        )
        reply = self.client.post("/api/v1/evidence", headers=headers, **options)
        assert then is None or reply.status_code == then, reply.text
        assert then in {201, None} or reply.mimetype == "application/problem+json"
        return reply


def version_dates(**changed):
    return {name: str(day) for name, day in (evidence_helpers.version_dates() | changed).items()}


@pytest.fixture
def machine(app, isolated):
    return Machine(app)


def test_a_machine_pushes_a_file_and_a_person_accepts_it(machine, as_officer):
    e = evidence_helpers.create_evidence()
    reply = machine.push(key="run-1")
    assert reply.json == {
        "id": reply.json["id"],
        "evidence": "EV-0001",
        "version": 1,
        "filename": "report.pdf",
        "media_type": "application/pdf",
        "size": len(PDF),
        "sha256": SHA,
        "review": "pending",
    }
    assert (
        reply.headers["Location"] == f"/t/acme/evidence/{e}"
        and "Idempotency-Replayed" not in reply.headers
    )
    assert "pipeline" in as_officer.get(f"evidence/{e}").text
    as_officer.post(f"evidence/versions/{reply.json['id']}/review", decision="accepted")
    assert "Fresh" in as_officer.get(f"evidence/{e}").text
    assert entries_of_action("evidence.version.pushed")[0].actor_kind == "api_key"


def test_nobody_accepts_what_came_by_a_key_whose_secret_they_was_shown(app, as_officer):
    """Let nobody accept what a key sent after they saw its secret.

    A person who creates or rotates a key could have sent the file themselves.
    """
    evidence_helpers.create_evidence()
    machine = Machine(app)  # The admin created it.
    first = machine.push().json["id"]
    admin, e = visitor(app, "admin"), "evidence/versions"
    for reply in (
        admin.post(f"{e}/{first}/review", then=403, decision="accepted"),
        admin.get(f"{e}/{first}/review"),
    ):
        assert "API key pipeline uploaded it. You have seen the secret of that key" in reply.text
    with make.acting("reviewer"):
        key = session().scalars(select(ApiKey)).one()
        keys.rotate(key, overlap_days=7, seen=key.hint)
    second = machine.push(content=PDF + b"2").json["id"]
    visitor(app, "reviewer").post(f"{e}/{second}/review", then=403, decision="accepted")
    admin.post(f"{e}/{second}/review", then=403, decision="accepted")
    page = as_officer.get(f"{e}/{second}/review").text
    assert "API key pipeline" in page and "the secret of that key" not in page
    for version in (first, second):
        as_officer.post(f"{e}/{version}/review", decision="accepted")


def test_the_piece_says_by_which_key_a_version_came_and_offers_its_review_to_others(
    app, as_officer
):
    e = evidence_helpers.create_evidence()
    Machine(app).push(source="nightly build")
    page = as_officer.get(f"evidence/{e}").text
    assert "API key pipeline" in page and "Review version 1" in page
    assert "Review version 1" not in visitor(app, "admin").get(f"evidence/{e}").text


def test_the_same_key_gives_the_same_answer_and_brings_in_nothing_twice(machine):
    evidence_helpers.create_evidence()
    first = machine.push(key="run-1")
    again = machine.push(key="run-1")
    assert again.json == first.json and again.headers["Idempotency-Replayed"] == "true"
    assert count_rows(EvidenceVersion) == 1
    for other in (
        {"content": PDF + b"x"},
        {"period_to": str(clock.today() - timedelta(days=1))},
        {"source": "another"},
    ):
        assert (
            "belongs to a different request"
            in machine.push(then=422, key="run-1", **other).json["title"]
        )
    assert count_rows(EvidenceVersion) == 1
    machine.push(key="run-2", content=PDF + b"2")
    assert count_rows(EvidenceVersion) == 2


def test_the_same_request_is_the_same_one_on_the_next_day(machine):
    """Ignore omitted fields, such as the day of collection, when comparing requests."""
    evidence_helpers.create_evidence()
    said = version_dates() | {"collected_on": ""}
    first = machine.push(key="run-1", **said)
    with clock.frozen(clock.now() + timedelta(days=1)):
        again = machine.push(key="run-1", **said)
        assert (
            "belongs to a different request"
            in machine.push(then=422, key="run-1", **version_dates()).json["title"]
        )
    assert (
        again.json == first.json
        and again.headers["Idempotency-Replayed"] == "true"
        and count_rows(EvidenceVersion) == 1
    )


def test_keys_of_two_machines_are_two_names(app, machine):
    evidence_helpers.create_evidence()
    evidence_helpers.create_evidence("Another")
    machine.push(key="1")
    Machine(app, name="another machine").push(key="1", evidence="EV-0002")
    assert count_rows(EvidencePush) == 2


def test_a_refused_push_is_not_remembered(machine):
    machine.push(then=404, key="run-1")
    evidence_helpers.create_evidence()
    machine.push(key="run-1")


def test_by_digest_of_something_that_is_there(machine):
    evidence_helpers.create_evidence()
    evidence_helpers.create_evidence("The same for another control")
    assert "No stored file has this SHA-256" in machine.digest(then=422).json["title"]
    machine.push()
    reply = machine.digest(evidence="ev-0002", source="the pipeline's archive")
    assert (
        reply.json["sha256"] == SHA
        and reply.json["version"] == 1
        and reply.json["filename"] == "report.pdf"
    )
    assert "identical to version 1" in machine.digest(then=409).json["title"]
    later = version_dates(
        period_to=clock.today() - timedelta(days=2), valid_until=clock.today() + timedelta(days=90)
    )
    assert machine.digest(**later).json["version"] == 2
    assert count_rows(EvidenceVersion) == 3


def test_another_tenants_digest_or_piece_is_nothing_here(app, machine):
    evidence_helpers.upload_version(
        evidence_helpers.create_evidence(slug="globex", owner=None),
        by="compliance_officer",
        slug="globex",
    )
    theirs = evidence_helpers.create_evidence("Theirs", slug="globex", owner=None)
    machine.push(then=404, evidence=str(theirs))
    evidence_helpers.create_evidence()
    machine.digest(then=422)


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"evidence": ""}, 422, "enter the ref or id of an evidence item"),
        ({"evidence": "EV-9999"}, 404, "This evidence item doesn't exist"),
        ({"period_from": "soon"}, 422, "period_from: “soon” isn't a date."),
        ({"valid_until": ""}, 422, "valid_until: Enter a date such as"),
        ({"colour": "blue"}, 422, "colour is not a field"),
        ({"sha256": "abc"}, 422, "64 hexadecimal"),
        ({"sha256": SHA}, 422, "either a file or the sha256"),
        ({"content": None}, 422, "either a file or the sha256"),
        ({"content": b""}, 422, "0 bytes"),
        ({"name": "a.csv"}, 422, "its content is a PDF"),
        ({"content": b"MZ" + bytes(99), "name": "a.pdf"}, 422, "a program"),
        ({"collected_on": "2999-01-01"}, 422, "in the future"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(machine, fields, status, says):
    evidence_helpers.create_evidence()
    assert says in machine.push(then=status, **fields).json["title"]
    assert count_rows(EvidenceVersion) == 0


def test_a_name_with_a_path_and_control_characters_is_only_a_name(machine):
    evidence_helpers.create_evidence()
    assert machine.push(name="../../etc/\x07re\u202eport.pdf").json["filename"] == "report.pdf"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("[]", "application/json"),
        ('{"evidence": 7}', "application/json"),
        ("{", "application/json"),
        ("a=1", "text/plain"),
    ],
)
def test_a_body_that_is_none_is_refused(machine, body, kind):
    machine._sent(422, None, data=body, content_type=kind)


@pytest.mark.parametrize("said", ["a\0b", "\ud800"])
@pytest.mark.parametrize("field", ["evidence", "source", "sha256"])
def test_text_that_no_database_keeps_is_refused_by_name_and_never_left_out(machine, field, said):
    evidence_helpers.create_evidence()
    machine.push()
    assert (
        f"{field} contains a character"
        in machine.digest(then=422, **({"period_to": "2026-09-01"} | {field: said})).json["title"]
    )
    assert count_rows(EvidenceVersion) == 1


def test_json_that_nests_without_end_is_no_object(machine):
    assert (
        "one JSON object"
        in machine._sent(422, None, data=b"[" * 200_000, content_type="application/json").json[
            "title"
        ]
    )


def test_only_a_key_of_the_scope_pushes_and_only_it_sends_much(app, machine):
    evidence_helpers.create_evidence()
    large = PDF + b"x" * (13 * 1024 * 1024)
    reader = Machine(app, ["audit:read"], name="reader")
    assert "evidence:write" in reader.push(then=403).json["title"]
    assert "evidence:write" in reader.push(then=403, content=large).json["title"]
    machine.key, good = "gc_acme_" + "A" * 43, machine.key
    machine.push(then=401)
    machine.push(then=401, content=large)
    machine.key = good
    assert machine.push(content=large).json["size"] == len(large)


def test_a_long_key_or_one_that_cannot_be_printed_is_refused(machine):
    evidence_helpers.create_evidence()
    machine.push(then=422, key="k" * 256)
    machine.push(key="k" * 255)


def test_for_thirty_days_the_answer_is_the_same_and_then_the_name_is_free(machine):
    evidence_helpers.create_evidence()
    first, asked, now = machine.push(key="run-1"), version_dates(), clock.now()
    other = {**asked, "content": PDF + b"another"}
    with clock.frozen(now + timedelta(days=29, hours=23)):
        again = machine.push(key="run-1", **asked)
        assert again.json == first.json and again.headers["Idempotency-Replayed"] == "true"
        machine.push(then=422, key="run-1", **other)
    with clock.frozen(now + timedelta(days=30, minutes=1)):
        assert (
            "identical to version 1" in machine.push(then=409, key="run-1", **asked).json["title"]
        )
        second = machine.push(key="run-1", **other)
        assert second.json["version"] == 2 and "Idempotency-Replayed" not in second.headers
        assert machine.push(key="run-1", **other).headers["Idempotency-Replayed"] == "true"
    assert count_rows(EvidenceVersion) == 2 and count_rows(EvidencePush) == 1


def test_the_night_forgets_what_is_older_than_thirty_days(machine):
    evidence_helpers.create_evidence()
    machine.push(key="run-1")
    with make.acting():
        assert push.delete_old_pushes() == 0
    with make.acting(), clock.frozen(clock.now() + timedelta(days=30, minutes=1)):
        assert push.delete_old_pushes() == 1
    assert count_rows(EvidencePush) == 0


def test_a_rotated_key_keeps_its_names_and_another_key_has_its_own(app, machine):
    evidence_helpers.create_evidence()
    first = machine.push(key="run-1")
    with make.acting("admin"):
        row = next(each for each in session().scalars(select(ApiKey)) if each.name == "pipeline")
        old, machine.key = machine.key, keys.rotate(row, overlap_days=1, seen=row.hint)
    for secret in (machine.key, old):
        machine.key = secret
        assert machine.push(key="run-1").json == first.json
    assert (
        "identical to version 1"
        in Machine(app, name="another").push(then=409, key="run-1").json["title"]
    )
    assert count_rows(EvidenceVersion) == 1


# ---- concurrent requests


@pytest.fixture
def committed_globex(app, server, settings, isolated):
    """Yield Globex with a connection pool for concurrent requests.

    Its commits are removed afterwards.
    """
    pool = create_engine(settings.database_url, pool_size=6)
    db.connect(pool)
    yield Machine(app, slug="globex", name="at once")
    pool.dispose()
    database = server.super_uri.replace(
        "/postgres?", f"/{make_url(settings.database_url).database}?"
    )
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in ("evidence_pushes", "evidence_versions", "evidence", "api_keys"):
            connection.execute(
                f"DELETE FROM {table} WHERE tenant_id = (SELECT id FROM tenants WHERE slug ="
                " 'globex')"
            )


def test_of_the_same_request_at_the_same_moment_one_version_comes(committed_globex):
    evidence_helpers.create_evidence(slug="globex", owner=None)
    start, replies = threading.Barrier(4), []

    def send():
        one = copy.copy(committed_globex)
        one.client = committed_globex.client.application.test_client()
        start.wait(MAX_WAIT_SECONDS)
        replies.append(one.push(then=None, key="run-1"))

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(MAX_WAIT_SECONDS)
    answered = [reply for reply in replies if reply.status_code == 201]
    refused = [reply for reply in replies if reply.status_code != 201]
    assert (
        len(replies) == 4
        and sum("Idempotency-Replayed" not in reply.headers for reply in answered) == 1
    )
    assert all(
        reply.status_code == 409 and "still in progress" in reply.json["title"] for reply in refused
    )
    again = committed_globex.push(key="run-1")
    assert {reply.json["id"] for reply in [*answered, again]} == {
        again.json["id"]
    } and again.headers["Idempotency-Replayed"] == "true"
    with make.acting("admin", "globex", read_only=True):
        assert session().scalar(select(func.count()).select_from(EvidenceVersion)) == 1


def test_while_the_first_is_under_way_the_second_is_told_to_ask_again(committed_globex):
    evidence_helpers.create_evidence(slug="globex", owner=None)
    with make.acting("admin", "globex"):
        key_id = session().scalars(select(ApiKey.id)).one()
        lock_tenant(f"push {key_id} run-1")
        assert "Retry in a moment" in committed_globex.push(then=409, key="run-1").json["title"]
        assert committed_globex.push(key="run-2", content=PDF + b"another").json["version"] == 1
    assert committed_globex.push(key="run-1").json["version"] == 2


# ---- the API description


def test_the_description_is_openapi_3_1_and_names_every_address_under_api(app, client):
    told = json.loads(client.get("/api/v1/openapi.json").data)
    validate(told)
    assert told["openapi"].startswith("3.1")
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, verbs in told["paths"].items() for method in verbs} == served


def test_what_is_answered_is_what_is_described(machine, client):
    from jsonschema import Draft202012Validator

    told = json.loads(client.get("/api/v1/openapi.json").data)
    evidence_helpers.create_evidence()
    for name, reply in (("Version", machine.push()), ("Problem", machine.push(then=409))):
        schema = {"$ref": f"#/components/schemas/{name}", "components": told["components"]}
        Draft202012Validator(schema).validate(reply.json)
