"""Targets of a stranger's `next` or `back`: a page of this host, or the default."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from governance.kernel.web.redirects import MAX_PATH_LENGTH, safe_path, tenant_path
from tests import make

HOST = "console.example"
NASTY = st.text(st.sampled_from("/\\.:@?#%2eE\t\n\r\0 evilexample\u2028\x7f"), max_size=30)


def opened(location: str) -> tuple[str, str]:
    """Return (host, path) that a browser opens.

    It drops tabs and line ends, treats a backslash as a slash, and resolves dot segments.
    """
    text = "".join(
        c for c in location.strip("".join(map(chr, range(33)))) if c not in "\t\n\r"
    ).replace("\\", "/")
    parts = urlsplit(text)
    host, path = (
        (parts.netloc, parts.path) if parts.scheme or text.startswith("//") else (HOST, parts.path)
    )
    segments: list[str] = []
    for segment in path.split("/")[1:]:
        plain = segment.lower().replace("%2e", ".")
        if plain == "..":
            segments = segments[:-1]
        elif plain != ".":
            segments.append(segment)
    return host, "/" + "/".join(segments)


@given(NASTY | st.text() | NASTY.map(lambda tail: f"/t/acme/{tail}"))
@example("https://evil.example/")
@example("//evil.example")
@example("/\\evil.example")
@example("/\t/evil.example")
@example("\\\\evil.example")
@example("/t/acme/..//evil.example")
@example("/t/acme/%2E%2e/globex/")
@example("javascript:alert(1)")
@example("/" + "x" * MAX_PATH_LENGTH)
@example("/\r\nSet-Cookie: a=b")
@example("/ ")
def test_a_path_is_kept_as_it_is_or_refused_and_never_leads_elsewhere(path: str) -> None:
    found = safe_path(path, "/home")
    assert found in {path, "/home"}
    host, reached = opened(found)
    assert host == HOST and (
        found == "/home" or reached == found.partition("?")[0].partition("#")[0]
    )
    assert found.isprintable()


@given(
    st.lists(st.text("abcXYZ019-_~.", min_size=1), min_size=1, max_size=5),
    st.text("abc=&", max_size=10),
)
def test_pages_of_ours_are_kept(segments: list[str], query: str) -> None:
    path = "/" + "/".join(f"p{segment}" for segment in segments) + (f"?{query}" if query else "")
    assert safe_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["/t/acme/evidence/?q=a/../b", "/t/acme/reports/#test", "/t/acme/a..b", "/t/acme/.well-known"],
)
def test_dots_that_lead_nowhere_are_kept(path: str) -> None:
    assert safe_path(path) == path


@pytest.mark.parametrize("path", [None, "", "x", "t/acme/", "HTTPS://evil.example", " /t/acme/"])
def test_what_is_no_path_is_the_default(path: str | None) -> None:
    assert safe_path(path) == "" and safe_path(path, "/x") == "/x"


def test_a_tenants_page_leads_to_no_other_tenant(database: object) -> None:
    with make.acting("admin"):
        assert tenant_path("/t/acme/controls/?q=1") == "/t/acme/controls/?q=1"
        for path in ("/t/globex/", "/t/acme/../globex/", "/t/acme", "/login", "//t/acme/", None):
            assert tenant_path(path) == "/t/acme/" and tenant_path(path, "/t/acme/x") == "/t/acme/x"
