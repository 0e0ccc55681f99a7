"""The built-in frameworks to the last id, and the starter pack's mappings."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from governance.assurance.frameworks.catalogue import (
    AI_600_1,
    AI_RMF,
    KEYS,
    CatalogueRequirement,
    all_catalogues,
    catalogue_digest,
    crosswalk,
    load_catalogue,
    normalise_ref,
    sort_key,
)

STARTER = Path(__file__).parents[3] / "governance" / "assurance" / "controls" / "starter.yaml"
SUBCATEGORIES = {
    "GOVERN": (7, 3, 2, 3, 2, 2),
    "MAP": (6, 3, 5, 2, 2),
    "MEASURE": (3, 13, 3, 3),
    "MANAGE": (4, 4, 2, 3),
}
CODES = {"GOVERN": "GV", "MAP": "MP", "MEASURE": "MS", "MANAGE": "MG"}
ACTIONS = {  # Actions of AI 600-1 for each subcategory, from .1 on.
    "GOVERN": ((1, 2, 7, 2, 3, 3, 2), (5, 0, 0), (0, 5), (3, 3, 3), (2, 0), (10, 7)),
    "MAP": ((4, 2, 0, 0, 0, 0), (2, 2, 5), (0, 0, 0, 6, 0), (10, 0), (6, 2)),
    "MEASURE": ((9, 0, 3), (0, 4, 4, 0, 6, 7, 9, 4, 2, 3, 5, 4, 1), (0, 1, 5), (0, 5, 0)),
    "MANAGE": ((0, 0, 2, 0), (0, 9, 1, 4), (5, 9), (7, 3, 3)),
}
TAGGED = (31, 18, 31, 29, 4, 57, 58, 73, 51, 28, 14, 36)  # Actions for each of the twelve risks.
CRITERIA = {
    "CC1": 5,
    "CC2": 3,
    "CC3": 4,
    "CC4": 2,
    "CC5": 3,
    "CC6": 8,
    "CC7": 5,
    "CC8": 1,
    "CC9": 2,
    "A1": 3,
    "C1": 2,
    "PI1": 5,
    "P1": 1,
    "P2": 1,
    "P3": 2,
    "P4": 3,
    "P5": 2,
    "P6": 7,
    "P7": 1,
    "P8": 1,
}
COSO = {
    "CC1": range(1, 6),
    "CC3": range(6, 10),
    "CC5": range(10, 13),
    "CC2": range(13, 16),
    "CC4": range(16, 18),
}
SUCCESSORS = {1: 1, 2: 2, 3: 4, 4: 5, 5: 10, 6: 3, 7: 8, 8: 9, 9: 7, 10: 6}
AGENCY = ((6, "2025"), (3, "2026"))


def refs(key: str, depth: int | None = None) -> list[str]:
    """Return the ids of a catalogue, in its order, of one depth or of all."""
    return [each.ref for each in load_catalogue(key).requirements if depth in {None, each.depth}]


def requirement(key: str, ref: str) -> CatalogueRequirement:
    """Return the requirement with this id."""
    return next(each for each in load_catalogue(key).requirements if each.ref == ref)


def all_subcategories() -> list[str]:
    """Return the 72 ids, built from the counts."""
    return [
        f"{name} {category}.{number}"
        for name, counts in SUBCATEGORIES.items()
        for category, count in enumerate(counts, 1)
        for number in range(1, count + 1)
    ]


# --- Ids and counts -------------------------------------------------------------------------------


def test_the_ai_rmf_has_4_functions_19_categories_and_72_subcategories_with_these_ids() -> None:
    categories = [
        f"{name} {n}" for name, counts in SUBCATEGORIES.items() for n in range(1, len(counts) + 1)
    ]
    assert refs(AI_RMF, 1) == list(SUBCATEGORIES)
    assert refs(AI_RMF, 2) == categories
    assert refs(AI_RMF, 3) == all_subcategories()
    assert (len(refs(AI_RMF, 1)), len(refs(AI_RMF, 2)), len(refs(AI_RMF, 3))) == (4, 19, 72)


def test_only_the_72_subcategories_are_assessed_and_each_has_a_short_outcome_of_ours() -> None:
    assessable = load_catalogue(AI_RMF).assessable
    assert [each.ref for each in assessable] == all_subcategories()
    assert all(each.outcome.endswith(".") and len(each.outcome) <= 110 for each in assessable)
    assert (
        len({each.outcome for each in assessable}) == len({each.title for each in assessable}) == 72
    )


def test_ai_600_1_has_12_risks_and_212_actions_with_these_ids() -> None:
    expected = [
        f"{CODES[name]}-{category}.{number}-{action:03}"
        for name, categories in ACTIONS.items()
        for category, counts in enumerate(categories, 1)
        for number, count in enumerate(counts, 1)
        for action in range(1, count + 1)
    ]
    assert refs(AI_600_1, 1) == [f"Risk {number}" for number in range(1, 13)]
    assert refs(AI_600_1, 2) == expected
    assert len(expected) == 212


def test_each_action_names_its_subcategory_and_its_risks_and_stands_under_the_first() -> None:
    actions = load_catalogue(AI_600_1).assessable
    counted = Counter(risk for each in actions for risk in each.risks)
    assert tuple(counted[number] for number in range(1, 13)) == TAGGED
    for each in actions:
        assert each.subcategory == normalise_ref(each.ref.rsplit("-", 1)[0])
        assert each.parent == f"Risk {each.risks[0]}"
        assert each.risks == tuple(sorted(each.risks))


def test_an_action_has_a_title_made_from_facts() -> None:
    title = requirement(AI_600_1, "MG-4.3-003").title
    assert title == "Action 3 for MANAGE 4.3 (data privacy, information security)"


@pytest.mark.parametrize("year", ["2025", "2026"])
def test_owasp_has_ten_ids_that_carry_their_edition(year: str) -> None:
    assert refs(f"owasp-llm-{year}") == [f"LLM{number:02}:{year}" for number in range(1, 11)]


@pytest.mark.parametrize(("number", "year"), AGENCY)
def test_excessive_agency_has_another_number_in_each_edition(number: int, year: str) -> None:
    assert requirement(f"owasp-llm-{year}", f"LLM{number:02}:{year}").title == "Excessive Agency"


def test_soc_2_has_61_criteria_33_of_them_common_with_these_ids() -> None:
    expected = [
        f"{group}.{number}" for group, count in CRITERIA.items() for number in range(1, count + 1)
    ]
    assert [each.ref for each in load_catalogue("soc2-tsc-2017").assessable] == expected
    assert refs("soc2-tsc-2017", 1) == list(CRITERIA)
    assert len(expected) == 61
    assert sum(ref.startswith("CC") for ref in expected) == 33


def test_the_17_coso_principles_are_on_the_first_five_groups_of_common_criteria() -> None:
    expected = {
        f"{group}.{n}": coso for group, numbers in COSO.items() for n, coso in enumerate(numbers, 1)
    }
    found = {
        each.ref: each.coso
        for each in load_catalogue("soc2-tsc-2017").requirements
        if each.coso is not None
    }
    assert found == expected


# --- Every catalogue ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS)
def test_a_catalogue_is_a_tree_in_order_with_a_title_on_each_node(key: str) -> None:
    seen: dict[str, int] = {}
    for position, each in enumerate(load_catalogue(key).requirements, 1):
        assert each.position == position
        assert each.depth == (1 if each.parent is None else seen[each.parent] + 1)
        assert each.title == each.title.strip() != ""
        seen[each.ref] = each.depth
    assert len(seen) == len(load_catalogue(key).requirements)


@pytest.mark.parametrize("key", KEYS)
def test_sorting_by_key_gives_the_publishers_order(key: str) -> None:
    expected = [
        each.ref
        for depth in (1, 2, 3)
        for each in load_catalogue(key).requirements
        if each.depth == depth
    ]
    by_depth = sorted(
        load_catalogue(key).requirements, key=lambda each: (each.depth, sort_key(each.ref))
    )
    assert [each.ref for each in by_depth] == expected


@pytest.mark.parametrize("key", KEYS)
def test_a_catalogue_says_where_it_is_from_and_under_which_licence(key: str) -> None:
    found = load_catalogue(key)
    assert all(
        (found.version, found.title, found.edition, found.publisher, found.licence, found.source)
    )


def test_an_unknown_key_is_refused_with_the_list_of_known_ones() -> None:
    with pytest.raises(KeyError, match="nist-ai-rmf-2.0.*Choose one of: nist-ai-rmf-1.0"):
        load_catalogue("nist-ai-rmf-2.0")


def test_the_digest_is_64_hex_digits_and_changes_with_one_title() -> None:
    found = load_catalogue(AI_RMF)
    first = replace(found.requirements[0], title="Governs")
    other = replace(found, requirements=(first, *found.requirements[1:]))
    assert len(catalogue_digest(found)) == len(bytes.fromhex(catalogue_digest(found))) * 2 == 64
    assert (
        catalogue_digest(found)
        == catalogue_digest(load_catalogue(AI_RMF))
        != catalogue_digest(other)
    )
    assert len({catalogue_digest(each) for each in all_catalogues()}) == len(KEYS)


# --- Spellings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spelled", "official"),
    [
        ("GOVERN 1.1", "GOVERN 1.1"),
        ("GV-1.1", "GOVERN 1.1"),
        ("GOVERN-1", "GOVERN 1"),
        ("GOVERN-1.1", "GOVERN 1.1"),
        ("GOVERN 1.0", "GOVERN 1"),
        ("ai-rmf-gv-1.1", "GOVERN 1.1"),
        ("ai-rmf-gv", "GOVERN"),
        ("nist:ai:measure:1.1", "MEASURE 1.1"),
        ("Govern 1.1", "GOVERN 1.1"),
        (" measure_2.10\n", "MEASURE 2.10"),
        ("MANAGE\N{NO-BREAK SPACE}2.4", "MANAGE 2.4"),
        ("MG\N{EN DASH}2.4", "MANAGE 2.4"),
        ("NIST AI RMF 1.0 MAP 3.5", "MAP 3.5"),
    ],
)
def test_the_spellings_in_the_wild_are_understood(spelled: str, official: str) -> None:
    assert normalise_ref(spelled) == official


@pytest.mark.parametrize(
    "spelled",
    [
        "",
        "GV-1.1-001",
        "CC1.1",
        "LLM01:2025",
        "1.1",
        "MAP 1.01",
        "MAP 0.1",
        "MAP 1.100",
        "MAP 1.1.1",
        "REMAP 1.1",
        "MAP 1.",
        "MAP .1",
        "MEA\N{LATIN SMALL LETTER LONG S}URE 1.1",
        "MAP \N{ARABIC-INDIC DIGIT ONE}.1",
    ],
)
def test_what_is_no_ai_rmf_id_is_none(spelled: str) -> None:
    assert normalise_ref(spelled) is None


@given(
    name=st.sampled_from([*CODES, *CODES.values()]),
    numbers=st.tuples(st.integers(1, 9), st.integers(1, 99)),
    gap=st.sampled_from(["", " ", "-", "_", ":", "  ", " - "]),
    prefix=st.sampled_from(["", "ai-rmf-", "nist:ai:", "NIST AI RMF "]),
)
def test_every_spelling_of_an_id_gives_the_same_id(
    name: str, numbers: tuple[int, int], gap: str, prefix: str
) -> None:
    category, number = numbers
    spelled = f"{prefix}{name}{gap}{category}.{number}"
    official = {code: full for full, code in CODES.items()}.get(name, name)
    assert (
        normalise_ref(spelled)
        == normalise_ref(spelled.lower())
        == f"{official} {category}.{number}"
    )


@given(st.text(max_size=40))
def test_a_normalised_id_stays_as_it_is_and_no_text_is_too_odd(text: str) -> None:
    found = normalise_ref(text)
    assert found is None or normalise_ref(found) == found


def test_2_10_and_2_1_are_two_requirements_and_2_10_comes_after_2_9() -> None:
    assert normalise_ref("MEASURE 2.10") != normalise_ref("MEASURE 2.1")
    assert sorted(["MEASURE 2.10", "MEASURE 2.9", "MEASURE 2.1"], key=sort_key) == [
        "MEASURE 2.1",
        "MEASURE 2.9",
        "MEASURE 2.10",
    ]


@given(st.lists(st.text(max_size=20)))
def test_any_ids_can_be_sorted(texts: list[str]) -> None:
    assert Counter(sorted(texts, key=sort_key)) == Counter(texts)


# --- Crosswalk ------------------------------------------------------------------------------------


def test_every_link_names_two_ids_that_exist_and_says_why() -> None:
    for each in crosswalk():
        assert each.ref in load_catalogue(each.framework).refs
        assert each.to_ref in load_catalogue(each.to_framework).refs
        assert each.rationale.endswith(".")
        assert 1 <= each.strength <= 10


def test_all_ten_risks_of_2025_have_a_successor_in_2026_and_one_became_wider() -> None:
    links = [each for each in crosswalk() if each.framework == "owasp-llm-2025"]
    assert {each.ref: each.to_ref for each in links} == {
        f"LLM{old:02}:2025": f"LLM{new:02}:2026" for old, new in SUCCESSORS.items()
    }
    assert [each.ref for each in links if each.relationship == "subset_of"] == ["LLM07:2025"]


def test_no_link_across_publishers_claims_to_be_equal() -> None:
    assert {each.framework for each in crosswalk() if each.relationship == "equal"} == {
        "owasp-llm-2025"
    }


def test_the_links_of_measure_2_7_lead_to_three_other_frameworks() -> None:
    links = {each.to_ref: each.relationship for each in crosswalk() if each.ref == "MEASURE 2.7"}
    expected = {"LLM01:2025": "intersects", "CC7.1": "subset_of", "Risk 9": "intersects"}
    assert expected.items() <= links.items()


# --- The starter pack -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def controls() -> list[dict[str, Any]]:
    """Return the 60 controls as stored in the file."""
    return list(yaml.safe_load(STARTER.read_text(encoding="utf-8"))["controls"])


def mapped(controls: list[dict[str, Any]], framework: str) -> Counter[str]:
    """Return how many controls map to each id."""
    return Counter(
        each["ref"]
        for control in controls
        for each in control["mappings"]
        if each["framework"] == framework
    )


def test_the_starter_pack_has_60_complete_controls_with_ids_of_their_own(
    controls: list[dict[str, Any]],
) -> None:
    assert len({each["ref"] for each in controls}) == len(controls) == 60
    for each in controls:
        assert each["kind"] in {"preventive", "detective", "corrective"}
        assert each["automation"] in {"automated", "manual"}
        assert each["cadence"] in {
            "daily",
            "weekly",
            "monthly",
            "quarterly",
            "half-yearly",
            "yearly",
            "per release",
            "per change",
        }
        assert 1 <= len(each["evidence"]) <= 3
        assert each["does"].count(". ") == 1, each["ref"]
        assert each["does"].endswith(".")


def test_every_mapping_names_an_assessable_requirement_once(controls: list[dict[str, Any]]) -> None:
    assessable = {key: {each.ref for each in load_catalogue(key).assessable} for key in KEYS}
    for control in controls:
        pairs = [(each["framework"], each["ref"]) for each in control["mappings"]]
        assert len(set(pairs)) == len(pairs) > 0, control["ref"]
        assert all(ref in assessable[key] for key, ref in pairs), control["ref"]
        assert {each["coverage"] for each in control["mappings"]} <= {"full", "partial"}


def test_each_of_the_72_subcategories_has_one_to_five_controls(
    controls: list[dict[str, Any]],
) -> None:
    counted = mapped(controls, AI_RMF)
    assert set(counted) == set(all_subcategories())
    assert max(counted.values()) <= 5


def test_all_33_common_criteria_and_all_ten_owasp_risks_have_a_control(
    controls: list[dict[str, Any]],
) -> None:
    common = {
        each.ref for each in load_catalogue("soc2-tsc-2017").assessable if each.ref.startswith("CC")
    }
    assert common <= set(mapped(controls, "soc2-tsc-2017"))
    assert set(mapped(controls, "owasp-llm-2025")) == set(refs("owasp-llm-2025"))


def test_measure_2_7_and_2_12_have_exactly_these_controls(controls: list[dict[str, Any]]) -> None:
    found = {
        (each["ref"], control["ref"]): each["coverage"]
        for control in controls
        for each in control["mappings"]
        if each["ref"] in {"MEASURE 2.7", "MEASURE 2.12"}
    }
    assert found == {
        ("MEASURE 2.7", "SEC-04"): "full",
        ("MEASURE 2.7", "SEC-07"): "full",
        ("MEASURE 2.7", "SEC-09"): "full",
        ("MEASURE 2.7", "SEC-11"): "partial",
        ("MEASURE 2.7", "RES-02"): "partial",
        ("MEASURE 2.12", "ENV-01"): "full",
    }


def test_the_controls_that_the_example_data_speaks_of_are_there(
    controls: list[dict[str, Any]],
) -> None:
    expected = """SEC-04 SEC-07 SEC-09 SEC-11 RES-02 ENV-01 MON-07 OPS-08 ACC-01 ACC-03 CHG-02 OPS-06 MON-01
                  LOG-01 HR-02 VEN-03 TRA-01"""
    assert set(expected.split()) <= {each["ref"] for each in controls}
