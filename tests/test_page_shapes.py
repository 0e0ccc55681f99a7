"""Changes of a page that need no new parsing, and changes that do."""

import re
from pathlib import Path

import pytest

from tests.browser import check_page, shape_of

ROOT = Path(__file__).parents[1]
IDS = "11111111-1111-7111-8111-111111111111", "22222222-2222-7222-8222-222222222222"
PAGE = f"""<!doctype html><html lang="en"><head><title>Risks</title></head><body><h1>3 risks</h1>
<form method="get" action="/risks/{IDS[0]}"><label for="q-{IDS[0]}">Name</label>
<input id="q-{IDS[0]}" name="q" value="a &amp; b" aria-label=""></form>
<ul><li id="{IDS[1]}"><a href="/risks/1">One</a></li></ul></body></html>"""


def test_other_words_addresses_and_ids_are_the_same_shape():
    other = PAGE.replace(IDS[0], "33333333-3333-7333-8333-333333333333")
    for old, new in (("3 risks", "14 &lt; 15"), ("/risks/1", "/risks/9"), ("a &amp; b", "c")):
        assert old in other
        other = other.replace(old, new)
    assert shape_of(other) == shape_of(PAGE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<title>Risks", "<title>"),
        ("<h1>3 risks</h1>", "<h2>3 risks</h2>"),
        (f'for="q-{IDS[0]}"', f'for="q-{IDS[1]}"'),
        (f'li id="{IDS[1]}"', f'li id="q-{IDS[0]}"'),
        ('name="q"', 'name="q" style="color: red"'),
        ("</a></li>", "</li>"),
        ("a &amp; b", "a &nonsense b"),
        ("</body>", "<script>x</script></body>"),
        ('<form method="get"', '<form method="post"'),
    ],
)
def test_what_breaks_a_promise_is_another_shape(old, new):
    check_page(PAGE, "the page")
    assert old in PAGE
    assert shape_of(PAGE.replace(old, new)) != shape_of(PAGE)
    with pytest.raises(AssertionError):
        check_page(PAGE.replace(old, new), "the page")


FRAMED = PAGE.replace("<h1>", '<nav id="rail"><a href="/">Home</a></nav><div><main><h1>').replace(
    "</body>", '</main></div><p id="foot">x</p></body>'
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<title>Risks", "<title>"),
        ("<h1>3 risks</h1>", ""),
        ("</nav>", "</nav><h1>Risks</h1>"),
        (f'for="q-{IDS[0]}"', f'for="q-{IDS[1]}"'),
        (f'li id="{IDS[1]}"', 'li id="rail"'),
        (f'li id="{IDS[1]}"', 'li id="foot"'),
        ("</ul>", "</ul></div>"),
        ("</ul>", "</ul><div>"),
        ("</ul>", "</ul></main>"),
        ("</ul>", '</ul><a href="/>'),
        ("</ul>", "</ul><!-- no end"),
        ("</ul>", "</ul><main></main>"),
        ("</ul>", '</ul><div style="color: red"></div>'),
        ("</ul>", '</ul><form method="post"></form>'),
        ("<p ", "<p style='color: red' "),
        ("<p ", "<script>x</script><p "),
        ("<div><main>", '<form method="get"><main>'),
        ("<div><main>", "<div><b><main>"),
        ("<div><main>", "<div><table><main>"),
        ("<div><main>", "<main>"),
    ],
)
def test_a_promise_is_broken_in_the_main_part_around_it_or_between_the_two(old, new):
    check_page(FRAMED, "the page")
    assert FRAMED.count(old) == 1
    with pytest.raises(AssertionError):
        check_page(FRAMED.replace(old, new), "the page")


def _row(number: int, cell: str = "") -> str:
    return f'<tr id="r{number}"><td><a href="/{number}">{number}</a>{cell}</td></tr>'


@pytest.mark.parametrize(
    "row",
    [
        _row(1),
        _row(9, "<b>"),
        _row(9, "</b>"),
        _row(9, "</a>"),
        _row(9, '<b style="color: red">x</b>'),
        _row(9, "<svg></svg>"),
        _row(9, "<h1>Risks</h1>"),
        _row(9, '<form method="post"></form>'),
        _row(9, '<input name="a">'),
        _row(9, '<label for="b">B</label><input id="a">'),
        _row(9) + '</tbody></table><tr id="out"><td><a href="/1">1</a></td></tr><table><tbody>',
    ],
)
def test_a_row_breaks_a_promise_wherever_it_stands(row):
    rows = [
        *map(_row, range(5)),
        _row(5, '<label for="a">A</label><input id="a">'),
        _row(6, '<label for="c">B</label><input id="c">'),
    ]
    whole = FRAMED.replace("</ul>", f"</ul><table><tbody>{''.join(rows)}</tbody></table>")
    check_page(whole, "the page")
    for place in rows:
        with pytest.raises(AssertionError):
            check_page(whole.replace(place, place + row, 1), "the page")


TAGS = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
ENDS = re.compile(r"-\}\}|[-+]?%\}|\{\{|\{%")


def test_no_template_shows_the_end_of_a_tag_as_text():
    for file in sorted((ROOT / "templates").rglob("*.html")):
        assert ENDS.search(TAGS.sub("", file.read_text())) is None, file
