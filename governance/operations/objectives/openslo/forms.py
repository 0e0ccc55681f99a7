"""Forms of an OpenSLO import: the file, and the confirmation of its preview."""

import re

from wtforms import FileField, HiddenField
from wtforms.validators import InputRequired, Regexp

from governance.kernel.web.forms import Form

NOT_SEEN = "Preview the file before you import it."
DIGEST = Regexp(re.compile(r"[0-9a-f]{64}\Z"), message=NOT_SEEN)


class OpenSloFileForm(Form):
    file = FileField(
        "OpenSLO file",
        [InputRequired("Choose a file.")],
        description="YAML, OpenSLO v1, up to 1 MB. Several documents may be in one file.",
    )


class OpenSloConfirmForm(Form):
    """The digests of the file and of its preview."""

    sha256 = HiddenField("The file", [InputRequired(NOT_SEEN), DIGEST])
    basis = HiddenField("What it would change", [InputRequired(NOT_SEEN), DIGEST])
