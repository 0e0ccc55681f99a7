from zoneinfo import available_timezones

from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length, Regexp

from governance.kernel.forms import Form

ZONES = sorted(z for z in available_timezones() if "/" in z and not z.startswith(("Etc/", "SystemV/", "posix/", "right/")))


class SettingsForm(Form):
    name = StringField("Name", [InputRequired("The name stands on every page and report."), Length(max=120)])
    region = StringField("Region", [InputRequired("Say where the data is kept."), Length(max=60)])
    time_zone = SelectField("Time zone", choices=[(z, z) for z in ZONES])
    unit = StringField("Unit on the cover", [Length(max=120)])
    classification = StringField("Classification", [InputRequired("Reports carry it in the footer."), Length(max=40)])
    audience = StringField("Audience", [Length(max=120)])


class FoundForm(Form):
    slug = StringField("Short name", [InputRequired("It stands in every address."), Regexp(r"[a-z][a-z0-9-]{1,40}$", message="Small letters, digits and hyphens, beginning with a letter.")])
    name = StringField("Name", [InputRequired("The name stands on every page and report."), Length(max=120)])
