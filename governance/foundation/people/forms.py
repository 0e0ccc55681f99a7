from wtforms import EmailField, SelectField
from wtforms.validators import InputRequired, Length, Regexp

from governance.kernel import current
from governance.kernel.safety.access import OPERATOR_ROLES, ROLE_NAMES, TENANT_ROLES
from governance.kernel.web.forms import Form, constraint, stripped

ADDRESS = (
    r"[^@\s\x00-\x1f\x7f<>(),;:\"\[\]\\]+@[^@\s\x00-\x1f\x7f<>(),;:\"\[\]\\]+\.[A-Za-z0-9-]+\Z"
)
NOT_AN_ADDRESS = "Enter an email address such as ines@acme.example."

constraint(
    "uq_invitations_open",
    "This address already has an open invitation. Withdraw it to send another.",
    field="email",
)


def role_choices() -> list[tuple[str, str]]:
    roles = OPERATOR_ROLES if current.actor().role.startswith("operator") else TENANT_ROLES
    return [(role, ROLE_NAMES[role]) for role in roles if role != "auditor"]


def least_role() -> str:
    """Return the default role, so that an unchanged field makes nobody an admin."""
    return role_choices()[-1][0]


class SignInForm(Form):
    email = EmailField(
        "Work email",
        [
            InputRequired("Enter your work email."),
            Length(max=254),
            Regexp(ADDRESS, message=NOT_AN_ADDRESS),
        ],
        filters=[stripped],
    )


class InviteForm(Form):
    email = EmailField(
        "Work email",
        [
            InputRequired("Enter a work email."),
            Length(max=254),
            Regexp(ADDRESS, message=NOT_AN_ADDRESS),
        ],
        filters=[stripped],
    )
    role = SelectField(
        "Role", [InputRequired("Choose a role.")], choices=role_choices, default=least_role
    )


class RoleForm(Form):
    role = SelectField("Role", choices=role_choices)
