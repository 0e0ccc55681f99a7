"""Facts that a report would freeze now, and readers of its page: its outline, the numbers of a sentence."""

import re
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.work.jobs import WorkItem
from governance.publishing.reports.jobs import freeze
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.wording import WORDS
from tests import make


def frozen_facts(visitor, acting, path: str = "reports/", **form: str) -> dict[str, Any]:
    """Return what such a report would freeze now: its PDF isn't rendered."""
    number = UUID(visitor.post(path, **form).location.rsplit("/", 1)[-1])
    with acting("compliance_officer"):
        item = session().scalars(select(WorkItem).where(WorkItem.target_id == number)).one()
        session().expunge(item)
    with current.acting_as(make.system_actor("acme")):
        freeze(item)
    with acting("compliance_officer"):
        return session().get_one(ReportRun, (current.actor().tenant_id, number)).snapshot


def numbers_in(text: str) -> set[int]:
    """Return every number of a sentence, in digits or in words.

    Numbers inside names such as MEASURE 2.7 or Q3 2025 don't count.
    """
    text = re.sub(
        r"\b(GOVERN|MAP|MEASURE|MANAGE) [\d.]+|\b(GOVERN|MAP|MEASURE|MANAGE)\b|Q\d \d{4}", "", text
    )
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    spelled = {WORDS.index(word) for word in re.findall(r"[a-z]+", text.lower()) if word in WORDS}
    return spelled | {int(digits) for digits in re.findall(r"\d+", text)}


class PageOutline(HTMLParser):
    """A parser that collects ids, internal links and headings."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.titles = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.titles += tag == "h1"
        if known.get("id"):
            self.ids.append(str(known["id"]))
        if (known.get("href") or "").startswith("#"):
            self.links.add(str(known["href"])[1:])
