"""Events of tenants for the features above them."""

from dataclasses import dataclass

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class TimeZoneChanged(Event):
    """The tenant's days begin and end at other instants from now on.

    `time_zone` is an IANA name.
    """

    time_zone: str


@dataclass(frozen=True, slots=True)
class SuspensionBegan(Event):
    """The tenant is suspended from now on: its people are signed out."""
