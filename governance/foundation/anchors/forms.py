from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from governance.foundation.anchors.actions import MAX_NAME_LENGTH, MAX_URL_LENGTH
from governance.foundation.anchors.webhook import new_secret
from governance.kernel.web.forms import Form, SecretField

MAX_PEM_LENGTH = 40_000


class AnchorForm(Form):
    """The fields of every kind; `kind` names one of the forms below."""

    kind = HiddenField()
    name = StringField(
        "Name",
        [InputRequired("Enter a name."), Length(max=MAX_NAME_LENGTH)],
        description="Shown in the audit log and on its pages.",
    )
    url = StringField("Address", [InputRequired("Enter its address."), Length(max=MAX_URL_LENGTH)])


class WitnessForm(AnchorForm):
    url = StringField(
        "Address",
        [InputRequired("Enter its address."), Length(max=MAX_URL_LENGTH)],
        description="Its submission prefix. Meridian adds /add-checkpoint.",
    )
    key = StringField(
        "Verifier key",
        [
            InputRequired("Enter its key. Without it, its cosignatures can't be verified."),
            Length(max=400),
        ],
        description=(
            "One line, name+id+base64. Get it from the witness's operator, separately from the"
            " address."
        ),
    )


class WebhookForm(AnchorForm):
    url = StringField(
        "Address",
        [InputRequired("Enter its address."), Length(max=MAX_URL_LENGTH)],
        description="Meridian sends each checkpoint there by POST, as JSON.",
    )
    secret = SecretField(
        "Signing secret",
        [
            InputRequired(
                "Enter a secret. With it, the receiver verifies where a checkpoint is from."
            ),
            Length(max=200),
        ],
        default=new_secret,
        description=(
            "Just generated. Copy it to the receiver before you add it: Meridian stores it"
            " encrypted and doesn't show it again."
        ),
    )


class TimestampForm(AnchorForm):
    url = StringField(
        "Address",
        [InputRequired("Enter its address."), Length(max=MAX_URL_LENGTH)],
        description="Meridian sends one request a day.",
    )
    key = TextAreaField(
        "Certificates",
        [
            InputRequired(
                "Enter its certificates. Without them, its signatures can't be verified."
            ),
            Length(max=MAX_PEM_LENGTH),
        ],
        description="PEM, the whole chain up to the self-signed root.",
    )


FORMS: dict[str, type[AnchorForm]] = {
    "witness": WitnessForm,
    "webhook": WebhookForm,
    "timestamp": TimestampForm,
}
