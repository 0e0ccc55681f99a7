"""The log's API: it requires a key and serves only what is signed, for any program to mirror."""

import base64
import gzip
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import aics_tlog
import pytest
from sqlalchemy import select
from werkzeug.serving import make_server

from governance.foundation.api_keys.models import ApiKey
from governance.foundation.audit import (
    actions,
    logs,
    merkle,
    personal_field_encryption,
    proof,
    queries,
)
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.safety import access
from tests.foundation.audit.log_helpers import entry_bodies, sequence_entries, write_entries
from tests.machine_client import MachineClient, create_machine_client

PATHS = (
    "checkpoint",
    "tile/0/000.p/1",
    "tile/entries/000.p/1",
    "proof/inclusion?index=0",
    "proof/consistency?from=1",
)


@pytest.fixture
def signed_log(acting, database):
    """Write and sign a few entries in acme's log. Return their ids."""
    ids = write_entries(acting, 5)
    sequence_entries(acting)
    return ids


def size_now(acting, tenant="acme"):
    with acting("admin", tenant):
        return queries.last_checkpoint().size


def verifier_key_of(acting, tenant="acme"):
    with acting("admin", tenant):
        return str(logs.verifier(logs.signing_key()))


def entries_of(acting, action="audit.entries.read"):
    with acting("admin"):
        found = list(
            session().scalars(
                select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.at)
            )
        )
        session().expunge_all()
        return found


# ---- a third-party program mirrors the log


@contextmanager
def serve_application(app):
    """Serve the application on a port of loopback."""
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reader_of(base, key, tenant="acme", cache=None):
    """Return the reader of aics-tlog, which is independent of our code. It shows our key."""
    reader = aics_tlog.HttpTileReader(f"{base}/audit/{tenant}/", cache_dir=cache, proxies={})
    reader._opener.addheaders.append(("Authorization", f"Bearer {key}"))
    return reader


def mirror_log(reader, key):
    """Check the checkpoint's signature, every tile and every entry.

    Return (size, root, reader of proven tiles).
    """
    note = aics_tlog.parse_note(reader.read_checkpoint())
    result = aics_tlog.verify_checkpoint(note, aics_tlog.parse_vkey(key))
    assert result.ok, result
    stated = aics_tlog.parse_checkpoint(note.text)
    report = aics_tlog.audit_tiles(reader, stated.size, stated.root)
    assert report.bundles == -(-stated.size // 256)
    return stated.size, stated.root, aics_tlog.VerifiedTileReader(reader, stated.size, stated.root)


@pytest.mark.slow
def test_a_public_client_mirrors_the_log_checks_it_and_follows_its_growth(
    app, acting, signed_log, tmp_path
):
    holder = create_machine_client(app)
    write_entries(acting, 300)
    sequence_entries(acting)
    with serve_application(app) as base:
        reader = reader_of(base, holder.key, cache=tmp_path)
        old, old_root, _ = mirror_log(reader, verifier_key_of(acting))
        write_entries(acting, 300)
        sequence_entries(acting)
        new, new_root, proven = mirror_log(reader, verifier_key_of(acting))
        assert new >= old + 300 and reader.stats["cache_hits"]  # Full tiles aren't requested again.
        path = aics_tlog.consistency_proof_from_tiles(proven, old, new)
        assert aics_tlog.verify_consistency(old, new, old_root, new_root, path)
        assert not aics_tlog.verify_consistency(old, new, new_root, old_root, path)
        assert [proven.entry(index) for index in range(new)] == entry_bodies(acting)[:new]


def test_the_client_would_notice_an_entry_that_was_changed_behind_our_back(app, acting, signed_log):
    """Validate the mirror test above, which would prove nothing otherwise."""
    holder = create_machine_client(app)

    class Tampering(aics_tlog.HttpTileReader):
        def read_entry_bundle(self, index, width):
            found = super().read_entry_bundle(index, width)
            return found[:-2] + b" }" if found else found

    with serve_application(app) as base:
        reader = Tampering(f"{base}/audit/acme/", proxies={})
        reader._opener.addheaders.append(("Authorization", f"Bearer {holder.key}"))
        with pytest.raises(aics_tlog.TileVerificationError):
            mirror_log(reader, verifier_key_of(acting))


# ---- tiles


def test_what_is_not_signed_yet_is_not_shown(app, acting, signed_log):
    holder, signed = create_machine_client(app), size_now(acting)
    write_entries(acting, 3)
    for path in (
        f"tile/0/000.p/{signed + 1}",
        f"tile/entries/000.p/{signed + 1}",
        "tile/0/000",
        "tile/entries/001.p/1",
        "tile/1/000.p/1",
    ):
        holder.get(f"/audit/acme/{path}", then=404)
    shown = holder.get(f"/audit/acme/tile/0/000.p/{signed}")
    assert len(shown.data) == 32 * signed
    waiting = entries_of(acting, "tenant.settings.changed")[-1].id
    assert "pending" in holder.get(f"/audit/acme/proof/entry/{waiting}", then=409).json["title"]
    holder.get(f"/audit/acme/proof/inclusion?entry={waiting}", then=409)
    sequence_entries(acting)
    holder.get(f"/audit/acme/proof/entry/{waiting}")
    holder.get(f"/audit/acme/tile/entries/000.p/{signed + 3}")


def test_a_tree_of_256_is_one_full_tile_and_the_first_hash_of_the_next_level(
    app, acting, signed_log
):
    write_entries(acting, 256)
    sequence_entries(acting)
    holder = create_machine_client(app)
    full = holder.get("/audit/acme/tile/0/000")
    assert (
        len(full.data) == 8192
        and full.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    )
    assert full.data.startswith(
        holder.get("/audit/acme/tile/0/000.p/5").data
    )  # A mirror may be behind.
    above = holder.get("/audit/acme/tile/1/000.p/1").data
    assert above == aics_tlog.MerkleTree(entry_bodies(acting)[:256]).root()


def test_entries_come_behind_their_lengths_and_packed_when_asked(app, acting, signed_log):
    holder, wanted = create_machine_client(app), entry_bodies(acting)[:5]
    plain = holder.get("/audit/acme/tile/entries/000.p/5")
    assert plain.data == b"".join(len(body).to_bytes(2, "big") + body for body in wanted)
    packed = holder.get("/audit/acme/tile/entries/000.p/5", **{"Accept-Encoding": "gzip, identity"})
    assert (
        packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.data) == plain.data
    )
    assert plain.mimetype == packed.mimetype == "application/octet-stream"


@pytest.mark.parametrize(
    "name",
    [
        "0",
        "0/0",
        "0/00",
        "0/0000",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "00/000",
        "64/000",
        "-1/000",
        "0/x000/000",
        "0/000/x001",
        "8/000.p/1",
        "63/000.p/1",
        "0/" + "x999/" * 12 + "999",
        "entries/",
        "entries/0/000",
        "entries/000.p/1000",
        "entries/000.p/-1",
        "0/..%2f000",
        "0/%D9%A0%D9%A0%D9%A0",
        "data/000",
        "0/000.P/1",
        "0/000.p/1/",
        "entries/" + "x999/" * 200 + "999",
        "%ff",
    ],
)
def test_a_name_that_is_no_tiles_is_not_found(app, signed_log, name):
    create_machine_client(app).get(f"/audit/acme/tile/{name}", then=404)


def test_the_checkpoint_is_read_anew_each_time(app, acting, signed_log):
    reply = create_machine_client(app).get("/audit/acme/checkpoint")
    assert (
        reply.content_type == "text/plain; charset=utf-8"
        and reply.headers["Cache-Control"] == "no-cache"
    )
    assert reply.headers["Vary"] == "Authorization" and "Set-Cookie" not in reply.headers


def test_a_log_without_a_checkpoint_says_so(app, database):
    holder = create_machine_client(app, "globex")
    for path in PATHS:
        assert "no checkpoint yet" in holder.get(f"/audit/globex/{path}", then=404).json["title"]


def test_a_tile_costs_the_same_few_statements_however_many_entries_it_holds(
    app, acting, signed_log, statements
):
    holder = create_machine_client(app)
    write_entries(acting, 260)
    sequence_entries(acting)
    holder.get("/audit/acme/checkpoint")  # Records its use.
    seen = {}
    for path in ("checkpoint", "tile/0/000", "tile/0/001.p/2", "tile/entries/000"):
        with statements() as each:
            holder.get(f"/audit/acme/{path}")
        seen[path] = len(each)
    assert seen["checkpoint"] <= 3 and seen["tile/0/000"] <= 4 and seen["tile/0/001.p/2"] <= 3
    holder.get("/audit/acme/tile/entries/000")


# ---- proofs


def unpacked(hashes):
    return [base64.b64decode(each) for each in hashes]


def test_an_inclusion_proof_leads_from_the_entry_to_the_signed_root(app, acting, signed_log):
    holder = create_machine_client(app)
    reply = holder.get(f"/audit/acme/proof/inclusion?entry={signed_log[2]}").json
    stated = aics_tlog.parse_checkpoint(aics_tlog.parse_note(reply["checkpoint"]).text)
    body = entry_bodies(acting)[reply["index"]]
    assert str(signed_log[2]) in body.decode() and base64.b64decode(
        reply["leaf"]
    ) == merkle.leaf_hash(body)
    path = unpacked(reply["path"])
    assert aics_tlog.verify_leaf_inclusion(body, reply["index"], stated.size, path, stated.root)
    assert not aics_tlog.verify_leaf_inclusion(
        body + b" ", reply["index"], stated.size, path, stated.root
    )
    same = holder.get(f"/audit/acme/proof/inclusion?index={reply['index']}&size={stated.size}").json
    assert same == reply


def test_a_proof_under_an_older_tree_carries_the_checkpoint_that_signed_it(app, acting, signed_log):
    old = size_now(acting)
    write_entries(acting, 4)
    sequence_entries(acting)
    holder = create_machine_client(app)
    reply = holder.get(f"/audit/acme/proof/inclusion?index=0&size={old}").json
    stated = aics_tlog.parse_checkpoint(aics_tlog.parse_note(reply["checkpoint"]).text)
    assert stated.size == old and aics_tlog.verify_leaf_inclusion(
        entry_bodies(acting)[0], 0, old, unpacked(reply["path"]), stated.root
    )
    assert (
        holder.get(f"/audit/acme/proof/inclusion?index=0&size={old + 1}").json["checkpoint"] is None
    )


def test_a_consistency_proof_leads_from_an_older_checkpoint_to_the_last(app, acting, signed_log):
    with acting("admin"):
        before = queries.last_checkpoint()
        old, old_root = before.size, before.root
    write_entries(acting, 7)
    sequence_entries(acting)
    reply = create_machine_client(app).get(f"/audit/acme/proof/consistency?from={old}").json
    stated = aics_tlog.parse_checkpoint(aics_tlog.parse_note(reply["checkpoint"]).text)
    assert (reply["from"], reply["to"]) == (old, stated.size)
    assert aics_tlog.verify_consistency(
        old, stated.size, old_root, stated.root, unpacked(reply["path"])
    )


def test_an_entrys_proof_is_a_file_that_is_checked_offline(app, acting, signed_log):
    text = create_machine_client(app).get(f"/audit/acme/proof/entry/{signed_log[0]}").text
    with acting("admin"):
        body, key = queries.entry(signed_log[0]).body, logs.verifier(logs.signing_key())
    assert proof.verify(text, body, key)[0] == queries_place(acting, signed_log[0])
    with pytest.raises(merkle.ProofFails):
        proof.verify(text, body + b" ", key)


def queries_place(acting, entry_id):
    with acting("admin"):
        return queries.place_of(entry_id)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("inclusion", "index"),
        ("inclusion?index=", "index"),
        ("inclusion?index=-1", "index"),
        ("inclusion?index=1e3", "index"),
        ("inclusion?index=99999999999999999999999", "index"),
        ("inclusion?index=9223372036854775807", "index"),
        ("inclusion?index=²", "index"),
        ("inclusion?index=0&size=0", "size"),
        ("inclusion?index=0&size=1000000", "size"),
        ("inclusion?index=2&size=2", "index"),
        ("inclusion?entry=mine", "entry"),
        ("consistency", "from"),
        ("consistency?from=0", "from"),
        ("consistency?from=3&to=2", "from"),
        ("consistency?from=1&to=x", "to"),
        ("consistency?from=1&to=1000000", "to"),
    ],
)
def test_a_number_that_makes_no_sense_is_refused_by_name(app, signed_log, path, field):
    reply = create_machine_client(app).get(f"/audit/acme/proof/{path}", then=422)
    assert reply.json["field"] == field and reply.json["title"].startswith(f"{field}:")


def test_an_entry_with_a_place_beyond_the_asked_tree_is_told_so(app, signed_log):
    holder = create_machine_client(app)
    index = holder.get(f"/audit/acme/proof/inclusion?entry={signed_log[4]}").json["index"]
    assert (
        holder.get(
            f"/audit/acme/proof/inclusion?entry={signed_log[4]}&size={index}", then=422
        ).json["field"]
        == "size"
    )


def test_another_tenants_entry_has_no_proof_here(app, acting, signed_log):
    theirs = write_entries(acting, 2, "globex")
    sequence_entries(acting, "globex")
    holder = create_machine_client(app)
    for unknown in (theirs[0], uuid4()):
        holder.get(f"/audit/acme/proof/entry/{unknown}", then=404)
        holder.get(f"/audit/acme/proof/inclusion?entry={unknown}", then=404)
    create_machine_client(app, "globex").get(f"/audit/globex/proof/entry/{theirs[0]}")


# ---- access


@pytest.mark.parametrize("path", PATHS)
def test_without_a_key_nothing_is_told_not_even_whether_there_is_a_log(
    app, as_officer, signed_log, path
):
    """Ignore a signed-in person's cookie, too."""
    for address in (f"/audit/acme/{path}", f"/audit/nobody/{path}"):
        reply = MachineClient(app, None).get(address, then=401)
        assert reply.headers["WWW-Authenticate"] == 'Bearer realm="console"'
        assert as_officer.client.get(address).status_code == 401
    reply = MachineClient(app, "gc_acme_" + "a" * 43).get(f"/audit/acme/{path}", then=401)
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="console", error="invalid_token"'
    MachineClient(app, "gc_nobody_" + "a" * 43).get(f"/audit/nobody/{path}", then=401)


def test_a_key_without_the_scope_is_told_which_one_it_takes(app, signed_log, monkeypatch):
    monkeypatch.setitem(access.known_scopes, "bells:ring", "ring a bell")
    other = create_machine_client(app, scopes=["bells:ring"])
    assert (
        other.get("/audit/acme/checkpoint", then=403).json["title"]
        == "This key can't mirror the audit log. It needs the scope audit:read."
    )


def test_a_key_opens_its_own_tenants_log_and_no_other(app, acting, signed_log):
    write_entries(acting, 1, "globex")
    sequence_entries(acting, "globex")
    ours, theirs = create_machine_client(app), create_machine_client(app, "globex")
    for path in PATHS:
        ours.get(f"/audit/acme/{path}")
        theirs.get(f"/audit/globex/{path}")
        theirs.get(f"/audit/acme/{path}", then=404)
        theirs.get(f"/audit/nobody/{path}", then=404)


def test_no_page_takes_a_machines_key_and_no_person_is_one(app, signed_log):
    holder = create_machine_client(app)
    assert holder.ask("GET", "/t/acme/", Accept="application/json").status_code == 401
    assert holder.ask("POST", "/t/acme/systems/new", Accept="application/json").status_code == 403


def test_the_log_is_only_read_by_get(app, signed_log):
    holder = create_machine_client(app)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        reply = holder.ask(method, "/audit/acme/checkpoint")
        assert reply.status_code == 405 and reply.mimetype == "application/problem+json"
    assert holder.ask("HEAD", "/audit/acme/checkpoint").status_code == 200
    holder.get("/audit/acme/nothing", then=404)


# ---- entries about reads


def test_reading_entries_leaves_one_entry_for_each_key_and_hour(app, acting, signed_log):
    first, second = (
        create_machine_client(app, name="first"),
        create_machine_client(app, name="second"),
    )
    noon = clock.now().replace(minute=30)
    with clock.frozen(noon):
        for _ in range(3):
            first.get("/audit/acme/tile/entries/000.p/1")
        first.get("/audit/acme/tile/entries/000.p/2")
    assert len(entries_of(acting)) == 1
    with clock.frozen(noon):
        second.get("/audit/acme/tile/entries/000.p/1")
    with clock.frozen(noon + timedelta(hours=1)):
        first.get("/audit/acme/tile/entries/000.p/1")
    found = entries_of(acting)
    with acting("admin"):
        known = {
            name: personal_field_encryption.pseudonym(each.row.id)
            for name, each in {"first": first, "second": second}.items()
        }
    assert [each.actor for each in found] == [known["first"], known["second"], known["first"]]
    assert {each.actor_kind for each in found} == {"api_key"}


def test_hashes_and_refusals_leave_none(app, acting, signed_log):
    holder = create_machine_client(app)
    for path in ("checkpoint", "tile/0/000.p/1", "proof/inclusion?index=0"):
        holder.get(f"/audit/acme/{path}")
    holder.get("/audit/acme/tile/entries/009", then=404)
    create_machine_client(app, "globex").get("/audit/acme/tile/entries/000.p/1", then=404)
    assert entries_of(acting) == []


def test_entries_are_not_given_out_when_the_reading_cannot_be_logged(
    app, acting, signed_log, monkeypatch
):
    """Give no way to read without a trace, whatever makes the log unavailable."""
    holder = create_machine_client(app)
    narrow = replace(actions.READ, fields=frozenset())
    monkeypatch.setattr(actions, "READ", narrow)
    reply = holder.ask("GET", "/audit/acme/tile/entries/000.p/1")
    assert reply.status_code == 500 and not any(body in reply.data for body in entry_bodies(acting))


def test_a_keys_use_is_noted_once_a_minute(app, acting, signed_log):
    holder = create_machine_client(app)
    noon = clock.now()

    def used_at():
        with acting("admin"):
            return session().scalar(select(ApiKey.used_at).where(ApiKey.id == holder.row.id))

    with clock.frozen(noon):
        holder.get("/audit/acme/checkpoint")
    with clock.frozen(noon + timedelta(seconds=50)):
        holder.get("/audit/acme/checkpoint")
    assert used_at() == noon
    with clock.frozen(noon + timedelta(seconds=61)):
        holder.get("/audit/acme/checkpoint")
    assert used_at() == noon + timedelta(seconds=61)
    MachineClient(app, holder.key[:-1] + ("A" if holder.key[-1] != "A" else "B")).get(
        "/audit/acme/checkpoint", then=401
    )
