"""Forms of Prometheus sources, of an indicator's query, and of a backfill."""

from typing import Any
from uuid import UUID

from wtforms import (
    DateTimeLocalField,
    DecimalField,
    PasswordField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional

from governance.kernel.web.forms import Choice, Form
from governance.operations.measurements.actions import MAX_REASON_LENGTH
from governance.operations.measurements.prometheus_actions import (
    MAX_NAME_LENGTH,
    MAX_QUERY_LENGTH,
    MAX_SECRET_LENGTH,
    MAX_URL_LENGTH,
)

TIME_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
BEARER, OTHER, NONE = "bearer", "header", "none"


class SourceForm(Form):
    """A server. A saved secret is never shown again; an empty field keeps it."""

    name = StringField("Name", [InputRequired("Enter a name."), Length(max=MAX_NAME_LENGTH)])
    url = StringField(
        "Address",
        [InputRequired("Enter its address."), Length(max=MAX_URL_LENGTH)],
        description="What /api/v1/query is added to, for example https://prometheus.acme.example.",
    )
    auth = SelectField(
        "Access",
        choices=[(NONE, "No token"), (BEARER, "Bearer token"), (OTHER, "Another header")],
        default=BEARER,
    )
    header = StringField(
        "Header",
        [Optional(), Length(max=64)],
        description="Only for another header, for example X-Api-Key.",
    )
    secret = PasswordField(
        "Token or value",
        [Optional(), Length(max=MAX_SECRET_LENGTH)],
        description="Stored encrypted and never shown again. Give it read access only.",
    )

    @property
    def credentials(self) -> dict[str, Any]:
        """`header` and `secret` as the actions take them. No secret means: keep it."""
        typed = (self.secret.data or "").strip()
        if self.auth.data == NONE:
            return {"header": "", "secret": ""}
        if self.auth.data == BEARER:
            return {"header": "Authorization", "secret": f"Bearer {typed}" if typed else None}
        return {"header": self.header.data or "", "secret": typed or None}


class QueryForm(Form):
    """The query of an indicator. `is_change` requires a reason."""

    source_id = Choice("Source", [InputRequired("Choose a source.")], choices=[])
    kind = SelectField(
        "What the query returns",
        choices=[
            ("counter", "Counters: Meridian adds up what they grow by"),
            ("count", "A count of the last minute, as a query"),
            ("histogram", "Buckets of a classic histogram"),
        ],
    )
    good = TextAreaField(
        "Good events",
        [Optional(), Length(max=MAX_QUERY_LENGTH)],
        description=(
            'For example http_requests_total{job="triage",code!~"5.."}. Leave it empty for a'
            " histogram."
        ),
    )
    total = TextAreaField(
        "All events",
        [InputRequired("Enter what selects all events."), Length(max=MAX_QUERY_LENGTH)],
        description=(
            'For example http_requests_total{job="triage"}, or the buckets of a histogram, such as'
            " http_request_duration_seconds_bucket."
        ),
    )
    bucket = DecimalField(
        "Bucket",
        [Optional()],
        places=None,
        description='Only for a histogram: the label "le" up to which an event is good.',
    )
    reason = TextAreaField(
        "Reason of the change",
        [Optional(), Length(max=MAX_REASON_LENGTH)],
        description="Needed when you change a query. It is kept in the audit log.",
    )

    def offer(self, sources: list[tuple[UUID, str]]) -> "QueryForm":
        self.source_id.choices = list(sources)
        return self


class BackfillForm(Form):
    """Minutes to read again, in the tenant's time zone."""

    since = DateTimeLocalField(
        "From",
        [InputRequired("Enter from when on.")],
        format=TIME_FORMATS,
        description="In the tenant's time zone. Minutes up to now are read and replaced.",
    )
    reason = TextAreaField(
        "Reason",
        [InputRequired("Enter a reason."), Length(max=MAX_REASON_LENGTH)],
        description="It is kept in the audit log and with the minutes' backfill.",
    )
