"""The decision API under a hostile client, a bad row, a slow clock or a restored database.

Each affects only itself.
"""

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from governance.foundation.api_keys.models import ApiKey
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session, transaction
from governance.operations.decision_counts import actions as decisions
from governance.operations.decision_counts.models import DecisionCount
from governance.operations.decisions.app import FLAGS
from governance.operations.decisions.bundle import claims
from governance.operations.decisions.counting import (
    MAX_CONSUMERS_PER_KEY,
    DecisionCounter,
    Requester,
)
from governance.operations.decisions.flags import Answers, DecisionFacts
from governance.operations.decisions.snapshots import LEASE_SECONDS, RETRY_SECONDS, Snapshots
from governance.operations.policies import actions, waivers
from governance.operations.policies.effective_policies import (
    Content,
    EffectivePolicy,
    Governed,
    LiveWaiver,
    Platform,
)
from governance.operations.switches import actions as switches
from governance.operations.switches import consumer_actions
from governance.operations.switches.consumers import Heard
from governance.operations.switches.models import Acknowledgement, Consumer
from governance.operations.systems import queries as register
from tests import make
from tests.operations.decisions.conftest import Product, create_key, register_system
from tests.operations.policies.conftest import approve_waiver

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
AD_COPYWRITER = Governed(UUID(int=2), "ad-copywriter", "Writer", "standard")


# ---- a worker's memory


@pytest.fixture
def following_worker(app, database) -> Snapshots:
    """Return a worker that follows changes, whose polls the test calls instead of a thread."""
    return Snapshots("postgresql://nowhere", following=True)


def break_policy(slug: str = "acme") -> None:
    """Add a row that no version of Meridian can read."""
    with make.acting("admin", slug):
        session().execute(
            text(
                "INSERT INTO policy_versions (tenant_id, id, number, state, content, digest, base,"
                " edited, loosens, reason, hands, note, agreed, in_force_from, created_at) VALUES"
                " (:tenant, gen_random_uuid(), 1, 'live', :content, '', 0, 1, false, '', '[]', '',"
                " '', now(), now())"
            ),
            {
                "tenant": current.actor().tenant_id,
                "content": '{"tier": "standard", "overrides": {"mood": "good"}}',
            },
        )
        tenant_revision.advance()


def tighten(slug: str) -> None:
    with make.acting("admin", slug):
        actions.tighten_now(Content("strict"), base=0, reason="x")


def age_snapshot(held: Snapshots, seconds: float) -> None:
    """Age the snapshots by that time without a poll."""
    held.contact -= seconds
    for each in held._snapshots.values():
        each.known, each.again = each.known - seconds, each.again - seconds


def test_a_tenant_that_cannot_be_read_turns_stale_and_the_others_are_followed(following_worker):
    for slug in ("acme", "globex"):
        assert not following_worker.of(slug).stale
    break_policy()
    tighten("globex")
    following_worker._catch_up()
    assert following_worker.of("globex").facts.policy.content.tier == "strict", (
        "anyone who comes after the bad one is loaded all the same"
    )
    age_snapshot(following_worker, LEASE_SECONDS + 1)
    following_worker._catch_up()
    assert (
        following_worker.of("acme").stale
        and following_worker.of("acme").facts.policy.content.tier == "standard"
    )
    assert not following_worker.of("globex").stale and not following_worker.is_stale


def test_a_bad_tenant_is_tried_again_only_after_a_while(following_worker, statements):
    following_worker.of("acme")
    break_policy()
    following_worker._moved(str(following_worker.of("acme").facts.tenant_id))
    with statements() as seen:
        following_worker._catch_up()
    assert not [each for each in seen if "policy_versions" in each]
    age_snapshot(following_worker, RETRY_SECONDS)
    with statements() as seen:
        following_worker._catch_up()
    assert [each for each in seen if "policy_versions" in each]


def test_loading_one_tenant_is_no_sign_of_life_of_the_others(following_worker):
    following_worker.of("acme")
    age_snapshot(following_worker, LEASE_SECONDS + 1)
    assert not following_worker.of("globex").stale
    assert following_worker.of("acme").stale and following_worker.is_stale


def test_what_ends_by_time_ends_also_on_a_machine_whose_clock_is_behind(following_worker, database):
    until = clock.now() - timedelta(minutes=30)
    waived = LiveWaiver(uuid4(), AD_COPYWRITER.id, "pii_redaction", "off", until)
    policy = EffectivePolicy(Platform(), 1, Content("baseline"), (AD_COPYWRITER,), (waived,))
    with clock.frozen(clock.now() - timedelta(hours=1)):
        number = revisions_of("globex")
        following_worker._put(
            DecisionFacts(make.system_actor("globex").tenant_id, "globex", number, 0, {}, policy),
            0,
            0,
        )
        assert (
            following_worker.of("globex").flag("ad-copywriter", "policy.pii_redaction").value
            == "off"
        )
        following_worker._catch_up()
        assert (
            following_worker.of("globex").flag("ad-copywriter", "policy.pii_redaction").value
            == "outputs"
        )


def revisions_of(slug: str) -> int:
    with make.acting("admin", slug, read_only=True):
        return tenant_revision.current_revision()


def test_what_another_machine_has_just_put_into_force_holds_here_however_far_this_clock_is_behind(
    following_worker,
):
    following_worker.of("acme")
    tighten("acme")
    with clock.frozen(clock.now() - timedelta(hours=1)):
        following_worker._catch_up()
        assert following_worker.of("acme").facts.policy.content.tier == "strict"


def test_after_a_restore_nobody_is_believed_to_obey_what_they_never_heard(following_worker):
    """Forget acknowledgements after a restore, which restarts the database's numbers lower."""
    with make.acting("admin"):
        for _ in range(9):
            tenant_revision.advance()
    answers = following_worker.of("acme")
    following_worker.tally.note(
        "acme", "", "bulk", "", Requester(uuid4(), "k", "dublin-1", "", None), answers.facts.number
    )
    with make.acting("admin"):
        session().execute(
            text("UPDATE marks SET number = 2 WHERE id = :id"), {"id": current.actor().tenant_id}
        )
    following_worker._catch_up()
    assert following_worker.tally.news() == []


# ---- floods


def test_one_key_that_makes_up_names_takes_no_place_of_anothers():
    tally, loud, quiet = DecisionCounter(), uuid4(), uuid4()
    for n in range(500):
        tally.note("acme", "", "bulk", "", Requester(loud, "loud key", f"made-up-{n}", "", None), 1)
    tally.note("acme", "", "bulk", "", Requester(quiet, "quiet key", "dublin-1", "", None), 1)
    names = {name for _, _, name, _ in tally.news()}
    assert len(names) == MAX_CONSUMERS_PER_KEY + 2 and {"dublin-1", "loud key", "made-up-0"} < names


def note_answer(key_id: UUID, names: list[str], version: int = 1) -> None:
    with current.acting_as(make.system_actor("acme")), transaction():
        now = clock.now()
        consumer_actions.note_consumers(
            [Heard(key_id, name, "Dublin", None, version, now, now) for name in names]
        )


def consumers() -> set[str]:
    with make.acting("admin", read_only=True):
        return set(session().scalars(select(Consumer.name)))


@pytest.fixture
def key_id(app, triage) -> UUID:
    create_key(name="claims service")
    with make.acting("admin", read_only=True):
        return session().scalars(select(ApiKey.id)).one()


def test_a_key_fills_no_table_with_made_up_names_whichever_worker_hears_them(key_id):
    most = consumer_actions.MAX_CONSUMERS_PER_KEY
    for worker in range(3):
        note_answer(key_id, [f"made-up-{worker}-{n}" for n in range(most)])
    assert len(consumers()) == most + 1 and "claims service" in consumers()
    note_answer(key_id, ["made-up-0-0"], version=2)
    assert len(consumers()) == most + 1


def test_who_is_quiet_makes_room_and_is_forgotten_unless_a_stop_tells_of_them(key_id, triage):
    with clock.frozen(clock.now() - timedelta(days=40)):
        note_answer(key_id, ["never-asked-again", "heard-by-a-stop"])
        with make.acting("admin"):
            session().execute(
                text(
                    "UPDATE consumers SET seen_at = seen_at - interval '2 days' WHERE name ="
                    " 'never-asked-again'"
                )
            )
            made = switches.stop("tenant", None, None, reason="A test.")
            assert len(made.expected) == 1
            version = made.version
        note_answer(key_id, ["obeyed-later"], version=version)
    with make.acting("admin"):
        assert consumer_actions.forget_consumers() == 1
    assert consumers() == {"heard-by-a-stop", "obeyed-later"}


def test_twenty_thousand_counts_are_written_in_one_telling(app, acting):
    with acting("admin"):
        decisions.add({(NOW - timedelta(minutes=n), "", "bulk", ""): 1 for n in range(20_000)})
        assert session().scalar(select(func.count()).select_from(DecisionCount)) == 20_000


def test_ten_thousand_consumers_of_a_tenant_are_told_of(app, key_id, triage):
    with make.acting("admin"):
        version = switches.stop("tenant", None, None, reason="A test.").version
    told = Snapshots("postgresql://nowhere", following=True)
    for n in range(10_000):
        told.tally.note(
            "acme", "", "bulk", "", Requester(key_id, "claims service", f"c{n}", "", None), version
        )
        told.tally._names.clear()  # Simulates a separate key for each.
    told.write_all()
    assert told.tally.news() == []
    with make.acting("admin"):
        assert (
            session().scalar(select(func.count()).select_from(Acknowledgement))
            == consumer_actions.MAX_CONSUMERS_PER_KEY + 1
        )


def test_another_systems_switch_is_counted_in_no_systems_name(app, product_client):
    """Ignore another system's switches.

    Otherwise fifty systems that request each other's five thousand switches add 250,000 rows a
    minute.
    """
    register_system("ad-copywriter", "standard")
    product_client.value("switch.ad-copywriter", system="claims-triage")
    product_client.value("switch.claims-triage", system="claims-triage")
    with make.acting("admin", read_only=True):
        rows = session().execute(select(DecisionCount.system, DecisionCount.flag)).all()
        assert {tuple(row) for row in rows} == {
            ("", "switch.ad-copywriter"),
            ("claims-triage", "switch.claims-triage"),
        }


# ---- requests


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "+5", "0x10", "５", "1e3", " 5"])
def test_a_length_that_is_none_is_refused(app, product_client, length):
    headers = {"Authorization": f"Bearer {product_client.key}"}
    reply = app.test_client().post(
        FLAGS, headers=headers, environ_overrides={"CONTENT_LENGTH": length}
    )
    assert reply.status_code == 400 and reply.get_json()["errorCode"] == "INVALID_CONTEXT"


@pytest.mark.parametrize(
    "name", ["a\r\nSet-Cookie: x=1", "\x00", "\ud800", "x" * 81, "", " ", "ünïcode", "a\nb"]
)
def test_a_consumer_that_names_itself_oddly_is_heard_under_its_keys_name(app, product_client, name):
    reply = product_client.ask("policy.grounding", consumer=name, region=name)
    assert "x=1" not in str(reply.headers)
    assert consumers() == {"claims service"}


def test_a_key_that_asks_for_decisions_is_used(app, product_client):
    product_client.ask("policy.grounding")
    with make.acting("admin", read_only=True):
        assert clock.now() - session().scalars(select(ApiKey.used_at)).one() < timedelta(minutes=1)


def test_what_went_wrong_inside_is_told_to_nobody_outside(app, product_client):
    break_policy("globex")
    told = Product(app, create_key("globex")).ask("policy.grounding", then=503).text
    assert "SELECT" not in told and "psycopg" not in told


# ---- bundles


def test_a_bundle_is_good_for_no_longer_than_what_it_holds():
    """Limit a bundle's lifetime to that of its content.

    An edge that trusts it for five minutes would stay below the platform minimum after the waiver's
    end.
    """
    waived = LiveWaiver(
        uuid4(), AD_COPYWRITER.id, "pii_redaction", "off", NOW + timedelta(seconds=40)
    )
    policy = EffectivePolicy(Platform(), 17, Content("baseline"), (AD_COPYWRITER,), (waived,))
    said = claims(Answers(DecisionFacts(uuid4(), "acme", 1, 0, {}, policy), NOW), "console", NOW)
    assert (
        said["systems"]["ad-copywriter"]["policy.pii_redaction"] == "off"
        and said["exp"] - said["iat"] == 40
    )


def test_a_bundle_is_made_anew_when_a_waiver_ended(app, product_client):
    """Build it again within the thirty seconds for which a bundle is reused."""

    def bundle() -> dict:
        reply = product_client.client.get(
            "/policy/v1/bundle", headers={"Authorization": f"Bearer {product_client.key}"}
        )
        return json.loads(base64.urlsafe_b64decode(reply.text.split(".")[1] + "==="))

    with make.acting("admin"):
        ends = clock.now() + timedelta(seconds=20)
        system_id = register.system("claims-triage").id
        row_id = waivers.request(
            system_id, "retention_days", 120, expires_at=ends, reason="x", compensation="x"
        ).id
    approve_waiver(row_id, "compliance_officer", "reviewer")
    first = bundle()
    assert first["exp"] == int(ends.timestamp())
    with clock.frozen(ends + timedelta(seconds=1)):
        assert bundle()["exp"] - bundle()["iat"] == 300
