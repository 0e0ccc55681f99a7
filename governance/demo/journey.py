"""The main jobs end to end, over HTTP as the compliance officer's browser does them.

Sign in by OIDC, request files, wait for them, download them, and verify them.
"""

import io
import re
import time
import zipfile
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import requests

from governance.assurance.engagements.packages.verifier import verify as verify_package
from governance.demo import tampered_export
from governance.foundation.audit import jsonl
from governance.foundation.audit.verify import verify as verify_log
from governance.kernel import clock
from governance.publishing.reports.signatures.verify import verify
from governance.publishing.statements.verify import verify as verify_statement

SOC2 = "soc2-tsc-2017"
MAX_WAIT_SECONDS = 900
ELEVEN_MONTHS = timedelta(days=334)  # no eleven months are shorter


class _Form(HTMLParser):
    """The forms of a page as [(action, {name: value})], with their hidden fields and buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.options: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), {}))
        elif tag in {"input", "button"} and self.forms and given.get("name"):
            self.forms[-1][1].setdefault(given["name"], given.get("value", ""))
        elif tag == "option":
            self.options.append(given.get("value", ""))


def _forms(reply: requests.Response) -> _Form:
    parser = _Form()
    parser.feed(reply.text)
    return parser


class AccessEnded(SystemExit):
    """Access of a person was ended, which anyone who uses the demo may do."""


def sign_in(base: str, email: str) -> requests.Session:
    """Return a signed-in browser, after the redirect, the provider's form and the callback."""
    browser = requests.Session()
    login = browser.get(f"{base}/login", params={"email": email}, timeout=20)
    action, fields = _forms(login).forms[0]
    fields["email"] = email
    arrived = browser.post(urljoin(login.url, action), data=fields, timeout=20)
    if arrived.status_code == 403:  # noqa: PLR2004
        raise AccessEnded(f"{email} no longer has access.")
    if not arrived.ok or ("/t/" not in arrived.url and "/operator" not in arrived.url):
        raise SystemExit(
            f"The demo can't sign in as {email}: {arrived.status_code} at {arrived.url}"
        )
    return browser


def make_reports(base: str, data: Path, email: str = "officer@acme.example") -> None:
    """Generate the AI RMF report and the SOC 2 Type II matrix, and verify them offline.

    Each report is saved with its signature.
    """
    browser = sign_in(base, email)
    page = _forms(browser.get(f"{base}/t/acme/reports/", timeout=20))
    compliance = _ask(browser, base, page, "/reports/", assessment_id=page.options[0])
    last = clock.today()
    first = (last.replace(day=1) - ELEVEN_MONTHS).replace(day=1)
    matrix = _ask(
        browser,
        base,
        page,
        "/reports/matrices",
        framework=SOC2,
        begins=first.isoformat(),
        ends=last.isoformat(),
    )
    signed = _take_report(browser, compliance, data / "ai-rmf-report.pdf")
    (data / "ai-rmf-report.sig").write_text(signed)
    _take_report(browser, matrix, data / "soc2-type-ii.pdf")


def _ask(browser: requests.Session, base: str, page: _Form, ending: str, **fields: str) -> str:
    """Submit the form whose action has this ending, and return the address that it leads to."""
    action, hidden = next(form for form in page.forms if form[0].endswith(ending))
    asked = browser.post(urljoin(base, action), data=hidden | fields, timeout=20)
    if not asked.ok:
        raise SystemExit(f"{action} answered {asked.status_code}")
    return asked.url


def _take_report(browser: requests.Session, run: str, file: Path) -> str:
    """Wait for the report, save it with its signature, and verify both. Return the signature."""
    token = _made(browser, run, "/pdf")
    pdf = browser.post(f"{run}/pdf", data={"csrf_token": token}, timeout=60)
    note = browser.post(f"{run}/signature", data={"csrf_token": token}, timeout=60)
    pdf.raise_for_status()
    note.raise_for_status()
    key = requests.get(urljoin(run, "/keys"), timeout=20).text.splitlines()[0]
    file.write_bytes(pdf.content)
    file.with_name("console.pub").write_text(key + "\n")
    file.with_name(f"{file.name}.sig").write_text(note.text)
    result = verify(pdf.content, note.text, key)
    if not result.ok:
        raise SystemExit(f"{file.name} can't be verified: {result.sentence}")
    return note.text


def _made(browser: requests.Session, address: str, verb: str) -> str:
    """Wait for a download form whose action has this ending, and return its CSRF token.

    Just after midnight the new day's jobs run first, so this may take minutes.
    """
    until = time.monotonic() + MAX_WAIT_SECONDS
    while time.monotonic() < until:
        shown = browser.get(address, timeout=20)
        tokens = [
            fields["csrf_token"] for action, fields in _forms(shown).forms if action.endswith(verb)
        ]
        if tokens:
            return tokens[0]
        if 'data-state="failed"' in shown.text:
            raise SystemExit(f"{address} failed. See jobs.log.")
        time.sleep(0.2)
    raise SystemExit(f"{address} was not generated in time. See jobs.log.")


def take_statement(base: str, data: Path, log_key: str, email: str = "admin@acme.example") -> bool:
    """Download the newest statement, and verify its data file offline with both keys.

    Return False if no month was closed.
    """
    browser = sign_in(base, email)
    listed = browser.get(f"{base}/t/acme/reliability/statements/", timeout=20)
    found = re.search(r'href="(/t/acme/reliability/statements/[0-9a-f-]{36})"', listed.text)
    if found is None:
        return False
    _made(browser, f"{base}{found[1]}", "/download")
    page = _forms(browser.get(f"{base}{found[1]}", timeout=20))
    action, fields = next(form for form in page.forms if form[0].endswith("/download"))
    taken = browser.post(urljoin(base, action), data=fields, timeout=60)
    taken.raise_for_status()
    with zipfile.ZipFile(io.BytesIO(taken.content)) as packed:
        for name in ("sla-statement.pdf", "sla-statement.json"):
            (data / name).write_bytes(packed.read(name))
    keys = (data / "console.pub").read_text() + log_key
    result = verify_statement((data / "sla-statement.json").read_bytes(), keys)
    if not result.ok:
        raise SystemExit(f"sla-statement.json can't be verified: {result.sentence}")
    return True


def take_review(base: str, data: Path, email: str = "finance@console.example") -> bool:
    """Generate and download the files of the newest monthly review, and verify the PDF offline.

    Return False if no month was closed.
    """
    browser = sign_in(base, email)
    newest = browser.get(f"{base}/operator/economics/", timeout=60).text
    found = re.search(r'href="(/operator/economics/reviews/[0-9-]{7}/files/)"', newest)
    if found is None:
        return False
    address = f"{base}{found[1]}"
    page = _forms(browser.get(address, timeout=20))
    if not any(action.endswith("/download") for action, _ in page.forms):
        action, fields = next(form for form in page.forms if form[0].endswith("/files/"))
        browser.post(urljoin(base, action), data=fields, timeout=60).raise_for_status()
    _made(browser, address, "/download")
    page = _forms(browser.get(address, timeout=20))
    action, fields = next(form for form in page.forms if form[0].endswith("/download"))
    taken = browser.post(urljoin(base, action), data=fields, timeout=60)
    taken.raise_for_status()
    name = "unit-economics-review"
    with zipfile.ZipFile(io.BytesIO(taken.content)) as packed:
        for ending in ("pdf", "pdf.sig", "xlsx", "json"):
            (data / f"{name}.{ending}").write_bytes(packed.read(f"{name}.{ending}"))
    pdf, note = (data / f"{name}.pdf").read_bytes(), (data / f"{name}.pdf.sig").read_text()
    keys = requests.get(f"{base}/keys", timeout=20).text.splitlines()
    if not any(verify(pdf, note, key).ok for key in keys):
        raise SystemExit(f"{name}.pdf can't be verified with a key of {base}/keys")
    return True


def export_log(base: str, data: Path, key: str, email: str = "officer@acme.example") -> None:
    """Export the whole audit log with its proofs, and verify it offline.

    A tampered copy must fail verification.
    """
    browser = sign_in(base, email)
    page = browser.get(f"{base}/t/acme/audit/exports", timeout=20)
    action, fields = next(form for form in _forms(page).forms if form[0].endswith("/audit/exports"))
    asked = browser.post(urljoin(base, action), data=fields | {"format": "jsonl"}, timeout=20)
    token = _made(browser, asked.url, "/file")
    taken = browser.post(f"{asked.url}/file", data={"csrf_token": token}, timeout=60)
    taken.raise_for_status()
    export, tampered = data / "audit-export.jsonl", data / "audit-export-tampered.jsonl"
    export.write_bytes(taken.content)
    (data / "log.pub").write_text(key + "\n")
    tampered_export.tamper(export, tampered)
    for file, good in ((export, True), (tampered, False)):
        with file.open("rb") as lines:
            result = verify_log(jsonl.lines(lines), key)
        if result.ok != good:
            raise SystemExit(f"{file.name} gave an unexpected result: {result.sentence}")


def take_package(base: str, data: Path, key: str, email: str = "auditor@audit.example") -> bool:
    """Request, download and verify the engagement's evidence package, as the auditor.

    Return False if the engagement has ended, because then the auditor has no access.
    """
    try:
        browser = sign_in(base, email)
    except AccessEnded:
        return False
    listed = browser.get(f"{base}/t/acme/engagements/", timeout=20)
    found = re.search(r'href="(/t/acme/engagements/[0-9a-f-]{36})"', listed.text)
    if found is None:
        raise SystemExit("The demo's auditor has no open engagement.")
    page = browser.get(f"{base}{found[1]}", timeout=20)
    action, fields = next(form for form in _forms(page).forms if form[0].endswith("/packages"))
    asked = browser.post(urljoin(base, action), data=fields, timeout=20)
    token = _made(browser, asked.url, "/download")
    file = data / "engagement-package.zip"
    with (
        browser.post(
            f"{asked.url}/download", data={"csrf_token": token}, timeout=120, stream=True
        ) as taken,
        file.open("wb") as target,
    ):
        taken.raise_for_status()
        for piece in taken.iter_content(1024 * 1024):
            target.write(piece)
    with file.open("rb") as package:
        result = verify_package(package, key, whole=True)
    if not result.ok:
        raise SystemExit(f"{file.name} can't be verified: {result.sentence}")
    return True
