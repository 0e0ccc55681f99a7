"""The forms of the settings of seals."""

from wtforms import FileField, PasswordField, RadioField
from wtforms.validators import InputRequired, Length

from governance.kernel.web.forms import Form
from governance.publishing.reports.seals.models import AUDITORS, EVERYONE, NOBODY

MAX_PASSWORD_LENGTH = 200
SEALED_FOR = {
    AUDITORS: "Downloads by auditors",
    EVERYONE: "All downloads",
    NOBODY: "No downloads",
}
HEADINGS = {
    AUDITORS: "Report PDFs are sealed for auditors",
    EVERYONE: "All report PDFs are sealed when downloaded",
    NOBODY: "Report PDFs aren't sealed",
}


class SealSettingsForm(Form):
    sealed_for = RadioField(
        "Seal PDFs with a certificate",
        [InputRequired("Choose whose downloads are sealed.")],
        choices=list(SEALED_FOR.items()),
        description="Each report has a signature file in any case.",
    )


class CertificateForm(Form):
    """A PKCS#12 file and its password. The password isn't stored."""

    file = FileField(
        "Certificate with its private key",
        [InputRequired("Choose a file.")],
        description="A PKCS#12 file (.p12 or .pfx). The key is stored encrypted.",
    )
    password = PasswordField(
        "Password of the file",
        [Length(max=MAX_PASSWORD_LENGTH)],
        description="Used once, to open the file.",
    )
