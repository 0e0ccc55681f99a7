"""Receivers of signed checkpoints, and a time-stamp authority that signs their existence."""

import base64
import hashlib
import hmac
import io
import json
import shutil
import subprocess
import zipfile
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rfc3161_client import decode_timestamp_response
from sqlalchemy import select

from governance.foundation.anchors import queries, timestamp, webhook
from governance.foundation.anchors.certificate_order import sorted_certificates
from governance.foundation.anchors.models import Anchor
from governance.foundation.audit import queries as audit
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.safety import key_encryption
from tests.foundation.anchors.witness_servers import StubReceiver
from tests.waiting import MAX_WAIT_SECONDS

SECRET = webhook.new_secret()


# ---- a receiver


def test_a_receiver_can_tell_that_a_checkpoint_is_ours(log):
    size, note = log.grow(4)
    server = StubReceiver(204)
    with server.serving() as url:
        anchor = log.add(kind="webhook", url=f"{url}/hook?token=1", secret=SECRET)
        log.push()
        assert log.anchor(anchor) == ("agrees", "", size)
    [(path, headers, body)] = server.requests
    assert path == "/hook?token=1"
    sent = json.loads(body)
    assert (sent["origin"], sent["size"], sent["checkpoint"]) == (log.origin, size, note)
    assert sent["root"] == note.split("\n")[2] and sent["number"] >= 1
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == expected
    assert abs(int(headers["webhook-timestamp"]) - clock.now().timestamp()) < 60


def test_the_signature_is_that_of_the_published_example():
    """Reproduce the example of the Standard Webhooks specification.

    Its signature was made with another library.
    """
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    headers = webhook.signed(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, "agrees"),
        (202, "agrees"),
        (302, "refuses"),
        (401, "refuses"),
        (422, "refuses"),
        (500, "away"),
    ],
)
def test_only_a_receiver_that_has_taken_it_agrees_and_none_halts_the_log(log, status, state):
    log.grow(2)
    server = StubReceiver(status, b"so", Location="http://127.0.0.1:1/")
    with server.serving() as url:
        anchor = log.add(kind="webhook", url=url, secret=SECRET)
        log.push()
    assert log.anchor(anchor)[0] == state
    assert len(server.requests) == 1 and log.trouble is None


def test_the_secret_is_kept_sealed(log):
    anchor = log.add(kind="webhook", url="http://127.0.0.1:1", secret=SECRET)
    with log.acting("admin"):
        row = session().scalars(select(Anchor).where(Anchor.id == anchor)).one()
        assert SECRET.encode() not in row.secret and SECRET not in (row.key + row.url)
        [holding] = [each for each in key_encryption.holdings if each.model is Anchor]
        assert (
            key_encryption.service().rewrap(row.secret, holding.context(row)) is None
        )  # A rotation of the key finds and decrypts it.


# ---- a time-stamp authority


TSA = """
[ ca ]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign
[ tsa ]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
[ config ]
serial=serial
crypto_device=builtin
signer_cert=tsa.pem
signer_key=tsa.key
signer_digest=sha256
default_policy=1.3.6.1.4.1.99999.1
digests=sha256
ess_cert_id_alg=sha256
[ req ]
distinguished_name=dn
[ dn ]
"""


class Authority:
    """A time-stamp authority: `openssl ts` behind HTTP, independent of our code."""

    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.folder = folder
        (folder / "tsa.cnf").write_text(TSA)
        (folder / "serial").write_text("01\n")
        new = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config tsa.cnf"
        self.run(
            f"req -x509 {new} -keyout ca.key -out ca.pem -days 30 -subj /CN=Root.example"
            " -extensions ca"
        )
        self.run(f"req {new} -keyout tsa.key -out tsa.csr -subj /CN=tsa.example")
        self.run(
            "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -days 30 -out tsa.pem -extfile tsa.cnf"
            " -extensions tsa"
        )
        self.root, self.signer = ((folder / name).read_text() for name in ("ca.pem", "tsa.pem"))

    def run(self, command):
        return subprocess.run(
            ["openssl", *command.split()],
            cwd=self.folder,
            check=True,
            capture_output=True,
            timeout=MAX_WAIT_SECONDS,
        )

    def answer(self, query, *, chain=None):
        (self.folder / "q.tsq").write_bytes(query)
        reply = "ts -reply -config tsa.cnf -section config -queryfile q.tsq -out r.tsr"
        if chain is not None:
            (self.folder / "chain.pem").write_text(chain)
            reply += " -chain chain.pem"
        self.run(reply)
        return (self.folder / "r.tsr").read_bytes()


@pytest.fixture
def authority(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("NOT TESTED: there is no openssl here to play the time-stamp authority")
    return Authority(tmp_path / "tsa")


def stamped(log, authority, body, pem=None):
    with StubReceiver(200, body, Content_Type="application/timestamp-reply").serving() as url:
        anchor = log.add(kind="timestamp", url=url, key=pem or authority.root)
        log.push()
        return anchor


def test_a_checkpoint_is_stamped_and_openssl_bears_the_stamp_out(
    log, authority, as_auditor, tmp_path
):
    size, note = log.grow(3)
    anchor = stamped(log, authority, authority.answer)
    assert log.anchor(anchor) == ("agrees", "", size)
    with log.acting("admin"):
        [kept] = queries.newest_receipts()[anchor]
        path = f"audit/anchors/receipts/{kept.receipt.id}/download"
    taken = zipfile.ZipFile(io.BytesIO(as_auditor.post(path, then=200).data))
    taken.extractall(tmp_path)
    [text, token] = sorted(taken.namelist(), reverse=True)
    assert (tmp_path / text).read_text() == note
    checked = authority.run(
        f"ts -verify -in {tmp_path / token} -data {tmp_path / text} -CAfile ca.pem"
    )
    assert b"Verification: OK" in checked.stdout + checked.stderr
    assert len(log.entries("anchor.receipt.downloaded")) == 1


def test_a_chain_counts_in_whatever_order_its_certificates_are(log, authority, tmp_path):
    """Accept both orders: DER sorts the certificates, `openssl ts -reply -chain` doesn't."""
    size, _ = log.grow(3)
    other = Authority(tmp_path / "other")
    chains = (authority.root + other.root, other.root + authority.root)
    replies = []
    for chain in chains:

        def answer(query, chain=chain):
            replies.append(authority.answer(query, chain=chain))
            return replies[-1]

        anchor = stamped(log, authority, answer)
        assert log.anchor(anchor) == ("agrees", "", size)
    assert any(sorted_certificates(reply) != reply for reply in replies)
    assert all(len(sorted_certificates(reply)) == len(reply) for reply in replies)


@given(st.binary(max_size=300))
def test_sorting_the_certificates_of_something_else_changes_nothing(content):
    assert len(sorted_certificates(content)) == len(content)


def test_it_is_asked_once_a_day(log, authority):
    log.grow(3)
    asked = []
    with StubReceiver(
        200, lambda query: asked.append(1) or authority.answer(query)
    ).serving() as url:
        log.add(kind="timestamp", url=url, key=authority.root)
        log.push()
        log.grow(1)
        assert log.push() == log.push(impatient=True) == 0
        with clock.frozen(clock.now() + timedelta(days=1)):
            assert log.push() == 1
            assert log.push() == 0
    assert len(asked) == 2


def test_a_stamp_of_another_authority_or_for_something_else_is_no_agreement(
    log, authority, tmp_path
):
    log.grow(3)
    other = Authority(tmp_path / "other")
    assert log.anchor(stamped(log, authority, other.answer))[:2] == (
        "refuses",
        "answered with a time stamp that its certificates don't confirm",
    )
    old = authority.answer(timestamp._query(b"something else").as_bytes())
    assert log.anchor(stamped(log, authority, old))[0] == "refuses"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\x30\x03\x02\x01\x01", b"\x30\x05\x30\x03\x02\x01\x02", bytes(2000)]
)
def test_what_is_no_time_stamp_is_no_agreement(log, authority, body):
    log.grow(1)
    state, finding, _ = log.anchor(stamped(log, authority, body))
    assert state == "refuses" and "time stamp" in finding


def test_nothing_that_a_token_says_can_be_changed(log, authority):
    content = b"checkpoint\n"
    token = authority.answer(timestamp._query(content).as_bytes())
    assert timestamp.flaw(token, authority.root, content) == ""
    assert timestamp.flaw(token, authority.root + authority.signer, content) == ""
    assert timestamp.flaw(token, authority.root, content + b"x")
    said = decode_timestamp_response(token).tst_info
    bent = [_flipped(token, i) for i in range(len(token))]
    held = [
        decode_timestamp_response(each).tst_info
        for each in bent
        if not timestamp.flaw(each, authority.root, content)
    ]
    assert (
        len(held) < 50
    )  # Flips in an OID next to the signature, or in a key's usage, change no statement.
    assert {(t.gen_time, t.serial_number, t.message_imprint.message) for t in held} <= {
        (said.gen_time, said.serial_number, said.message_imprint.message)
    }


def _flipped(token, index):
    return token[:index] + bytes([token[index] ^ 1]) + token[index + 1 :]


def test_an_authority_needs_its_root(authority):
    with pytest.raises(ValueError, match="The root certificate is missing"):
        timestamp.certificates(authority.signer)
    with pytest.raises(ValueError, match="not PEM certificates"):
        timestamp.certificates("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert len(timestamp.certificates(authority.root + authority.signer)) == 2


def test_the_last_checkpoint_is_the_one_that_is_shown(log):
    log.grow(2)
    server = StubReceiver(200)
    with server.serving() as url:
        log.add(kind="webhook", url=url, secret=SECRET)
        log.push()
        log.grow(2)
        log.push()
    with log.acting("admin"):
        assert json.loads(server.requests[-1][2])["number"] == audit.last_checkpoint().number
