"""Read the clocks of incidents from the database: decisions, notices, pauses and agreements."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from governance.assurance.incidents import clocks, statutory_rules, support_terms
from governance.assurance.incidents.clocks import Clock, Decision, Sent, StatutoryFacts
from governance.assurance.incidents.models import (
    Classification,
    ClockPause,
    Incident,
    SentNotice,
)
from governance.assurance.incidents.statutory_rules import Regime
from governance.foundation.people.aliases import shown_names, who_did
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.data.selects import Rows, one_of

CLASSIFICATIONS = Rows(
    Classification, lambda m: one_of(m.incident_id, "incident_ids"), lambda m: (m.created_at,)
)
NOTICES = Rows(
    SentNotice, lambda m: one_of(m.incident_id, "incident_ids"), lambda m: (m.created_at,)
)
PAUSES = Rows(
    ClockPause, lambda m: one_of(m.incident_id, "incident_ids"), lambda m: (m.created_at,)
)


@dataclass(frozen=True, slots=True)
class ClockRows:
    """The rows that clocks are computed from, for several incidents.

    Reading them takes one statement, plus one for the names.
    """

    classifications: Mapping[UUID, Sequence[Classification]]
    notices: Mapping[UUID, Sequence[SentNotice]]
    pauses: Mapping[UUID, Sequence[ClockPause]]
    names: Mapping[UUID, str]

    @classmethod
    def read(cls, incident_ids: Collection[UUID]) -> "ClockRows":
        ids = tuple(dict.fromkeys(incident_ids))
        classified, sent = _by_incident(CLASSIFICATIONS, ids), _by_incident(NOTICES, ids)
        people: Iterable[UUID | None] = [
            *(each.decider_id for rows in classified.values() for each in rows),
            *(each.sent_by for rows in sent.values() for each in rows),
        ]
        return cls(classified, sent, _by_incident(PAUSES, ids), shown_names(people))


def _by_incident[M: (Classification, SentNotice, ClockPause)](
    table: Rows[M], incident_ids: tuple[UUID, ...]
) -> dict[UUID, list[M]]:
    found: dict[UUID, list[M]] = defaultdict(list)
    for row in table.read(incident_ids=incident_ids):
        found[row.incident_id].append(row)
    return found


def clocks_of(incident: Incident) -> list[Clock]:
    """Return all clocks of an incident: support first, then statutory."""
    return clocks_of_many([incident])[incident.id]


def clocks_of_many(incidents: Sequence[Incident]) -> dict[UUID, list[Clock]]:
    """Return the clocks of each incident, by incident."""
    rows = ClockRows.read([each.id for each in incidents])
    rules = support_terms.rules_of(incidents, rows.pauses)
    return {each.id: _clocks(each, rows, rules.get(each.id)) for each in incidents}


def _clocks(incident: Incident, rows: ClockRows, rule: clocks.SupportRule | None) -> list[Clock]:
    now = clock.now()
    decided = {each.regime: each for each in rows.classifications.get(incident.id, ())}
    facts = StatutoryFacts(
        incident.aware_at,
        incident.monitoring_at or incident.resolved_at,
        {key: _decision(each, rows.names) for key, each in decided.items()},
        {
            (each.regime, each.stage): Sent(
                each.sent_at,
                who_did(rows.names, each.sent_by),
                each.recipient,
                each.reference,
            )
            for each in rows.notices.get(incident.id, ())
        },
    )
    laws = [_as_decided(each, decided) for each in statutory_rules.regimes()]
    statutory = clocks.statutory(facts, laws, now)
    if rule is None:
        return statutory
    paused = any(each.ends_at is None for each in rows.pauses.get(incident.id, ()))
    support = clocks.SupportFacts(
        incident.declared_at, incident.responded_at, incident.resolved_at, paused
    )
    return [*clocks.support(support, rule, now), *statutory]


def _as_decided(regime: Regime, decided: Mapping[str, Classification]) -> Regime:
    """Return the law in the version that it was decided under, otherwise as given."""
    row = decided.get(regime.key)
    known = statutory_rules.regime(regime.key, row.rules_version) if row else None
    return known or regime


def _decision(row: Classification, names: Mapping[UUID, str]) -> Decision:
    who = who_did(names, row.decider_id) if row.decider_id else ""
    return Decision(row.applies, row.variant, row.reason, who, row.decided_at, who, row.decide_by)


def classification(incident_id: UUID, regime: str, *, lock: bool = False) -> Classification | None:
    if lock:
        query = select(Classification).where(
            Classification.incident_id == incident_id, Classification.regime == regime
        )
        return session().scalars(query.with_for_update()).one_or_none()
    every = CLASSIFICATIONS.read(incident_ids=(incident_id,))
    return next((each for each in every if each.regime == regime), None)


def notice(incident_id: UUID, regime: str, stage: str) -> SentNotice | None:
    every = NOTICES.read(incident_ids=(incident_id,))
    return next((each for each in every if (each.regime, each.stage) == (regime, stage)), None)


def open_pause(incident_id: UUID, *, lock: bool = False) -> ClockPause | None:
    if lock:
        query = select(ClockPause).where(
            ClockPause.incident_id == incident_id, ClockPause.ends_at.is_(None)
        )
        return session().scalars(query.with_for_update()).one_or_none()
    every = PAUSES.read(incident_ids=(incident_id,))
    return next((each for each in every if each.ends_at is None), None)
