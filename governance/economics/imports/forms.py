"""The form to upload a file."""

from wtforms import FileField, SelectField
from wtforms.validators import InputRequired

from governance.economics.imports import kinds
from governance.kernel.safety import access
from governance.kernel.web.forms import Form


def _kinds() -> list[tuple[str, str]]:
    return [
        (each.name, each.label) for each in kinds.all_kinds() if access.allowed(each.permission)
    ]


class UploadForm(Form):
    kind = SelectField("What it holds", [InputRequired("Choose what it holds.")], choices=_kinds)
    file = FileField(
        "File",
        [InputRequired("Choose a file.")],
        description="CSV, JSON Lines or Parquet. Save a workbook as “CSV UTF-8” first.",
    )
