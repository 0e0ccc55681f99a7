import re

from wtforms import FileField, HiddenField
from wtforms.validators import InputRequired, Length, Regexp

from governance.assurance.frameworks.parsing import MAX_FILE_BYTES, MEGABYTE
from governance.kernel.web.forms import Form

DIGEST = re.compile(r"[0-9a-f]{64}\Z")
NOT_SEEN = "Preview the file before you import it."
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class TextImportForm(Form):
    file = FileField(
        "The publisher's file",
        [InputRequired("Choose a file.")],
        description=(
            "CISO Assistant library (YAML), NIST AI RMF Playbook (JSON) or OSCAL catalog (JSON or"
            f" YAML), up to {MAX_FILE_BYTES // MEGABYTE} MB."
        ),
    )

    @property
    def filename(self) -> str:
        return plain_name(self.file.data.filename or "")


class ImportConfirmForm(Form):
    """Form that confirms a preview, with digests of the file and the texts it was compared with."""

    sha256 = HiddenField("The file", [InputRequired(NOT_SEEN), Regexp(DIGEST, message=NOT_SEEN)])
    basis = HiddenField(
        "What it was compared with", [InputRequired(NOT_SEEN), Regexp(DIGEST, message=NOT_SEEN)]
    )
    filename = HiddenField("File name", [Length(max=200)])


def plain_name(name: str) -> str:
    """Return the file name of a path, without unprintable or text-direction characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return UNPRINTABLE.sub("", last).strip()[:200] or "unnamed file"
