"""The kinds of notifications, and how a person gets each.

The channels are the app alone, the daily digest as well, mail at once as well, or none.
"""

from collections.abc import Mapping
from dataclasses import dataclass

APP, DIGEST, EMAIL, OFF = "app", "digest", "email", "off"
CHANNELS = {
    APP: "In Meridian",
    DIGEST: "In Meridian and in the daily digest",
    EMAIL: "In Meridian and by email at once",
    OFF: "Off",
}


@dataclass(frozen=True, slots=True)
class NotificationKind:
    """A kind of notification. `required` is why it can't be turned off, or empty."""

    name: str
    label: str
    default: str
    required: str = ""

    @property
    def channels(self) -> list[tuple[str, str]]:
        return [(name, text) for name, text in CHANNELS.items() if name != OFF or not self.required]


KINDS = {
    each.name: each
    for each in (
        NotificationKind("mention", "Somebody mentions you in a comment", EMAIL),
        NotificationKind("comment", "A comment on what you own or commented on", DIGEST),
        NotificationKind("discussion", "A comment on a request that you are part of", EMAIL),
        NotificationKind(
            "decision",
            "A decision on your request",
            EMAIL,
            required="You have to know what became of your request.",
        ),
        NotificationKind(
            "assignment",
            "You become the owner of something",
            DIGEST,
            required="From then on you are responsible for it.",
        ),
        NotificationKind(
            "admin",
            "Somebody becomes an admin",
            EMAIL,
            required="Admins have to know who else is one.",
        ),
        NotificationKind("finding", "An evaluation of your AI system misses its limit", EMAIL),
        NotificationKind(
            "rollout",
            "Meridian stops a rollout that concerns you, or its next step awaits your approval",
            EMAIL,
        ),
        NotificationKind("report", "A scheduled report that you receive is ready", EMAIL),
        NotificationKind("report_failure", "A report that you scheduled can't be generated", EMAIL),
    )
}


def channel_of(kind: str, chosen: Mapping[str, str]) -> str:
    """Return the channel of a kind of notification for a person who chose these."""
    declared = KINDS[kind]
    wanted = chosen.get(kind, declared.default)
    return wanted if wanted in dict(declared.channels) else declared.default
