"""The witness of a log: it cosigns a log that only grew.

A log that lost or changed what the witness saw is halted, and the finding is shown.
"""

import base64
import hashlib
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace

import aics_tlog
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.foundation.anchors import cosignature, queries
from governance.foundation.audit import fsck, logs, sequencer
from governance.foundation.audit import proof as proofs
from governance.foundation.audit import queries as audit
from governance.kernel import clock
from governance.kernel.safety import signed_note
from tests.browser import words
from tests.foundation.anchors.witness_servers import (
    OTHER,
    DemoWitness,
    DrivenLog,
    IndependentWitness,
    StubReceiver,
    run_requested_work,
    serve_http,
    submit_checkpoint,
)
from tests.free_ports import free_port
from tests.machine_client import create_machine_client

slow = pytest.mark.slow


@pytest.fixture(
    params=[DemoWitness, pytest.param(IndependentWitness, marks=slow)],
    ids=["ours", "someone else's"],
)
def any_witness(request, tmp_path):
    if request.param is IndependentWitness and not OTHER.exists():
        pytest.skip("NOT TESTED: aics-witness is not installed")
    with request.param.serving(tmp_path) as made:
        yield made


# ---- answers of a witness


def test_a_log_that_grows_is_cosigned_each_time_and_somebody_elses_verifier_counts_the_cosignature(
    log, any_witness, as_admin
):
    log.grow(100)
    anchor = log.witnessed_by(any_witness)
    assert log.push() == 1
    assert log.anchor(anchor) == ("agrees", "", log.size)
    size, note = log.grow(150)
    assert log.push() == 1
    assert log.anchor(anchor) == ("agrees", "", size)
    with log.acting("admin"):
        last = audit.last_checkpoint()
        [receipt] = queries.receipts([last.id])[last.id]
        assert (receipt.status, receipt.outcome) == (200, "agrees")
        path = f"audit/anchors/receipts/{receipt.id}/download"
    taken = as_admin.post(path, then=200).text
    assert taken.startswith(note)
    result = aics_tlog.verify_checkpoint(
        aics_tlog.parse_note(taken),
        aics_tlog.parse_vkey(log.key),
        [aics_tlog.parse_vkey(any_witness.key)],
        1,
    )
    assert result.ok, result
    assert log.trouble is None


def test_served_checkpoints_and_proofs_carry_the_witnesses_cosignatures(log, witness, app):
    """Include packages: an auditor's download is witnessed without a second one."""
    log.grow(30)
    log.witnessed_by(witness)
    log.push()
    client = create_machine_client(app)
    with log.acting("admin"):
        size = audit.last_checkpoint().size
        entry = audit.entry_at(3)
        entry_id, body = entry.id, entry.body
    served = client.get("/audit/acme/checkpoint").text
    proof = client.get(f"/audit/acme/proof/entry/{entry_id}").text
    consistency = client.get(f"/audit/acme/proof/consistency?from=7&to={size}").json["checkpoint"]
    inclusion = client.get("/audit/acme/proof/inclusion?index=3").json["checkpoint"]
    for note in (served, proof.partition("\n\n")[2], consistency, inclusion):
        result = aics_tlog.verify_checkpoint(
            aics_tlog.parse_note(note),
            aics_tlog.parse_vkey(log.key),
            [aics_tlog.parse_vkey(witness.key)],
            1,
        )
        assert result.ok, (note, result)
    assert proofs.verify(proof, body, signed_note.parse_key(log.key))[0] == 3


def test_a_witness_that_is_ahead_of_what_we_remember_is_asked_again_from_there(log, any_witness):
    """Recover after a lost answer.

    409 with its size, then the proof from that size.
    """
    _, note = log.grow(100)
    anchor = log.witnessed_by(any_witness)
    assert submit_checkpoint(any_witness, note).status_code == 200
    size, _ = log.grow(50)
    log.push()
    assert log.anchor(anchor) == ("agrees", "", size)
    assert log.trouble is None


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (-1, "entries that are not the beginning of this log"),
        (0, "different entries from this log"),
    ],
)
def test_a_history_that_was_rewritten_halts_the_log_and_is_shown(
    log, any_witness, as_auditor, more, says
):
    size, _ = log.grow(20)
    anchor = log.witnessed_by(any_witness)
    assert submit_checkpoint(any_witness, log.forged(size + more)).status_code == 200
    log.push()
    state, finding, _ = log.anchor(anchor)
    assert state == "conflict" and says in finding and "history was rewritten" in finding
    assert log.trouble["anchor"] == "Northlight" and log.trouble["size"] == size + more
    page = words(as_auditor.get("audit/anchors"))
    assert "contradicts this log" in page and "Signing has stopped for this log." in page


def test_a_log_that_was_rolled_back_signs_nothing_more_but_still_writes(
    log, any_witness, as_auditor
):
    size, _ = log.grow(20)
    anchor = log.witnessed_by(any_witness)
    assert submit_checkpoint(any_witness, log.forged(size + 104)).status_code == 200
    log.push()
    state, finding, _ = log.anchor(anchor)
    assert state == "conflict" and finding.endswith(
        f"but this log only {size}: this log was rolled back"
    )
    assert log.trouble["size"] == size + 104 and log.trouble["have"] == size
    with log.acting("admin"):
        number = audit.last_checkpoint().number
    assert log.grow(3)[0] == size
    with log.acting("admin"):
        assert audit.last_checkpoint().number == number
        assert audit.pending() >= 3
    assert "was rolled back" in words(as_auditor.get("audit/anchors"))
    assert len(log.entries("audit.rollback.detected")) == 1
    log.push(impatient=True)
    assert len(log.entries("audit.rollback.detected")) == 1


def test_a_log_that_is_taken_up_again_is_witnessed_under_its_new_name(log, witness):
    size, _ = log.grow(20)
    anchor = log.witnessed_by(witness)
    submit_checkpoint(witness, log.forged(size + 7))
    log.push()
    assert log.push() == 0  # Nothing new is signed, so no request follows.
    with log.acting("admin"):
        logs.resume()
    grown, _ = log.grow(2)
    log.push()
    assert log.anchor(anchor)[:2] == (
        "refuses",
        "does not know this log: give it the log's key (404)",
    )
    witness.trust(log.origin, log.key)
    log.push(impatient=True)
    assert log.anchor(anchor) == ("agrees", "", grown)
    with log.acting("admin"):
        assert fsck.fsck().findings == []


def test_after_a_restore_each_witness_is_asked_and_the_log_of_nobody_else_is_halted(
    log, acting, witness, tmp_path
):
    neighbour = DrivenLog(acting, "globex")
    (tmp_path / "other").mkdir()
    with DemoWitness.serving(tmp_path / "other") as second:
        size, _ = log.grow(10)
        log.witnessed_by(witness, name="Northlight")
        log.witnessed_by(second, name="Southlight")
        neighbour.grow(10)
        neighbour.witnessed_by(second)
        submit_checkpoint(second, log.forged(size + 5))
        found = {each.name: (each.state, each.finding) for each in log.compare()}
        assert found["Northlight"] == ("agrees", "")
        assert found["Southlight"] == (
            "conflict",
            f"has {size + 5} entries, but this log only {size}: this log was rolled back",
        )
        assert log.trouble["anchor"] == "Southlight"
        assert [each.state for each in neighbour.compare()] == ["agrees"]
        assert neighbour.trouble is None


# ---- answers that prove nothing


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_no_web_server_that_is_none_of_a_witness_makes_a_log_agree_or_halt(log, witness, status):
    log.grow(5)
    server = StubReceiver(
        status, b"99999\n", Content_Type="text/plain", Location="http://127.0.0.1:1/"
    )
    with server.serving() as url:
        anchor = log.add(url=url, key=witness.key)
        log.push()
    state, finding, seen = log.anchor(anchor)
    assert state == ("away" if status in {429, 500, 503} else "refuses")
    assert finding and seen == 0
    assert log.trouble is None
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body", [b"", b"x\n", b"-1\n", b"00\n", b"9" * 40, b"\xff", b"5 \n", b"<html>" * 5000]
)
def test_a_size_that_cannot_be_read_halts_nothing(log, witness, body):
    log.grow(5)
    with StubReceiver(409, body, Content_Type="text/x.tlog.size").serving() as url:
        anchor = log.add(url=url, key=witness.key)
        log.push()
    assert log.anchor(anchor)[0] == "refuses"
    assert log.trouble is None


def made_up_witness(statement):
    """Return a server that claims 99,999 entries and shows this as its last checkpoint."""

    class MadeUp(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(409, b"99999\n", "text/x.tlog.size")

        def do_GET(self):
            self.reply(200 if statement else 404, statement.encode(), "text/plain")

        def reply(self, status, body, kind):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return serve_http(MadeUp)


def test_a_made_up_witness_halts_nothing(log, witness):
    """Ignore a huge size without valid proof.

    The witness shows nothing, garbage, a checkpoint that the log never signed, one that it didn't
    cosign, or one that agrees.
    """
    size, note = log.grow(5)
    forged = note.replace(f"\n{size}\n", "\n99999\n")

    def cosign(shown):
        return shown + witness.witness._cosign(signed_note.split(shown)[0])

    for statement in ("", "nonsense", "\n\n", cosign(forged), log.forged(99), cosign(note)):
        with made_up_witness(statement) as url:
            anchor = log.add(url=url, key=witness.key)
            log.push(impatient=True)
            state, finding, _ = log.anchor(anchor)
            assert (state, log.trouble) == ("refuses", None), (statement, finding)
            assert "claims that it contradicts this log, but " in finding, finding
    assert log.grow(1)[0] > size


def test_a_statement_that_log_and_witness_signed_halts(log, witness):
    size, _ = log.grow(5)
    lost = log.forged(size + 9)
    statement = lost + witness.witness._cosign(signed_note.split(lost)[0])
    with made_up_witness(statement) as url:
        anchor = log.add(url=url, key=witness.key)
        log.push()
    assert log.anchor(anchor)[0] == "conflict" and log.trouble["size"] == size + 9


def cosigned(
    sent, private, name, *, kind=cosignature.KIND, at=None, text=None, spoil=lambda raw: raw
):
    """Return a cosignature as a witness answers it, made from the specification alone."""
    text = text or sent.decode().split("\n\n", 1)[1].rpartition("\n\n")[0] + "\n"
    at = int(clock.now().timestamp()) if at is None else at
    signature = at.to_bytes(8) + private.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
    public = private.public_key().public_bytes_raw()
    key_id = hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4]
    return f"\u2014 {name} {base64.b64encode(key_id + spoil(signature)).decode()}\n".encode()


PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NAME = "made.example/w"
KEY = str(signed_note.VerifierKey(NAME, PRIVATE.public_key().public_bytes_raw(), cosignature.KIND))
WRONG = {
    "another key's": lambda sent: cosigned(sent, Ed25519PrivateKey.generate(), NAME),
    "another name's": lambda sent: cosigned(sent, PRIVATE, "made.example/x"),
    "a flipped bit": lambda sent: cosigned(
        sent, PRIVATE, NAME, spoil=lambda raw: raw[:-1] + bytes([raw[-1] ^ 1])
    ),
    "a changed time": lambda sent: cosigned(
        sent, PRIVATE, NAME, spoil=lambda raw: (int.from_bytes(raw[:8]) - 9).to_bytes(8) + raw[8:]
    ),
    "cut short": lambda sent: cosigned(sent, PRIVATE, NAME, spoil=lambda raw: raw[:-1]),
    "too long": lambda sent: cosigned(sent, PRIVATE, NAME, spoil=lambda raw: raw + b"\0"),
    "without a time": lambda sent: cosigned(sent, PRIVATE, NAME, at=0),
    "of the future": lambda sent: cosigned(
        sent, PRIVATE, NAME, at=int(clock.now().timestamp()) + 4000
    ),
    "of another checkpoint": lambda sent: cosigned(
        sent, PRIVATE, NAME, text="elsewhere.example/log\n5\nAAAA\n"
    ),
    "nothing": lambda sent: b"",
    "no line": lambda sent: b"\xe2\x80\x94\n",
    "a note of its own": lambda sent: b"text\n\n" + cosigned(sent, PRIVATE, NAME, text="text\n"),
    "garbage": lambda sent: os.urandom(300_000),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_cosignature_that_does_not_hold_is_no_agreement(log, what):
    log.grow(3)
    with StubReceiver(200, WRONG[what]).serving() as url:
        anchor = log.add(url=url, key=KEY)
        log.push()
    state, finding, seen = log.anchor(anchor)
    assert state == "refuses" and finding.startswith("answered with") and seen == 0


def test_the_same_answer_does_count_when_it_holds(log):
    """Validate the rejections above, which would prove nothing otherwise.

    Lines of other keys next to it are ignored.
    """
    size, _ = log.grow(3)
    more = cosigned(b"old 0\n\nx\n1\ny\n\nz", Ed25519PrivateKey.generate(), "somebody.example/else")
    with StubReceiver(200, lambda sent: more + cosigned(sent, PRIVATE, NAME)).serving() as url:
        anchor = log.add(url=url, key=KEY)
        log.push()
    assert log.anchor(anchor) == ("agrees", "", size)


def test_a_server_that_answers_with_another_size_each_time_is_not_followed_for_ever(log, witness):
    log.grow(9)
    sizes = iter(range(1, 9))
    server = StubReceiver(409, lambda _: b"%d\n" % next(sizes), Content_Type="text/x.tlog.size")
    with server.serving() as url:
        anchor = log.add(url=url, key=witness.key)
        log.push()
    assert log.anchor(anchor)[0] == "away"
    assert len(server.requests) == 3


# ---- unavailable


def test_while_a_witness_is_away_the_log_goes_on_and_the_page_says_since_when(
    log, tmp_path, as_auditor
):
    with DemoWitness.serving(tmp_path) as witness:
        size, _ = log.grow(5)
        anchor = log.witnessed_by(witness)
        log.push()
    grown, _ = log.grow(5)
    assert grown >= size + 5
    log.push()
    assert log.anchor(anchor) == ("away", "could not be reached", size)
    page = words(as_auditor.get("audit/anchors"))
    assert (
        "The external witness does not agree at the moment" in page
        and "Unreachable" in page
        and "It could not be reached." in page
    )
    assert "Last agreed" in page and f"on {size} entries" in page
    assert log.trouble is None


def test_a_change_of_state_is_recorded_once_by_the_job(log, tmp_path):
    with DemoWitness.serving(tmp_path) as witness:
        log.grow(5)
        log.witnessed_by(witness)
        log.push()
        log.grow(1)
        log.push()
    for _ in range(3):
        log.grow(1)
        log.push(impatient=True)
    told = log.entries("anchor.state.changed")
    assert [changes["state"] for changes, _, _ in told] == [["new", "agrees"], ["agrees", "away"]]
    assert {kind for _, _, kind in told} == {"job"}
    assert told[-1][1]["finding"] == "could not be reached"


@pytest.mark.slow
def test_one_that_is_away_is_asked_seldom_and_at_once_when_somebody_asks(log, tmp_path):
    with DemoWitness.serving(tmp_path) as witness:
        log.grow(5)
        log.witnessed_by(witness)
        log.push()
    log.grow(1)
    now, asked = clock.now(), 0
    for minute in range(601):
        with clock.frozen(now + timedelta(minutes=minute)):
            asked += log.push()
    assert 10 < asked < 40
    with clock.frozen(now + timedelta(minutes=601)):
        assert log.push(impatient=True) == 1


def test_a_log_that_is_idle_is_shown_again_with_its_heartbeat(log, witness):
    size, _ = log.grow(5)
    anchor = log.witnessed_by(witness)
    log.push()
    later = clock.now() + sequencer.HEARTBEAT
    assert log.push() == 0
    with clock.frozen(later):
        with log.acting("admin"):
            sequencer.sequence()
        assert log.push() == 1
        with log.acting("admin"):
            assert queries.summary().newest == later
    assert log.anchor(anchor)[0] == "agrees" and log.anchor(anchor)[2] >= size


# ---- the witness follows its specification


def test_a_witness_that_is_killed_remembers_what_it_cosigned(log, tmp_path):
    state, key_file = tmp_path / "state.json", tmp_path / "key"
    line = [
        sys.executable,
        "-m",
        "governance.demo.witness",
        "--state",
        str(state),
        "--key-file",
        str(key_file),
    ]
    size, note = log.grow(20)
    with ExitStack() as stack:
        process = started(stack, [*line, "--log", log.key])
        here = process.witness
        assert here.key == key_file.read_text().strip()
        assert submit_checkpoint(here, note).status_code == 200
        os.kill(process.pid, signal.SIGKILL)
        process.wait(60)
        again = started(stack, line).witness
        assert again.key == here.key
        reply = submit_checkpoint(again, note)
        assert (reply.status_code, reply.text, reply.headers["Content-Type"]) == (
            409,
            f"{size}\n",
            "text/x.tlog.size",
        )
        assert submit_checkpoint(again, note, old=size).status_code == 200
        assert submit_checkpoint(again, log.forged(size), old=size).status_code == 422


def started(stack, line):
    port = free_port()
    process = stack.enter_context(
        subprocess.Popen([*line, "--port", str(port)], stdout=subprocess.PIPE, text=True)
    )
    stack.callback(process.kill)
    key = process.stdout.readline().strip()
    process.witness = SimpleNamespace(url=f"http://127.0.0.1:{port}", key=key)
    return process


def test_the_witness_answers_as_the_specification_has_it(log, any_witness):
    size, note = log.grow(20)
    assert (
        submit_checkpoint(any_witness, note).status_code == 404
        if isinstance(any_witness, DemoWitness)
        else True
    )
    any_witness.trust(log.origin, log.key)

    def post(body):
        return requests.post(f"{any_witness.url}/add-checkpoint", data=body.encode(), timeout=60)

    assert post(f"old {size + 1}\n\n{note}").status_code == 400
    assert post(f"old 00\n\n{note}").status_code == 400
    assert post("").status_code == 400
    assert post(f"old 0\nAAAA\n\n{note}").status_code in {400, 422}
    stranger = Ed25519PrivateKey.generate()
    text = note.split("\n\n")[0] + "\n"
    assert post(f"old 0\n\n{signed_note.sign(stranger, log.origin, text)}").status_code == 403
    assert post(
        f"old 0\n\n{note[:-8]}{'AAAAAA=' if note[-8:-1] != 'AAAAAA=' else 'BAAAAA='}\n"
    ).status_code in {400, 403}
    assert post(f"old 7\n\n{note}").status_code == 409
    assert post(f"old 0\n\n{note}").status_code == 200
    origin = hashlib.sha256(log.origin.encode()).hexdigest()
    seen = requests.get(f"{any_witness.url}/{origin}/checkpoint", timeout=60)
    assert seen.status_code == 200 and seen.text.startswith(note)


def test_what_somebody_asked_for_is_done_and_recorded_with_their_name(log, witness, as_admin):
    size, _ = log.grow(5)
    anchor = log.witnessed_by(witness)
    as_admin.post(f"audit/anchors/{anchor}/test")
    as_admin.post(f"audit/anchors/{anchor}/test")
    page = words(as_admin.get("audit/anchors"))
    assert "Testing Northlight" in page
    assert run_requested_work() == 1
    assert log.anchor(anchor)[0] == "agrees" and log.anchor(anchor)[2] >= size
    [(_, facts, kind)] = log.entries("anchor.tested")
    assert (facts["name"], facts["state"], kind) == ("Northlight", "agrees", "person")
    as_admin.post("audit/anchors/send")
    assert run_requested_work() == 1
    assert "Asking" not in words(as_admin.get("audit/anchors"))
