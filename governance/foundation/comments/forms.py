from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from governance.foundation.comments.actions import MAX_TEXT_LENGTH
from governance.kernel.web.forms import Form


class CommentForm(Form):
    text = TextAreaField(
        "Comment",
        [
            DataRequired("Write a comment."),
            # The typed address of a mention is longer than the id that is stored.
            Length(max=2 * MAX_TEXT_LENGTH, message="Use at most %(max)d characters."),
        ],
    )
