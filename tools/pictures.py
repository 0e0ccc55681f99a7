"""Take the pictures of docs/pictures from a running demo: python -m tools.pictures [NAME …].

AT is the address of the demo, by default http://127.0.0.1:8000. Start a fresh demo, so that the
pictures show the start of the story. CHROMIUM is the browser's path, if it isn't on the PATH.
"""

import io
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
SIZE: ViewportSize = {"width": 1440, "height": 900}
COLOURS = 160  # Colors of a palette: a quarter of the bytes, without a visible difference.
OFFICER, ADMIN = "officer@acme.example", "admin@acme.example"
FINANCE = "finance@console.example"


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as one person sees it: an address, then the link to follow, as a CSS selector."""

    name: str
    address: str
    link: str = ""
    person: str = OFFICER


PICTURES = (
    Picture("overview", "/t/acme/"),
    Picture("inbox", "/t/acme/inbox/"),
    Picture("heat-map", "/t/acme/frameworks/nist-ai-rmf-1.0"),
    Picture("requirement", "/t/acme/frameworks/nist-ai-rmf-1.0/MEASURE-2.7"),
    Picture("evidence", "/t/acme/evidence/"),
    Picture("evidence-new", "/t/acme/evidence/new"),
    Picture("type-ii", "/t/acme/evidence/type-ii?framework=soc2-tsc-2017"),
    Picture("policies", "/t/acme/policies/", person=ADMIN),
    Picture("ai-system", "/t/acme/systems/claims-triage"),
    Picture("switches", "/t/acme/systems/claims-triage/switches", person=ADMIN),
    Picture("audit-log", "/t/acme/audit/"),
    Picture("reports", "/t/acme/reports/"),
    Picture("glossary", "/glossary"),
    Picture("objectives", "/t/acme/reliability/"),
    Picture("objective", "/t/acme/reliability/", "tr a:has-text('claims-triage · Availability')"),
    Picture(
        "statement", "/t/acme/reliability/statements/", "section[aria-labelledby=closed-months] a"
    ),
    Picture("incident", "/t/acme/incidents/", "tr:has-text('Approvals cite a withdrawn clause') a"),
    Picture("status-page", "/status/acme"),
    Picture("review", "/operator/economics/", person=FINANCE),
)


def take(base: str, chosen: Sequence[Picture]) -> None:
    """Write the chosen pictures. Each person signs in once."""
    browser_path = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        pages: dict[str, Page] = {}
        for each in chosen:
            if each.person not in pages:
                pages[each.person] = _signed_in(browser, base, each.person)
            _open(pages[each.person], base, each)
            picture = pages[each.person].screenshot(animations="disabled", caret="hide")
            (FOLDER / f"{each.name}.png").write_bytes(_reduced(picture))
        browser.close()


def _signed_in(browser: Browser, base: str, email: str) -> Page:
    context = browser.new_context(
        viewport=SIZE, color_scheme="light", reduced_motion="reduce", timezone_id="Europe/Berlin"
    )
    context.add_cookies([{"name": "theme", "value": "light", "url": base}])
    page = context.new_page()
    page.goto(f"{base}/login")
    page.get_by_label("Work email").fill(email)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue as").click()
    page.wait_for_url(lambda url: url.startswith((f"{base}/t/", f"{base}/operator/")))
    return page


def _open(page: Page, base: str, picture: Picture) -> None:
    page.goto(base + picture.address)
    if picture.link:
        page.get_by_role("main").locator(picture.link).first.click()
        page.wait_for_load_state()
    page.evaluate("document.fonts.ready")


def _reduced(picture: bytes) -> bytes:
    """Return the picture with a palette, and without data that differs between two runs."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    reduced, out = image.quantize(COLOURS, dither=Image.Dither.NONE), io.BytesIO()
    reduced.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    names = set(sys.argv[1:]) or {each.name for each in PICTURES}
    if unknown := names - {each.name for each in PICTURES}:
        raise SystemExit(f"There is no picture named {', '.join(sorted(unknown))}.")
    take(
        os.environ.get("AT", "http://127.0.0.1:8000"),
        [each for each in PICTURES if each.name in names],
    )
