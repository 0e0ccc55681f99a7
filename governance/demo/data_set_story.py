"""Acme's data sets: one current, one whose consent ends in ten days, one stale, one of test cases.

The stale one has a draft of its next version.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from governance.demo.reliability_setting import DAY, HOUR, ReliabilitySetting, system_id
from governance.demo.story import StoryStep
from governance.operations.datasets import actions, queries
from governance.operations.datasets.content import VersionContent

OWN_TERMS = "Own data of Acme Insurance. Not for others."


@dataclass(frozen=True, slots=True)
class _Published:
    """A version of a data set, and how many days ago it was published."""

    days_ago: int
    note: str
    content: Callable[[date], dict[str, Any]]  # counted back from the present day


@dataclass(frozen=True, slots=True)
class _Described:
    """A data set with its versions and the systems that use it."""

    key: str
    name: str
    description: str
    owner: str
    uses: tuple[tuple[str, str], ...]
    versions: tuple[_Published, ...]


def _before(today: date, days: int) -> date:
    return today - timedelta(days=days)


CLAIMS = {
    "provenance": "Claims that customers filed in the portal, without attachments. Names and policy"
    " numbers are replaced.",
    "licence_text": OWN_TERMS,
    "personal_data": "yes",
    "consent_basis": "contract",
    "duplicate_percent": Decimal("0.40"),
    "known_gaps": "No claims by phone or letter; claims of minors are left out.",
}
WORDINGS = {
    "provenance": "Policy wordings of the product team, split by clause.",
    "licence_text": OWN_TERMS,
    "personal_data": "no",
    "consent_basis": "not_needed",
    "max_age_days": 45,
    "duplicate_percent": Decimal("2.10"),
    "known_gaps": "Wordings of policies sold before 2019 are scans and are left out.",
}
DATA_SETS = (
    _Described(
        "claims-2025",
        "Claims 2025",
        "Claims of 2025 with the decision of an adjuster. One row for each claim.",
        "jun",
        (("claims-triage", "training"),),
        (
            _Published(
                150,
                "",
                lambda today: (
                    CLAIMS
                    | {
                        "oldest_record": date(2025, 1, 1),
                        "newest_record": _before(today, 160),
                        "max_age_days": 365,
                        "row_count": 171_880,
                    }
                ),
            ),
            _Published(
                40,
                "Claims of the third quarter, and duplicates removed.",
                lambda today: (
                    CLAIMS
                    | {
                        "oldest_record": date(2025, 1, 1),
                        "newest_record": _before(today, 45),
                        "max_age_days": 365,
                        "row_count": 184_200,
                        "duplicate_percent": Decimal("0.10"),
                    }
                ),
            ),
        ),
    ),
    _Described(
        "support-transcripts",
        "Support transcripts",
        "Chats of policyholders who agreed to it, with the rating they gave.",
        "anna",
        (("support-assistant", "training"), ("support-assistant", "evaluation")),
        (
            _Published(
                120,
                "",
                lambda today: {
                    "provenance": "Chats of the support portal. Customers agree for one year and"
                    " are asked again each December.",
                    "licence_text": OWN_TERMS,
                    "personal_data": "yes",
                    "consent_basis": "consent",
                    "consent_from": _before(today, 355),
                    "consent_until": _before(today, -10),
                    "oldest_record": _before(today, 355),
                    "newest_record": _before(today, 125),
                    "max_age_days": 240,
                    "row_count": 41_306,
                    "duplicate_percent": Decimal("1.50"),
                    "known_gaps": "Customers over 70 rarely agree, so they are underrepresented.",
                },
            ),
        ),
    ),
    _Described(
        "policy-wordings",
        "Policy wordings",
        "The clauses that answers and approvals cite.",
        "jun",
        (("claims-triage", "retrieval"), ("support-assistant", "retrieval")),
        (
            _Published(
                200,
                "",
                lambda today: (
                    WORDINGS | {"newest_record": _before(today, 202), "row_count": 11_904}
                ),
            ),
            _Published(
                47,
                "Household policies of autumn.",
                lambda today: WORDINGS | {"newest_record": _before(today, 48), "row_count": 12_418},
            ),
        ),
    ),
    _Described(
        "grounding-cases",
        "Grounding cases",
        "Questions with the clause that answers them, labelled by two adjusters.",
        "anna",
        (("claims-triage", "evaluation"),),
        (
            _Published(
                90,
                "",
                lambda today: {
                    "provenance": "Written by adjusters from closed claims; no customer is named.",
                    "licence": "CC-BY-4.0",
                    "personal_data": "no",
                    "consent_basis": "not_needed",
                    "newest_record": _before(today, 95),
                    "row_count": 1_200,
                    "duplicate_percent": Decimal(0),
                    "known_gaps": "Few cases about liability abroad.",
                },
            ),
        ),
    ),
)


def steps(setting: ReliabilitySetting) -> list[StoryStep]:
    """Return the steps. Each data set is added an hour before its first version is published."""
    found = []
    for described in DATA_SETS:
        first = setting.now - described.versions[0].days_ago * DAY
        found.append(StoryStep(first - HOUR, partial(_add, setting, described)))
        for version in described.versions:
            at = setting.now - version.days_ago * DAY
            found.append(StoryStep(at, partial(_publish, setting, described, version)))
    found.append(StoryStep(setting.now - 5 * HOUR, partial(_describe_wordings, setting)))
    return found


def _describe_wordings(setting: ReliabilitySetting) -> None:
    """Save the draft of the stale data set's next version."""
    with setting.acting("jun"):
        data_set = next(each for each in queries.live_data_sets() if each.key == "policy-wordings")
        today = setting.now.date()
        content: dict[str, Any] = WORDINGS | {
            "newest_record": _before(today, 2),
            "row_count": 12_903,
        }
        actions.save_draft(data_set, VersionContent(**content), seen=data_set.draft_revision)


def _add(setting: ReliabilitySetting, described: _Described) -> None:
    with setting.acting("officer"):
        data_set = actions.add(
            key=described.key,
            name=described.name,
            description=described.description,
            owner_id=setting.acme.id(described.owner),
        )
        for system, purpose in described.uses:
            actions.add_use(data_set, system_id=system_id(system), purpose=purpose)


def _publish(setting: ReliabilitySetting, described: _Described, version: _Published) -> None:
    with setting.acting("officer"):
        data_set = next(each for each in queries.live_data_sets() if each.key == described.key)
        content = VersionContent(**version.content(setting.now.date()))
        actions.save_draft(data_set, content, seen=data_set.draft_revision)
        actions.publish(data_set, seen=data_set.draft_revision, change_note=version.note)
