"""Readers of the forms on policy pages."""

from bs4 import BeautifulSoup


def form_values(html: str) -> dict:
    """Return what a browser would send of the form as it is shown."""
    form = BeautifulSoup(html, "html.parser").find("main").find("form")
    sent = {}
    for tag in form.find_all(["input", "select", "textarea"]):
        if tag.name == "select" and tag.get("multiple") is None:
            chosen = tag.find("option", selected=True) or tag.find("option")
            sent[tag["name"]] = chosen["value"]
        elif tag.name == "textarea":
            sent[tag["name"]] = tag.get_text().strip()
        elif tag.name == "input" and tag.get("type") != "checkbox" and tag["name"] != "csrf_token":
            sent[tag["name"]] = tag.get("value", "")
    return sent
