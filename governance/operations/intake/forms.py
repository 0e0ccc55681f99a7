"""The intake form, and the form in which a reviewer sets the classes."""

from typing import Any
from uuid import UUID

from wtforms import (
    DateField,
    HiddenField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from governance.foundation.tenants.forms import one_line
from governance.kernel.data.ids import uuid7
from governance.kernel.web.forms import Form, constraint, counted, stripped, uuid_or_none
from governance.operations.intake.actions import MAX_NAME_LENGTH, MAX_TEXT_LENGTH, Draft
from governance.operations.intake.models import SystemProposal
from governance.operations.intake.questions import QUESTIONS, Question
from governance.operations.intake.triage import EU_CLASSES, RISK_CLASSES

constraint(
    "pk_system_proposals",
    "This form was already sent and its system was proposed. Open a new form for another one.",
)
INVALID_ANSWER: dict[str, Any] = {"invalid_choice_message": "Choose one of the answers."}


def _field(question: Question) -> Any:
    kind = SelectMultipleField if question.several else RadioField
    return kind(
        question.label,
        [Optional()],
        choices=list(question.choices.items()),
        validate_choice=False,  # questions.cleaned checks them and their combinations.
        description=question.help,
    )


class ProposalForm(Form):
    once = HiddenField()
    seen = HiddenField()
    name = StringField(
        "Name",
        [DataRequired("Enter a name."), Length(max=MAX_NAME_LENGTH)],
        filters=[one_line],
    )
    key = StringField(
        "Slug",
        [Length(max=41)],
        filters=[stripped],
        description="Follows from the name if you leave it empty. It can't be changed later.",
    )
    purpose = TextAreaField(
        "What does it do?",
        [DataRequired("Describe what it does."), Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
        description="What it decides or produces, and why you want it.",
    )
    users = TextAreaField(
        "Who is it for?",
        [DataRequired("Describe who uses it."), Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
        description="The people who use it, and the people it affects.",
    )

    placed_on = DateField(
        "On the market or in service since",
        [Optional()],
        description="Leave it empty for a planned system.",
    )

    @property
    def proposal_id(self) -> UUID:
        """The id chosen when the form was opened. A form sent twice proposes one system."""
        return uuid_or_none(self.once.data) or uuid7()

    @property
    def revision(self) -> int:
        return counted(self.seen.data)

    @property
    def questions(self) -> list[Any]:
        """The fields of the questions, in order."""
        return [self._fields[key] for key in QUESTIONS]

    def draft(self) -> Draft:
        return Draft(
            name=self.name.data or "",
            key=self.key.data or "",
            purpose=self.purpose.data or "",
            users=self.users.data or "",
            answers={field.short_name: field.data for field in self.questions},
            placed_on=self.placed_on.data,
        )

    @classmethod
    def of(cls, row: SystemProposal) -> "ProposalForm":
        """Return the form to change a proposal."""
        return cls(
            name=row.name,
            key=row.key,
            purpose=row.purpose,
            users=row.users,
            seen=str(row.revision),
            placed_on=row.placed_on,
            **row.answers,
        )


for _question in QUESTIONS.values():
    setattr(ProposalForm, _question.key, _field(_question))


class SafeguardsForm(Form):
    seen = HiddenField()
    safeguards_run = RadioField(
        "Evaluation run",
        [InputRequired("Choose a run.")],
        invalid_choice_message="Choose one of the runs.",  # type: ignore[call-arg]  # not in its types
    )

    @property
    def revision(self) -> int:
        return counted(self.seen.data)


class ClassesForm(Form):
    seen = HiddenField()
    eu_class = RadioField(
        "EU AI Act class",
        [InputRequired("Choose a class of the EU AI Act.")],
        choices=list(EU_CLASSES.items()),
        **INVALID_ANSWER,
    )
    risk_class = RadioField(
        "Risk class",
        [InputRequired("Choose a risk class.")],
        choices=list(RISK_CLASSES.items()),
        **INVALID_ANSWER,
    )
    reason = TextAreaField(
        "Reason, kept in the audit log",
        [DataRequired("Enter a reason. It is kept in the audit log."), Length(max=MAX_TEXT_LENGTH)],
        filters=[stripped],
    )

    @property
    def revision(self) -> int:
        return counted(self.seen.data)
