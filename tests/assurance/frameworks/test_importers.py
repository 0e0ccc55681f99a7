"""Publishers' real files are imported completely, once.

Every other file is rejected with a helpful sentence.
"""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from governance.assurance.frameworks import importers
from governance.assurance.frameworks.catalogue import AI_RMF, load_catalogue
from governance.assurance.frameworks.importers import (
    ImportedFile,
    ImportedText,
    ImportPreview,
    compare_with_framework,
)
from governance.assurance.frameworks.parsing import MAX_DEPTH, MAX_FILE_BYTES, MAX_VALUES
from governance.assurance.frameworks.publisher_file import ImportRefused

DATA = Path(__file__).parents[3].parent / "shared" / "data"
CISO = "ciso-assistant/nist-ai-rmf-1.0.yaml"
PLAYBOOKS = "nist-ai-rmf-playbook"
OSCAL = "oscal/ai-rmf-1.0-catalog-generated.json"
OTHERS = {
    "ciso-assistant/owasp-llm-checklist.yaml": (
        r"Governance Checklist”\) is not NIST AI .* 0 of its 90 ids look like that framework's"
    ),
    "nist-ai-rmf/ai-rmf-1.0-subcategories.json": (
        r"Cloud Security Alliance's table of AI RMF subcategories"
    ),
    "nist-ai-600-1/ai-600-1-1.0-actions.json": (
        r"Cloud Security Alliance's list of AI 600-1 actions"
    ),
    "nist-ai-rmf/ai-rmf-1.0-subcategories.csv": r"looks like a CSV table",
    "soc2/soc2-tsc-2017-ids.json": r"list of SOC 2 criteria ids",
    "oscal/oscal_catalog_schema.json": r"a JSON schema",
    "cyclonedx/valid-machine-learning-1.7.json": r"CycloneDX bill of materials",
    "inspect/log_formats.eval": r"a ZIP or an Excel workbook",
    "garak/test.report.jsonl": r"Line 2, column 1: this isn't valid JSON",
    "openslo/example-v1-slos.yaml": r"You can import a CISO Assistant library",
}


def real_file(name: str) -> bytes:
    """Return the bytes of a real file. Skip the test if the shared folder is absent."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"NOT TESTED against the real file: {path} is absent")
    return path.read_bytes()


def read_rmf_file(data: bytes, filename: str) -> ImportedFile:
    """Read a file of the AI RMF."""
    return importers.read_file(data, filename, load_catalogue(AI_RMF))


def texts_after_import(preview: ImportPreview) -> dict[tuple[str, str], str]:
    """Return the texts that an import into an empty framework would leave."""
    return {(each.ref, each.kind): each.text for each in preview.new}


def make_playbook(*titles: str, **fields: object) -> bytes:
    """Return a Playbook file with these titles."""
    return json.dumps(
        [{"title": each, "section_about": f"About {each}."} | fields for each in titles]
    ).encode()


def make_library(*nodes: Mapping[str, object]) -> bytes:
    """Return a CISO Assistant library with these requirement nodes."""
    framework = {"requirement_nodes": [dict(each) for each in nodes]}
    content = {
        "urn": "urn:example",
        "name": "Example",
        "version": 3,
        "objects": {"framework": framework},
    }
    return yaml.safe_dump(content).encode()


def make_oscal(*controls: Mapping[str, object]) -> bytes:
    """Return an OSCAL catalog with these controls."""
    return json.dumps(
        {"catalog": {"metadata": {"title": "Example"}, "controls": controls}}
    ).encode()


def refusal_of(data: bytes, filename: str = "file") -> ImportRefused:
    """Return the error that `read` raises. Fail if it reads the file."""
    with pytest.raises(ImportRefused) as caught:
        read_rmf_file(data, filename)
    return caught.value


# --- Real files -----------------------------------------------------------------------------------


def test_the_ciso_assistant_library_brings_95_texts_and_leaves_out_18_preambles() -> None:
    imported = read_rmf_file(real_file(CISO), "nist-ai-rmf-1.0.yaml")
    preview = compare_with_framework(imported, load_catalogue(AI_RMF), {})
    assert (imported.format, imported.edition) == (
        "CISO Assistant library",
        "version 1, of 2024-03-23",
    )
    assert imported.problems == ("Nodes without an id (preambles and notes) are left out (18).",)
    assert sum(each.kind == "statement" for each in preview.new) == 72
    assert sum(each.kind == "overview" for each in preview.new) == 23
    assert preview.complete
    assert preview.unknown == ()


def test_each_saved_playbook_brings_its_texts_on_each_of_72_subcategories() -> None:
    """Read five texts and the topics of each subcategory, and the AI actors of 64."""
    files = sorted((DATA / PLAYBOOKS).glob("*.json"))
    if not files:
        pytest.skip(f"NOT TESTED against a real Playbook: {DATA / PLAYBOOKS} is absent")
    for path in files:
        preview = compare_with_framework(
            read_rmf_file(path.read_bytes(), path.name), load_catalogue(AI_RMF), {}
        )
        assert (len(preview.new), len(preview.matched), preview.complete) == (
            496,
            72,
            True,
        ), path.name


def test_the_oscal_catalogue_brings_72_statements_and_23_overviews() -> None:
    imported = read_rmf_file(real_file(OSCAL), "catalog.json")
    preview = compare_with_framework(imported, load_catalogue(AI_RMF), {})
    assert imported.format == "OSCAL catalog"
    assert (len(preview.new), preview.complete, preview.unknown) == (95, True, ())
    assert sum(each.kind == "statement" for each in preview.new) == 72


@pytest.mark.parametrize("name", [CISO, OSCAL, f"{PLAYBOOKS}/nist_ai_rmf_playbook-2023-04.json"])
def test_a_real_file_that_comes_in_twice_changes_nothing(name: str) -> None:
    imported = read_rmf_file(real_file(name), name)
    first = compare_with_framework(imported, load_catalogue(AI_RMF), {})
    again = compare_with_framework(imported, load_catalogue(AI_RMF), texts_after_import(first))
    assert (again.new, again.changed) == ((), ())
    assert again.unchanged == first.new
    assert again.importable


def test_the_playbook_words_stand_beside_the_core_text_and_do_not_replace_it() -> None:
    core = texts_after_import(
        compare_with_framework(read_rmf_file(real_file(CISO), ""), load_catalogue(AI_RMF), {})
    )
    guidance = compare_with_framework(
        read_rmf_file(real_file(f"{PLAYBOOKS}/nist_ai_rmf_playbook-2023-04.json"), ""),
        load_catalogue(AI_RMF),
        core,
    )
    assert guidance.changed == ()
    assert ("GOVERN 5.2", "statement") in core
    assert ("GOVERN 5.2", "playbook wording") in texts_after_import(guidance)


@pytest.mark.parametrize(("name", "said"), OTHERS.items())
def test_a_real_file_of_another_kind_is_refused_by_name(name: str, said: str) -> None:
    with pytest.raises(ImportRefused, match=said):
        read_rmf_file(real_file(name), name)


# --- What a preview says --------------------------------------------------------------------------


def test_unknown_ids_are_reported_and_a_partial_file_is_marked() -> None:
    preview = compare_with_framework(
        read_rmf_file(make_playbook("GV-1.1", "GV-1.2", "GOVERN 9.9"), ""),
        load_catalogue(AI_RMF),
        {},
    )
    assert preview.matched == ("GOVERN 1.1", "GOVERN 1.2")
    assert preview.unknown == ("GOVERN 9.9",)
    assert len(preview.missing) == 70
    assert preview.importable
    assert not preview.complete


def test_a_text_that_differs_shows_both() -> None:
    imported = read_rmf_file(make_playbook("GOVERN 1.1", section_about="New."), "")
    (change,) = compare_with_framework(
        imported, load_catalogue(AI_RMF), {("GOVERN 1.1", "about"): "Old."}
    ).changed
    assert (change.ref, change.kind, change.old, change.new) == (
        "GOVERN 1.1",
        "about",
        "Old.",
        "New.",
    )


@pytest.mark.parametrize(
    "data",
    [
        make_library({"ref_id": "GOVERN 1.1", "assessable": True, "description": " "}),
        make_library({"ref_id": "GOVERN 1.1", "assessable": True}),
        make_oscal({"id": "gv-1.1", "title": "GOVERN 1.1"}),
        make_playbook("GOVERN 1.1", section_about=""),
    ],
)
def test_an_empty_text_is_reported_and_never_replaces_one_that_is_held(data: bytes) -> None:
    held = {("GOVERN 1.1", kind): "Held." for kind in ("statement", "about")}
    preview = compare_with_framework(read_rmf_file(data, ""), load_catalogue(AI_RMF), held)
    assert preview.empty == ("GOVERN 1.1",)
    assert (preview.new, preview.changed, preview.matched) == ((), (), ())
    assert not preview.importable
    assert not preview.complete


def test_markup_stays_text() -> None:
    (entry,) = read_rmf_file(
        make_playbook("GOVERN 1.1", section_about="<script>alert(1)</script> **x**"), ""
    ).entries
    assert entry == ImportedText("GOVERN 1.1", "about", "<script>alert(1)</script> **x**")


def test_an_unquoted_2_10_in_yaml_is_not_taken_for_2_1() -> None:
    nodes = b"[{ref_id: MEASURE 2.10, description: 2.10}]"
    data = b"urn: u\nname: 1.10\nobjects: {framework: {requirement_nodes: %b}}" % nodes
    imported = read_rmf_file(data, "")
    assert imported.entries == (ImportedText("MEASURE 2.10", "overview", "2.10"),)
    assert imported.title == "1.10"


def test_a_number_in_json_stays_as_it_was_written() -> None:
    data = b'[{"title": "MEASURE 2.10", "section_about": 2.10}]'
    assert read_rmf_file(data, "").entries == (ImportedText("MEASURE 2.10", "about", "2.10"),)


def test_an_oscal_control_is_found_by_label_title_or_id_and_keeps_nested_prose() -> None:
    part = {"name": "statement", "prose": "One.", "parts": [{"name": "item", "prose": "Two."}]}
    label = {"props": [{"name": "label", "value": "GV-1.1"}], "title": "Laws"}
    controls = (
        {"id": "x", "parts": [part]} | label,
        {"id": "y", "title": "Govern 1.2", "parts": [part]},
        {"id": "ai-rmf-gv-1.3", "title": "Effort", "parts": [part]},
    )
    imported = read_rmf_file(make_oscal(*controls), "")
    assert [each.ref for each in imported.entries] == ["GOVERN 1.1", "GOVERN 1.2", "GOVERN 1.3"]
    assert {each.text for each in imported.entries} == {"One.\n\nTwo."}


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)


@given(
    st.dictionaries(
        st.sampled_from([each.ref for each in load_catalogue(AI_RMF).assessable]), texts, min_size=1
    )
)
def test_importing_twice_changes_nothing(described: dict[str, str]) -> None:
    data = json.dumps(
        [{"title": ref, "section_about": text} for ref, text in described.items()]
    ).encode()
    imported = read_rmf_file(data, "playbook.json")
    first = compare_with_framework(imported, load_catalogue(AI_RMF), {})
    again = compare_with_framework(
        read_rmf_file(data, "copy.json"), load_catalogue(AI_RMF), texts_after_import(first)
    )
    assert (again.new, again.changed, again.unchanged) == ((), (), first.new)
    assert (again.missing, again.empty) == (first.missing, first.empty)


@given(
    st.lists(
        st.builds(
            ImportedText, st.sampled_from(["GOVERN 1.1", "MAP 1.1", "X 1"]), st.just("about"), texts
        ),
        unique=True,
    ),
    st.dictionaries(st.tuples(st.sampled_from(["GOVERN 1.1", "MAP 1.1"]), st.just("about")), texts),
)
def test_every_worded_text_with_a_known_id_is_new_changed_or_unchanged(
    entries: list[ImportedText], held: dict[tuple[str, str], str]
) -> None:
    imported = ImportedFile("", "", "", "", tuple(entries))
    preview = compare_with_framework(imported, load_catalogue(AI_RMF), held)
    shared = len(preview.new) + len(preview.changed) + len(preview.unchanged)
    assert shared == sum(bool(each.text) and each.ref != "X 1" for each in entries)


# --- Repeats --------------------------------------------------------------------------------------


def test_the_same_text_twice_is_read_once_and_said() -> None:
    imported = read_rmf_file(
        make_library(
            *[{"ref_id": spelled, "description": "x"} for spelled in ("GV-1.1", "GOVERN 1.1")]
        ),
        "",
    )
    assert imported.entries == (ImportedText("GOVERN 1.1", "overview", "x"),)
    assert imported.problems == (
        "The file repeats GOVERN 1.1 with the same text. Each was read once.",
    )


def test_two_texts_for_one_id_are_refused() -> None:
    nodes = [{"ref_id": "GOVERN 1.1", "description": each} for each in ("x", "y")]
    assert (
        str(refusal_of(make_library(*nodes)))
        == "The file has GOVERN 1.1 more than once, with different texts. Keep one of each."
    )


def test_a_key_that_is_given_twice_is_refused_in_json_and_in_yaml() -> None:
    assert "“title” appears twice" in str(
        refusal_of(b'[{"title": "GOVERN 1.1", "title": "GOVERN 1.2"}]')
    )
    fault = refusal_of(b"urn: x\nname: y\nurn: z\n")
    assert (fault.line, fault.column) == (3, 1)


# --- Broken, hostile, huge ------------------------------------------------------------------------


def test_broken_json_and_yaml_name_line_and_column() -> None:
    fault = refusal_of(b'[{"title": "GOVERN 1.1",\n  "section_about" "x"}]')
    assert (fault.line, fault.column) == (2, 19)
    assert str(fault).startswith("Line 2, column 19: this isn't valid JSON")
    fault = refusal_of(b"urn: x\nobjects:\n  framework: [\n")
    assert str(fault).startswith(f"Line {fault.line}, column {fault.column}: this isn't valid YAML")
    assert fault.line == 4


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        ("urn: x".encode("utf-16"), "UTF-16"),
        (b"urn: x\nna\xffme: y", "Line 2, byte 3: not UTF-8"),
        (b"%PDF-1.7 \x00", "looks like a PDF"),
        (gzip.compress(b"x", mtime=0), "a compressed file"),
        (b"<html></html>", "HTML or XML"),
        (b"a,b\n1,2\n", "a CSV table"),
        (b"only words", "plain text"),
        (b"[]", "You can import"),
        (b"{}", "no keys"),
        (b'"text"', "plain text"),
        (b'[{"title": NaN, "section_about": "x"}]', "NaN"),
        (b'[{"title": "GOVERN 1.1", "section_about": Infinity}]', "Infinity"),
        (b'[{"title": "GOVERN 1.1", "section_about": "\\u0000"}]', "a NUL"),
        (b'[{"title": "GOVERN 1.1", "section_about": "\\ud800"}]', "an invalid character"),
        (b'[{"title": "GOVERN 1.1", "section_about": ["x"]}]', "isn't text"),
        (
            b'[{"title": "GOVERN 1.1", "section_about": "x"}, 7]',
            "Item 2 of the Playbook has no title",
        ),
        (b'{"profile": {}}', "an OSCAL profile"),
        (b'{"catalog": {}}', "has no requirement with an id"),
        (b"urn: x\nobjects: {threats: []}", "has no framework. It has: threats"),
        (b"urn: x\n---\nurn: y\n", "more than one YAML document"),
        (b"urn: !!python/object/apply:os.system [id]", "YAML tags"),
        (b"? [a]\n: b\n", "a key isn't text"),
        (b"urn: \x01", "isn't valid YAML"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(data: bytes, said: str) -> None:
    assert said in str(refusal_of(data))


def test_anchors_and_aliases_are_refused_before_they_grow() -> None:
    bomb = b"a: &a [x, x]\n" + b"".join(
        b"%c: &%c [*%c, *%c]\n" % (n + 1, n + 1, n, n) for n in range(97, 120)
    )
    fault = refusal_of(bomb)
    assert "anchors and aliases" in str(fault)
    assert fault.line == 1


@pytest.mark.parametrize(
    "data", [b"[" * 200_000, b'{"a":' * 200_000, b"- " * 50_000, b"urn: " + b"[" * 50_000]
)
def test_deep_nesting_is_refused(data: bytes) -> None:
    said = str(refusal_of(data))
    assert (
        said == f"Line 1: more than {MAX_DEPTH} levels of nesting."
        or "exceeded maximum nesting depth" in said
    )


@pytest.mark.parametrize("data", [b"[" + b"[]," * MAX_VALUES, b"- x\n" * (MAX_VALUES + 1)])
def test_too_many_values_are_refused(data: bytes) -> None:
    assert f"more than {MAX_VALUES:,} values" in str(refusal_of(data))


def test_commas_and_brackets_inside_texts_are_no_values() -> None:
    about = '[{,\\"' * MAX_VALUES
    assert (
        read_rmf_file(make_playbook("GOVERN 1.1", section_about=about), "").entries[0].text == about
    )


def test_a_string_that_never_ends_is_refused() -> None:
    """Reject it quickly: a reader that restarts at each quote would never finish."""
    refusal_of(b"[" + b'\\"' * 1_000_000)


def test_50_mb_are_refused_without_being_read_and_the_limit_is_named() -> None:
    assert str(refusal_of(b"[" * 50_000_000)) == "The file is 50.0 MB. The limit is 12 MB."


def test_a_file_of_exactly_12_mb_is_read_and_one_byte_more_is_not() -> None:
    data = make_playbook("GOVERN 1.1")
    assert read_rmf_file(data.ljust(MAX_FILE_BYTES), "").entries
    assert "The limit is 12 MB" in str(refusal_of(data.ljust(MAX_FILE_BYTES + 1)))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_rmf_file(data, "anything")
    except ImportRefused as refused:
        assert str(refused)


TELLING = [
    "catalog",
    "groups",
    "controls",
    "id",
    "title",
    "parts",
    "prose",
    "props",
    "name",
    "section_about",
]
TELLING += ["urn", "objects", "framework", "requirement_nodes", "ref_id", "metadata"]
shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(TELLING), inner),
)


@given(shapes)
def test_any_shape_of_json_is_read_or_refused(content: object) -> None:
    for data in (json.dumps(content), yaml.safe_dump(content)):
        try:
            read_rmf_file(data.encode(), "anything")
        except ImportRefused as refused:
            assert str(refused)
