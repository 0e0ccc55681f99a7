"""Pages, files and answers for an auditor, none of which names a person that is hidden from them.

Every name and address of the tenant's people is replaced by a unique one, and every address that an
auditor may open is opened.
"""

from io import BytesIO
from typing import Any
from zipfile import ZipFile, is_zipfile

from tests import make
from tests.browser import Visitor
from tests.name_helpers import CANARY, show_names
from tests.route_helpers import RouteMethod, route_methods


def pages(app: Any, ids: dict[str, Any], role: str) -> list[tuple[RouteMethod, str]]:
    return [
        (door, path)
        for door in route_methods(app, "tenant")
        if door.method == "GET" and role in door.needs.roles
        for path in {door.address(app, "acme", ids)}
    ]


def text_of(reply: Any) -> str:
    body = reply.get_data()
    if is_zipfile(BytesIO(body)):  # A workbook or a package.
        with ZipFile(BytesIO(body)) as archive:
            body = b"\n".join(archive.read(each) for each in archive.namelist())
    return body.decode("utf-8", "replace")


def named(visitor: Visitor, walk: list[tuple[RouteMethod, str]]) -> list[str]:
    found = []
    for door, path in walk:
        reply = visitor.client.get(path)
        if reply.mimetype == "text/event-stream":
            reply.close()
            continue
        text = text_of(reply)
        if CANARY.lower() in text.lower():
            at = text.lower().index(CANARY.lower())
            found.append(f"{door}: …{' '.join(text[max(0, at - 160) : at + 40].split())}…")
    return found


def test_an_auditor_reads_no_name(app, planted):
    auditor = Visitor(app, make.cookie("auditor"), "acme")
    walk = pages(app, planted, "auditor")
    assert len(walk) > 150
    wrong = named(auditor, walk)
    assert wrong == [], "\n".join(wrong)


def test_an_officer_reads_them_on_the_same_pages(app, planted):
    """Validate the test above, which would prove nothing otherwise."""
    officer = Visitor(app, make.cookie("compliance_officer"), "acme")
    walk = [
        each
        for each in pages(app, planted, "compliance_officer")
        if "auditor" in each[0].needs.roles
    ]
    seen = {each.partition(":")[0] for each in named(officer, walk)}
    print(len(seen), sorted(seen))
    assert len(seen) > 40


def test_a_page_that_is_open_follows_the_scope_at_the_next_request(app, planted):
    """Follow the current scope, despite cached pages and ledgers: shown, hidden, shown."""
    auditor = Visitor(app, make.cookie("auditor"), "acme")
    for shows_names in (False, True, False):
        show_names(shows_names)
        for path in ("controls/", "evidence/", "systems/", "reports/"):
            assert (CANARY in auditor.get(path).text) == shows_names, (path, shows_names)
