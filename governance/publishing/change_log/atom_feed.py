"""The change log as an Atom feed (RFC 4287).

Ids are tag: addresses (RFC 4151) of the rows, so they stay the same when the page's address is
replaced. A withdrawn entry stays in the feed with the reason and a new `updated`, so that readers
who have it learn of the withdrawal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID
from xml.etree import ElementTree as ET

ATOM = "http://www.w3.org/2005/Atom"
CONTENT_TYPE = "application/atom+xml; charset=utf-8"
TAG_DATE = "2026"  # RFC 4151: a year in which the authority of the tag owned its name.


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One change as readers get it. `text` is plain text."""

    id: UUID
    title: str
    text: str
    category: str
    address: str
    published: datetime
    updated: datetime


def feed(
    *,
    log_id: UUID,
    title: str,
    author: str,
    page: str,
    address: str,
    started: datetime,
    entries: Sequence[FeedEntry],
) -> bytes:
    """Return the feed.

    `page` and `address` are the URLs of the public page and of the feed itself.
    """
    root = ET.Element("feed", xmlns=ATOM)
    _add(root, "id", tag(page, "change-log", log_id))
    _add(root, "title", title)
    _add(root, "updated", _instant(max([started, *(each.updated for each in entries)])))
    _add(_add(root, "author"), "name", author)
    _add(root, "link", rel="self", type="application/atom+xml", href=address)
    _add(root, "link", rel="alternate", type="text/html", href=page)
    for each in entries:
        entry = _add(root, "entry")
        _add(entry, "id", tag(page, "change", each.id))
        _add(entry, "title", each.title)
        _add(entry, "published", _instant(each.published))
        _add(entry, "updated", _instant(each.updated))
        _add(entry, "link", rel="alternate", type="text/html", href=each.address)
        _add(entry, "category", term=each.category)
        _add(entry, "content", each.text, type="text")
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def tag(page: str, kind: str, row_id: UUID) -> str:
    """Return "tag:console.example,2026:change/0192…"."""
    host = urlsplit(page).hostname or "localhost"
    return f"tag:{host},{TAG_DATE}:{kind}/{row_id}"


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    found = ET.SubElement(parent, name, attributes)
    found.text = _printable(text) if text is not None else None
    return found


def _printable(text: str) -> str:
    """Remove what XML 1.0 can't represent: control characters other than tab and line ends."""
    return "".join(each for each in text if each >= " " or each in "\t\n")


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
