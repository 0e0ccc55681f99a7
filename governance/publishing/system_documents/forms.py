"""The form of one point of a document."""

from wtforms import BooleanField, HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from governance.kernel.web.forms import Form, counted, stripped
from governance.publishing.system_documents.actions import MAX_TEXT_LENGTH


class PointForm(Form):
    seen = HiddenField()
    text = TextAreaField(
        "Text",
        [DataRequired("Enter a text."), Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
    )
    evidence = StringField(
        "Evidence item",
        [Length(max=40)],
        filters=[stripped],
        description="The reference of the item that shows it, such as EV-12.",
    )
    does_not_apply = BooleanField(
        "Doesn't apply", description="The text gives the reason; no evidence is needed."
    )

    @property
    def revision(self) -> int:
        return counted(self.seen.data)


class CompleteForm(Form):
    """A form without fields."""
