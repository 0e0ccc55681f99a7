"""Forms of model cards: publish what was seen, a known failure's text, withdraw a version."""

from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from governance.kernel.forms import Form, counted, stripped
from governance.publishing.model_cards.actions import MAX_REASON, MAX_TEXT, MAX_TITLE


class PublishCardForm(Form):
    seen = HiddenField()


class FailureTextForm(Form):
    seen = HiddenField()
    title = StringField(
        "Title",
        [DataRequired("Enter a title."), Length(max=MAX_TITLE)],
        filters=[stripped],
        description="Such as: Mixed languages.",
    )
    text = TextAreaField(
        "Text",
        [DataRequired("Enter a text."), Length(max=MAX_TEXT)],
        filters=[stripped],
        description="What went wrong, how often, and what was done. Anybody may read it.",
    )

    @property
    def revision(self) -> int:
        return counted(self.seen.data)


class WithdrawForm(Form):
    reason = TextAreaField(
        "Reason",
        [DataRequired("Enter a reason."), Length(max=MAX_REASON)],
        filters=[stripped],
        description="For the audit log. Readers see only that the card was withdrawn, and when.",
    )
