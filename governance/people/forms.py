from wtforms import BooleanField, EmailField, HiddenField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.validators import URL, InputRequired, Length, Optional, Regexp, ValidationError

from governance.kernel import current
from governance.kernel.access import OPERATOR_ROLES, ROLE_NAMES, TENANT_ROLES
from governance.kernel.forms import Form


def role_choices() -> list[tuple[str, str]]:
    roles = OPERATOR_ROLES if current.actor().role.startswith("operator") else TENANT_ROLES
    return [(role, ROLE_NAMES[role]) for role in roles if role != "auditor"]


class SignInForm(Form):
    email = EmailField("Work email", [InputRequired("Type your work address."), Length(max=254)])


class InviteForm(Form):
    email = EmailField("Work email", [InputRequired("Whom do you invite?"), Length(max=254), Regexp(r"[^@\s]+@[^@\s]+\.[^@\s]+$", message="This is not an address such as ines@acme.example.")])
    role = SelectField("Role", choices=role_choices)


class RoleForm(Form):
    role = SelectField("Role", choices=role_choices)


class ConnectionForm(Form):
    issuer = StringField("Issuer", [InputRequired("The issuer is the address that its ID tokens name."), Length(max=300), URL(require_tld=False, message="This is not an address.")])
    client_id = StringField("Client id", [InputRequired("Your provider shows it with the client."), Length(max=200)])
    secret = PasswordField("Client secret", [Optional(), Length(max=500)], description="Kept sealed. Leave it empty to keep the one that is held.")
    domains = StringField("Work domains", [Length(max=500)], description="Separated by spaces. Addresses in them lead to your provider.")
    group_roles = TextAreaField("Groups and roles", [Length(max=4000)], description="One a line: group = role. Roles: admin, compliance_officer, contributor, viewer.")
    enforced = BooleanField("Single sign-on is required")
    version = HiddenField()

    def validate_group_roles(self, field: TextAreaField) -> None:
        for number, line in enumerate((field.data or "").splitlines(), start=1):
            if line.strip() and ("=" not in line or not all(part.strip() for part in line.split("=", 1))):
                raise ValidationError(f"Line {number} is not of the form group = role.")

    @property
    def mapping(self) -> dict[str, str]:
        pairs = (line.rsplit("=", 1) for line in (self.group_roles.data or "").splitlines() if "=" in line)
        return {group.strip(): role.strip() for group, role in pairs}
