"""Exclusions: announced in time, recurring, and one that was announced afterwards and awaits
approval.
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
NOTICE = 4 * DAY  # the agreement asks for 72 hours
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
        start = setting.closed.start + timedelta(days=day, hours=hour)
        _announce(
            setting,
            title="Database upgrade of claims-triage",
            starts_at=start,
            ends_at=start + 2 * HOUR,
            reason="Security updates of the claims database.",
        )


def _announce_exercise(setting: ReliabilitySetting) -> None:
    start = _next(setting.now, SUNDAY, hour=2)
    _announce(
        setting,
        title="Failover exercise of claims-triage",
        starts_at=start,
        ends_at=start + 2 * HOUR,
        reason="Half-yearly exercise of the second region.",
    )


def _announce_rebuilds(setting: ReliabilitySetting) -> None:
    """Every week from the next Tuesday on, for half a year."""
    start = _next(setting.now, TUESDAY, hour=3)
    _announce(
        setting,
        system="support-assistant",
        title="Index rebuild of support-assistant",
        starts_at=start,
        ends_at=start + 30 * MINUTE,
        reason="The index of policy wordings is built again from its sources.",
        rrule="FREQ=WEEKLY",
        repeat_until=start + REPEATED_FOR,
    )


def _exclude_load_test(setting: ReliabilitySetting) -> None:
    """Four days ago Acme itself was the cause; the agreement leaves such minutes out."""
    start = setting.now - timedelta(days=4, hours=5)
    _announce(
        setting,
        title="Load test by Acme's claims department",
        category="customer_caused",
        starts_at=start,
        ends_at=start + 8 * MINUTE,
        reason="The load test of release 41 was run against production.",
    )


def _announce(
    setting: ReliabilitySetting,
    *,
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
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
                ends_at=ends_at,
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
