"""Forms of the change log; the rules are in the actions."""

from uuid import UUID

from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from governance.foundation.tenants.forms import one_line
from governance.kernel.web.forms import Choice, Form, counted, stripped, uuid_or_none
from governance.operations.systems import queries as systems
from governance.publishing.change_log.actions import (
    MAX_BODY_LENGTH,
    MAX_REASON_LENGTH,
    MAX_TITLE_LENGTH,
    ChangeText,
)
from governance.publishing.change_log.models import KINDS


class ChangeForm(Form):
    """The form of a change.

    `once` is the id of a new change, `seen` the revision of an edited one.
    """

    once = HiddenField("Once")
    seen = HiddenField("Seen")
    kind = Choice(
        "Kind", [InputRequired("Choose a kind.")], choices=list(KINDS.items()), default="other"
    )
    system_id = Choice(
        "AI system",
        choices=lambda: [
            ("", "No particular one"),
            *((s.id, s.name) for s in systems.live_systems()),
        ],
    )
    title = StringField(
        "Title",
        [DataRequired("Enter a title."), Length(max=MAX_TITLE_LENGTH)],
        filters=[one_line],
        description="What changed, in a line: “Claims triage answers in Polish”.",
    )
    body = TextAreaField(
        "What changed",
        [DataRequired("Describe what changed."), Length(max=MAX_BODY_LENGTH)],
        filters=[stripped],
        description="Plain text. An empty line starts a new paragraph.",
    )
    effect = TextAreaField(
        "What it means for customers",
        [Length(max=MAX_BODY_LENGTH)],
        filters=[stripped],
        description="What they notice, and what they need to do.",
    )

    @property
    def change_id(self) -> UUID | None:
        return uuid_or_none(self.once.data)

    @property
    def revision(self) -> int:
        return counted(self.seen.data)

    def text(self) -> ChangeText:
        """Return the text that was sent."""
        return ChangeText(
            kind=self.kind.data or "",
            system_id=uuid_or_none(self.system_id.data),
            title=self.title.data or "",
            body=self.body.data or "",
            effect=self.effect.data or "",
        )


class WithdrawalForm(Form):
    reason = TextAreaField(
        "Reason",
        [DataRequired("Enter a reason. Customers read it."), Length(max=MAX_REASON_LENGTH)],
        filters=[stripped],
        description="Customers read it on the page and in the feed. It is in the audit log, too.",
    )
