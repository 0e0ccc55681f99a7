"""Facts of a system in the register: pure functions that clean, compare and judge them."""

import pytest

from governance.kernel.errors import Invalid
from governance.operations.systems.facts import (
    MAX_LINES,
    MAX_MODELS,
    cleaned,
    differences,
    listed,
    model_family,
    models_text,
    readable,
    substantial_changes,
)

HELIO = {
    "provider": "Helio",
    "name": "helio-4-large",
    "version": "2026-08",
    "retires_on": "",
    "successor": "",
}
LIVE = {
    "stage": "live",
    "purpose": "Sorts claims.",
    "models": [HELIO],
    "data_sets": ["policy-wordings 12"],
    "autonomy": "limits",
    "autonomy_note": "Approves under €1,500",
    "intended_users": "21 adjusters",
}


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("helio-4-large", "helio-4"),
        ("helio-4-small-2026-08", "helio-4"),
        ("Helio 5 Medium", "helio-5"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o"),
        ("claude-3-5-sonnet-20241022", "claude-3"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4"),
        ("gemini-1.5-pro", "gemini-1.5"),
        ("meta-llama/llama3.1-70b", "llama3.1"),
        ("o3-mini", "o3"),
        ("mistral-large-2407", "mistral-large"),
        ("document-ocr", "document-ocr"),
        ("20250101", "20250101"),
    ],
)
def test_a_family_is_the_name_up_to_its_first_version_number(name, family):
    assert model_family("Helio", name) == f"helio/{family}"


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"purpose": "Decides claims."}, ("purpose",)),
        ({"models": [HELIO | {"name": "helio-5-medium"}]}, ("model_family",)),
        ({"models": [HELIO | {"provider": "Nimbus"}]}, ("model_family",)),
        ({"models": []}, ("model_family",)),
        ({"data_sets": ["policy-wordings 12", "claims-2025 3"]}, ("data_sets",)),
        ({"autonomy": "alone"}, ("autonomy",)),
        ({"autonomy_note": "Approves under €5,000"}, ("autonomy",)),
        ({"intended_users": "Policyholders"}, ("intended_users",)),
        (
            {"purpose": "Decides claims.", "autonomy": "alone"},
            ("purpose", "autonomy"),
        ),
    ],
)
def test_a_change_of_purpose_models_data_autonomy_or_users_is_substantial(change, reasons):
    assert substantial_changes(LIVE, LIVE | change) == reasons


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"purpose": "  sorts   claims "},
        {"models": [HELIO | {"name": "helio-4-small", "version": "2026-11"}]},
        {"models": [HELIO | {"retires_on": "2027-03-31"}]},
        {"data_sets": ["Policy-Wordings 12"]},
        {"name": "Another", "team": "Claims", "limits": ["No bodily injury"]},
        {"stage": "restricted"},
    ],
)
def test_spelling_and_other_facts_are_not_substantial(change):
    assert substantial_changes(LIVE, LIVE | change) == ()


def test_completing_the_record_is_not_substantial_but_removing_from_it_is():
    blank = LIVE | {"models": [], "data_sets": [], "autonomy": "", "autonomy_note": ""}
    assert substantial_changes(blank, LIVE) == ()
    assert substantial_changes(LIVE, blank) == ("model_family", "data_sets", "autonomy")


@pytest.mark.parametrize("stage", ["proposed", "in_review"])
def test_before_its_approval_nothing_is_substantial(stage):
    assert substantial_changes(LIVE | {"stage": stage}, LIVE | {"purpose": "Another."}) == ()


def test_models_are_typed_one_a_line_and_shown_as_they_were_typed():
    typed = "Helio, helio-4-large, 2026-08, 2027-03-31\n\n Nimbus ,  ocr "
    stored = cleaned({"models": typed})["models"]
    assert stored == [
        HELIO | {"retires_on": "2027-03-31"},
        {"provider": "Nimbus", "name": "ocr", "version": "", "retires_on": "", "successor": ""},
    ]
    assert models_text(stored) == "Helio, helio-4-large, 2026-08, 2027-03-31\nNimbus, ocr"
    assert cleaned({"models": typed + "\nNimbus, ocr"})["models"] == stored
    assert cleaned({"models": stored})["models"] == stored


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("models", "helio-4-large", "Models, line 1: enter the provider and the name"),
        ("models", "Helio, a\n, b", "Models, line 2"),
        ("models", "Helio, a, 1, soon", "retirement day as 2027-03-31"),
        ("models", "Helio, a, 1, 2027-03-31, b, more", "at most five parts"),
        ("models", "Helio, " + "x" * 201, "at most 200 characters"),
        ("models", "\n".join(f"Helio, m{n}" for n in range(MAX_MODELS + 1)), "at most 20"),
        ("limits", "\n".join(f"No {n}" for n in range(MAX_LINES + 1)), "at most 50 lines"),
        ("limits", "short\n" + "x" * 201, "Limits, line 2"),
        ("team", "x" * 201, "at most 200 characters"),
        ("why_shown", "x" * 2001, "at most 2,000 characters"),
        ("kind", "robot", "choose one of the values"),
        ("kind", "", "enter a value"),
        ("autonomy", "total", "choose one of the values"),
        ("ai_act_class", "unclear", "choose one of the values"),
    ],
)
def test_a_wrong_fact_is_refused_with_its_field_and_line(field, value, says):
    with pytest.raises(Invalid) as refused:
        cleaned({field: value})
    assert says in refused.value.message and refused.value.field == field


def test_differences_name_only_what_differs_and_a_blank_equals_a_missing_one():
    assert differences({"name": "A", "team": ""}, {"name": "B", "limits": []}) == [
        ("name", "A", "B")
    ]


def test_values_are_shown_as_people_read_them():
    assert readable("ai_act_class", "high_risk") == "High risk (Article 6)"
    assert readable("models", [HELIO | {"retires_on": "2027-03-31"}]) == (
        "Helio helio-4-large 2026-08, retires 31 March 2027"
    )
    assert readable("limits", ["No injury", "No handwriting"]) == "No injury; No handwriting"
    assert readable("owner", "gone", {}) == "a former member" and readable("team", "") is None
    assert listed(["purpose", "autonomy"]) == "the purpose changes and the autonomy changes"
