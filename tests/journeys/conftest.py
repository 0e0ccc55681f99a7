"""The demo, started as a user starts it, and a Chromium in which its people sign in.

Both start once per session.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.free_ports import free_port
from tests.journeys.viewports import WIDE
from tests.waiting import MAX_WAIT_SECONDS

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
REPOSITORY = Path(__file__).parents[2]
READY_SECONDS = 900  # on a busy machine; an idle one needs a tenth of it
FRESH_SECONDS = 200  # of the 300 that count as fresh
OWN_VARIABLES = (
    "DATABASE_URL",
    "GOVERNANCE_OWNER_DATABASE_URL",
    "GOVERNANCE_PUBLIC_URL",
    "GOVERNANCE_VAR",
)


@pytest.fixture(scope="session")
def console(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run `governance demo` on a free port with its own data, and yield its address.

    The signed report exists by then.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    assert workers == 1 or any(
        item.nodeid.endswith("@journeys") for item in request.session.items
    ), "each worker would start a demo"
    if running := os.environ.get("JOURNEYS_AT"):  # a running console, for writing a journey
        yield running
        return
    data = Path(tempfile.mkdtemp(prefix="gv"))
    port = free_port(4)  # console, provider, witness and Acme's services
    command = [sys.executable, "-m", "governance.app.cli", "demo"]
    environment = {
        name: value for name, value in os.environ.items() if name not in OWN_VARIABLES
    } | {
        "PORT": str(port),
        "DATA": str(data),
    }
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until_ready(process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(MAX_WAIT_SECONDS)
        process.kill()
        assert process.wait() == 0, "SIGTERM didn't end the demo"
        shutil.rmtree(data, ignore_errors=True)


def wait_until_ready(process: "subprocess.Popen[str]") -> None:
    watchdog = threading.Timer(READY_SECONDS, process.kill)
    watchdog.start()
    said: list[str] = []
    assert process.stdout
    for line in process.stdout:
        said.append(line)
        if line.startswith("Press Ctrl-C"):
            watchdog.cancel()
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return
    watchdog.cancel()
    pytest.fail(f"the demo did not come up within {READY_SECONDS} s:\n{''.join(said)[-4000:]}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("NOT TESTED: there is no Chromium here (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"],
        )
        yield browser
        browser.close()


@dataclass(slots=True)
class Person:
    """A person who is signed in at a browser.

    `troubles` collects the browser's errors and warnings on any page.
    """

    context: BrowserContext
    page: Page
    base: str
    email: str
    home: str = ""
    arrived: float = 0.0
    troubles: list[str] = field(default_factory=list)

    def sign_in(self) -> None:
        """Sign in on the console's page and the provider's, from a browser that neither knows."""
        chosen = [cookie for cookie in self.context.cookies(self.base) if cookie["name"] == "theme"]
        self.context.clear_cookies()
        self.context.add_cookies(chosen)  # type: ignore[arg-type]  # what it gives, it takes
        self.page.goto(f"{self.base}/login")
        self.page.get_by_label("Work email").fill(self.email)
        self.page.get_by_role("button", name="Continue").click()
        self.page.get_by_role("button", name="Continue as").click()
        self.page.wait_for_url(
            lambda url: url.startswith((f"{self.base}/t/", f"{self.base}/operator"))
        )
        self.home, self.arrived = self.home or self.page.url, time.monotonic()

    def theme(self, name: str) -> None:
        self.context.add_cookies([{"name": "theme", "value": name, "url": self.base}])

    def token(self) -> str:
        return next(c["value"] for c in self.context.cookies(self.base) if c["name"] == "session")

    def open(self, address: str) -> None:
        """Open a page, and sign in again first if the last sign-in is too old.

        Some pages require a sign-in within five minutes, and a busy machine is slower than that.
        """
        if time.monotonic() - self.arrived > FRESH_SECONDS:
            self.sign_in()
        reply = self.page.goto(address if address.startswith("http") else self.base + address)
        assert reply
        assert reply.status == 200, f"{address} answered {reply.status}"


VIOLATIONS = """
addEventListener("securitypolicyviolation", (e) => console.error(`CSP refused ${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile ?? ""}`));
"""


@pytest.fixture(scope="session")
def arrive(console: str, chromium: Browser) -> Iterator[Callable[[str], Person]]:
    """Return a function that signs in a person by email, once for each address.

    It uses the console's own page and the provider's.
    """
    people: dict[str, Person] = {}

    def arriving(email: str) -> Person:
        if email not in people:
            people[email] = _signed_in(console, chromium, email)
        people[email].page.set_viewport_size(
            WIDE
        )  # The previous test may have resized it to a phone.
        return people[email]

    yield arriving
    for person in people.values():
        person.context.close()


def _signed_in(base: str, browser: Browser, email: str) -> Person:
    context = browser.new_context(viewport=WIDE, reduced_motion="reduce", service_workers="block")
    context.set_default_timeout(MAX_WAIT_SECONDS * 1000)  # milliseconds
    context.add_init_script(VIOLATIONS)
    page = context.new_page()
    person = Person(context, page, base, email)
    page.on(
        "console", lambda message: _note(person, message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: _note(person, str(error)))
    page.on(
        "response",
        lambda reply: (
            _note(person, f"{reply.status} for {reply.url}") if reply.status >= 400 else None
        ),
    )
    person.sign_in()
    return person


def _note(person: Person, text: str) -> None:
    person.troubles.append(f"{person.page.url.removeprefix(person.base)}: {text[:300]}")


@pytest.fixture(scope="session")
def axe() -> str:
    return (REPOSITORY / "tests" / "vendor" / "axe.min.js").read_text()


ALL_RULES = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
CONTRAST_RULES = {
    "type": "rule",
    "values": ["color-contrast", "link-in-text-block"],
}  # everything that another theme can change


# Siblings often differ only in words, figures and addresses, like the rows of a list and the items
# of the navigation. Skip all but the first odd and the first even one, which a style sheet may
# style differently.
ALIKE = r"""() => [...document.querySelectorAll("body *")].flatMap((parent) => {
  const kept = new Set();
  return [...parent.children].filter((child, n) => {
    const words = / (id|for|href|action|name|value|title|datetime|aria-label)="[^"]+"/g;
    const figures = / (?!class|style|fill|stroke)([a-z-]+)="[^"]*\d[^"]*"/g;
    const shape = (n % 2) + child.outerHTML.replace(/>[^<]*[^<\s][^<]*/g, ">x")
      .replace(words, " $1").replace(figures, " $1");
    return kept.has(shape) || !kept.add(shape);
  });
})"""

RUN = (
    """([rules, oneOfEach]) => {
  const left = oneOfEach ? ("""
    + ALIKE
    + """)() : [];
  const context = left.length ? { include: document, exclude: left } : document;
  return axe.run(context, { runOnly: rules, resultTypes: ["violations"] }).then((found) =>
    found.violations.map((v) => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 160),
      v.nodes[0].failureSummary]));
}"""
)


def violations(
    page: Page, axe: str, rules: dict[str, Any] = ALL_RULES, *, one_of_each: bool = False
) -> list[str]:
    """Return what axe-core finds on the page: WCAG 2.0 to 2.2, A and AA, and its best practices.

    `rules` replaces this default. With `one_of_each`, rows with the same elements, classes and
    styles as their neighbors are left out, because most of the time goes into their contrast.
    """
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(axe)
    found: list[tuple[str, int, str, str]]
    found = page.evaluate(RUN, [rules, one_of_each])
    return [f"{rule} × {count}: {html} {json.dumps(why)[:300]}" for rule, count, html, why in found]


__all__ = ["CONTRAST_RULES", "Person", "violations"]
