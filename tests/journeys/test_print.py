"""Printed pages: A4, without the shell and its buttons, light in every theme.

Each sheet has the address and the time at its foot.
"""

from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest

from tests.journeys.conftest import Person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

A4 = (595, 842)  # points
SHELL = (
    "Search or run a command",
    "Audit log intact",
    "Columns",
    "Export",
    "Create control",
)


@pytest.fixture(scope="module")
def officer(arrive: Callable[[str], Person]) -> Person:
    return arrive("officer@acme.example")


def sheets(officer: Person, address: str, tmp_path: Path) -> tuple[list[str], tuple[int, int]]:
    """Return the text of each printed sheet without whitespace, and the size of the first."""
    officer.open(address)
    officer.page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True, print_background=True)
    with pypdfium2.PdfDocument(tmp_path / "page.pdf") as document:
        texts = ["".join(each.get_textpage().get_text_range().split()) for each in document]
        width, height = document[0].get_size()
        corner = document[0].render(scale=1).to_pil().getpixel((5, 5))
    assert corner == (255, 255, 255)
    return texts, (round(width), round(height))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_list_is_printed_without_the_shell_and_says_what_it_is(console, officer, tmp_path, theme):
    officer.theme(theme)
    address = f"{console}/t/acme/controls/"
    texts, size = sheets(officer, address, tmp_path)
    assert size == A4 and len(texts) > 1
    for number, text in enumerate(texts, 1):
        assert address in text and f"{number}/{len(texts)}" in text
        assert not [word for word in SHELL if word.replace(" ", "") in text]
    assert "ACC-01" in texts[0], "the list begins on the sheet of its heading"
    assert officer.page.locator("html").get_attribute("data-bs-theme") == theme


def test_an_object_is_printed_with_its_facts(console, officer, tmp_path):
    texts, size = sheets(officer, f"{console}/t/acme/systems/claims-triage", tmp_path)
    assert size == A4 and "Claimstriage" in texts[0] and "Highrisk" in texts[0]
    assert "Retire…" not in texts[0] and "Addfeature" not in texts[0]


def test_the_matrix_is_printed_across_with_every_month(console, officer, tmp_path):
    texts, size = sheets(officer, f"{console}/t/acme/evidence/type-ii", tmp_path)
    assert size == A4[::-1] and "Tested" in texts[0]
