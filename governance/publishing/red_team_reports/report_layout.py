"""The layout of a red team's report as a PDF. Pure.

build(data) -> Built               the input of kernel/pdf.render

The data is attached as snapshot.json, and the signature confirms its digest.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from governance.kernel.pictures.pdf import Attachment
from governance.publishing.reports.ai_rmf.attachments import with_manifest
from governance.publishing.reports.ai_rmf.snapshot import canonical, fingerprint
from governance.publishing.reports.built_document import Built
from governance.publishing.reports.page_environment import environment
from governance.publishing.reports.wording import capital, is_, many, out_of, was

SNAPSHOT = "snapshot.json"  # The name under which every report attaches its data.
CONFIDENTIAL = "Confidential: it says how to break a system that runs"
LONG = 1200  # Characters of a finding from which it may break over two pages.
EVIDENCE = 120  # Characters that an evidence version counts as.


def build(data: Mapping[str, Any]) -> Built:
    """Return the report with its data and the manifest attached."""
    snapshot = canonical(data)
    files = with_manifest(
        data,
        (Attachment(SNAPSHOT, snapshot, "What the red team tried and found"),),
        {"draft": data["is_draft"], "open_findings": open_findings(data)},
    )
    print_ = fingerprint(snapshot)
    html = (
        environment()
        .get_template("publishing/red_team_reports/pdf/report.html")
        .render(
            data=data,
            position=_position(data),
            tried=_tried(data),
            found=_found(data),
            never=_never(data),
            is_long=_is_long,
            confidential=CONFIDENTIAL,
            fingerprint=print_,
            signing_key="+".join(data["signing_key"].split("+", 2)[:2]),
        )
    )
    name = f"{data['document']['number']}-{data['document']['version']}.pdf"
    return Built(html, files, print_, name, datetime.fromisoformat(data["as_of"]))


def _is_long(finding: Mapping[str, Any]) -> bool:
    texts = len(finding["reproduction"]) + len(finding["attempt"]["what"])
    return texts + EVIDENCE * len(finding["evidence"]) > LONG


def open_findings(data: Mapping[str, Any]) -> int:
    return sum(each["is_open"] for each in data["findings"])


def _never(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in data["scenarios"] if not each["attempts"]]


def _position(data: Mapping[str, Any]) -> str:
    """Return the conclusion of the report, such as "one finding is open"."""
    count, never = open_findings(data), len(_never(data))
    found = "nothing was reported"
    if data["findings"]:
        found = f"{many(count, 'finding')} {is_(count)} open" if count else "no finding is open"
    return f"{found}; {many(never, 'scenario')} {was(never)} never tried" if never else found


def _tried(data: Mapping[str, Any]) -> str:
    scenarios = data["scenarios"]
    if not scenarios:
        return "No scenario was planned"
    never = len(_never(data))
    if not never:
        return f"Every scenario was tried: {len(scenarios)} of {len(scenarios)}"
    return f"{capital(out_of(never, len(scenarios), 'scenario'))} {was(never)} never tried"


def _found(data: Mapping[str, Any]) -> str:
    findings = data["findings"]
    if not findings:
        return "Nothing that broke through was reported"
    if not (count := open_findings(data)):
        return f"{capital(many(len(findings), 'finding'))}, and none is open"
    return f"{capital(out_of(count, len(findings), 'finding'))} {is_(count)} open"
