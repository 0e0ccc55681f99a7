"""Readers of the sections of the overview."""

from bs4 import BeautifulSoup


def page_heading(reply) -> str:
    return BeautifulSoup(reply.text, "html.parser").h1.get_text()


def section_text(reply, name: str) -> str:
    """Return the words of the section with that id, or labeled by it."""
    soup = BeautifulSoup(reply.text, "html.parser")
    found = soup.find(id=name) if name == "waits" else soup.find(attrs={"aria-labelledby": name})
    assert found, f"no {name}"
    return " ".join(found.get_text(" ").split())


def section_links(reply, name: str) -> list[str]:
    soup = BeautifulSoup(reply.text, "html.parser")
    found = soup.find(id=name) if name == "waits" else soup.find(attrs={"aria-labelledby": name})
    return [a["href"] for a in found.find_all("a", href=True)]
