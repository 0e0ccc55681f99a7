"""Both steps of a bulk action, for a person who reads the preview and confirms it."""

from typing import Any

from bs4 import BeautifulSoup

from tests.browser import Visitor


def preview_bulk(visitor: Visitor, address: str, *, then: int = 200, **form: Any) -> str:
    """Return the page that lists what would change."""
    return visitor.post(address, then=then, **form).text


def confirmation_fields(html: str) -> dict[str, Any]:
    """Return the fields of the form that applies the preview, or none if nothing would change."""
    form = next(
        (
            f
            for f in BeautifulSoup(html, "html.parser").find_all("form")
            if f.find("input", {"name": "seen"})
        ),
        None,
    )
    fields: dict[str, list[str]] = {}
    for each in form.find_all(["input", "textarea"]) if form else ():
        fields.setdefault(str(each["name"]), []).append(str(each.get("value", each.text)))
    fields.pop("csrf_token", None)
    return {name: values if name == "seen" else values[0] for name, values in fields.items()}


def confirm_bulk(
    visitor: Visitor, address: str, *, then: int = 303, follow: bool = False, **form: Any
) -> Any:
    """Preview, then apply exactly that. `because` is entered on the preview."""
    reason = {"reason": form.pop("reason")} if "reason" in form else {}
    fields = confirmation_fields(preview_bulk(visitor, address, **form))
    assert fields, "the preview has nothing to confirm"
    return visitor.post(address, then=then, follow=follow, **fields | reason)


def preview_table(html: str, section: str) -> list[list[str]]:
    """Return the cells of a table of the preview. `section` is changes, blocked or unchanged."""
    heading = BeautifulSoup(html, "html.parser").find("h2", id=section)
    if heading is None:
        return []
    rows = heading.find_parent("section").find("tbody").find_all("tr")
    return [[" ".join(cell.get_text(" ").split()) for cell in row.find_all("td")] for row in rows]


def undo_address(html: str) -> str | None:
    """Return the target of the newest message's Undo button."""
    buttons = BeautifulSoup(html, "html.parser").find_all("button", {"data-undo": True})
    return str(buttons[-1].find_parent("form")["action"]) if buttons else None


def flash_messages(html: str) -> str:
    """Return the page's message about the last request."""
    return " ".join(BeautifulSoup(html, "html.parser").find(id="notes").get_text(" ").split())
