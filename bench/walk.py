"""The walk: the latency of first page views and occasional writes, as people experience it.

    python -m bench.walk demo acme globex console     the people of these tenants, in the database
                                                      of the environment; prints JSON

Each person has 40 addresses, drawn with a printed seed from all that they can reach by links,
spread over the kinds of page. No address repeats, so a cache of earlier answers can't help.
Every twentieth request writes: a comment if the person may comment, otherwise their own columns
of a list. A crawl in another session of the same people finds the addresses. It also warms the
server as an hour of use would.
"""

import http.client
import json
import os
import random
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psutil
from sqlalchemy import select

from bench import world
from bench.client import resident_megabytes, serving_console
from bench.table import Row
from governance.foundation.people import oidc_types, session_actions, sessions
from governance.foundation.people.models import Membership, Person
from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction

SEED = 20261203
PAGES_EACH = 40
WRITE_EVERY = 20  # Requests.
CRAWLED_EACH = 250  # Maximum number of pages that the crawl opens for a person.
OF_ONE_KIND = 3  # Maximum number of pages of one kind that the crawl opens for a person.
WORKERS = 2
READERS = (1, 4)
LINK = re.compile(r'href="(/[^"#]*)')
COMMENT_FORM = re.compile(r'action="(/t/\w+/comments/[\w-]+/[0-9a-f-]{36})"')
COLUMNS_FORM = re.compile(r'action="(/t/\w+/lists/[^"]+/columns)"')
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')
NUMBER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+|(?<=/)[A-Z]+-[\w.-]+")
NO_PAGE = re.compile(
    r"^/(static|logout|login|auth|theme|api|metrics)\b|\.(csv|xlsx|pdf|json|zip|ics|xml|jsonl)\b"
)


@dataclass(slots=True)
class Reader:
    """A person, with the pages they may open and the addresses they may write to."""

    slug: str
    email: str
    role: str
    pages: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    path: str
    is_write: bool
    status: int
    seconds: float
    size: int


class Browser:
    """One session of one person over a kept-alive connection."""

    def __init__(self, port: int, reader: Reader) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Cookie": f"session={_cookie(reader)}", "Accept-Encoding": "gzip"}
        self._plain = {"Cookie": self._headers["Cookie"]}
        self._token = ""

    def read(self, path: str) -> tuple[Answer, str]:
        """Request a page without compression, so that its text can be searched."""
        begun = time.perf_counter()
        self._connection.request("GET", path, headers=self._plain)
        reply = self._connection.getresponse()
        body = reply.read()
        seconds = time.perf_counter() - begun
        is_html = reply.headers.get_content_type() == "text/html"
        text = body.decode() if is_html and reply.status == 200 else ""
        if found := TOKEN.search(text):
            self._token = found[1]
        return Answer(path, False, reply.status, seconds, len(body)), text

    def write(self, path: str, fields: Mapping[str, str]) -> Answer:
        body = urlencode({**fields, "csrf_token": self._token}).encode()
        headers = {**self._plain, "Content-Type": "application/x-www-form-urlencoded"}
        begun = time.perf_counter()
        self._connection.request("POST", path, body, headers)
        reply = self._connection.getresponse()
        size = len(reply.read())
        return Answer(path, True, reply.status, time.perf_counter() - begun, size)

    def close(self) -> None:
        self._connection.close()


# ---- the readers


def people(slugs: Sequence[str]) -> list[Reader]:
    """Return members of these tenants, covering as many roles as possible."""
    found: list[Reader] = []
    for slug in slugs:
        with current.acting_as(_system(slug)), transaction(read_only=True):
            members = session().scalars(
                select(Membership).where(Membership.ended_at.is_(None)).order_by(Membership.id)
            )
            by_role = sorted(((m.role, m.person.email) for m in members), key=lambda each: each[1])
        once = dict(reversed(by_role))
        found += [Reader(slug, email, role) for role, email in sorted(once.items())]
    return found


def _system(slug: str) -> Actor:
    tenant_id = directory.tenant_id(slug)
    if tenant_id is None:
        raise SystemExit(f"no tenant {slug}")
    return system_actor_in(tenant_id, slug, slug.title())


def _cookie(reader: Reader) -> str:
    """Return the cookie of a new session."""
    token = sessions.new_token()
    with current.acting_as(_system(reader.slug)), transaction():
        query = select(Membership).join(Person).where(Person.email == reader.email)
        person = session().scalars(query).one().person
        identity = oidc_types.Identity(
            person.issuer, person.subject, person.email, True, person.name, (),
            f"walk-{token[:8]}", clock.now().timestamp(), "token",
        )  # fmt: skip
        session_actions.start_session(
            person, identity, token=token, browser="walk", network="127.0.0.0/24", fresh=False,
            replaces=None,
        )  # fmt: skip
    return f"{reader.slug}.{token}"


# ---- the pages that readers may open


def learn(port: int, reader: Reader, seed: int) -> None:
    """Follow links at random, a few of each kind of page, and note the addresses that are pages."""
    chance, browser = random.Random(f"{seed} {reader.email}"), Browser(port, reader)
    home = "/operator/" if reader.slug == "console" else f"/t/{reader.slug}/"
    waiting, met, kinds = [home], {home}, Counter[str]()
    while waiting and sum(kinds.values()) < CRAWLED_EACH:
        path = waiting.pop(chance.randrange(len(waiting)))
        if kinds[_kind(path)] >= OF_ONE_KIND:
            continue
        answer, text = browser.read(path)
        if not text:
            continue
        kinds[_kind(path)] += 1
        reader.pages.append(answer.path)
        reader.comments += COMMENT_FORM.findall(text)
        reader.columns += COLUMNS_FORM.findall(text)
        new = {unescape(each) for each in LINK.findall(text)} - met
        met |= new
        waiting += sorted(each for each in new if not NO_PAGE.search(each))
    browser.close()


def _kind(path: str) -> str:
    """Return the kind of an address: its path without ids, and the names of its filters."""
    parts = urlsplit(path)
    names = sorted(each.partition("=")[0] for each in parts.query.split("&") if each)
    return NUMBER.sub("*", parts.path) + "?" + "&".join(names)


def draw(reader: Reader, seed: int) -> list[str]:
    chance = random.Random(f"{seed} {reader.email} walk")
    pages = sorted(set(reader.pages))
    return chance.sample(pages, min(PAGES_EACH, len(pages)))


# ---- the walk


def walk(port: int, readers: Sequence[Reader], at_once: int) -> list[Answer]:
    """Let several readers walk at once, each with a new session and their own pages."""
    browsers = [(Browser(port, each), each) for each in readers]
    with ThreadPoolExecutor(at_once) as pool:
        answers = pool.map(lambda pair: list(_steps(*pair, at_once)), browsers)
    return [each for several in answers for each in several]


def _steps(browser: Browser, reader: Reader, at_once: int) -> Iterator[Answer]:
    chance = random.Random(f"{SEED} {reader.email} {at_once}")
    for number, path in enumerate(draw(reader, SEED + at_once), start=1):
        yield browser.read(path)[0]
        if number % (WRITE_EVERY - 1) == 0:
            if reader.comments:
                place = chance.choice(sorted(set(reader.comments)))
                yield browser.write(place, {"text": f"Seen on the walk, {number}."})
            elif reader.columns:
                yield browser.write(chance.choice(sorted(set(reader.columns))), {})
    browser.close()


@contextmanager
def _processor(pid: int) -> Iterator[Callable[[], tuple[float, float]]]:
    """Yield a function that returns the CPU seconds of the web's processes and PostgreSQL's."""

    def of_web() -> float:
        root = psutil.Process(pid)
        return sum(sum(p.cpu_times()[:2]) for p in [root, *root.children(recursive=True)])

    def of_database() -> float:
        return sum(sum(p.cpu_times()[:2]) for p in _backends())

    before = of_web(), of_database()
    yield lambda: (of_web() - before[0], of_database() - before[1])


def _backends() -> list[psutil.Process]:
    """Return the PostgreSQL processes of this environment, found by the data folder."""
    folder = os.environ["WALK_POSTGRES"]
    return [
        each for each in psutil.process_iter() if each.name() == "postgres" and _is_of(each, folder)
    ]


def _is_of(process: psutil.Process, folder: str) -> bool:
    try:
        return process.cwd() == folder
    except psutil.Error:
        return False


def measure(name: str, slugs: Sequence[str], log: Path) -> list[Row]:
    readers = people(slugs)
    rows: list[Row] = []
    with serving_console(os.environ, log, WORKERS) as (port, pid):
        for each in readers:
            learn(port, each, SEED)
        readers = [each for each in readers if len(set(each.pages)) >= PAGES_EACH // 2]
        _say(f"{name}: {len(readers)} people, seed {SEED}: " + ", ".join(
            f"{each.role} of {each.slug} {len(set(each.pages))} pages" for each in readers
        ))  # fmt: skip
        for at_once in READERS:
            with _processor(pid) as spent:
                begun = time.perf_counter()
                answers = walk(port, readers, at_once)
                seconds = time.perf_counter() - begun
                rows += _rows(f"walk of {name}, {_of(at_once)}", answers, seconds, spent())
        memory = resident_megabytes(pid)
        rows.append((f"walk of {name}, largest worker afterwards", memory, "MB", None, "≤ 250 MB"))
    return rows


def _of(at_once: int) -> str:
    return "1 reader" if at_once == 1 else f"{at_once} readers"


def _rows(
    what: str, answers: Sequence[Answer], seconds: float, spent: tuple[float, float]
) -> list[Row]:
    wrong = [each for each in answers if each.status not in {200, 303}]
    for each in wrong[:5]:
        _say(f"{what}: {each.path} answered {each.status}")
    if len(wrong) > len(answers) // 100:
        raise SystemExit(f"{what}: {len(wrong)} of {len(answers)} answers are refusals")
    writes = [each for each in answers if each.is_write]
    taken = [each.seconds * 1000 for each in answers]
    cuts = statistics.quantiles(taken, n=100, method="inclusive")
    slowest = sorted(answers, key=lambda each: -each.seconds)[:6]
    _say(f"{what}: slowest " + ", ".join(f"{e.seconds * 1000:.0f} ms {e.path}" for e in slowest))
    count = len(answers)
    return [
        (f"{what}, p50 of {count} requests, {len(writes)} writes", cuts[49], "ms", None, ""),
        (f"{what}, p95", cuts[94], "ms", None, _goal(what)),
        (f"{what}, p99", cuts[98], "ms", None, ""),
        (f"{what}, slowest", max(taken), "ms", None, "≤ 300 ms" if "4" in what else ""),
        (f"{what}, processor of the web a request", spent[0] / count * 1000, "ms", None, ""),
        (f"{what}, processor of PostgreSQL a request", spent[1] / count * 1000, "ms", None, ""),
        (f"{what}, bytes a page", statistics.mean(e.size for e in answers) / 1000, "kB", None, ""),
        (f"{what}, requests a second", count / seconds, "/s", None, ""),
    ]


def _goal(what: str) -> str:
    if "large" in what:
        return "≤ 150 ms"
    return "≤ 40 ms" if "1 reader" in what else "≤ 100 ms"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:

    world.application()
    name, *slugs = sys.argv[1:]
    log = Path(os.environ["GOVERNANCE_VAR"]) / f"walk-{name.replace(' ', '-')}.log"
    print(json.dumps(measure(name, slugs, log)))


if __name__ == "__main__":
    main()
