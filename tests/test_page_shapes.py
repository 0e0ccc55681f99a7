"""What a page may change without being parsed again, and what it may not."""

import pytest

from tests.browser import check_page, shape_of

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
