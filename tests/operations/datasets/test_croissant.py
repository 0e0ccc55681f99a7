"""Croissant files: previewed, then turned into drafts, or rejected with place and reason."""

import io
import json

import pytest

from governance.operations.datasets import croissant, queries
from governance.operations.datasets.json_text import UnreadableFile
from governance.operations.datasets.licences import of_address, spdx
from governance.operations.datasets.slugs import slug_of
from tests import make
from tests.operations.datasets import data_set_helpers as helpers

RAI = {
    "conformsTo": [
        "http://mlcommons.org/croissant/1.1",
        "http://mlcommons.org/croissant/RAI/1.0",
    ],
    "temporalCoverage": "2024-03/2025",
    "rai:personalSensitiveInformation": ["Age", "Geography"],
    "rai:dataLimitations": "Only two cantons.",
    "rai:dataBiases": ["City traffic prevails."],
    "prov:wasDerivedFrom": {"@id": "https://data.example/raw"},
}


def preview(who, data: bytes, then=200):
    file = (io.BytesIO(data), "croissant.json")
    return who.post("data-sets/import", then=then, file=file)


def sha_in(text: str) -> str:
    return text.partition('name="sha256" value="')[2][:64]


def confirm(who, data: bytes, then=303, **more):
    sha256 = sha_in(preview(who, data).text)
    sent = {"sha256": sha256, "key": "crash-reports", "owner_id": "", **more}
    return who.post("data-sets/import/confirm", then=then, **sent)


def test_the_preview_shows_what_is_filled_and_what_is_missing(as_officer):
    text = preview(as_officer, helpers.croissant(**RAI)).text
    assert "Croissant 1.1. Nothing was saved yet." in text
    assert "CC-BY-4.0" in text and "1 Mar 2024" in text and "31 Dec 2025" in text
    assert "Only two cantons." in text and "Road Office" in text
    assert "1 to add before you publish" in text  # The consent basis.
    assert "No data sets yet" in as_officer.get("data-sets/").text


def test_an_imported_file_is_a_draft_of_a_new_data_set(as_officer):
    answer = confirm(as_officer, helpers.croissant(**RAI))
    text = as_officer.get(answer.location).text
    assert "needs 1 more field" in text and "Choose the basis" in text
    with make.acting("viewer"):
        (data_set,) = queries.live_data_sets()
        assert data_set.key == "crash-reports" and data_set.version == 0
        assert data_set.draft["file_sha256"] and data_set.draft["personal_data"] == "yes"


def test_the_same_file_again_changes_nothing_and_a_newer_one_is_the_next_draft(as_officer):
    confirm(as_officer, helpers.croissant())
    with make.acting("viewer"):
        (data_set,) = queries.live_data_sets()
        data_set_id, revision = data_set.id, data_set.draft_revision
    assert "already has the slug" in confirm(as_officer, helpers.croissant(), then=422).text
    confirm(as_officer, helpers.croissant(), into=str(data_set_id))
    with make.acting("viewer"):
        assert queries.data_set(data_set_id).draft_revision == revision
    confirm(as_officer, helpers.croissant(version="2.2.0"), into=str(data_set_id))
    with make.acting("viewer"):
        found = queries.data_set(data_set_id)
        assert found.draft["source_version"] == "2.2.0"
        assert found.draft_revision == revision + 1


def test_what_the_file_does_not_say_stays_as_it_was(as_officer):
    data_set_id = helpers.add_data_set(content=helpers.described(max_age_days=90))
    confirm(as_officer, helpers.croissant(license="Ours alone"), into=str(data_set_id))
    with make.acting("viewer"):
        draft = queries.data_set(data_set_id).draft
    assert draft["max_age_days"] == 90 and draft["consent_basis"] == "consent"
    assert (draft["licence"], draft["licence_text"]) == ("", "Ours alone")


def test_a_file_without_a_licence_is_imported_and_cannot_be_published(as_officer):
    data = helpers.croissant(license=None, **RAI)
    answer = confirm(as_officer, data)
    assert "Enter an SPDX identifier" in as_officer.get(answer.location).text
    assert "Without licence" in as_officer.get("data-sets/?state=without_licence").text
    refused = as_officer.post(answer.location, then=422, seen="1")
    assert "Enter an SPDX identifier" in refused.text


def test_an_unseen_file_is_not_imported(as_officer):
    sent = {"key": "crash-reports", "owner_id": ""}
    as_officer.post("data-sets/import/confirm", then=404, sha256="0" * 64, **sent)
    as_officer.post("data-sets/import/confirm", then=404, sha256="../../x", **sent)
    theirs = helpers.add_data_set(slug="globex")
    confirm(as_officer, helpers.croissant(), then=422, into=str(theirs))


def test_who_may_only_view_imports_nothing(as_viewer):
    preview(as_viewer, helpers.croissant(), then=403)
    as_viewer.get("data-sets/import", then=403)


DEEP = b'{"@context": ' + b"[" * 5000 + b"]" * 5000 + b"}"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "The file is empty"),
        (b"   \n", "The file is empty"),
        (b"[]", "isn't a JSON object"),
        (helpers.croissant()[:200], "this isn't valid JSON"),
        (helpers.croissant()[:-1], "Line 1, column"),
        (b"\xff\xfe\x00" * 9, "Line 1 isn't UTF-8 text"),
        (b"x" * 10_000_000, "larger than 5 MB"),
        (b"{" * 100, "Line 1: more than 60 levels"),
        (DEEP, "Line 1: more than 60 levels"),
        (b"[" + b"1," * 600_000 + b"1]", "more than 500,000 values"),
        (b'{"name": NaN}', "contains NaN"),
        (b'{"rows": ' + b"9" * 5000 + b"}", "more than 40 digits"),
        (b'{"name": "a", "name": "b"}', "appears twice"),
        (b'{"name": "\\ud800"}', "characters that aren't text"),
        (b'{"name": "a\\u0000b"}', "characters that aren't text"),
        (helpers.croissant(**{"@context": None}), "@context: expected the context of Croissant"),
        (helpers.croissant(**{"@context": {"@vocab": "http://www.w3.org/ns/dcat#"}}), "@context"),
        (helpers.croissant(**{"@context": "https://evil.example/context"}), "downloads none"),
        (helpers.croissant(**{"@type": "sc:Person"}), "@type: expected a schema.org Dataset"),
        (helpers.croissant(conformsTo=None), "conformsTo: found nothing"),
        (helpers.croissant(conformsTo="http://mlcommons.org/croissant/0.8"), "Expected"),
        (helpers.croissant(name=None), "name: expected text"),
        (helpers.croissant(name={"a": 1}), "name: expected text"),
        (helpers.croissant(name=["", " "]), "name: expected text"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_place_and_the_reason(data, says):
    with pytest.raises(UnreadableFile, match=says):
        croissant.read(data)


def test_the_refusal_stands_beside_the_file(as_officer):
    text = preview(as_officer, helpers.croissant()[:100], then=422).text
    assert "Not imported" in text and "valid JSON" in text
    assert "Choose a file" in as_officer.post("data-sets/import", then=422).text


@pytest.mark.parametrize(
    "context",
    [
        "http://mlcommons.org/croissant/1.0",
        ["https://schema.org/", {"rai": "http://mlcommons.org/croissant/RAI/"}],
        {"@vocab": "http://schema.org/", "conformsTo": "http://purl.org/dc/terms/conformsTo"},
        {"@vocab": "https://schema.org/", "conformsTo": {"@id": "dct:conformsTo"}},
    ],
)
def test_a_term_is_known_by_its_full_name_whatever_the_file_calls_it(context):
    found = croissant.read(helpers.croissant(**{"@context": context}))
    assert (found.name, found.content.licence) == ("Crash reports", "CC-BY-4.0")


def test_prefixed_names_are_the_same_names():
    tree = json.loads(helpers.croissant())
    renamed = {
        {"name": "s:name", "license": "s:license", "conformsTo": "dct:conformsTo"}.get(k, k): v
        for k, v in tree.items()
    }
    renamed["@context"] = helpers.CONTEXT | {"s": "https://schema.org/"}
    found = croissant.read(json.dumps(renamed).encode())
    assert (found.name, found.content.licence) == ("Crash reports", "CC-BY-4.0")


@pytest.mark.parametrize(
    ("written", "licence", "own"),
    [
        ("https://spdx.org/licenses/MIT.html", "MIT", ""),
        (["mit", "Apache-2.0"], "MIT AND Apache-2.0", ""),
        ({"@type": "CreativeWork", "name": "CC0-1.0"}, "CC0-1.0", ""),
        ({"@type": "CreativeWork", "url": "https://opensource.org/license/mit"}, "MIT", ""),
        ("https://acme.example/terms", "", "https://acme.example/terms"),
        (["MIT", "and our terms"], "", "MIT\nand our terms"),
    ],
)
def test_a_licence_is_its_spdx_identifier_where_there_is_one(written, licence, own):
    content = croissant.read(helpers.croissant(license=written)).content
    assert (content.licence, content.licence_text) == (licence, own)


@pytest.mark.parametrize(
    ("written", "oldest", "newest"),
    [
        ("2024/2025", "2024-01-01", "2025-12-31"),
        ("2024-02-03T10:00:00Z/2024-02-29", "2024-02-03", "2024-02-29"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2024-05-01/..", "2024-05-01", "None"),
        ("../2024-05-01", "None", "2024-05-01"),
        ("last year", "None", "None"),
        ("2024-13-01/2024-14-01", "None", "None"),
    ],
)
def test_the_days_of_the_records_are_read_where_the_file_states_them(written, oldest, newest):
    found = croissant.read(helpers.croissant(temporalCoverage=written))
    assert (str(found.content.oldest_record), str(found.content.newest_record)) == (oldest, newest)
    assert ("temporalCoverage" in found.unread) == (oldest == newest == "None")


@pytest.mark.parametrize(
    ("told", "answer"), [(None, ""), ("None", "no"), (["Gender", "none"], "yes"), ("n/a.", "no")]
)
def test_personal_data_is_what_the_file_says_and_otherwise_open(told, answer):
    data = helpers.croissant(**{"rai:personalSensitiveInformation": told})
    assert croissant.read(data).content.personal_data == answer


def test_identifiers_are_spelled_as_spdx_spells_them():
    assert spdx("mit or apache-2.0") == "MIT OR Apache-2.0"
    assert spdx("(" * 300) is None and spdx("") is None and spdx("LicenseRef-x") is None
    assert of_address("https://creativecommons.org/licenses/by-nc-sa/4.0/deed.en") == (
        "CC-BY-NC-SA-4.0"
    )
    assert of_address("https://acme.example") is None


def test_a_slug_is_suggested_from_the_name():
    assert slug_of("Claims of 2025 (Zürich)") == "claims-of-2025-zurich"
    assert slug_of("2025") == "" and slug_of("日本") == ""
