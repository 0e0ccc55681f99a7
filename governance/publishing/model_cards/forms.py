"""The forms of model cards.

They publish what was seen, choose a release, write a known failure's text, and withdraw a version.
"""

from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from governance.kernel.formatting import long_day
from governance.kernel.web.forms import Form, counted, stripped
from governance.publishing.model_cards.actions import MAX_REASON, MAX_TEXT, MAX_TITLE
from governance.publishing.model_cards.record import DescribedRelease


class PublishCardForm(Form):
    seen = HiddenField()


class ReleaseForm(Form):
    seen = HiddenField()
    release = SelectField("Release", choices=[], validate_choice=False)

    @property
    def revision(self) -> int:
        return counted(self.seen.data)

    def offer(self, now: DescribedRelease) -> None:
        """Offer the served release, and each release that was evaluated."""
        follows = "The one that people are served, or else evaluated last"
        if now.by_itself:
            word = "served to people" if now.served else "evaluated last"
            follows = f"{now.by_itself}, {word}"
        evaluated = [
            (name, f"{name}, {long_day(ran)}" if ran else name) for name, ran in now.releases
        ]
        if now.chosen and now.chosen not in dict(evaluated):
            evaluated.append((now.chosen, now.chosen))
        self.release.choices = [("", follows), *evaluated]


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
