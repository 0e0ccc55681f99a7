"""Form fields that ask for an owner.

OwnerField()                                  optional, over the members who can own controls,
                                              evidence, requirements and requests
OwnerField(required="Who fixes it?")          one has to be chosen
OwnerField(choices=assignee_choices)          a change of owner, where removing is a choice of its
                                              own
NeedsOwnerOrDay                               a form that assigns several: an owner, a due date, or
                                              both
form.owner_id.offer(owner_choices(present))   once the current owner is known: they always stay in
                                              the list
"""

from collections.abc import Callable
from typing import Any

from wtforms.validators import InputRequired, Optional, ValidationError

from governance.foundation.people.owners import Choices, owner_choices
from governance.kernel.web.forms import Choice

NOT_AN_OWNER = "Choose a member of this tenant as owner."


class NeedsOwnerOrDay:
    """A form with `owner_id` and `due_on`, of which one may be left empty, but not both."""

    def validate(self, extra_validators: Any = None) -> bool:
        form: Any = self
        fine: bool = super().validate(extra_validators)  # type: ignore[misc]  # the form's
        if fine and not form.owner_id.data and not form.due_on.data:
            form.owner_id.errors = ["Choose an owner or a due date."]
            return False
        return fine


class OwnerField(Choice):
    """A select over people of the tenant who can own something."""

    def __init__(
        self,
        label: str = "Owner",
        *,
        required: str = "",
        choices: Callable[[], Choices] = owner_choices,
        **options: Any,
    ) -> None:
        super().__init__(
            label, [InputRequired(required) if required else Optional()], choices=choices, **options
        )

    def offer(self, choices: Choices) -> None:
        """Replace the choices."""
        self.choices = choices

    def pre_validate(self, form: Any) -> None:
        """Reject a person who is not among the choices."""
        try:
            super().pre_validate(form)
        except ValidationError as unknown:
            raise ValidationError(NOT_AN_OWNER) from unknown
