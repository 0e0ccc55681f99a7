from wtforms import HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields import FileField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from governance.assurance.evidence.forms import Readable
from governance.foundation.people.owner_fields import OwnerField
from governance.kernel.days import DayField
from governance.kernel.forms import Choice, constraint

constraint(
    "uq_samples_tenant_id_population_id_seed_size",
    "Somebody else drew it at the same moment. Look at it again.",
)
constraint(
    "uq_item_results_tenant_id_sample_item_id_number",
    "Somebody else recorded a result at the same moment. Look at it again.",
)
constraint(
    "uq_findings_tenant_id_exception_id", "Somebody else raised the finding at the same moment."
)
constraint(
    "uq_test_exceptions_tenant_id_control_id_missed_from_missed_to",
    "Somebody else recorded it at the same moment. Look at it again.",
)
LONG = Length(max=2000)
WORDS = {"yes": "Yes", "no": "No", "na": "Not applicable"}


class PeriodForm(Readable):
    period_from = DayField("Covers from")
    period_to = DayField("Covers to")


class FreezeForm(PeriodForm):
    """What a collector finds, or the control's own evidence."""

    key = SelectField("Population", validate_choice=True)


class UploadForm(PeriodForm):
    file = FileField(
        "Choose a CSV or XLSX file",
        description=(
            "The first row names the columns; 50,000 rows at most, each with an id of its own; no"
            " formulas, no merged cells."
        ),
    )
    title = StringField(
        "Title",
        [InputRequired("What is it a list of?"), Length(max=200)],
        description="Production changes, leavers, releases.",
    )
    query = TextAreaField(
        "Query or report",
        [
            InputRequired("Say how it was found: the query or the report, word for word."),
            Length(max=4000),
        ],
        description="Word for word, with its filters: what makes the list complete.",
    )
    run_by = StringField(
        "Run by",
        [InputRequired("Say which system or person ran it."), Length(max=160)],
        description="The system, and the account that ran it.",
    )
    run_on = DayField("Run on")


class DrawForm(Readable):
    size = IntegerField(
        "Size",
        [Optional(), NumberRange(1, 500, "A sample has 1 to 500 items.")],
        description="Empty: the rule's size.",
    )
    reason = StringField(
        "Why another size", [LONG], description="Needed when it is not the rule's."
    )
    seed = StringField(
        "Seed",
        [Length(max=80)],
        description="Empty: a new one that nobody chose. The same seed draws the same sample.",
    )
    attributes = TextAreaField(
        "What each item is checked for",
        [InputRequired("Say what each item is checked for, one a line.")],
        description=(
            "One attribute a line: Approved before the release. Each is answered yes, no or not"
            " applicable."
        ),
    )

    @property
    def lines(self) -> list[str]:
        return (self.attributes.data or "").splitlines()


class ResultForm(Readable):
    note = TextAreaField(
        "Note",
        [LONG],
        description="Needed for a “no”, and when a result stands in for an earlier one.",
    )
    evidence_version_id = Choice("Evidence", [Optional()])


class MissedForm(Readable):
    """A missed cycle, by its last day."""

    occurrence = SelectField(
        "Missed cycle", [InputRequired("Which cycle was missed?")], validate_choice=False
    )
    cause = TextAreaField("Cause", [InputRequired("Why was it not performed?"), LONG])
    effect = TextAreaField("Effect", [InputRequired("What did it lead to?"), LONG])
    correction = TextAreaField("Correction", [InputRequired("What was put right?"), LONG])


class AnswerForm(Readable):
    cause = TextAreaField("Cause", [InputRequired("Why did it happen?"), LONG])
    effect = TextAreaField("Effect", [InputRequired("What did it lead to?"), LONG])
    correction = TextAreaField("Correction", [InputRequired("What was put right?"), LONG])
    response = TextAreaField(
        "Management response", [InputRequired("What does management say to it?"), LONG]
    )
    version = HiddenField()


class FindingForm(Readable):
    title = StringField("Finding", [InputRequired("What is wrong, in a line?"), Length(max=200)])
    plan = TextAreaField("Plan", [InputRequired("Say how you will fix it."), LONG])
    owner_id = OwnerField(required="Who fixes it?")
    due_on = DayField("Fix by")


class RemedyForm(Readable):
    remedy = TextAreaField("What was done", [InputRequired("Say what was done."), LONG])


class RetestForm(Readable):
    tested_on = DayField("Retested on")
    sample = IntegerField(
        "Items tried",
        [
            InputRequired("How many items were tried?"),
            NumberRange(1, 500, "A retest tries 1 to 500 items."),
        ],
    )
    failed = IntegerField(
        "Items that failed",
        [
            InputRequired("How many of them failed? 0 if none did."),
            NumberRange(0, 500, "None is 0."),
        ],
    )
    note = TextAreaField(
        "What was tried and found", [InputRequired("Say what was tried and what was found."), LONG]
    )


class Sizes(Readable):
    """One field for each cadence, and for each band of what follows events."""

    yearly = IntegerField("Yearly", [InputRequired("A number.")])
    half_yearly = IntegerField("Half-yearly", [InputRequired("A number.")])
    quarterly = IntegerField("Quarterly", [InputRequired("A number.")])
    monthly = IntegerField("Monthly", [InputRequired("A number.")])
    weekly = IntegerField("Weekly", [InputRequired("A number.")])
    daily = IntegerField("Daily", [InputRequired("A number.")])
    up_to_25 = IntegerField("Per event, up to 25", [InputRequired("A number.")])
    to_100 = IntegerField("Per event, 26 to 100", [InputRequired("A number.")])
    to_250 = IntegerField("Per event, 101 to 250", [InputRequired("A number.")])
    over_250 = IntegerField("Per event, over 250", [InputRequired("A number.")])
    reason = StringField(
        "Why", [InputRequired("Say why: the reason is kept with the table."), LONG]
    )
    number = HiddenField()


def answers(names: list[str]) -> type[ResultForm]:
    """The form of a sample: one radio for each attribute, called a0, a1, …"""
    fields = {
        f"a{n}": RadioField(
            name,
            [InputRequired(f"Say yes, no or not applicable for “{name}”.")],
            choices=list(WORDS.items()),
        )
        for n, name in enumerate(names)
    }
    return type("SampleForm", (ResultForm,), fields)
