"""The layout of a document's version as a PDF. Pure.

build(data) -> Built               the input of kernel/pdf.render

The data is attached as snapshot.json, and the signature confirms its digest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from governance.kernel.pictures.pdf import Attachment
from governance.publishing.reports.ai_rmf.attachments import with_manifest
from governance.publishing.reports.ai_rmf.snapshot import canonical, fingerprint
from governance.publishing.reports.built_document import Built
from governance.publishing.reports.page_environment import environment
from governance.publishing.reports.wording import digits, is_
from governance.publishing.system_documents.assembled import AssembledSection, frozen, open_points

FORMAT = "governance.system-document/1"
SNAPSHOT = "snapshot.json"  # The name under which every report attaches its data.
CONFIDENTIAL = "Confidential: provider, auditors and authorities"


def content(
    sections: Sequence[AssembledSection],
    *,
    tenant: tuple[str, str],
    system: tuple[str, str],
    kind: tuple[str, str, str],
    number: int,
    is_complete: bool,
    at: datetime,
    requested_at: datetime,
    signing_key: str,
) -> dict[str, Any]:
    """Return the data of a version.

    `tenant` and `system` are (slug, name), and `kind` is (key, name, source).
    """
    return {
        "schema": FORMAT,
        "tenant": {"slug": tenant[0], "name": tenant[1]},
        "system": {"slug": system[0], "name": system[1]},
        "document": {"number": f"{kind[0]}-{system[0]}", "version": f"v{number}"},
        "title": kind[1],
        "source": kind[2],
        "is_complete": is_complete,
        "as_of": at.isoformat(),
        "requested_at": requested_at.isoformat(),
        "signing_key": signing_key,
        "log": None,
        "open": [each.key for each in open_points(sections)],
        "points": frozen(sections),
        "sections": [asdict(each.section) for each in sections],
    }


def build(data: Mapping[str, Any]) -> Built:
    """Return the document with its data and the manifest attached."""
    parameters = {"version": data["document"]["version"], "open_points": len(data["open"])}
    snapshot = canonical(data)
    files = with_manifest(
        data, (Attachment(SNAPSHOT, snapshot, "What each point says"),), parameters
    )
    print_ = fingerprint(snapshot)
    said = {each["point"]: each["entries"] for each in data["points"]}
    html = (
        environment()
        .get_template("publishing/system_documents/pdf/document.html")
        .render(
            data=data,
            said=said,
            position=_position(len(data["open"]), len(said)),
            bound=_bound(len(said) - len(data["open"]), len(said)),
            counted=[(each, _open_in(each, data["open"])) for each in data["sections"]],
            confidential=CONFIDENTIAL,
            fingerprint=print_,
            signing_key="+".join(data["signing_key"].split("+", 2)[:2]),
        )
    )
    name = f"{data['document']['number']}-{data['document']['version']}.pdf"
    return Built(html, files, print_, name, datetime.fromisoformat(data["as_of"]))


def _position(open_points: int, points: int) -> str:
    """Return the conclusion of the document, such as "7 of 18 points are open"."""
    if not open_points:
        return "every point is bound to the record"
    return f"{digits(open_points)} of {digits(points)} points {is_(open_points)} open"


def _bound(bound: int, points: int) -> str:
    if bound == points:
        return f"All {digits(points)} points are bound to the record"
    return f"{digits(bound)} of {digits(points)} points {is_(bound)} bound to the record"


def _open_in(section: Mapping[str, Any], open_points: Sequence[str]) -> int:
    return sum(point["key"] in open_points for point in section["points"])
