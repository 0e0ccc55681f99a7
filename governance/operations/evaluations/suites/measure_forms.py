"""The form of one measure of a draft."""

from decimal import Decimal
from typing import Any

from wtforms import (
    BooleanField,
    DecimalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from governance.foundation.tenants.forms import one_line
from governance.kernel.web.forms import Form, stripped
from governance.operations.evaluations.coverage.owasp import RISKS
from governance.operations.evaluations.models import KINDS, SuiteMeasure
from governance.operations.evaluations.suites.actions import MeasureInput
from governance.operations.evaluations.suites.task_packs import TIERS

INVALID_CHOICE: dict[str, Any] = {"invalid_choice_message": "Choose one of the list."}
SHARE, HUNDRED = "share", Decimal(100)
MAX_SOURCES = 20
SIDES = [("most", "At most the limit"), ("least", "At least the limit")]


def _limit(tier: str, help_text: str = "") -> Any:
    return DecimalField(
        f"{tier} limit",
        [InputRequired(f"Enter the limit of the tier {tier}.")],
        description=help_text,
        places=None,
    )


class MeasureForm(Form):
    seen = HiddenField()
    name = StringField("Name", [DataRequired("Enter a name."), Length(max=80)], filters=[one_line])
    key = StringField(
        "Slug",
        [DataRequired("Enter a slug."), Length(max=41)],
        filters=[stripped],
        description="Lowercase letters, digits and hyphens. Runs show the measure under it.",
    )
    kind = RadioField("Kind", choices=list(KINDS.items()), default="rate", **INVALID_CHOICE)
    percent = IntegerField(
        "Percentile",
        [Optional(), NumberRange(1, 99, "Enter a percentile from 1 to 99.")],
        description="Only for a percentile, such as 95.",
    )
    unit = StringField(
        "Unit",
        [DataRequired("Enter a unit."), Length(max=20)],
        default=SHARE,
        filters=[one_line],
        description="Enter share for a share of cases, otherwise the unit, such as s, ms or EUR.",
    )
    direction = RadioField("Passes with", choices=SIDES, default="most", **INVALID_CHOICE)
    baseline = _limit("Baseline", "In percent for a share; otherwise in the unit.")
    standard = _limit("Standard")
    strict = _limit("Strict")
    regulated = _limit("Regulated")
    min_samples = IntegerField(
        "Minimum of samples",
        [Optional(), NumberRange(0, 10_000_000, "Enter 0 to 10,000,000.")],
        description="With fewer evaluated samples a run stays undecided.",
    )
    sources = StringField(
        "Other names in files",
        [Optional(), Length(max=400)],
        filters=[one_line],
        description="Separated by commas, such as grounded, faithfulness.",
    )
    is_inverted = BooleanField("Files count the opposite, such as answers that are grounded")
    is_signal = BooleanField("Signal: shown and compared, but decides nothing")
    risks = SelectMultipleField(
        "OWASP risks that it tests",
        choices=[(risk, f"{risk} {name}") for risk, name in RISKS.items()],
        **INVALID_CHOICE,
    )

    @property
    def measure(self) -> MeasureInput:
        """The content of the form, with the limits of a share as shares."""
        scale = HUNDRED if self.unit.data == SHARE else Decimal(1)
        names = (each.strip() for each in (self.sources.data or "").split(","))
        return MeasureInput(
            key=self.key.data or "",
            name=self.name.data or "",
            kind=self.kind.data,
            unit=self.unit.data or "",
            at_least=self.direction.data == "least",
            limits={tier: float((self[tier].data or 0) / scale) for tier in TIERS},
            sources=tuple(dict.fromkeys(each for each in names if each))[:MAX_SOURCES],
            percent=self.percent.data if self.kind.data == "percentile" else None,
            is_inverted=bool(self.is_inverted.data),
            is_signal=bool(self.is_signal.data),
            min_samples=self.min_samples.data or 0,
            risks=tuple(self.risks.data or ()),
        )


def form_of(measure: SuiteMeasure) -> MeasureForm:
    """Return the form filled with a measure, as people type it."""
    scale = HUNDRED if measure.unit == SHARE else Decimal(1)
    return MeasureForm(
        name=measure.name,
        key=measure.key,
        kind=measure.kind,
        percent=measure.percent,
        unit=measure.unit,
        direction="least" if measure.at_least else "most",
        sources=", ".join(measure.sources),
        min_samples=measure.min_samples or None,
        is_inverted=measure.is_inverted,
        is_signal=measure.is_signal,
        risks=list(measure.risks),
        **{tier: _typed(measure.limits.get(tier), scale) for tier in TIERS},
    )


def _typed(limit: float | None, scale: Decimal) -> Decimal | None:
    return None if limit is None else (Decimal(str(limit)) * scale).normalize() + 0
