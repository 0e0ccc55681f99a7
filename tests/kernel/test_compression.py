"""Compression of pages and static files with gzip, for clients that accept it."""

import gzip
import re

import pytest

from bench import testing as matrix
from governance.app.shell import STATIC, asset
from tests.browser import Visitor

ASKS = {"Accept-Encoding": "gzip, deflate, br"}
FIRST_LOAD_BYTES, TYPE_II_BYTES = 150_000, 200_000
TYPE_II = "evidence/type-ii"


def unpacked(reply):
    assert reply.headers["Content-Encoding"] == "gzip"
    assert reply.content_length == len(reply.data)
    return gzip.decompress(reply.data)


def without_tokens(page):
    return re.sub(rb'name="csrf_token" value="[0-9a-f]+"', b"", page)


def test_a_page_says_the_same_compressed(as_admin):
    path = as_admin.at("settings/sessions")
    plain = as_admin.client.get(path)
    assert "Content-Encoding" not in plain.headers
    packed = as_admin.client.get(path, headers=ASKS)
    assert without_tokens(unpacked(packed))[:2000] == without_tokens(plain.data)[:2000]
    assert len(packed.data) < len(plain.data) / 2
    for reply in (plain, packed):
        assert "Accept-Encoding" in ", ".join(reply.headers.getlist("Vary"))


@pytest.mark.parametrize("asks", ["", "identity", "br", "gzip;q=0"])
def test_who_does_not_take_gzip_gets_the_text(as_admin, asks):
    reply = as_admin.client.get(as_admin.at("settings/sessions"), headers={"Accept-Encoding": asks})
    assert "Content-Encoding" not in reply.headers and "</html>" in reply.text


def test_downloads_and_answers_to_scripts_stay_as_they_are(as_admin):
    file = as_admin.client.get(as_admin.at("settings/sessions.csv"), headers=ASKS)
    assert file.status_code == 200 and "Content-Encoding" not in file.headers
    assert "Content-Encoding" not in as_admin.client.get("/healthz", headers=ASKS).headers


@pytest.mark.parametrize("name", ["console.css", "vendor/htmx.min.js", "js/dialog.js", "icons.svg"])
def test_a_static_file_is_compressed_and_kept_for_a_year_at_its_digest(client, name):
    reply = client.client.get(asset(name), headers=ASKS)
    assert unpacked(reply) == (STATIC / name).read_bytes()
    assert "immutable" in reply.headers["Cache-Control"]
    tags = reply.headers["ETag"], client.client.get(asset(name)).headers["ETag"]
    assert tags[0] != tags[1]


def test_fonts_and_parts_of_a_file_are_sent_as_they_are(client):
    font = client.client.get("/static/vendor/inter.woff2", headers=ASKS)
    part = client.client.get("/static/console.css", headers=ASKS | {"Range": "bytes=0-99"})
    assert "Content-Encoding" not in font.headers and "Content-Encoding" not in part.headers
    assert part.data == (STATIC / "console.css").read_bytes()[:100]


def test_the_form_token_differs_in_each_answer_and_each_one_is_valid(as_admin):
    """Vary the token: the lengths of compressed pages would reveal a constant secret."""
    path = as_admin.at("systems/new")
    pages = [unpacked(as_admin.client.get(path, headers=ASKS)).decode() for _ in range(2)]
    tokens = [re.findall(r'name="csrf_token" value="([0-9a-f]+)"', page) for page in pages]
    assert all(len(set(each)) == 1 for each in tokens) and tokens[0][0] != tokens[1][0]
    for token in (tokens[0][0], tokens[1][0]):
        reply = as_admin.client.post(path, data={"csrf_token": token})
        assert reply.status_code == 422
    bent = tokens[0][0][:-1] + ("0" if tokens[0][0][-1] != "0" else "1")
    assert as_admin.client.post(path, data={"csrf_token": bent}).status_code == 403


def first_load(person: Visitor, path: str) -> dict[str, int]:
    """Return the bytes of a page and of everything it needs, for a browser with an empty cache."""
    page = person.client.get(person.at(path), headers=ASKS)
    found = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', unpacked(page).decode()))
    assert any("inter.woff2" in each for each in found) and len(found) > 10
    sizes = {each: len(person.client.get(each, headers=ASKS).data) for each in found}
    return {path: len(page.data)} | sizes


def test_the_first_load_of_a_page_is_small(as_admin: Visitor):
    sizes = first_load(as_admin, "settings/sessions")
    assert sum(sizes.values()) < FIRST_LOAD_BYTES, sizes


@pytest.mark.slow
def test_the_first_load_of_a_full_type_ii_matrix_is_small(as_neighbour: Visitor):
    """Load 120 controls by 12 months, each cell with its explanation."""
    matrix.fill()
    sizes = first_load(as_neighbour, TYPE_II)
    rows = as_neighbour.get(TYPE_II).text.count("<tr data-row>")
    assert rows >= matrix.CONTROLS and sum(sizes.values()) < TYPE_II_BYTES, sizes
