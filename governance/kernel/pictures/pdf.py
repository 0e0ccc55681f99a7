"""PDF files: PDF/A-3a that also claims PDF/UA-1, with attachments.

The same input gives the same bytes. `render` generates the file in this process; `render_in_child`
generates it in a child with limits of memory and time, reports each page and can be stopped.
`python -m governance.kernel.pictures.pdf FOLDER` is that child. Recipe: WeasyPrint 70 with a
fetcher that serves `app:/static/…` and `data:` and rejects everything else.
"""

import gc
import json
import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from governance.kernel.errors import Unavailable
from governance.kernel.files import sandbox
from governance.kernel.pictures import pdf_scripts

STATIC = Path(__file__).resolve().parents[2] / "static"
FONTS = STATIC / "report" / "fonts" / "fallback" / "fonts.conf"
MEMORY_BYTES = (
    1_200 * 1024 * 1024
)  # Address space of the child: about four times what a report of 50 pages uses.
MAX_SECONDS = 180
MEDIA_TYPES = {
    ".css": "text/css",
    ".woff": "font/ttf",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
COLLECT_AFTER = 50_000, 20, 20  # New objects: boxes stay until all pages are drawn.
STYLES_OF_NOTES = re.compile(r"^::(?:footnote|note)-.*", re.MULTILINE)
PageSeen = Callable[[int], None]

# The identification of PDF/UA-1, and the extension schema that PDF/A requires before the metadata
# may contain it.
CLAIM = b"""<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">\
<pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"\
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"\
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag>\
<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>\
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>\
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">\
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>\
<pdfaProperty:category>internal</pdfaProperty:category>\
<pdfaProperty:description>PDF/UA version</pdfaProperty:description></rdf:li></rdf:Seq></pdfaSchema:property>\
</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description></rdf:RDF>"""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside the PDF: its name, bytes, and a few words on its content."""

    name: str
    data: bytes
    description: str = ""


class RenderStopped(Exception):
    """The caller asked for the rendering to stop; the child has ended."""


class RenderFailed(Unavailable):
    """The child could not finish; the message says at which page and against which limit."""


# --- In this process ------------------------------------------------------------------------------


def render(
    html: str,
    *,
    attachments: Sequence[Attachment] = (),
    at: datetime,
    identifier: bytes,
    tagged: bool = True,
    progress: PageSeen | None = None,
) -> bytes:
    """Lay out a complete document and return its bytes; equal input gives equal bytes.

    `at` dates the attachments (the page has its own `dcterms.created`), `identifier` is the file's
    /ID, `progress` gets the highest page laid out so far. Relative addresses resolve to nothing:
    use `app:/static/…`. Without tags it is PDF/A-3b, for marks on other pages.
    """
    variant = "pdf/a-3a" if tagged else "pdf/a-3b"
    with _hearing(progress), _our_fonts():
        from weasyprint import Attachment  # noqa: PLC0415 - child only

        page = _parsed(pdf_scripts.prepared(html))
        document = page.render(pdf_variant=variant)
        if tagged:
            base = document.metadata.generate_rdf_metadata
            document.metadata.generate_rdf_metadata = lambda *a: base(*a).replace(
                b"</rdf:RDF>", CLAIM
            )
        document.metadata.attachments = [
            Attachment(
                string=each.data,
                name=each.name,
                description=each.description,
                relationship="Data",
                created=at,
                modified=at,
            )
            for each in attachments
        ]
        data: bytes = document.write_pdf(
            pdf_variant=variant, pdf_identifier=identifier, finisher=_finish
        )
    return data


def _parsed(html: str) -> Any:
    """Return the page, with the parts of WeasyPrint's own stylesheet that it uses."""
    from weasyprint import CSS, HTML  # noqa: PLC0415 - child only
    from weasyprint.html import UA  # noqa: PLC0415 - as above

    sheet = CSS(string=_thinned(UA))

    class Page(HTML):  # type: ignore[misc]  # WeasyPrint has no types
        def _ua_stylesheets(self, *_: Any) -> list[Any]:
            return [sheet]

    return Page(string=html, url_fetcher=_fetcher())


def _thinned(css: str) -> str:
    """Return the stylesheet without rules that no page of ours needs.

    Only items of lists have markers, and no page has notes. WeasyPrint would keep six styles for
    these with that of each element, a fifth of all memory.
    """
    return STYLES_OF_NOTES.sub("", css).replace("\n::marker", "\nli::marker")


def _finish(document: Any, pdf: Any) -> None:
    """Free the pages, which are drawn and tagged by now, before the file is assembled."""
    from governance.kernel.pictures.pdf_tags import finish  # noqa: PLC0415 - child only

    document.pages.clear()
    gc.collect()  # Their boxes refer to each other.
    finish(document, pdf)


def _fetcher() -> Any:
    """Return a fetcher that serves our own static files and data URLs, and nothing else.

    It reads no other file, no network, and no path outside the folder.
    """
    from weasyprint.urls import (  # noqa: PLC0415
        URLFetcher,
        URLFetcherResponse,
    )

    class Assets(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:
            if not url.startswith("app:/static/"):
                return super().fetch(url, headers)
            path = (STATIC / url.removeprefix("app:/static/")).resolve()
            if not path.is_relative_to(STATIC):
                raise ValueError(f"outside the static folder: {url}")
            is_packed = path.suffix == ".woff"
            data = pdf_scripts.unpacked(path) if is_packed else path.read_bytes()
            return URLFetcherResponse(
                url, data, {"Content-Type": MEDIA_TYPES.get(path.suffix, "text/plain")}
            )

    return Assets(allowed_protocols={"data"}, allow_redirects=False)


@contextmanager
def _our_fonts() -> Iterator[None]:
    """Exclude the machine's fonts and its language, so that the bytes don't depend on them.

    A character that no font of the page has is shown in our one fallback font, or in that of its
    script (pdf_scripts.py).
    """
    ours = {"FONTCONFIG_FILE": str(FONTS), "PANGO_LANGUAGE": "en"}
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


@contextmanager
def _hearing(progress: PageSeen | None) -> Iterator[None]:
    """Turn WeasyPrint's progress log into calls with a page number that only grows."""
    if progress is None:
        yield
        return
    log, ear = logging.getLogger("weasyprint.progress"), _Ear(progress)
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(ear)
    try:
        yield
    finally:
        log.removeHandler(ear)
        log.setLevel(level)


class _Ear(logging.Handler):
    def __init__(self, progress: PageSeen) -> None:
        super().__init__(logging.INFO)
        self.progress, self.highest = progress, 0

    def emit(self, record: logging.LogRecord) -> None:
        match record.args:
            case (int(page),) if "Page %d" in str(record.msg) and page > self.highest:
                self.highest = page
                self.progress(page)
            case _:
                pass


# --- In a child -----------------------------------------------------------------------------------


def render_in_child(
    html: str,
    *,
    attachments: Sequence[Attachment] = (),
    at: datetime,
    identifier: bytes,
    tagged: bool = True,
    on_progress: PageSeen | None = None,
    cancelled: Callable[[], bool] | None = None,
    seconds: int = MAX_SECONDS,
    memory: int = MEMORY_BYTES,
) -> bytes:
    """Render as `render` does, in a child process.

    Its memory (bytes) and time (seconds of the processor) are limited. `on_progress` runs here, for
    each page; an error that it raises stops the child and reaches the caller. `cancelled` is called
    about five times a second; if it returns True the child ends and RenderStopped is raised.
    """
    page = 0

    def hear(line: bytes) -> None:
        nonlocal page
        page = json.loads(line)["page"]
        if on_progress is not None:
            on_progress(page)

    with tempfile.TemporaryDirectory(prefix="report-") as name:
        folder = Path(name)
        _write_order(folder, html, attachments, at, identifier, tagged=tagged)
        limits = sandbox.Limits(memory=memory, seconds=seconds)
        outcome = sandbox.run(
            "governance.kernel.pictures.pdf",
            name,
            limits=limits,
            on_line=hear,
            is_cancelled=cancelled,
        )
        output = folder / "out.pdf"
        if outcome.ending is sandbox.Ending.CANCELLED:
            raise RenderStopped(f"Stopped at page {page}.")
        if not outcome.is_finished or not output.is_file():
            raise RenderFailed(_why(outcome, page, memory))
        return output.read_bytes()


def _write_order(
    folder: Path,
    html: str,
    attachments: Sequence[Attachment],
    at: datetime,
    identifier: bytes,
    *,
    tagged: bool,
) -> None:
    (folder / "page.html").write_text(html, encoding="utf-8")
    listed = []
    for number, each in enumerate(attachments):
        (folder / f"attachment-{number}").write_bytes(each.data)
        listed.append({"name": each.name, "description": each.description})
    order = {
        "at": at.isoformat(),
        "identifier": identifier.hex(),
        "tagged": tagged,
        "attachments": listed,
    }
    (folder / "order.json").write_text(json.dumps(order), encoding="utf-8")


def _why(outcome: sandbox.ChildOutcome, page: int, memory: int) -> str:
    if outcome.ending is sandbox.Ending.TOO_SLOW:
        return f"Generating the report took too long. It stopped at page {page}; nothing was saved."
    if outcome.ending is sandbox.Ending.TOO_LARGE:
        return (
            f"The report needs more than {memory // 1024**2} MB of memory. It stopped at page"
            f" {page}; nothing was saved."
        )
    if outcome.ending is sandbox.Ending.KILLED:
        return (
            f"The process that generates the report was ended by {outcome.signal} at page {page};"
            " nothing was saved. Generate the report again."
        )
    last = (
        outcome.errors.strip().splitlines()[-1]
        if outcome.errors.strip()
        else f"exit code {outcome.code}"
    )
    return (
        f"The report couldn't be generated: {last}. It stopped at page {page}; nothing was saved."
    )


def main(folder: Path) -> None:
    """Run the child: read the order in `folder`, print a JSON line per page, write `out.pdf`."""
    gc.set_threshold(*COLLECT_AFTER)
    # With lxml, fontTools would load it for font sources in XML, which no report has.
    sys.modules["lxml"] = None  # type: ignore[assignment]  # as Python's docs
    tempfile.tempdir = str(folder)  # WeasyPrint's copies of fonts are removed with the folder.
    order = json.loads((folder / "order.json").read_text(encoding="utf-8"))
    attachments = [
        Attachment(
            each["name"], (folder / f"attachment-{number}").read_bytes(), each["description"]
        )
        for number, each in enumerate(order["attachments"])
    ]
    data = render(
        (folder / "page.html").read_text(encoding="utf-8"),
        attachments=attachments,
        at=datetime.fromisoformat(order["at"]),
        identifier=bytes.fromhex(order["identifier"]),
        tagged=order["tagged"],
        # The only output of the child.
        progress=lambda page: print(json.dumps({"page": page}), flush=True),  # noqa: T201
    )
    (folder / "out.pdf").write_bytes(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    sys.stdout.flush()
    # A normal exit unloads Pango while Pango's thread still runs, and that thread then kills the
    # finished process with SIGSEGV (seen once in some hundred).
    os._exit(0)
