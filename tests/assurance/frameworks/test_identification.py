"""Identification of a file's framework by the majority of its distinctive ids."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.assurance.frameworks.catalogue import AI_RMF, all_catalogues, load_catalogue
from governance.assurance.frameworks.identification import (
    FrameworkFit,
    best_fit,
    do_most_belong,
    is_distinctive,
    measure_fit,
    ref_in,
)
from governance.assurance.frameworks.publisher_file import FileText, PublisherFile
from governance.assurance.frameworks.publisher_formats import open_file

SHORT = {"GOVERN": "GV", "MAP": "MP", "MEASURE": "MS", "MANAGE": "MG"}
RMF = load_catalogue(AI_RMF)


def file(*ids: str, names: tuple[str, ...] = ()) -> PublisherFile:
    """Return a file with one text under each id."""
    texts = tuple(FileText((each,), "statement", "Text.") for each in ids)
    return PublisherFile("format", "title", names, "undated", texts, ())


def short(ref: str) -> str:
    """Return MP-1.1 for MAP 1.1."""
    function, _, number = ref.partition(" ")
    return f"{SHORT[function]}-{number}" if number else SHORT[function]


@st.composite
def counts(draw) -> tuple[int, int, int]:
    total = draw(st.integers(0, 2000))
    alike = draw(st.integers(0, total))
    return total, alike, draw(st.integers(0, alike))


@given(counts(), st.booleans())
def test_one_more_id_of_the_framework_never_turns_a_file_away(found, named):
    total, alike, distinctive = found
    if do_most_belong(total, alike, distinctive, is_named=named):
        assert do_most_belong(total + 1, alike + 1, distinctive + 1, is_named=named)


@given(counts(), st.booleans())
def test_one_more_foreign_id_never_lets_a_file_in(found, named):
    total, alike, distinctive = found
    if not do_most_belong(total, alike, distinctive, is_named=named):
        assert not do_most_belong(total + 1, alike, distinctive, is_named=named)


@given(counts(), st.integers(0, 500))
def test_look_alikes_change_nothing_unless_the_file_names_the_framework(found, more):
    total, alike, distinctive = found
    same = do_most_belong(total + more, alike + more, distinctive, is_named=False)
    assert do_most_belong(total, alike, distinctive, is_named=False) == same


@given(counts(), st.booleans())
def test_a_file_belongs_only_if_more_than_half_of_its_ids_are_alike(found, named):
    total, alike, distinctive = found
    if do_most_belong(total, alike, distinctive, is_named=named):
        assert 2 * alike > total
    if 2 * distinctive > total:
        assert do_most_belong(total, alike, distinctive, is_named=named)


@given(st.integers(0, 2000))
def test_look_alikes_alone_never_decide(total):
    assert not do_most_belong(total, total, 0, is_named=False)


@given(
    st.lists(st.sampled_from([each.ref for each in RMF.requirements]), unique=True),
    st.randoms(),
    st.booleans(),
)
def test_order_and_repeats_do_not_matter(refs, random, in_short):
    ids = [short(each) if in_short else each for each in refs]
    again = [*ids, *ids]
    random.shuffle(again)
    assert measure_fit(file(*ids), RMF) == measure_fit(file(*again), RMF)


@pytest.mark.parametrize("catalogue", all_catalogues(), ids=lambda each: each.key)
def test_every_built_in_framework_is_found_from_its_own_ids_and_is_no_others(catalogue):
    whole = file(*(each.ref for each in catalogue.requirements))
    assert best_fit(whole) is catalogue
    assert [each.key for each in all_catalogues() if measure_fit(whole, each).belongs] == [
        catalogue.key
    ]


def test_the_whole_ai_rmf_in_short_forms_is_the_ai_rmf():
    assert best_fit(file(*(short(each.ref) for each in RMF.requirements))) is RMF


def test_the_numbers_of_the_review_are_counted_and_refused():
    ids = [f"AC-{n}" for n in range(1, 148)]
    assert measure_fit(file("MP-1", "MP-2", *ids), RMF) == FrameworkFit(
        149, 2, 0, is_named=False, is_another=False
    )
    assert not measure_fit(file("MP-1", "MP-2", *ids), RMF).belongs


@pytest.mark.parametrize(
    "spelled", ["MP-1", "GV", "GOVERN", "Measure", "ms 2", "CC6", "Risk 1", "A1"]
)
def test_an_id_that_other_frameworks_may_have_is_no_evidence(spelled):
    assert not is_distinctive(spelled)


@pytest.mark.parametrize(
    "spelled",
    [
        "MP-1.1",
        "MAP 1",
        "map-1",
        "ai-rmf-mp-1",
        "nist:ai:map:1",
        "CC6.1",
        "A1.2",
        "LLM01:2025",
        "GV-1.1-001",
    ],
)
def test_an_id_that_says_whose_it_is_counts(spelled):
    assert is_distinctive(spelled)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("NIST AI RMF 1.0", "nist-ai-rmf-1.0"),
        ("urn:intuitem:risk:library:nist-ai-rmf-1.0", "nist-ai-rmf-1.0"),
        ("Artificial Intelligence Risk Management Framework", "nist-ai-rmf-1.0"),
        ("NIST.AI.100-1", "nist-ai-rmf-1.0"),
        ("NIST AI 600-1", "nist-ai-600-1"),
        ("OWASP Top 10 for LLM Applications 2025", "owasp-llm-2025"),
        ("2026 Top-10 for Large Language Models, OWASP", "owasp-llm-2026"),
        ("SOC2 2017 Trust Services Criteria", "soc2-tsc-2017"),
    ],
)
def test_a_framework_is_known_by_the_names_that_files_use(name, key):
    assert [
        each.key
        for each in all_catalogues()
        if measure_fit(file("X", names=(name,)), each).is_named
    ] == [key]


@pytest.mark.parametrize(
    "name",
    [
        "NIST Special Publication 800-53 Revision 5.1.1",
        "urn:intuitem:risk:library:iso27001-2022",
        "ISO/IEC 42001:2023",
        "NIST Cybersecurity Framework 2.0",
        "CIS Critical Security Controls v8",
        "EU AI Act",
    ],
)
def test_a_known_publication_is_another_for_every_built_in_framework(name):
    assert all(
        measure_fit(file("GOVERN 1.1", names=(name,)), each).is_another for each in all_catalogues()
    )


@pytest.mark.parametrize(
    "name", ["A catalogue", "AI risk controls", "Our own texts, revised 2025", "Map of measures"]
)
def test_a_title_that_names_no_publication_decides_nothing(name):
    assert not any(
        measure_fit(file("X", names=(name,)), each).is_another for each in all_catalogues()
    )


def test_of_several_spellings_the_one_beyond_doubt_wins():
    assert ref_in(("mp-1", "GOVERN 1.1"), RMF.refs) == "GOVERN 1.1"
    assert ref_in(("mp-1", "An invented title"), RMF.refs) == "MAP 1"
    assert ref_in(("AC-1", "Access"), RMF.refs) is None


def test_a_library_is_known_by_its_urn_although_its_name_says_nothing():
    node = {"ref_id": "GV", "assessable": False, "description": "Text."}
    content = {
        "urn": "urn:x:library:nist-ai-rmf-1.0",
        "name": "Library",
        "objects": {"framework": {"requirement_nodes": [node]}},
    }
    assert measure_fit(open_file(json.dumps(content).encode(), "library.json"), RMF).belongs
