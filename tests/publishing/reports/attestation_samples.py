"""An invented organization's policy attestation with consistent data.

It has three systems, four changes, a waiver, stops and drills.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from governance.operations.policies.effective_policies import (
    Content,
    EffectivePolicy,
    Governed,
    LiveWaiver,
    Platform,
)
from governance.operations.policies.tiers import FLOOR
from governance.publishing.reports.attestation import policy_history
from governance.publishing.reports.attestation import snapshot as reading
from governance.publishing.reports.signatures.signing import verifier_key
from tests.publishing.reports.rmf_samples import KEY, KEY_NAME

UNTIL = datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
TRIAGE, COPY, ASSISTANT = (
    Governed(UUID(int=1), "claims-triage", "Claims triage", "high_risk"),
    Governed(UUID(int=2), "ad-copywriter", "Ad copywriter", "standard"),
    Governed(UUID(int=3), "support-assistant", "Support assistant", "standard"),
)
ADMIN, OFFICER, REVIEWER = "Sanjay Patel", "Ines Duarte", "Jun Chen"


def day_before_end(days: int) -> datetime:
    return UNTIL - timedelta(days=days)


def instant_before_end(days: int) -> str:
    return str(reading.iso(day_before_end(days)))


def effective_policies() -> list[EffectivePolicy]:
    """Return those at the start, and after each of three versions."""
    systems = (COPY, TRIAGE, ASSISTANT)
    floor = Platform(
        1, {**FLOOR, "release_ring": "stable_only"}, unwaivable=frozenset({"training_use"})
    )
    first = EffectivePolicy(floor, 3, Content("standard"), systems, (), day_before_end(200))
    tightened = replace(
        first, number=4, content=Content("standard", {"memory": "opt_in"}), since=day_before_end(70)
    )
    strict = replace(
        first, number=5, content=Content("strict", {"memory": "off"}), since=day_before_end(40)
    )
    waivers = (LiveWaiver(UUID(int=9), COPY.id, "release_ring", "early", day_before_end(-9)),)
    final = replace(
        strict,
        number=6,
        content=Content("strict", {}, {COPY.id: {"model_access": frozenset({"atlas-2"})}}),
        since=day_before_end(12),
        waivers=waivers,
    )
    return [first, tightened, strict, final]


def sample_period() -> dict[str, Any]:
    """Return the last twelve weeks: three versions, a waiver, two stops and three drills.

    One of the versions loosens, and one of the drills failed.
    """
    begin, one, two, end = effective_policies()
    made = _frame() | {"period": {"from": "2026-09-01", "to": "2026-11-24"}}
    made |= _content(begin, end)
    made["points"] = [
        reading._point("start", day_before_end(84), begin),
        reading._point("version 4", day_before_end(70), one),
        reading._point("version 5", day_before_end(40), two),
        reading._point("version 6", day_before_end(12), end),
        reading._point("end", UNTIL, end),
    ]
    made["versions"] = [
        _version(4, 70, begin, one, "Users asked to be forgotten between sessions"),
        _version(5, 40, one, two, "The works council asked for sources in every answer"),
        _version(
            6,
            12,
            two,
            end,
            "Support needs memory for returning customers, with consent",
            loosens=True,
        ),
    ]
    made["rejected"] = [
        {
            "state": "rejected",
            "loosens": True,
            "reason": "Drop the review of claims letters",
            "made_by": ADMIN,
            "requested_at": instant_before_end(30),
            "decided_by": OFFICER,
            "decided_at": instant_before_end(29),
            "tier": "standard",
        }
    ]
    made["waivers"] = [sample_waiver()]
    made["stops"] = [
        sample_stop(
            "claims-triage", 33, reason="Two letters named the wrong policyholder", restarted=True
        ),
        sample_stop(
            "summaries of support-assistant",
            5,
            reason="Summaries left out the complaint",
            missing=["worker-9"],
        ),
    ]
    made["drills"] = [
        sample_drill("claims-triage", 60, "passed"),
        sample_drill("ad-copywriter", 20, "failed"),
        sample_drill("claims-triage", 10, "passed"),
    ]
    made["switches"] = [
        _switch(COPY, "dead", 20),
        _switch(TRIAGE, "armed", 10),
        _switch(ASSISTANT, "unproven", 140),
    ]
    made["floor"]["changes"] = [
        {
            "number": 1,
            "at": instant_before_end(50),
            "until": None,
            "loosens": False,
            "reason": "Training on tenants' data ends",
            "two_persons": False,
            "changes": [
                {
                    "system": "",
                    "dimension": "training_use",
                    "before": "allowed",
                    "after": "opt_in",
                    "move": "tightens",
                }
            ],
        }
    ]
    return made


def sample_day() -> dict[str, Any]:
    """Return the active policies of one day."""
    made = sample_period()
    end = effective_policies()[-1]
    made |= _content(None, end) | {
        "period": {"from": None, "to": "2026-11-24"},
        "points": [],
        "drills": [],
        "rejected": [],
        "versions": made["versions"][-1:],
    }
    made["stops"], made["document"]["number"] = made["stops"][1:], "ACME-POL-2026-11-24"
    return made


def quiet_period() -> dict[str, Any]:
    """Return a period without events, in which every switch is proven."""
    end = effective_policies()[-1]
    still = replace(end, waivers=())
    made = (
        _frame() | _content(still, still) | {"period": {"from": "2026-09-01", "to": "2026-11-24"}}
    )
    made["points"] = [
        reading._point("start", day_before_end(84), still),
        reading._point("end", UNTIL, still),
    ]
    made["switches"] = [_switch(each, "armed", 20) for each in (COPY, TRIAGE, ASSISTANT)]
    return made


def first_day() -> dict[str, Any]:
    """Return a tenant on its first day: no policy of its own, no system."""
    bare = EffectivePolicy(Platform(), 0, Content(), ())
    return (
        _frame()
        | _content(None, bare)
        | {
            "period": {"from": None, "to": "2026-11-24"},
            "log": None,
            "entry": None,
        }
    )


def crowded_period() -> dict[str, Any]:
    """Return forty systems, fifty versions, and long texts everywhere."""
    long = "A reason that goes on " * 20 + "Unbreakable" * 12
    systems = tuple(
        Governed(UUID(int=100 + n), f"system-with-a-rather-long-name-{n}", long, "high_risk")
        for n in range(40)
    )
    begin = replace(effective_policies()[0], systems=systems)
    end = replace(effective_policies()[2], systems=systems[:-1])
    made = sample_period() | _content(begin, end)
    made["versions"] = [
        _version(n, 80 - n, begin, end, long, loosens=n % 2 == 0) for n in range(10, 60)
    ]
    made["points"] = [
        reading._point(f"version {n}", day_before_end(80 - n), end if n % 3 else begin)
        for n in range(10, 60)
    ]
    made["waivers"] = [
        sample_waiver() | {"reason": long, "compensation": long, "system": systems[n].key}
        for n in range(12)
    ]
    made["stops"] = [sample_stop(long, n, reason=long) for n in range(80)]
    made["switches"] = [_switch(each, "unproven", None) for each in systems]
    made["tenant"] |= {"name": long, "unit": long, "audience": long}
    return made


EXTREMES = (sample_period, sample_day, quiet_period, first_day, crowded_period)


# ---- parts


def _frame() -> dict[str, Any]:
    return {
        "schema": reading.SCHEMA,
        "as_of": reading.iso(UNTIL),
        "requested_at": "2026-11-25T08:15:00Z",
        "prepared_by": OFFICER,
        "tenant": {
            "name": "Acme Insurance",
            "slug": "acme",
            "unit": "Model Risk and Compliance",
            "classification": "Confidential",
            "audience": "Risk Committee and auditors",
        },
        "document": {
            "number": "ACME-POL-2026-09-01-to-2026-11-24",
            "version": "1.0",
            "keep_until": "2033-11-24",
            "supersedes": None,
        },
        "log": {
            "origin": "console.example/audit/acme",
            "checkpoint": "184203 entries, 2026-11-25 08:14:58 UTC",
            "root": "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=",
        },
        "entry": "184203",
        "signing_key": verifier_key(KEY, KEY_NAME),
        "versions": [],
        "rejected": [],
        "waiting": [],
        "waivers": [],
        "stops": [],
        "drills": [],
        "switches": [],
        "points": [],
        "proven_for": 90,
        "revisions": [],
    }


def _content(begin: EffectivePolicy | None, end: EffectivePolicy) -> dict[str, Any]:
    return {
        "dimensions": [reading._dimension(key) for key in reading.DIMENSIONS],
        "tier": reading._tier(end),
        "tier_before": reading._tier(begin) if begin else None,
        "scopes": list(reading._scopes(begin, end)),
        "floor": policy_history.floor_facts(end.platform, None, UNTIL),
    }


def _version(
    number: int,
    days: int,
    before: EffectivePolicy,
    after: EffectivePolicy,
    reason: str,
    *,
    loosens: bool = False,
) -> dict[str, Any]:
    return {
        "number": number,
        "at": instant_before_end(days),
        "tier": after.content.tier,
        "tier_before": before.content.tier,
        "loosens": loosens,
        "back_to": None,
        "reason": reason,
        "made_by": ADMIN,
        "requested_at": instant_before_end(days + 1) if loosens else None,
        "decided_by": OFFICER if loosens else None,
        "decided_at": instant_before_end(days) if loosens else None,
        "digest": f"{number:02}" * 32,
        "changes": list(policy_history._diff(after, before.content, after.content)),
    }


def sample_waiver() -> dict[str, Any]:
    return {
        "system": "ad-copywriter",
        "dimension": "release_ring",
        "value": "early",
        "floor": "stable_only",
        "reason": "The new model writes in Portuguese, and the campaign there begins",
        "compensation": "A person reads every text before it is printed",
        "requested_by": ADMIN,
        "requested_at": instant_before_end(20),
        "first_by": OFFICER,
        "first_at": instant_before_end(19),
        "second_by": REVIEWER,
        "second_at": instant_before_end(18),
        "expires_at": instant_before_end(-9),
        "closed_by": None,
        "closed_at": None,
        "state": "live",
    }


def sample_stop(
    scope: str, days: int, *, reason: str, restarted: bool = False, missing: Any = ()
) -> dict[str, Any]:
    return {
        "scope": scope,
        "planes": "generating and serving",
        "reason": reason,
        "by": "Anna Rossi",
        "at": instant_before_end(days),
        "expected": 14,
        "obeyed": 14 - len(missing),
        "heard": 14,
        "slowest_ms": 820,
        "missing": list(missing),
        "restart_requested_by": ADMIN if restarted else None,
        "restarted_by": OFFICER if restarted else None,
        "restarted_at": instant_before_end(days - 1) if restarted else None,
        "restart_reason": "Fixed." if restarted else None,
    }


def sample_drill(scope: str, days: int, state: str) -> dict[str, Any]:
    return {
        "scope": scope,
        "state": state,
        "at": instant_before_end(days),
        "seconds": 10,
        "expected": 14,
        "obeyed": 14 if state == "passed" else 13,
        "slowest_ms": 940,
        "planned_by": ADMIN,
        "approved_by": OFFICER,
    }


def _switch(system: Governed, state: str, days: int | None) -> dict[str, Any]:
    return {
        "system": system.key,
        "name": system.name,
        "lane": reading.risk_class(system),
        "state": state,
        "last": None if days is None else instant_before_end(days),
    }
