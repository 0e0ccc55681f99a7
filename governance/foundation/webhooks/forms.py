from uuid import UUID

from wtforms import HiddenField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, Length

from governance.foundation.tenants.forms import one_line
from governance.foundation.webhooks import event_types
from governance.foundation.webhooks.actions import MAX_NAME_LENGTH, MAX_URL_LENGTH
from governance.kernel.data.ids import uuid7
from governance.kernel.web.forms import Form, constraint, counted, uuid_or_none

constraint(
    "pk_webhook_endpoints",
    "This form was already sent and its endpoint was added. Open a new form to add another one.",
)


def _types() -> list[tuple[str, str]]:
    return [(each.name, each.name) for each in event_types.known()]


class EndpointForm(Form):
    name = StringField(
        "Name",
        [DataRequired("Enter a name."), Length(max=MAX_NAME_LENGTH)],
        filters=[one_line],
        description="The system that receives the events, for example “On-call paging”.",
    )
    url = StringField(
        "Address",
        [DataRequired("Enter its address."), Length(max=MAX_URL_LENGTH)],
        description="A public https address. Meridian sends each event there by POST, as JSON.",
    )
    events = SelectMultipleField(
        "Event types", [DataRequired("Choose at least one type of event.")], choices=_types
    )
    once = HiddenField()
    seen = HiddenField()

    @property
    def endpoint_id(self) -> UUID:
        """The id chosen when the form was opened: sent twice, it adds one endpoint."""
        return uuid_or_none(self.once.data) or uuid7()

    @property
    def revision(self) -> int:
        return counted(self.seen.data)


class SeenForm(Form):
    """The revision that the person saw, for what changes the endpoint without further fields."""

    seen = HiddenField()

    @property
    def revision(self) -> int:
        return counted(self.seen.data)
