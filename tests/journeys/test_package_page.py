"""The index of an evidence package, opened from disk as an auditor does.

It works without a network or browser errors, in both themes, wide and narrow.
"""

import zipfile

import pytest

from governance.assurance.engagements.packages.contents import page
from tests.assurance.engagements.conftest import engagement_with_files
from tests.assurance.engagements.package_helpers import download_package, unpack_package
from tests.journeys.conftest import violations
from tests.journeys.viewports import NARROW, OVERFLOW, WIDE

__all__ = ["engagement_with_files"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]


@pytest.fixture
def index(as_officer, engagement_with_files, tmp_path):
    """Return the index.html of an unpacked package."""
    bag = unpack_package(download_package(as_officer, engagement_with_files[0]), tmp_path)
    assert not zipfile.is_zipfile(bag / "data" / "index.html")
    return bag / "data" / "index.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_from_the_disk_quiet_accessible_and_narrow(chromium, axe, index, scheme):
    context = chromium.new_context(viewport=WIDE, color_scheme=scheme, offline=True)
    tab, troubles, asked = context.new_page(), [], []
    tab.on(
        "console",
        lambda message: (
            troubles.append(message.text) if message.type in {"error", "warning"} else None
        ),
    )
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(index.as_uri())
    found = violations(tab, axe)
    tab.set_viewport_size(NARROW)
    assert tab.evaluate(OVERFLOW)[0] <= 0, tab.evaluate(OVERFLOW)
    back = tab.evaluate("getComputedStyle(document.documentElement).colorScheme")
    tab.get_by_role("link", name="report.pdf").first.scroll_into_view_if_needed()
    links = tab.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
    context.close()
    assert not found, "\n".join(found)
    assert not troubles, troubles
    assert asked == [index.as_uri()], "the page alone, and nothing from anywhere"
    assert back == "light dark"
    assert links and all(link.startswith(index.parent.as_uri()) for link in links)


def test_a_page_of_hostile_titles_runs_nothing(chromium, index, tmp_path):
    hostile = "<img src=x onerror=alert(1)>'\"</script><script>alert(2)</script>"
    told = {
        "package": hostile,
        "tenant": hostile,
        "firm": hostile,
        "engagement": hostile,
        "scope": hostile,
        "period": ["2026-01-01", "2026-12-31"],
        "generated_at": "2026-11-25",
        "log": {"extract": "audit-log/extract.jsonl"},
        "samples": [],
        "reports": [{"title": hostile, "path": hostile, "sha256": "0" * 64}],
        "exceptions": [],
        "controls": [
            {
                "ref": hostile,
                "title": hostile,
                "criteria": [hostile],
                "tested": 0,
                "expected": 0,
                "files": [],
                "months": [],
            }
        ],
        "requests": [
            {
                "ref": hostile,
                "title": hostile,
                "state": "open",
                "since": None,
                "provided": [],
                "thread": [{"by": hostile, "kind": "comment", "at": "", "text": hostile}],
            }
        ],
        "evidence": [
            {
                "ref": "EV-1",
                "version": 1,
                "title": hostile,
                "covers": ["", ""],
                "path": None,
                "url": hostile,
                "sha256": None,
                "filename": hostile,
                "deleted": None,
            }
        ],
    }
    file = tmp_path / "hostile.html"
    file.write_text(page(told))
    context = chromium.new_context(offline=True)
    tab, said = context.new_page(), []
    tab.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    tab.goto(file.as_uri())
    assert tab.locator("img, script").count() == 0
    context.close()
    assert not said
