"""Forms of data sets, of the next version, and of a Croissant import."""

import re
from typing import Any

from wtforms import (
    FileField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, Regexp

from governance.foundation.people.owner_fields import OwnerField
from governance.foundation.people.owners import assignee_choices
from governance.foundation.tenants.forms import one_line
from governance.kernel.days import DayField
from governance.kernel.web.forms import Choice, Form, constraint, stripped
from governance.operations.datasets import queries
from governance.operations.datasets.content import (
    CONSENT_BASES,
    MAX_AGE_DAYS,
    MAX_LINE_LENGTH,
    MAX_ROWS,
    MAX_TEXT_LENGTH,
    PERSONAL_DATA,
    VersionContent,
    parse_percent,
)
from governance.operations.datasets.models import PURPOSES
from governance.operations.systems import queries as systems

constraint(
    "uq_data_sets_tenant_id_key",
    "Another data set already has this slug. Choose another.",
    field="key",
)
NOT_SEEN = "Preview the file before you import it."
DIGEST = Regexp(re.compile(r"[0-9a-f]{64}\Z"), message=NOT_SEEN)
SLUG_HELP = "Lowercase letters, digits and hyphens, such as claims-2025. It can't be changed later."
REASON = "Reason, kept in the audit log"
REASON_NEEDED = "Enter a reason. It is kept in the audit log."


class DataSetForm(Form):
    seen = HiddenField("Seen")
    name = StringField("Name", [DataRequired("Enter a name."), Length(max=120)], filters=[one_line])
    description = TextAreaField(
        "Description",
        [DataRequired("Describe what the data set holds."), Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
        description="What one record is, and what the data is for.",
    )
    owner_id = OwnerField()


class NewDataSetForm(DataSetForm):
    key = StringField(
        "Slug",
        [DataRequired("Enter a slug."), Length(max=61)],
        filters=[stripped],
        description=SLUG_HELP,
    )


class AssignDataSetsForm(Form):
    owner_id = OwnerField(required="Choose an owner.", choices=assignee_choices)


class DataSetRetireForm(Form):
    reason = TextAreaField(
        REASON, [DataRequired(REASON_NEEDED), Length(max=2000)], filters=[stripped]
    )


class VersionForm(Form):
    """The description of the next version."""

    seen = HiddenField("Seen")
    provenance = TextAreaField(
        "Provenance",
        [Optional(), Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
        description="Where the data comes from, who collected it and how it was changed.",
    )
    source_url = StringField(
        "Source",
        [Optional(), Length(max=MAX_LINE_LENGTH)],
        filters=[one_line],
        description="The address of the data or of its description.",
    )
    source_version = StringField(
        "Version at the source", [Optional(), Length(max=MAX_LINE_LENGTH)], filters=[one_line]
    )
    licence = StringField(
        "Licence",
        [Optional(), Length(max=MAX_LINE_LENGTH)],
        filters=[one_line],
        description="An SPDX identifier such as CC-BY-4.0, or several: MIT OR Apache-2.0.",
    )
    licence_text = TextAreaField(
        "Own licence",
        [Optional(), Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
        description="The terms, where SPDX has no identifier for them.",
    )
    personal_data = RadioField("Personal data", [Optional()], choices=list(PERSONAL_DATA.items()))
    consent_basis = SelectField(
        "Consent basis",
        [Optional()],
        choices=[("", "Choose a basis"), *CONSENT_BASES.items()],
        default="",
        description="On what basis the personal data is used.",
    )
    consent_from = DayField("Consent from", required=False)
    consent_until = DayField(
        "Consent until",
        required=False,
        description="The last day. Thirty days before it, the owner gets an item in their inbox.",
    )
    oldest_record = DayField("Oldest record", required=False)
    newest_record = DayField("Newest record", required=False)
    max_age_days = IntegerField(
        "Days that the newest record may be old",
        [Optional(), NumberRange(1, MAX_AGE_DAYS, f"Enter 1 to {MAX_AGE_DAYS:,} days.")],
        description="After them, the data set is stale and blocks rollouts.",
    )
    duplicate_percent = StringField(
        "Duplicates, %",
        [Optional(), Length(max=20)],
        filters=[stripped],
        description="The share of records that repeat another one, such as 1.5.",
    )
    row_count = IntegerField(
        "Rows",
        [Optional(), NumberRange(0, MAX_ROWS, "Enter a whole number of rows, 0 or more.")],
    )
    known_gaps = TextAreaField(
        "Known gaps",
        [Optional(), Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
        description="Who or what is missing, biased or wrong. Write “none known” if so.",
    )

    def content(self, before: VersionContent) -> VersionContent:
        """Return the content of the form. Raises Invalid for a percentage that can't be read."""
        return VersionContent(
            provenance=self.provenance.data or "",
            source_url=self.source_url.data or "",
            source_version=self.source_version.data or "",
            licence=self.licence.data or "",
            licence_text=self.licence_text.data or "",
            personal_data=self.personal_data.data or "",
            consent_basis=self.consent_basis.data or "",
            consent_from=self.consent_from.data,
            consent_until=self.consent_until.data,
            oldest_record=self.oldest_record.data,
            newest_record=self.newest_record.data,
            max_age_days=self.max_age_days.data,
            duplicate_percent=parse_percent(self.duplicate_percent.data),
            row_count=self.row_count.data,
            known_gaps=self.known_gaps.data or "",
            file_sha256=before.file_sha256,
        )


def values_of(content: VersionContent) -> dict[str, Any]:
    """Return the initial values of the form."""
    share = content.duplicate_percent
    return content.plain() | {
        "consent_from": content.consent_from,
        "consent_until": content.consent_until,
        "oldest_record": content.oldest_record,
        "newest_record": content.newest_record,
        "duplicate_percent": "" if share is None else f"{share.normalize():f}",
    }


class PublishForm(Form):
    seen = HiddenField("Seen")
    change_note = TextAreaField(
        "What changed",
        [Optional(), Length(max=2000)],
        filters=[stripped],
        description="The teams whose AI systems use the data set read it.",
    )


class UseForm(Form):
    system_id = Choice(
        "AI system",
        [InputRequired("Choose an AI system.")],
        choices=lambda: [("", "Choose an AI system"), *systems.choices()],
    )
    purpose = SelectField(
        "Used for",
        [InputRequired("Choose what the system uses it for.")],
        choices=list(PURPOSES.items()),
    )


class CroissantFileForm(Form):
    file = FileField(
        "Croissant file",
        [InputRequired("Choose a file.")],
        description="JSON-LD, Croissant 1.0 or 1.1, up to 5 MB.",
    )


def import_targets() -> list[tuple[Any, str]]:
    """Return the choices for an import: a new data set, then each existing one it may describe."""
    return [
        ("", "A new data set"),
        *((each.id, f"The next version of {each.name}") for each in queries.live_data_sets()),
    ]


class CroissantConfirmForm(Form):
    """The previewed file, and the data set to import it into."""

    sha256 = HiddenField("The file", [InputRequired(NOT_SEEN), DIGEST])
    into = Choice("It becomes", [Optional()], choices=import_targets)
    key = StringField(
        "Slug", [Optional(), Length(max=61)], filters=[stripped], description=SLUG_HELP
    )
    owner_id = OwnerField()
