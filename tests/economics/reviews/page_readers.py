"""Readers of a review's page: its heading, and the cells of its tables."""

from bs4 import BeautifulSoup


def heading(reply) -> str:
    return BeautifulSoup(reply.text, "html.parser").select_one("h1").get_text(" ", strip=True)


def table(reply, caption: str) -> list[list[str]]:
    """Return the cells of the table with that caption, row by row, without its header."""
    soup = BeautifulSoup(reply.text, "html.parser")
    captions = [(each, each.select_one("caption")) for each in soup.select("table")]
    found = next(each for each, its in captions if its and caption in its.text)
    return [
        [" ".join(cell.stripped_strings) for cell in row.select("td")]
        for row in found.select("tbody tr, tfoot tr")
    ]
