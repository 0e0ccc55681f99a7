from datetime import UTC, datetime
from typing import Any

from wtforms import BooleanField, RadioField, SelectField

from governance.foundation.notifications.kinds import KINDS, channel_of
from governance.foundation.people.preferences import Preferences
from governance.foundation.tenants.forms import ZONES
from governance.kernel import formatting
from governance.kernel.web.forms import Form

EXAMPLE = datetime(2026, 11, 25, 19, 44, tzinfo=UTC)


def _locales() -> list[tuple[str, str]]:
    """Return each regional form with an example."""
    return [
        (key, f"{name}: {formatting.example(key, EXAMPLE)}")
        for key, name in formatting.LOCALES.items()
    ]


def _zones() -> list[tuple[str, str]]:
    return [("", f"The tenant's: {formatting.tenant_zone().key}"), *((z, z) for z in ZONES)]


class ProfileForm(Form):
    locale = SelectField(
        "Numbers and dates",
        choices=_locales,
        description="How pages write numbers, dates and times.",
    )
    time_zone = SelectField(
        "Time zone",
        choices=_zones,
        description="Times on pages are in this zone. Days of the tenant, such as due dates and"
        " months, and all files and reports keep the tenant's.",
    )
    theme = RadioField(
        "Theme",
        choices=[("light", "Light"), ("dark", "Dark"), ("system", "As my device")],
        default="light",
        description="The account menu changes it for one browser.",
    )
    (
        mention,
        comment,
        discussion,
        decision,
        assignment,
        admin,
        finding,
        rollout,
        report,
        report_failure,
    ) = (
        SelectField(
            each.label,
            choices=each.channels,
            default=each.default,
            description=f"You can't turn this off. {each.required}" if each.required else "",
        )
        for each in KINDS.values()
    )
    digest = BooleanField("Send me the daily digest by email", default=True)
    digest_hour = SelectField(
        "Hour of the digest",
        coerce=int,
        choices=[(hour, f"{hour:02}:00") for hour in range(24)],
        default=8,
        description="In your time zone.",
    )

    @classmethod
    def of(cls, own: Preferences) -> "ProfileForm":
        """Return the form with the current choices."""
        channels: dict[str, Any] = {name: channel_of(name, own.channels) for name in KINDS}
        return cls(
            locale=own.locale,
            time_zone=own.time_zone,
            theme=own.theme or "light",
            digest=own.digest,
            digest_hour=own.digest_hour,
            **channels,
        )

    @property
    def wanted(self) -> Preferences:
        return Preferences(
            locale=self.locale.data,
            time_zone=self.time_zone.data,
            theme=self.theme.data,
            digest=bool(self.digest.data),
            digest_hour=self.digest_hour.data,
            channels={
                name: self[name].data
                for name, kind in KINDS.items()
                if self[name].data != kind.default
            },
        )
