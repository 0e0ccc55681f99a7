from typing import Any
from zoneinfo import available_timezones

from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, Length, Regexp

from governance.kernel.forms import Form

ZONES = sorted(
    z
    for z in available_timezones()
    if "/" in z and not z.startswith(("Etc/", "SystemV/", "posix/", "right/"))
)


def one_line(value: Any) -> Any:
    """A name stands in headers, mails and footers: no line ends, no control characters."""
    return (
        " ".join("".join(c if c.isprintable() else " " for c in value).split())
        if isinstance(value, str)
        else value
    )


class SettingsForm(Form):
    name = StringField(
        "Name",
        [DataRequired("The name stands on every page and report."), Length(max=120)],
        filters=[one_line],
    )
    region = StringField(
        "Region", [DataRequired("Say where the data is kept."), Length(max=60)], filters=[one_line]
    )
    time_zone = SelectField(
        "Time zone",
        [DataRequired("Which time zone do days begin in?")],
        choices=[(zone, zone) for zone in ZONES],
    )
    unit = StringField("Unit on the cover", [Length(max=120)], filters=[one_line])
    classification = StringField(
        "Classification",
        [DataRequired("Reports carry it in the footer."), Length(max=40)],
        filters=[one_line],
    )
    audience = StringField("Audience", [Length(max=120)], filters=[one_line])
    mark = HiddenField(name="mark")

    @property
    def settings(self) -> dict[str, str]:
        return {name: value or "" for name, value in self.data.items() if name != "mark"}


class FoundForm(Form):
    slug = StringField(
        "Short name",
        [
            DataRequired("It stands in every address."),
            Regexp(
                r"[a-z][a-z0-9-]{1,40}\Z",
                message="Small letters, digits and hyphens, beginning with a letter.",
            ),
        ],
        description="Small letters, digits and hyphens. It never changes.",
    )
    name = StringField(
        "Name",
        [DataRequired("The name stands on every page and report."), Length(max=120)],
        filters=[one_line],
    )
