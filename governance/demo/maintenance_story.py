"""Maintenance exclusions: announced in time, recurring, and one announced late.

The late one awaits approval.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from governance.demo.reliability_setting import DAY, HOUR, ZONE, ReliabilitySetting, system_id
from governance.demo.story import StoryStep
from governance.kernel.intervals import MINUTE
from governance.operations.maintenance import actions
from governance.operations.maintenance.exclusion_plan import Plan

UPGRADES = ((3, 2), (17, 2))  # day and hour of the closed month
SUNDAY, TUESDAY = 6, 1
NOTICE = 4 * DAY  # The agreement requires 72 hours.
REPEATED_FOR = timedelta(days=26 * 7)


def steps(setting: ReliabilitySetting) -> list[StoryStep]:
    now = setting.now
    return [
        StoryStep(setting.closed.start - 4 * DAY, lambda: _announce_upgrades(setting)),
        StoryStep(now - 2 * DAY, lambda: _announce_exercise(setting)),
        StoryStep(now - 2 * DAY + HOUR, lambda: _announce_rebuilds(setting)),
        StoryStep(now - 20 * HOUR, lambda: _exclude_load_test(setting)),
    ]


def _announce_upgrades(setting: ReliabilitySetting) -> None:
    for day, hour in UPGRADES:
        _announce(
            setting,
            "Database upgrade of claims-triage",
            "Security updates of the claims database.",
            starts_at=setting.closed.start + timedelta(days=day, hours=hour),
            length=2 * HOUR,
        )


def _announce_exercise(setting: ReliabilitySetting) -> None:
    _announce(
        setting,
        "Failover exercise of claims-triage",
        "Half-yearly exercise of the second region.",
        starts_at=_next(setting.now, SUNDAY, hour=2),
        length=2 * HOUR,
    )


def _announce_rebuilds(setting: ReliabilitySetting) -> None:
    """Announce a weekly window from the next Tuesday on, for half a year."""
    start = _next(setting.now, TUESDAY, hour=3)
    _announce(
        setting,
        "Index rebuild of support-assistant",
        "The index of policy wordings is built again from its sources.",
        starts_at=start,
        length=30 * MINUTE,
        system="support-assistant",
        rrule="FREQ=WEEKLY",
        repeat_until=start + REPEATED_FOR,
    )


def _exclude_load_test(setting: ReliabilitySetting) -> None:
    """Announce a window for four days ago, when Acme caused the outage.

    The agreement excludes such minutes.
    """
    _announce(
        setting,
        "Load test by Acme's claims department",
        "The load test of release 41 was run against production.",
        starts_at=setting.now - timedelta(days=4, hours=5),
        length=8 * MINUTE,
        category="customer_caused",
    )


def _announce(
    setting: ReliabilitySetting,
    title: str,
    reason: str,
    *,
    starts_at: datetime,
    length: timedelta,
    system: str = "claims-triage",
    category: str = "maintenance",
    rrule: str | None = None,
    repeat_until: datetime | None = None,
) -> None:
    with setting.acting("jun"):
        actions.announce(
            Plan(
                title=title,
                category=category,
                starts_at=starts_at,
                ends_at=starts_at + length,
                reason=reason,
                system_id=system_id(system),
                rrule=rrule,
                repeat_until=repeat_until,
            )
        )


def _next(now: datetime, weekday: int, *, hour: int) -> datetime:
    """Return the next such day with enough notice, at that hour of Acme's time zone."""
    local = (now + NOTICE).astimezone(ZoneInfo(ZONE))
    day = local + timedelta(days=(weekday - local.weekday()) % 7)
    start = day.replace(hour=hour, minute=0, second=0, microsecond=0)
    return start.astimezone(UTC)
