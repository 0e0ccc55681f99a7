"""The sequencer, which gives every committed entry one place, in order, and signs the tree."""

import pytest
from sqlalchemy import select

from governance.foundation.audit import checkpoint, fsck, logs, merkle, queries, sequencer
from governance.foundation.audit.models import Leaf, PendingEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from tests import make
from tests.foundation.audit.log_helpers import sequence_entries, write_entries


def detached_row(row):
    """Return the row as it is now, for comparison in a later transaction."""
    session().expunge(row)
    return row


def test_every_entry_gets_one_place_and_a_proof(acting, database):
    ids = write_entries(acting, 5)
    assert sequence_entries(acting) >= 5
    with acting("admin"):
        places = [queries.place_of(entry_id) for entry_id in ids]
        assert places == list(range(places[0], places[0] + 5))
        signed = queries.last_checkpoint()
        key = logs.verifier(logs.signing_key())
        head = checkpoint.open_checkpoint(signed.note, key)
        assert (head.origin, head.size, head.root) == (
            "localhost/audit/acme",
            signed.size,
            signed.root,
        ) or head.origin.endswith("/audit/acme")
        for entry_id in ids:
            stands = queries.inclusion_path(entry_id)
            merkle.verify_inclusion(
                merkle.leaf_hash(queries.entry(entry_id).body),
                stands.index,
                signed.size,
                stands.path,
                signed.root,
            )


def test_places_are_contiguous_from_nought_and_nothing_waits_afterwards(acting, database):
    write_entries(acting, 300)
    sequence_entries(acting, limit=70)
    with acting("admin"):
        indexes = list(session().scalars(select(Leaf.index).order_by(Leaf.index)))
        assert indexes == list(range(len(indexes)))
        assert session().scalars(select(PendingEntry)).all() == []
        assert queries.head().size == len(indexes)
        assert [finding.sentence for finding in fsck.fsck().findings] == []


def test_an_older_tree_is_proved_to_be_the_beginning_of_the_newer(acting, database):
    write_entries(acting, 3)
    sequence_entries(acting)
    with acting("admin"):
        before = detached_row(queries.last_checkpoint())
    write_entries(acting, 260)
    sequence_entries(acting)
    with acting("admin"):
        after = queries.last_checkpoint()
        path = queries.consistency(before.size, after.size)
        merkle.verify_consistency(before.size, after.size, path, before.root, after.root)
        with pytest.raises(merkle.ProofFails):
            merkle.verify_consistency(before.size, after.size, path, after.root, before.root)


def test_an_idle_log_signs_a_heartbeat_each_hour_and_not_oftener(acting, database):
    write_entries(acting, 1)
    sequence_entries(acting)
    with acting("admin"):
        first = queries.last_checkpoint()
        assert sequencer.sequence() == 0
        assert queries.last_checkpoint().number == first.number
        with clock.frozen(first.at + sequencer.HEARTBEAT):
            assert sequencer.sequence() == 0
        beat = queries.last_checkpoint()
        assert (beat.number, beat.size, beat.root) == (first.number + 1, first.size, first.root)


def test_one_tenants_entries_never_enter_the_other_ones_tree(acting, database):
    mine, theirs = write_entries(acting, 2), write_entries(acting, 2, "globex")
    sequence_entries(acting)
    with acting("admin"):
        assert all(queries.place_of(entry_id) is not None for entry_id in mine)
        assert [queries.place_of(entry_id) for entry_id in theirs] == [None, None]
    sequence_entries(acting, "globex")
    with acting("admin", "globex"):
        assert all(queries.place_of(entry_id) is not None for entry_id in theirs)
    assert make.system_actor("acme").tenant_id != make.system_actor("globex").tenant_id


def test_a_retired_key_still_verifies_what_it_signed(acting, database):
    write_entries(acting, 1)
    sequence_entries(acting)
    with acting("admin"):
        old, signed = detached_row(logs.signing_key()), detached_row(queries.last_checkpoint())
        logs.rotate_key()
    sequence_entries(acting)
    with acting("admin"):
        new, later = logs.signing_key(), queries.last_checkpoint()
        assert new.id != old.id and later.key_id == logs.key_id(new)
        checkpoint.open_checkpoint(signed.note, logs.verifier(old))
        checkpoint.open_checkpoint(later.note, logs.verifier(new))
        with pytest.raises(checkpoint.NotSigned, match="different key"):
            checkpoint.open_checkpoint(later.note, logs.verifier(old))
