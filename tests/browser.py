"""A client that checks every page: valid HTML, one h1, a title, labels, unique ids.

Inline code is an error, too.
"""

import re
from collections import Counter, defaultdict
from hashlib import sha256
from html import unescape
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


class Visitor:
    """A person's browser: it GETs pages, and sends their forms with the page's token."""

    def __init__(self, app: Flask, cookie: str | None = None, tenant: str = "acme") -> None:
        self.client: FlaskClient = app.test_client()
        self.tenant = tenant
        self.host = "localhost"
        if cookie:
            self.client.set_cookie("session", cookie)
        self.token = ""

    def at(self, path: str) -> str:
        """Return `/t/acme/controls/` for `controls/`.

        A path with a leading slash stays unchanged.
        """
        return path if path.startswith("/") else f"/t/{self.tenant}/{path}"

    def get(self, path: str, *, then: int | None = 200, **options: Any) -> TestResponse:
        reply = self.client.get(self.at(path), **options)
        return self._checked(reply, then)

    def post(
        self, path: str, *, then: int | None = 303, follow: bool = False, **form: Any
    ) -> TestResponse:
        data = {name: value for name, value in form.items() if value is not None}
        data.setdefault("csrf_token", self.csrf())
        reply = self.client.post(
            self.at(path),
            data=data,
            content_type="multipart/form-data" if any(_is_file(v) for v in data.values()) else None,
        )
        reply = self._checked(reply, then)
        if follow:
            return self.get(reply.location)
        return reply

    def csrf(self) -> str:
        from governance.kernel.web.responses import csrf_token

        cookies = {c: self.client.get_cookie(c) for c in ("session", "anonymous")}
        if cookies["session"] is None and cookies["anonymous"] is None:
            self.client.get("/login")
            cookies["anonymous"] = self.client.get_cookie("anonymous")
        header = "; ".join(
            f"{name}={cookie.value}" for name, cookie in cookies.items() if cookie is not None
        )
        with self.client.application.test_request_context("/", headers={"Cookie": header}):
            return csrf_token()

    def _checked(self, reply: TestResponse, then: int | None) -> TestResponse:
        if then is not None:
            assert reply.status_code == then, (
                f"{reply.request.path}: {reply.status_code}, expected {then}\n{_words(reply)}"
            )
        if (
            reply.mimetype == "text/html"
            and reply.status_code not in {302, 303}
            and reply.text.lstrip().lower().startswith("<!doctype")
        ):
            check_page(reply.text, reply.request.path)
        return reply


def _is_file(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value[0], "read")


def _words(reply: TestResponse) -> str:
    if reply.mimetype != "text/html":
        return reply.text[:2000]
    soup = BeautifulSoup(reply.text, "html.parser")
    main = soup.find("main") or soup
    return " ".join(main.get_text(" ").split())[:2000]


def field_value(page: str, name: str) -> str | None:
    """Return the value of the first input of that name. Only its own tag is parsed."""
    tag = re.search(rf'<input\b[^>]*\bname="{re.escape(name)}"[^>]*>', page)
    found = BeautifulSoup(tag[0], "html.parser").input if tag else None
    return None if found is None else str(found["value"])


REFERENCE = re.compile(r"&(?:amp|lt|gt|quot|#34|#39);")
TEXT = re.compile(r">([^<>&]*)(?=<)")
ATTRIBUTE = re.compile(r'\s+(?!(?:id|for|type|method|name|role)=)([a-z:-]+)="([^"&]*)"')
ID_ATTRIBUTE = re.compile(r'\sid="([^"]*)"')
BARE_FRAME = "<!doctype html><html><head><title>x</title></head><body><main>{}</main></body></html>"
AROUND_MAIN = {"html", "body", "div"}  # The parser reads their content alike.
ROW = re.compile(r"<tr\b(?:(?!<tr\b).)*?</tr>", re.DOTALL)
ROWS = re.compile(r"<tbody\b.*?</tbody>", re.DOTALL)
REFERS_BY_ID = re.compile(r'\sfor="|<h1|<(?:input|select|textarea)\b[^>]*\sid="')
_kept_promises = dict[bytes, int]()  # Shape of a part → how many h1 it has.


def shape_of(html: str) -> bytes:
    """Return a digest of the page without words, addresses and figures, and with numbered ids.

    Pages of one shape pass or fail the checks below alike: of a text they only depend on whether
    it is empty.
    """
    numbers: dict[str, str] = {}
    shape = ID.sub(lambda found: numbers.setdefault(found[0], f"id{len(numbers)}"), html)
    shape = REFERENCE.sub("x", shape)
    shape = TEXT.sub(lambda found: ">x" if found[1].strip() else ">", shape)
    shape = ATTRIBUTE.sub(lambda found: f' {found[1]}="{"x" if found[2] else ""}"', shape)
    return sha256(shape.encode()).digest()


def check_page(html: str, where: str) -> None:
    """Check the promises that every page keeps.

    The main part and the frame around it are parsed apart, since most pages share their frame. A
    part whose shape passed is not parsed again, nor is a row that is like one above.
    """
    start, end = html.find("<main"), html.rfind("</main>")
    if start < 0 or end < start:
        headings = _headings(html, where)
    else:
        start = html.index(">", start) + 1
        frame, main = html[:start] + html[end:], html[start:end]
        headings = _headings(frame, where) + _headings(
            BARE_FRAME.format(_without_like_rows(main)), where
        )
    assert headings == 1, f"{where}: {headings} h1"
    ids = Counter(ID_ATTRIBUTE.findall(html))
    assert len(ids) == ids.total(), f"{where}: ids twice {[i for i, n in ids.items() if n > 1]}"


def _without_like_rows(html: str) -> str:
    """Keep the first of a table's rows of one shape, and each row whose fields have labels."""
    return ROWS.sub(lambda body: _first_rows(body[0]), html)


def _first_rows(body: str) -> str:
    seen = set[bytes]()

    def left(row: re.Match[str]) -> str:
        if REFERS_BY_ID.search(row[0]):
            return row[0]
        shape = shape_of(row[0])
        is_new = shape not in seen
        seen.add(shape)
        return row[0] if is_new else ""

    return ROW.sub(left, body)


def _headings(html: str, where: str) -> int:
    """Return how many h1 a page or a part has, after checking the other promises."""
    shape = shape_of(html)
    if shape not in _kept_promises:
        _kept_promises[shape] = _check_promises(html, where)
    return _kept_promises[shape]


def _check_promises(html: str, where: str) -> int:
    parser = html5lib.HTMLParser(strict=False)
    page = parser.parse(html)
    problems = [
        (p, code)
        for p, code, _ in parser.errors
        if code != "non-void-element-with-trailing-solidus"
    ]
    assert not problems, f"{where}: invalid HTML {problems[:3]}\n{_lines(html, problems)}"
    every = [tag for tag in page.iter() if isinstance(tag.tag, str)]
    named = defaultdict[str, list[Element]](list)
    for tag in every:
        named[_name(tag)].append(tag)
    _check_main(page, where)
    assert any(_text(tag) for tag in named["title"][:1]), f"{where}: no title"
    ids = Counter(tag.get("id") for tag in every if "id" in tag.attrib)
    assert not [i for i, n in ids.items() if n > 1], (
        f"{where}: ids twice {[i for i, n in ids.items() if n > 1]}"
    )
    labelled = {label.get("for") for label in named["label"]}
    inside = {id(tag) for label in named["label"] for tag in label.iter()}
    for field in (*named["input"], *named["select"], *named["textarea"]):
        if (
            field.get("type") in {"hidden", "submit", "button"}
            or field.get("aria-label")
            or field.get("aria-labelledby")
        ):
            continue
        assert field.get("id") in labelled or id(field) in inside, (
            f"{where}: unlabelled {field.attrib}"
        )
    assert not [tag.attrib for tag in every if "style" in tag.attrib], f"{where}: inline style"
    assert not [script for script in named["script"] if not script.get("src")], (
        f"{where}: inline script"
    )
    for form in named["form"]:
        if form.get("method", "").lower() == "post":
            assert any(tag.get("name") == "csrf_token" for tag in form.iter()), (
                f"{where}: a form without its token: {form.attrib}"
            )
    for image in named["svg"]:
        assert image.get("aria-hidden") or image.get("role") == "img", (
            f"{where}: a picture without role {image.attrib}"
        )
    return len(named["h1"])


def _check_main(page: Element, where: str) -> None:
    """Check that at most one main part exists, and that its frame doesn't change its parsing."""
    above = {child: tag for tag in page.iter() for child in tag}
    for number, tag in enumerate(tag for tag in above if _name(tag) == "main"):
        assert number == 0, f"{where}: a second main"
        while (tag := above.get(tag)) is not None:
            assert _name(tag) in AROUND_MAIN, f"{where}: main in {_name(tag)}"


def _name(tag: Element) -> str:
    return tag.tag.rpartition("}")[2] if isinstance(tag.tag, str) else ""


MARKUP = re.compile(
    r"""<!--.*?-->|<(script|style|template)\b.*?</\1\s*>|<(?:"[^"]*"|'[^']*'|[^'">])*>""", re.DOTALL
)


def words(page: Any) -> str:
    """Return the text of the page's main part, in single spaces."""
    return main_words(page.text)


def main_words(page: str) -> str:
    """Return the text of the main part of a page's HTML.

    It builds no tree, which would take twenty times as long.
    """
    main = page[page.index("<main") : page.rindex("</main>")]
    return " ".join(unescape(MARKUP.sub(" ", main)).split())


def _text(tag: Element) -> str:
    return "".join(tag.itertext()).strip()


def _lines(html: str, problems: list[Any]) -> str:
    rows = html.splitlines()
    return "\n".join(rows[line - 1][:300] for (line, _), _ in problems[:3] if 0 < line <= len(rows))
