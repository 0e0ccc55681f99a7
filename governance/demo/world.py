"""The demo's world: eighteen months of Acme Insurance and a smaller Globex, told by the product's
own actions.

Everything goes through the actions that a user's click would call, at the day it happened, by the
person who did it: so the log, the derived states and the history are as true as anybody's. The
random choices have a fixed seed, and every date is counted back from today.
"""

import csv
import io
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import create_engine

from governance.app import factory, schedule
from governance.assurance.assessments import (
    assessment_actions,
    assessment_queries,
    board_queries,
    conclusion_actions,
    item_actions,
)
from governance.assurance.controls import actions as controls
from governance.assurance.controls import adoption_actions, control_test_actions, starter_pack
from governance.assurance.controls import queries as control_queries
from governance.assurance.evidence import actions as evidencing
from governance.assurance.evidence import queries as shelf
from governance.assurance.evidence import review_queue, version_actions
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.frameworks import actions as adopting
from governance.assurance.frameworks import queries as frameworks
from governance.demo import (
    collected_evidence,
    decision_history,
    machine_keys,
    policy_history,
    soc2_engagement,
    stops_and_drills,
)
from governance.demo import type2_tests as type_two
from governance.demo.idp.directory import PEOPLE, Person
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import fingerprint_seen
from governance.foundation.approvals.queries import open_approval
from governance.foundation.audit import personal_field_encryption
from governance.foundation.identity_providers import actions as identity_providers
from governance.foundation.identity_providers.connection_settings import (
    Settings as ConnectionSettings,
)
from governance.foundation.identity_providers.connection_settings import settings_of
from governance.foundation.people import actions as joining
from governance.foundation.people import oidc
from governance.foundation.people import queries as members
from governance.foundation.people.jobs import actor_of
from governance.foundation.people.models import Membership, person_key
from governance.foundation.privacy import actions as privacy
from governance.foundation.privacy import queries as private
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.kernel import clock, current, jobs
from governance.kernel.config import Settings
from governance.kernel.current import Actor
from governance.kernel.db import find, transaction
from governance.kernel.ids import uuid7
from governance.operations.systems import actions as registering

SEED = 2026
MONTHS = 18
KEYS_MADE, DRILLED = 210, 6  # days ago
LEFT = replace(
    PEOPLE["acme"][4], sub="acme-1006", email="tobias.frank@acme.example", name="Tobias Frank"
)  # was erased since
ACME_DIRECTORY = (*PEOPLE["acme"], replace(PEOPLE["audit"][0], groups=("auditors-halden",)))
GROUPS = {
    "acme": {
        "governance-admins": "admin",
        "governance-officers": "compliance_officer",
        "governance-contributors": "contributor",
        "governance-viewers": "viewer",
    },
    "globex": {"governance-admins": "admin", "governance-officers": "compliance_officer"},
    "console": {"governance-operators": "operator_admin", "governance-finance": "operator_finance"},
}
DOMAINS = {
    "acme": {"acme.example", "audit.example"},
    "globex": {"globex.example"},
    "console": {"console.example"},
}
NAMES = {"acme": "Acme Insurance", "globex": "Globex", "console": "Console"}
ADDRESSES = {
    "operator": "operator@{}.example",
    "admin": "admin@{}.example",
    "officer": "officer@{}.example",
    "jun": "jun.chen@{}.example",
    "anna": "contributor@{}.example",
    "tobias": "tobias.frank@{}.example",
    "auditor": "auditor@audit.example",
}

# What the story needs. Every control that is named in none of these is evidenced, or effective from
# its tests on.
LATE = {"SEC-04", "TRA-01"}
NOT_ADOPTED = {"ENV-01"}
NOTHING_YET = {"MON-07"}
WAITS_FOR_REVIEW = {"EVA-03", "VEN-01"}
BEGUN_LATELY = {"HUM-01", "RES-01", "INC-02", "RSK-04", "DAT-02", "MON-04", "GOV-02", "HR-02"}
UNTESTED = {
    "GOV-02",
    "RSK-01",
    "RSK-04",
    "RSK-05",
    "INV-02",
    "HUM-01",
    "HR-02",
    "SEC-08",
    "RES-01",
    "DAT-02",
    "EVA-02",
    "EVA-04",
    "EVA-05",
    "MON-02",
    "MON-03",
    "MON-04",
    "VEN-03",
    "LOG-01",
    "INC-02",
    "PUB-02",
    "ROL-02",
    "GOV-04",
}
EVERY = {"monthly": 30, "quarterly": 91, "half-yearly": 182, "yearly": 365}
CADENCE_OF_EVIDENCE = {
    "daily": "monthly",
    "weekly": "monthly",
    "per release": "quarterly",
    "per change": "quarterly",
}
TITLES = Counter(title for control in starter_pack.pack() for title in control.evidence)
TARGET_FOUR = {
    "GOVERN 1.4",
    "GOVERN 1.6",
    "GOVERN 2.1",
    "MEASURE 2.7",
    "MEASURE 2.6",
    "MANAGE 2.4",
    "MANAGE 4.3",
}


def build(
    settings: Settings, idp_base: str, clients: Mapping[str, tuple[str, str]]
) -> dict[str, Any]:
    """Fill an empty, migrated database.

    `clients` is tenant → (client id, secret) at the demo's provider.

    What machines were handed, by name: {tenant, key, scopes}.
    """
    factory.connect(settings)
    directory.forget()
    for slug in ("acme", "globex", "console"):
        _found(slug, f"{idp_base}/{slug}", clients[slug])
    handed: dict[str, Any] = {}
    _tell_acme(Cast("acme", f"{idp_base}/acme"), handed)
    _tell_globex(Cast("globex", f"{idp_base}/globex"), handed)
    _tell_operator(Cast("console", f"{idp_base}/console"))
    for slug in ("acme", "globex", "console"):
        _sign_log(slug, _ago(0))
    jobs.drain(actor_of)
    _analyse(settings.owner_database_url)
    return handed


def _analyse(owner_url: str) -> None:
    """Tell the planner what eighteen months look like: autovacuum would, in a minute or two."""
    with create_engine(owner_url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("ANALYZE")


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of one tenant, by the part that they play."""

    slug: str
    issuer: str

    def __call__(self, part: str) -> Actor:
        """The actor of a part: admin, officer, jun, anna."""
        email = ADDRESSES[part].format(self.slug)
        person = next(p for p in (*PEOPLE[self.slug], *PEOPLE["audit"], LEFT) if p.email == email)
        role = {
            "admin": "admin",
            "anna": "contributor",
            "auditor": "auditor",
            "operator": "operator_admin",
        }.get(part, "compliance_officer")
        base = founder(self.slug)
        return replace(
            base,
            person_id=person_key(self.issuer, person.sub),
            name=person.name,
            role=role,
            kind="operator" if part == "operator" else "person",
        )

    def id(self, part: str) -> UUID:
        who = self(part).person_id
        if who is None:
            raise LookupError(part)
        return who


def founder(slug: str) -> Actor:
    tenant_id = directory.tenant_id(slug)
    if tenant_id is None:
        raise LookupError(slug)
    return tenants.founder(tenant_id, slug, NAMES[slug])


@contextmanager
def _as(who: Actor, day: date, hour: int = 10) -> Iterator[None]:
    """That person, on that day; minutes are spread by the ids that the day brings."""
    with clock.frozen(_at(day, hour)), current.acting_as(who):
        yield


def _at(day: date, hour: int = 10) -> datetime:
    return min(
        datetime.combine(
            day, time(hour, (day.toordinal() * 7) % 60, (day.toordinal() * 13) % 60), UTC
        ),
        datetime.now(UTC),
    )


def _ago(days: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=days)


# ---- tenants and people


def _found(slug: str, issuer: str, client: tuple[str, str]) -> None:
    """The tenant, its identity provider, its people: as on the first day."""
    with clock.frozen(_at(_ago(MONTHS * 30 + 20), 8)):
        tenant = tenants.found(
            slug, NAMES[slug], kind="operator" if slug == "console" else "customer"
        )
        base = replace(founder(slug), role="operator_admin" if slug == "console" else "admin")
        with current.acting_as(base), transaction():
            identity_providers.set_up(
                ConnectionSettings(issuer, client[0], enforced=True, group_roles=GROUPS[slug]),
                secret=client[1],
            )
            tenants.set_domains(tenant, DOMAINS[slug])
        for person in (*ACME_DIRECTORY, LEFT) if slug == "acme" else PEOPLE[slug]:
            _join(base, slug, issuer, person)


def _join(base: Actor, slug: str, issuer: str, person: Person) -> None:
    identity = oidc.Identity(
        issuer,
        person.sub,
        person.email,
        True,
        person.name,
        person.groups,
        None,
        clock.now().timestamp(),
        "",
    )
    role = next(
        (GROUPS[slug][group] for group in person.groups if group in GROUPS[slug]), "auditor"
    )
    with current.acting_as(base), transaction(person_id=person_key(issuer, person.sub)):
        joining.join(
            joining.arrive(identity),
            role,
            via="engagement, Halden & Co" if role == "auditor" else "group mapping",
        )


# ---- Acme: eighteen months


@dataclass(slots=True)
class Event:
    """Something that happens on a day, by somebody."""

    day: date
    part: str
    deed: Callable[[], object]
    hour: int = 10


def _tell_acme(cast: Cast, handed: dict[str, Any]) -> None:
    chance = random.Random(SEED)  # noqa: S311 - a story, not a secret
    with _as(cast("admin"), _ago(MONTHS * 30 + 15)), transaction():
        for key in (
            "nist-ai-rmf-1.0",
            "nist-ai-600-1",
            "owasp-llm-2025",
            "owasp-llm-2026",
            "soc2-tsc-2017",
        ):
            adopting.adopt_framework(key)
        for key, name, lane, purpose, owner in (
            (
                "support-assistant",
                "Support assistant",
                "standard",
                "Answers policyholders' questions and transfers them to a person.",
                "anna",
            ),
            (
                "claims-triage",
                "Claims triage",
                "high_risk",
                "Ranks incoming claims for adjusters.",
                "jun",
            ),
            (
                "ad-copywriter",
                "Ad copywriter",
                "standard",
                "Drafts ads that marketing edits and approves.",
                "anna",
            ),
        ):
            registering.register(
                key=key, name=name, lane=lane, purpose=purpose, owner_id=cast.id(owner)
            )
        stops_and_drills.add_features()
    held = AdoptedControls({}, {})
    told = [
        *_adoptions(cast, held),
        *_evidence_events(cast, chance, held),
        *_test_events(held),
        *_assessments(cast, chance),
        *_private_matters(cast),
        *(Event(each.day, each.part, each.deed, each.hour) for each in policy_history.acme(_ago)),
        *(
            Event(each.day, each.part, each.deed, each.hour)
            for each in collected_evidence.reviews(_ago)
        ),
        *(
            Event(each.day, each.part, each.deed, each.hour)
            for each in type_two.acme(held.ids, cast.id, _ago)
        ),
        *(
            Event(each.day, each.part, each.deed, each.hour)
            for each in soc2_engagement.acme(cast.id, _ago)
        ),
        Event(_ago(KEYS_MADE), "admin", lambda: handed.update(machine_keys.make("acme")), 14),
    ]
    drilled = _ago(DRILLED)
    begun: set[date] = set()
    _play(cast, [event for event in told if event.day < drilled], begun)
    with current.acting_as(founder("acme")):
        key_id = machine_keys.key_id("claims-triage")
    for number, feature in enumerate(("auto-approve", "summarise")):
        at = datetime.combine(drilled, time(6, 15 + number), UTC)
        stops_and_drills.tell_drill(
            cast("officer"),
            cast("jun"),
            founder("acme"),
            at=at,
            key_id=key_id,
            feature=feature,
            pace=1 - number / 4,
        )
    with _as(cast("admin"), drilled + timedelta(days=1), 9), transaction():
        _accept_drills()
    _play(cast, [event for event in told if event.day >= drilled], begun)
    decision_history.tell(founder("acme"))
    stops_and_drills.tell_stop(cast("admin"), founder("acme"), now=datetime.now(UTC), key_id=key_id)


def _accept_drills() -> None:
    """What the drills filed by themselves is looked at by a person, as all evidence is."""
    for _, held in review_queue.queue_page({}, size=1000).rows:
        if held.uploaded_by is None:
            version_actions.accept(*shelf.find_version(held.version_id, lock=True))


@dataclass(frozen=True, slots=True)
class AdoptedControls:
    """The adopted controls by reference: since when, as planned; and their ids, once they are
    adopted.
    """

    since: dict[str, date]
    ids: dict[str, UUID]


def _adoptions(cast: Cast, held: AdoptedControls) -> Iterator[Event]:
    """In four waves, so that the levels rise over the year."""
    refs = [c.ref for c in starter_pack.pack() if c.ref not in NOT_ADOPTED]
    for days, first, last in (
        (MONTHS * 30 + 10, 0, 26),
        (430, 26, 40),
        (330, 40, 50),
        (200, 50, len(refs)),
    ):
        held.since.update(dict.fromkeys(refs[first:last], _ago(days)))
        yield Event(_ago(days), "officer", _adopted(cast, held, refs[first:last]))


def _adopted(cast: Cast, held: AdoptedControls, refs: list[str]) -> Callable[[], object]:
    def deed() -> None:
        for number, control in enumerate(adoption_actions.adopt(refs, with_evidence=False)):
            held.ids[control.ref] = control.id
            if control.ref not in LATE | NOTHING_YET:
                controls.assign(control, cast.id(("anna", "jun", "admin", "officer")[number % 4]))

    return deed


def _play(cast: Cast, events: list[Event], begun: set[date] | None = None) -> None:
    """All events in the order of their days, a month in one transaction, at whose end the log is
    signed.

    With `begun`, the months that have begun already, the console collects about itself at the
    beginning of each.
    """
    events.sort(key=lambda e: (e.day, e.hour))
    month: list[Event] = []
    for event in [*events, None]:
        if month and (
            event is None
            or (event.day.year, event.day.month) != (month[0].day.year, month[0].day.month)
        ):
            first = month[0].day.replace(day=1)
            if begun is not None and first not in begun:
                begun.add(first)
                collected_evidence.month_begins(
                    cast,
                    founder(cast.slug),
                    first,
                    now=datetime.now(UTC),
                    keys_since=_ago(KEYS_MADE),
                )
            with current.acting_as(founder(cast.slug)), transaction():
                for each in month:
                    with _as(cast(each.part), each.day, each.hour):
                        each.deed()
            _sign_log(cast.slug, month[-1].day)
            month = []
        if event is not None:
            month.append(event)


def _sign_log(slug: str, day: date) -> None:
    """What the jobs process does by itself in a console that runs: the work that waits; giving
    entries their places, signing.
    """
    who = founder(slug)
    with _as(who, day, 23):
        jobs.drain(actor_of)
        schedule.sequence_log(who.tenant_id, slug, who.tenant_name)


def _evidence_events(cast: Cast, chance: random.Random, held: AdoptedControls) -> Iterator[Event]:
    """For each title of each control: begun with the control, then a version a cadence, each
    reviewed by another.
    """
    for control in starter_pack.pack():
        if control.ref not in held.since:
            continue
        cadence = CADENCE_OF_EVIDENCE.get(control.cadence, control.cadence)
        for number, title in enumerate(control.evidence):
            yield from _one_evidence(
                cast, chance, control.ref, held, cadence, title, first=number == 0
            )


def _one_evidence(
    cast: Cast,
    chance: random.Random,
    ref: str,
    held: AdoptedControls,
    cadence: str,
    title: str,
    *,
    first: bool,
) -> Iterator[Event]:
    since = held.since[ref]
    box: list[UUID] = []
    owner = (
        None if ref in LATE | NOTHING_YET else cast.id(chance.choice(("anna", "jun", "officer")))
    )
    full_title = title if TITLES[title] == 1 else f"{title}, {ref}"
    if ref == "SEC-07" and first:
        cadence = "monthly"

    def begin() -> None:
        due = _ago(-23) if ref in NOTHING_YET else None
        box.append(
            evidencing.create_item(
                full_title,
                kind="report" if "eport" in title else "record",
                cadence=cadence,
                owner_id=owner,
                due_on=due,
                controls={held.ids[ref]: ""},
            ).id
        )

    yield Event(min(since, _ago(1)), "officer", begin, 11)
    if ref in NOTHING_YET:
        return
    every = EVERY[cadence]
    last = chance.randint(3, min(20, every // 3))
    if ref == "SEC-04" and first:
        last = 103  # the quarter that is missing: valid until twelve days ago
    if ref == "TRA-01":
        last = every + 32
    if ref == "SEC-07" and first:
        last = 41
    days = list(range(last, max((_ago(0) - since).days, last) + 1, every))
    if ref in BEGUN_LATELY:
        days = days[:1]
    for number, collected in enumerate(reversed(days)):
        newest = number == len(days) - 1
        yield from _one_version(
            box, ref, _ago(collected), every, newest=newest, first=first, number=number
        )


def _one_version(
    box: list[UUID],
    ref: str,
    collected: date,
    every: int,
    *,
    newest: bool,
    first: bool,
    number: int,
) -> Iterator[Event]:
    period = (collected - timedelta(days=every - 1), collected)
    valid = collected + timedelta(days=every + 30)
    if newest and first:
        valid = {
            "SEC-04": _ago(12),
            "TRA-01": _ago(2),
            "SEC-07": _ago(-2),
            "EVA-07": _ago(-10),
        }.get(ref, valid)
    collector = "officer" if number % 3 == 1 and not newest else "jun"
    if collected < _ago(TOBIAS_LEFT) and number % 3 == 2:  # noqa: PLR2004 - every third
        collector = "tobias"
    versions: list[UUID] = []

    def bring() -> None:
        evidence = find(Evidence, box[0])
        dates: dict[str, Any] = {
            "collected_on": collected,
            "period_from": period[0],
            "period_to": period[1],
            "valid_until": max(valid, period[1]),
        }
        if newest:
            name, sheet = (
                f"{evidence.ref.lower()}-{collected:%Y-%m}.csv",
                io.BytesIO(_sheet(evidence.title, period)),
            )
            brought = version_actions.upload_version(evidence, sheet, name, **dates)
        else:
            address = f"https://files.acme.example/{evidence.ref.lower()}/{collected:%Y-%m-%d}"
            brought = version_actions.link_version(evidence, address, **dates)
        versions.append(brought.id)

    def review() -> None:
        evidence, version = find(Evidence, box[0]), find(EvidenceVersion, versions[0])
        if ref == "FAIR-01" and newest:
            version_actions.reject(
                version,
                evidence,
                reason=(
                    "It describes last year's portfolio. The mix of claimants has changed since."
                ),
            )
        else:
            version_actions.accept(version, evidence)

    yield Event(collected, collector, bring, 13)
    if not (newest and first and ref in WAITS_FOR_REVIEW):
        yield Event(
            min(collected + timedelta(days=1), _ago(0)),
            "officer" if collector == "jun" else "jun",
            review,
            15,
        )


def _sheet(title: str, period: tuple[date, date]) -> bytes:
    """A small file with real content: what was looked at on each day of the period."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["day", "item", "result"])
    day = period[0]
    while day <= period[1]:
        writer.writerow([day.isoformat(), title, "held"])
        day += timedelta(days=7)
    return out.getvalue().encode()


def _test_events(held: AdoptedControls) -> Iterator[Event]:
    """Tests of the controls that were recorded by hand: twice, and all passed.

    Those of samples are told by testing.py.
    """
    for number, (ref, since) in enumerate(sorted(held.since.items())):
        if ref in UNTESTED | NOTHING_YET | LATE:
            continue
        sample = {"SEC-11": 12, "RES-02": 2}.get(ref, 25)
        for days in (150 + number % 20, 40 + number % 25):
            if _ago(days) > since:
                yield Event(_ago(days), "jun", _tested(held, ref, _ago(days), sample), 12)


def _tested(held: AdoptedControls, ref: str, day: date, sample: int) -> Callable[[], object]:
    return lambda: control_test_actions.record_test(
        control_queries.find_control(held.ids[ref]), tested_on=day, sample=sample, failed=0
    )


# ---- assessments


@dataclass(slots=True)
class AssessmentStory:
    """An assessment of the story: its id once it is begun, the levels that Jun concluded from."""

    chance: random.Random
    open_one: bool
    id: UUID = field(default_factory=uuid7)  # another one, once it is begun
    levels: dict[str, int] = field(default_factory=dict)


def _assessments(cast: Cast, chance: random.Random) -> Iterator[Event]:
    """Last quarter's is closed and frozen; this one is nearly done, and two things hold it up."""
    ends = _quarter_ends(_ago(0))
    for end in ends:
        told = AssessmentStory(chance, open_one=end == ends[-1])
        concluded = _ago(1) if told.open_one else end + timedelta(days=2)
        begun = _ago(50) if told.open_one else end - timedelta(days=20)
        yield Event(begun, "jun", partial(_begin, told, end))
        if told.open_one:
            yield Event(_ago(6), "officer", partial(_hand_out, cast, told))
        yield Event(concluded, "jun", partial(_conclude, told), 9)
        yield Event(
            min(concluded + timedelta(days=1), _ago(0)), "officer", partial(_sign, told), 16
        )
        if not told.open_one:
            yield Event(min(end + timedelta(days=8), _ago(1)), "officer", partial(_close, told), 17)


def _begin(told: AssessmentStory, end: date) -> None:
    framework = frameworks.framework("nist-ai-rmf-1.0")
    title = f"Q{(end.month + 2) // 3} {end.year}"
    told.id = assessment_actions.start_assessment(
        framework.id,
        title=title,
        period_from=end - timedelta(days=364),
        period_to=end,
        scope="organisation",
        targets=None,
    ).id
    _set_targets(told.id)


def _close(told: AssessmentStory) -> None:
    assessment_actions.close_assessment(assessment_queries.assessment(told.id), accept_open=True)


def _quarter_ends(today: date) -> list[date]:
    """The last closed quarter's end, and the end of the quarter that today is in."""
    quarter = (today.month - 1) // 3
    # the fourth quarter
    this = date(today.year + (quarter == 3), (quarter * 3 + 3) % 12 + 1, 1) - timedelta(days=1)  # noqa: PLR2004
    return [date(today.year, quarter * 3 + 1, 1) - timedelta(days=1), this]


def _set_targets(assessment_id: UUID) -> None:
    rows = assessment_queries.item_rows(assessment_id)
    for item in assessment_queries.items(assessment_id):
        if item.ref in TARGET_FOUR:
            item_actions.set_target(rows[item.row.id], 4, version=item.row.version)


def _conclude(told: AssessmentStory) -> None:
    """Jun writes the conclusions; MEASURE 2.7 is told in full."""
    held = assessment_queries.assessment(told.id)
    board = board_queries.board(frameworks.framework_by_id(held.framework_id), of_assessment=held)
    told.levels = {row.ref: row.derived.level for row in board.rows}
    rows = assessment_queries.item_rows(told.id)
    for item in assessment_queries.items(told.id):
        if told.open_one and item.ref in {"MAP 3.4", "MEASURE 3.2"}:
            continue
        level = told.levels[item.ref]
        conclusion_actions.conclude(
            rows[item.row.id],
            level=level,
            rationale=_rationale(told.chance, item.ref, level),
            version=item.row.version,
        )


def _sign(told: AssessmentStory) -> None:
    """Ines signs; MANAGE 2.4 waits for her."""
    rows = assessment_queries.item_rows(told.id)
    for item in assessment_queries.items(told.id):
        waits = told.open_one and item.ref in {"MANAGE 2.4", "GOVERN 4.3"}
        # a level
        if item.conclusion is not None and not waits and told.levels[item.ref] >= 2:  # noqa: PLR2004
            conclusion_actions.sign_off(rows[item.row.id], revision=item.conclusion.revision)


GAP_OWNERS = {
    "MEASURE 2.7": ("anna", -9),
    "MANAGE 1.1": ("jun", -19),
    "MAP 3.4": ("anna", 2),
    "MEASURE 2.11": ("jun", -16),
    "MEASURE 2.8": ("jun", -12),
    "MEASURE 2.9": ("jun", -12),
    "MEASURE 1.3": ("officer", -6),
    "MEASURE 4.2": ("officer", -6),
    "MEASURE 3.2": ("jun", -23),
    "MEASURE 1.1": ("jun", -23),
    "GOVERN 6.1": ("admin", -9),
    "MAP 4.1": ("admin", -9),
    "MAP 4.2": ("admin", -9),
    "MEASURE 4.3": ("jun", -16),
    "MANAGE 4.3": ("anna", -36),
    "MEASURE 2.6": ("anna", -36),
}


def _hand_out(cast: Cast, told: AssessmentStory) -> None:
    """Who looks after what is short, and by when."""
    rows = assessment_queries.item_rows(told.id)
    for item in assessment_queries.items(told.id):
        if item.ref in GAP_OWNERS:
            part, days = GAP_OWNERS[item.ref]
            item_actions.assign(rows[item.row.id], cast.id(part), _ago(days))


RATIONALES = {
    0: ("No accepted evidence supports it yet.",),
    1: (
        (
            "The practice exists, but its evidence is overdue or a test failed. It isn't reliable"
            " until that is fixed."
        ),
    ),
    2: ("The practice is in place for all three systems. Its evidence is not complete.",),
    3: (
        "Proven at a point in time. Operation over the whole period isn't shown yet.",
        "I reviewed the evidence; it supports the owner's statement.",
    ),
    4: ("It worked throughout the period: the samples passed and the evidence has no long gap.",),
}


def _rationale(chance: random.Random, ref: str, level: int) -> str:
    if ref == "MEASURE 2.7":
        return (
            "Security testing is well designed and runs for two of three systems. Because the"
            " penetration test report is overdue and claims-triage was released without red-team"
            " sign-off, I can't conclude that it worked throughout the period."
        )
    return chance.choice(RATIONALES[level])


# ---- what two people decide about a third

TOBIAS_LEFT, TOBIAS_ERASED = 200, 172  # days ago


def _private_matters(cast: Cast) -> Iterator[Event]:
    """Tobias left and asked to be forgotten; a claim holds what concerns Anna; Ines asks who a
    pseudonym is; sign-in changes.
    """
    yield Event(_ago(TOBIAS_LEFT), "admin", lambda: joining.remove(_membership(cast, "tobias")), 17)
    yield Event(_ago(TOBIAS_ERASED), "admin", partial(_ask_to_erase, cast), 9)
    yield Event(_ago(TOBIAS_ERASED), "officer", partial(_agree_to_erase, cast), 11)
    yield Event(_ago(64), "officer", partial(_hold, cast), 15)
    yield Event(_ago(30), "admin", lambda: privacy.set_retention(84, version=0), 10)
    yield Event(_ago(1), "admin", _propose_sign_in, 15)
    yield Event(_ago(0), "officer", partial(_ask_who, cast), 9)


def _propose_sign_in() -> None:
    """A change that Rosa Meyer can approve once Sanjay has signed in through it for the test."""
    live = members.connection()
    if live is None:
        raise LookupError("no connection")
    now = settings_of(live)
    wanted = replace(now, group_roles={**now.group_roles, "governance-risk-team": "viewer"})
    identity_providers.propose(
        wanted,
        secret=None,
        domains=DOMAINS["acme"],
        seen=identity_providers.opened(live, None),
        reason=(
            "The risk team reviews the heat map each month and needs access through its own group."
        ),
    )


def _membership(cast: Cast, part: str) -> Membership:
    found = members.by_pseudonym(personal_field_encryption.pseudonym(cast.id(part)))
    if found is None:
        raise LookupError(part)
    return found


def _ask_to_erase(cast: Cast) -> None:
    privacy.request_erasure(
        _membership(cast, "tobias"),
        "They left in spring and requested erasure under Article 17. No claim is open.",
    )


def _agree_to_erase(cast: Cast) -> None:
    erasure = private.open_erasure(_membership(cast, "tobias").pseudonym)
    asked = open_approval(private.ERASURE, erasure.id) if erasure else None
    if asked is None:
        raise LookupError("nobody asked")
    approvals.approve(asked, seen=fingerprint_seen(asked), typed=LEFT.name)


def _hold(cast: Cast) -> None:
    privacy.place_hold(
        _membership(cast, "anna"),
        "Dispute with the former red-team vendor. Counsel asked us to keep what they uploaded.",
    )


def _ask_who(cast: Cast) -> None:
    privacy.request_unmasking(
        personal_field_encryption.pseudonym(cast.id("jun")),
        "I need to discuss the failed red-team sample of SEC-07 with the person who uploaded it.",
    )


# ---- Globex: smaller, younger


def _tell_globex(cast: Cast, handed: dict[str, Any]) -> None:
    with _as(cast("admin"), _ago(120)), transaction():
        adopting.adopt_framework("nist-ai-rmf-1.0")
        registering.register(
            key="router",
            name="Request router",
            lane="standard",
            purpose="Routes each request to the right team.",
            owner_id=cast.id("officer"),
        )
        handed.update(machine_keys.make("globex"))
    with _as(cast("officer"), _ago(118)), transaction():
        adoption_actions.adopt([c.ref for c in starter_pack.pack()][:20])
        framework = frameworks.framework("nist-ai-rmf-1.0")
        assessment_actions.start_assessment(
            framework.id,
            title="First assessment",
            period_from=_ago(118),
            period_to=_ago(-60),
            scope="organisation",
            targets=None,
        )
    decided = [
        Event(each.day, each.part, each.deed, each.hour) for each in policy_history.globex(_ago)
    ]
    _play(cast, [*decided, *_globex_evidence()])


FIRST_PROVEN = 12  # of the controls that Globex has adopted


def _globex_evidence() -> Iterator[Event]:
    """Evidence of a part of the controls, uploaded twice by the officer and accepted by the
    admin.
    """
    for days in (95, 20):
        versions: list[UUID] = []
        yield Event(_ago(days), "officer", partial(_upload_first, versions, _ago(days)), 11)
        yield Event(_ago(days - 1), "admin", partial(_accept_all, versions), 10)


def _upload_first(versions: list[UUID], day: date) -> None:
    covered = {c.ref for c in starter_pack.pack()[:FIRST_PROVEN]}
    first = [control for control in control_queries.posture() if control.ref in covered]
    items = {proof.evidence_id: proof.ref for control in first for proof in control.proofs}
    for evidence_id, ref in sorted(items.items(), key=lambda each: each[1]):
        address = f"https://files.globex.example/{ref.lower()}/{day:%Y-%m-%d}"
        brought = version_actions.link_version(
            find(Evidence, evidence_id),
            address,
            collected_on=day,
            period_from=day - timedelta(days=91),
            period_to=day,
            valid_until=day + timedelta(days=100),
        )
        versions.append(brought.id)


def _accept_all(versions: list[UUID]) -> None:
    for version_id in versions:
        version = find(EvidenceVersion, version_id)
        version_actions.accept(version, find(Evidence, version.evidence_id))


# ---- the operator: what stands under all of them


def _tell_operator(cast: Cast) -> None:
    _play(
        cast,
        [
            Event(each.day, each.part, each.deed, each.hour)
            for each in policy_history.operator(_ago)
        ],
    )
