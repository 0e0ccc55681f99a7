from typing import Any
from zoneinfo import available_timezones

from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, Length, Regexp

from governance.kernel.web.forms import Form

ZONES = sorted(
    z
    for z in available_timezones()
    if "/" in z and not z.startswith(("Etc/", "SystemV/", "posix/", "right/"))
)


def one_line(value: Any) -> Any:
    """Remove line ends and control characters: a name appears in headers, mails and footers."""
    return (
        " ".join("".join(c if c.isprintable() else " " for c in value).split())
        if isinstance(value, str)
        else value
    )


class TenantSettingsForm(Form):
    name = StringField(
        "Name",
        [DataRequired("Enter a name. It appears on every page and report."), Length(max=120)],
        filters=[one_line],
    )
    region = StringField(
        "Region",
        [DataRequired("Enter the region where data is stored."), Length(max=60)],
        filters=[one_line],
    )
    time_zone = SelectField(
        "Time zone",
        [DataRequired("Choose a time zone.")],
        choices=[(zone, zone) for zone in ZONES],
    )
    unit = StringField("Business unit", [Length(max=120)], filters=[one_line])
    classification = StringField(
        "Classification",
        [
            DataRequired("Enter a classification. It appears in the footer of every report."),
            Length(max=40),
        ],
        filters=[one_line],
    )
    audience = StringField("Audience", [Length(max=120)], filters=[one_line])
    mark = HiddenField(name="mark")

    @property
    def settings(self) -> dict[str, str]:
        return {name: value or "" for name, value in self.data.items() if name != "mark"}


class TenantForm(Form):
    slug = StringField(
        "Slug",
        [
            DataRequired("Enter a slug. It is part of every page address."),
            Regexp(
                r"[a-z][a-z0-9-]{1,40}\Z",
                message="Use lowercase letters, digits and hyphens, starting with a letter.",
            ),
        ],
        description="Lowercase letters, digits and hyphens. You can't change it later.",
    )
    name = StringField(
        "Name",
        [DataRequired("Enter a name. It appears on every page and report."), Length(max=120)],
        filters=[one_line],
    )
