from wtforms import BooleanField, EmailField, HiddenField, PasswordField, StringField, TextAreaField
from wtforms.validators import URL, InputRequired, Length, Optional, Regexp, ValidationError

from governance.foundation.people.forms import ADDRESS, NOT_AN_ADDRESS
from governance.kernel.web.forms import Form, constraint, stripped

constraint(
    "uq_email_domains_domain",
    "One of these domains already belongs to another tenant. Ask the operator.",
    field="domains",
)


class ProviderForm(Form):
    """The fields needed to reach an identity provider."""

    issuer = StringField(
        "Issuer",
        [
            InputRequired("Enter the issuer URL, as the provider's ID tokens state it."),
            Length(max=300),
            URL(require_tld=False, message="Enter a URL such as https://id.acme.example."),
        ],
        filters=[stripped],
    )
    client_id = StringField(
        "Client ID",
        [
            InputRequired(
                "Enter the client ID. You find it in the client's settings at the provider."
            ),
            Length(max=200),
            Regexp(
                r"[\x20-\x7e]+\Z", message="Use only plain (ASCII) characters in the client ID."
            ),
        ],
        filters=[stripped],
    )
    secret = PasswordField(
        "Client secret",
        [
            Optional(),
            Length(max=500),
            Regexp(r"[\x20-\x7e]+\Z", message="Use only plain (ASCII) characters in the secret."),
        ],
    )
    domains = StringField(
        "Work domains",
        [Length(max=500)],
        description=(
            "Separate domains with spaces. People with these addresses sign in through this"
            " provider."
        ),
    )
    verifies_addresses = BooleanField(
        "This provider verifies email addresses",
        description=(
            "Turn this on for a provider your company runs, where people can't set their own"
            " address. Invitations to addresses in the work domains then count without an"
            " email_verified claim. Anyone who can change an address at the provider could accept"
            " that person's invitation."
        ),
    )

    @property
    def wanted_domains(self) -> set[str]:
        return set((self.domains.data or "").replace(",", " ").split())


class ConnectionForm(ProviderForm):
    group_roles = TextAreaField(
        "Groups and roles",
        [Length(max=4000)],
        description=(
            "One per line: group = role. Roles: admin, compliance_officer, contributor, viewer."
        ),
    )
    enforced = BooleanField(
        "Require single sign-on",
        description=(
            "People with an address in a work domain then sign in through this provider only, also"
            " as auditors. A personal link with a code is for other addresses."
        ),
    )
    reason = TextAreaField(
        "Reason",
        [InputRequired("Enter a reason. The approver reads it."), Length(max=2000)],
        description="The approver reads it, and it is kept in the audit log.",
    )
    seen = HiddenField()

    def validate_group_roles(self, field: TextAreaField) -> None:
        for number, line in enumerate((field.data or "").splitlines(), start=1):
            if line.strip() and (
                "=" not in line or not all(part.strip() for part in line.rsplit("=", 1))
            ):
                raise ValidationError(f"Write line {number} as group = role.")
            if "\0" in line:
                raise ValidationError(f"Remove the unreadable character from line {number}.")

    @property
    def mapping(self) -> dict[str, str]:
        pairs = (
            line.rsplit("=", 1)
            for line in (self.group_roles.data or "").splitlines()
            if "=" in line
        )
        return {group.strip(): role.strip() for group, role in pairs}


class FirstAdminForm(ProviderForm):
    """The form that sets how a new tenant's people sign in, and who is their first admin."""

    email = EmailField(
        "First admin",
        [
            InputRequired("Enter the first admin's work email."),
            Length(max=254),
            Regexp(ADDRESS, message=NOT_AN_ADDRESS),
        ],
        filters=[stripped],
        description="Meridian sends the invitation to this address.",
    )
