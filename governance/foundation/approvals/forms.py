from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Length

from governance.foundation.approvals.actions import MAX_REASON_LENGTH
from governance.foundation.approvals.discussion import MAX_TEXT_LENGTH
from governance.kernel.web.forms import Form, stripped


class ApprovalDecisionForm(Form):
    """`verb` says what is decided; `seen` is the fingerprint of what the page showed."""

    verb = HiddenField("Verb")
    seen = HiddenField("Seen")
    typed = StringField("Confirmation", [Length(max=300)])
    reason = TextAreaField(
        "Reason, kept in the audit log", [Length(max=MAX_REASON_LENGTH)], filters=[stripped]
    )


class ApprovalCommentForm(Form):
    """A question or an answer in the discussion."""

    text = TextAreaField("Comment", [Length(max=MAX_TEXT_LENGTH)], filters=[stripped])
