"""The form of allocation rules: a driver and fixed shares for each pool."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import Length

from governance.economics.allocation.rule_content import (
    DRIVER_LABELS,
    POOL_LABELS,
    Rules,
    percent_text,
    percents_field,
    read_percents,
)
from governance.economics.formulas.allocation import Driver, Pool, Rule
from governance.kernel.days import MonthField
from governance.kernel.web.forms import Form, stripped

DRIVERS = [(driver.value, label) for driver, label in DRIVER_LABELS.items()]


class RulesForm(Form):
    """The form of a new version. `verb` is preview or confirm, `base` the newest version shown."""

    verb = HiddenField("Verb")
    base = HiddenField("Base")
    since = MonthField("First month")
    reason = TextAreaField("Reason, printed in reviews", [Length(max=2000)], filters=[stripped])

    def rules(self, ids: Mapping[str, UUID]) -> dict[Pool, Rule[UUID]]:
        """Return the entered rules, with tenants resolved by slug. Raises Invalid."""
        return {pool: self._rule(pool, ids) for pool in Pool}

    def _rule(self, pool: Pool, ids: Mapping[str, UUID]) -> Rule[UUID]:
        driver, field = Driver(self[pool.value].data), percents_field(pool)
        if driver is not Driver.FIXED:
            return Rule(driver)
        return Rule(driver, read_percents(self[field].data or "", ids, field=field))


for _pool, _label in POOL_LABELS.items():
    setattr(RulesForm, _pool.value, SelectField(_label, choices=DRIVERS, default="revenue"))
    setattr(
        RulesForm,
        percents_field(_pool),
        StringField(f"{_label}: fixed shares", [Length(max=4000)], filters=[stripped]),
    )


def form_values(rules: Rules, slugs: Mapping[UUID, str]) -> dict[str, Any]:
    """Return the form's field values for these rules."""
    values: dict[str, Any] = {}
    for pool, rule in rules.items():
        values[pool.value] = rule.driver.value
        values[percents_field(pool)] = ", ".join(
            f"{slugs[key]} {percent_text(percent)}"
            for key, percent in (rule.percents or {}).items()
            if key in slugs
        )
    return values
