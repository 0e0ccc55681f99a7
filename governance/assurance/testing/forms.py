from wtforms import HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields import FileField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from governance.assurance.evidence.forms import ReadableForm
from governance.foundation.people.owner_fields import NeedsOwnerOrDay, OwnerField
from governance.foundation.people.owners import Choices, assignee_choices
from governance.kernel.days import DayField
from governance.kernel.web.forms import Choice, constraint

constraint(
    "uq_samples_tenant_id_population_id_seed_size",
    "Someone else drew this sample at the same time. Reload the page to see it.",
)
constraint(
    "uq_item_results_tenant_id_sample_item_id_number",
    "Someone else recorded a result at the same time. Reload the page to see it.",
)
constraint(
    "uq_findings_tenant_id_exception_id",
    "Someone else raised the finding at the same time. Reload the page to see it.",
)
constraint(
    "uq_test_exceptions_tenant_id_control_id_missed_from_missed_to",
    "Someone else recorded this exception at the same time. Reload the page to see it.",
)
MAX_TEXT = Length(max=2000)
ANSWER_WORDS = {"yes": "Yes", "no": "No", "na": "Not applicable"}


class PopulationPeriodForm(ReadableForm):
    period_from = DayField("Covers from")
    period_to = DayField("Covers to")


class PopulationFreezeForm(PopulationPeriodForm):
    """A form to freeze what a collector finds, or the control's own evidence."""

    key = SelectField("Population", validate_choice=True)


class PopulationUploadForm(PopulationPeriodForm):
    file = FileField(
        "Choose a CSV or XLSX file",
        description=(
            "The first row names the columns. Up to 50,000 rows, each with its own id; no formulas"
            " or merged cells."
        ),
    )
    title = StringField(
        "Title",
        [
            InputRequired("Enter what the list contains, for example production changes."),
            Length(max=200),
        ],
        description="For example production changes, leavers or releases.",
    )
    query = TextAreaField(
        "Query or report",
        [
            InputRequired("Enter the exact query or report that produced the list."),
            Length(max=4000),
        ],
        description=(
            "The exact query with its filters, so a reader can tell that the list is complete."
        ),
    )
    run_by = StringField(
        "Run by",
        [InputRequired("Enter the system or person that ran the query."), Length(max=160)],
        description="The system and the account that ran it.",
    )
    run_on = DayField("Run on")


class SampleDrawForm(ReadableForm):
    size = IntegerField(
        "Number of items",
        [Optional(), NumberRange(1, 500, "A sample can have 1 to 500 items.")],
        description="Leave empty to use the rule's size.",
    )
    reason = StringField(
        "Reason for a different size", [MAX_TEXT], description="Required if you change the size."
    )
    seed = StringField(
        "Seed",
        [Length(max=80)],
        description="Leave empty for a random seed. The same seed always draws the same sample.",
    )
    attributes = TextAreaField(
        "Attributes to check",
        [InputRequired("Enter the attributes to check, one per line.")],
        description=(
            "One per line, for example “Approved before the release”. Testers answer each with yes,"
            " no or not applicable."
        ),
    )

    @property
    def lines(self) -> list[str]:
        return (self.attributes.data or "").splitlines()


class SampleResultForm(ReadableForm):
    note = TextAreaField(
        "Note",
        [MAX_TEXT],
        description="Required for a “no” and when you replace an earlier result.",
    )
    evidence_version_id = Choice("Evidence", [Optional()])


class MissedCycleForm(ReadableForm):
    """A form to record a missed cycle, chosen by its last day."""

    occurrence = SelectField(
        "Missed cycle", [InputRequired("Choose the cycle that was missed.")], validate_choice=False
    )
    cause = TextAreaField("Cause", [InputRequired("Explain why it wasn't performed."), MAX_TEXT])
    effect = TextAreaField("Effect", [InputRequired("Describe the effect."), MAX_TEXT])
    correction = TextAreaField("Correction", [InputRequired("Describe the correction."), MAX_TEXT])


class ExceptionResponseForm(ReadableForm):
    cause = TextAreaField("Cause", [InputRequired("Explain why it happened."), MAX_TEXT])
    effect = TextAreaField("Effect", [InputRequired("Describe the effect."), MAX_TEXT])
    correction = TextAreaField("Correction", [InputRequired("Describe the correction."), MAX_TEXT])
    response = TextAreaField(
        "Management response", [InputRequired("Enter management's response."), MAX_TEXT]
    )
    version = HiddenField()


class FindingForm(ReadableForm):
    title = StringField(
        "Finding", [InputRequired("Summarize the problem in one line."), Length(max=200)]
    )
    plan = TextAreaField("Plan", [InputRequired("Describe how you will fix it."), MAX_TEXT])
    owner_id = OwnerField(required="Choose the person who fixes it.")
    due_on = DayField("Fix by")


def finding_assignees() -> Choices:
    """Return the owner choices for several findings. Removing the owner is not one of them."""
    return assignee_choices("Keep each owner", removable=False)


class AssignFindingsForm(NeedsOwnerOrDay, ReadableForm):
    """A form to assign several findings. An empty field changes nothing."""

    owner_id = OwnerField(choices=finding_assignees)
    due_on = DayField("Fix by", required=False)


class FixForm(ReadableForm):
    remedy = TextAreaField("Remediation", [InputRequired("Describe the remediation."), MAX_TEXT])


class RetestForm(ReadableForm):
    tested_on = DayField("Retested on")
    sample = IntegerField(
        "Items tested",
        [
            InputRequired("Enter how many items were tested."),
            NumberRange(1, 500, "A retest can cover 1 to 500 items."),
        ],
    )
    failed = IntegerField(
        "Failed items",
        [
            InputRequired("Enter how many items failed, or 0."),
            NumberRange(0, 500, "Enter a number from 0 to 500."),
        ],
    )
    note = TextAreaField(
        "Test and outcome",
        [InputRequired("Describe what you tested and what you found."), MAX_TEXT],
    )


class SampleSizesForm(ReadableForm):
    """Sizes by cadence, and by population band for event-driven controls."""

    yearly = IntegerField("Items for yearly controls", [InputRequired("Enter a number of items.")])
    half_yearly = IntegerField(
        "Items for half-yearly controls", [InputRequired("Enter a number of items.")]
    )
    quarterly = IntegerField(
        "Items for quarterly controls", [InputRequired("Enter a number of items.")]
    )
    monthly = IntegerField(
        "Items for monthly controls", [InputRequired("Enter a number of items.")]
    )
    weekly = IntegerField("Items for weekly controls", [InputRequired("Enter a number of items.")])
    daily = IntegerField("Items for daily controls", [InputRequired("Enter a number of items.")])
    up_to_25 = IntegerField(
        "Items per event, population up to 25", [InputRequired("Enter a number of items.")]
    )
    to_100 = IntegerField(
        "Items per event, population 26 to 100", [InputRequired("Enter a number of items.")]
    )
    to_250 = IntegerField(
        "Items per event, population 101 to 250", [InputRequired("Enter a number of items.")]
    )
    over_250 = IntegerField(
        "Items per event, population over 250", [InputRequired("Enter a number of items.")]
    )
    reason = StringField(
        "Reason", [InputRequired("Enter a reason. It is stored with the sample sizes."), MAX_TEXT]
    )
    number = HiddenField()


def result_form_for(names: list[str]) -> type[SampleResultForm]:
    """Return the form class of a sample, with one radio field for each attribute: a0, a1, …"""
    fields = {
        f"a{n}": RadioField(
            name,
            [InputRequired(f"Answer yes, no or not applicable for “{name}”.")],
            choices=list(ANSWER_WORDS.items()),
        )
        for n, name in enumerate(names)
    }
    return type("SampleForm", (SampleResultForm,), fields)
