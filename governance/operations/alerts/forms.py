"""Forms of alerts: the reason of a new rule set, and the response to an exhausted budget."""

from wtforms import HiddenField, RadioField, TextAreaField

from governance.kernel.web.forms import Form


class RulesForm(Form):
    """A form that saves a set of rules: its keys, the tested version, and the reason."""

    rules = HiddenField()
    seen = HiddenField()
    reason = TextAreaField("Reason")


class ResponseForm(Form):
    """The response to an exhausted budget: nothing, or a tier."""

    tier = RadioField("When the budget is gone", validate_choice=False)
