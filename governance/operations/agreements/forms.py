"""The forms of agreements, except the draft's (draft_forms.py)."""

from wtforms import (
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Length, Optional

from governance.foundation.tenants.forms import one_line
from governance.kernel.days import DayField
from governance.kernel.web.forms import Form
from governance.operations.agreements.money import DIGITS
from governance.operations.agreements.starting_terms import STARTING_TERMS


class NewForm(Form):
    """A first draft from the starting terms of a policy tier."""

    name = StringField(
        "Name",
        [DataRequired("Enter a name, such as the service it covers."), Length(max=120)],
        filters=[one_line],
    )
    counterparty = StringField("Vendor", [Length(max=120)], filters=[one_line])
    tier = RadioField(
        "Starting terms",
        [DataRequired("Choose starting terms.")],
        choices=[(key, terms.name) for key, terms in STARTING_TERMS.items()],
    )
    currency = SelectField("Currency", choices=[(code, code) for code in DIGITS], default="EUR")
    monthly_fee = StringField("Monthly fee", [DataRequired("Enter the fee of a month.")])
    effective_from = DayField("Effective from")
    reason = TextAreaField("Reason", [Length(max=2000)])


class AcceptForm(Form):
    fingerprint = HiddenField()
    title = StringField("Your title", [Length(max=120)], filters=[one_line])


class SignatureForm(Form):
    fingerprint = HiddenField()
    signer = StringField(
        "Signed by", [DataRequired("Enter who signed."), Length(max=120)], filters=[one_line]
    )
    signer_title = StringField("Their title", [Length(max=120)], filters=[one_line])
    document = StringField(
        "Signed copy",
        [DataRequired("Say where the signed copy is."), Length(max=500)],
        filters=[one_line],
    )


class ReturnForm(Form):
    fingerprint = HiddenField()
    reason = TextAreaField("What has to change", [DataRequired("Say what has to change.")])


class EndForm(Form):
    on = DayField("Last day")
    reason = TextAreaField("Reason", [DataRequired("Enter a reason. It is kept in the audit log.")])


class ContactsForm(Form):
    contacts = TextAreaField("Contacts", [Optional(), Length(max=6000)])
