"""Finds one address of every page that a person can reach by links, the way a search engine
would.
"""

import re
from collections import deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from governance.app.features import FEATURES
from governance.kernel.web.health import health
from tests.waiting import MAX_WAIT_SECONDS

SAMPLES = 2  # links to each endpoint
LEAVES = {"sign_in.logout", "sign_in.callback", "static", "work.events"}


@dataclass(slots=True)
class Found:
    """`pages`: endpoint → first address that answered with a page; `refused`: links that led
    nowhere.
    """

    pages: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    endpoints: set[str] = field(default_factory=set)


def url_map() -> MapAdapter:
    """Every address of the console, without a database behind it."""
    app = Flask("governance")
    for blueprint in (health, *(routes for each in FEATURES for routes in each.routes)):
        app.register_blueprint(blueprint)
    return app.url_map.bind("127.0.0.1")


def crawl(base: str, start: str, cookies: dict[str, str]) -> Found:
    """Follow links from `start` to two addresses of each endpoint, and to one for each name in
    their queries.
    """
    routes, found, asked, names = url_map(), Found(), dict[str, set[str]](), set[tuple[str, str]]()
    browser = requests.Session()
    browser.trust_env = False
    browser.cookies.update(cookies)
    queue = deque([(start, "the start")])
    while queue:
        address, source = queue.popleft()
        endpoint, query = _kind(routes, address)
        seen, new = asked.setdefault(endpoint, set()), {(endpoint, name) for name in query} - names
        if not endpoint and address.startswith("/t/"):
            found.refused.append(f"{source} links to {address}, which is no address of the console")
        if (
            not endpoint
            or endpoint in LEAVES
            or address in seen
            or not (new if query else len(seen) < SAMPLES)
        ):
            continue
        names |= new
        seen.add(address)
        reply = browser.get(
            urljoin(base, address), timeout=MAX_WAIT_SECONDS, headers={"Accept": "text/html"}
        )
        found.endpoints.add(endpoint)
        if reply.status_code != 200:
            found.refused.append(f"{source} links to {address}, which answers {reply.status_code}")
        elif (
            reply.headers.get("Content-Type", "").startswith("text/html") and "<html" in reply.text
        ):
            found.pages.setdefault(endpoint, address)
            queue.extend((link, address) for link in _links(reply.text, reply.url, base))
    return found


def _links(html: str, at: str, base: str) -> list[str]:
    found = _Links()
    found.feed("".join(TAGS.findall(WITHOUT_TAGS.sub("", html))))
    absolute = [urljoin(at, link) for link in found.addresses + found.actions]
    return [
        link.removeprefix(base).partition("#")[0]
        for link in absolute
        if link.startswith(base + "/")
    ]


WITHOUT_TAGS = re.compile(r"<!--.*?-->|<script\b.*?</script>", re.DOTALL)
TAGS = re.compile(r"<(?:a|form)\s[^>]*>")  # templates write a ">" inside of a value as &gt;


class _Links(HTMLParser):
    """Where links and searches lead. A whole page would take it ten times as long as its tags of
    these two kinds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.actions: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.addresses.append(given["href"])
        if tag == "form" and "action" in given and given.get("method", "get").lower() == "get":
            self.actions.append(given["action"])


def _kind(routes: MapAdapter, address: str) -> tuple[str, set[str]]:
    parts = urlsplit(address)
    if parts.path.startswith("/static/"):
        return "static", set()
    try:
        endpoint, _ = routes.match(parts.path)
    except HTTPException:
        return "", set()
    return str(endpoint), {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
