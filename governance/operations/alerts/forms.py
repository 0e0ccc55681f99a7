"""Forms of alerts: the reason of a new rule set, and what happens when a budget is gone."""

from wtforms import HiddenField, RadioField, TextAreaField

from governance.kernel.web.forms import Form


class RulesForm(Form):
    """Save a set of rules: its keys, the version that the test was of, and the reason."""

    rules = HiddenField()
    seen = HiddenField()
    reason = TextAreaField("Reason")


class ResponseForm(Form):
    """What happens when the budget is gone: nothing, or a tier."""

    tier = RadioField("When the budget is gone", validate_choice=False)
