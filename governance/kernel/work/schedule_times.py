"""The times of scheduled jobs, in UTC of our clock: TODAY moves them with everything else."""

from datetime import datetime
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from governance.kernel import clock


class ClockTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """The times of another trigger, on our clock. APScheduler waits by the machine's clock."""

    def __init__(self, trigger: BaseTrigger) -> None:
        self.trigger = trigger

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """Return the machine's time at which our clock reaches the next time after `now`."""
        previous = clock.from_machine(previous_fire_time) if previous_fire_time else None
        at = self.trigger.get_next_fire_time(previous, clock.from_machine(now))
        return clock.to_machine(at) if at else None


def cron(when: dict[str, Any]) -> ClockTrigger:
    """Return the trigger for APScheduler's arguments of 'cron'."""
    return ClockTrigger(CronTrigger(timezone="UTC", **when))
