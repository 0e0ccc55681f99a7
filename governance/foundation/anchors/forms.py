from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from governance.foundation.anchors.actions import LONGEST_NAME, LONGEST_URL
from governance.foundation.anchors.webhook import new_secret
from governance.kernel.forms import Form, SecretField

MOST_PEM = 40_000


class AnchorForm(Form):
    """What every kind asks for; `kind` says which of the forms below it is."""

    kind = HiddenField()
    name = StringField(
        "Name",
        [InputRequired("What do you call it?"), Length(max=LONGEST_NAME)],
        description="As the log and its pages name it.",
    )
    url = StringField("Address", [InputRequired("Where is it?"), Length(max=LONGEST_URL)])


class WitnessForm(AnchorForm):
    url = StringField(
        "Address",
        [InputRequired("Where is it?"), Length(max=LONGEST_URL)],
        description="Its submission prefix: we add /add-checkpoint.",
    )
    key = StringField(
        "Its verifier key",
        [
            InputRequired("Without its key nobody can tell its cosignatures from made-up ones."),
            Length(max=400),
        ],
        description=(
            "One line, name+id+base64. Take it from the witness' operator, not from the same page"
            " as the address."
        ),
    )


class WebhookForm(AnchorForm):
    url = StringField(
        "Address",
        [InputRequired("Where is it?"), Length(max=LONGEST_URL)],
        description="We POST each checkpoint there, as JSON.",
    )
    secret = SecretField(
        "Signing secret",
        [InputRequired("The receiver knows by it that a checkpoint is ours."), Length(max=200)],
        default=new_secret,
        description=(
            "Made just now. Copy it to the receiver before you add it: it is kept sealed and never"
            " shown again."
        ),
    )


class TimestampForm(AnchorForm):
    url = StringField(
        "Address",
        [InputRequired("Where is it?"), Length(max=LONGEST_URL)],
        description="It gets one request a day.",
    )
    key = TextAreaField(
        "Its certificates",
        [
            InputRequired("Without its certificates nobody can check what it signs."),
            Length(max=MOST_PEM),
        ],
        description="PEM, up to the root that signed itself.",
    )


FORMS: dict[str, type[AnchorForm]] = {
    "witness": WitnessForm,
    "webhook": WebhookForm,
    "timestamp": TimestampForm,
}
