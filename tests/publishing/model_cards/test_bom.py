"""The ML-BOM of a card, valid CycloneDX 1.7 even with licenses that nobody stated.

The schemas are in tests/vendor/cyclonedx; tests/test_sbom.py names their source.
"""

import json
from copy import deepcopy

import jsonschema_rs
import pytest

from governance.publishing.model_cards.bom import ml_bom
from tests.conftest import REPOSITORY

SCHEMAS = REPOSITORY / "tests" / "vendor" / "cyclonedx"
DATA = {"name": "wordings", "version": 12, "licence": "CC-BY-4.0", "own_licence": False}
CARD = {
    "tenant": "Acme",
    "release": "2026.11.2",
    "system": {
        "name": "Claims triage",
        "purpose": "Sorts claims.",
        "intended_users": "Adjusters",
        "capabilities": ["Explains cover"],
        "limits": ["Decide on a claim"],
        "models": [{"provider": "Helio", "name": "helio-4", "version": "2"}],
        "data_sets": [DATA],
    },
    "policy": {"tier": "Standard", "settings": []},
    "figures": [
        {
            "suite": "Claims grounding",
            "suite_key": "claims-grounding",
            "suite_version": 3,
            "method": "A judge reads it.",
            "measure": "hallucination",
            "name": "Hallucination",
            "unit": "share",
            "at_least": False,
            "point": 0.014167,
            "low": 0.0075,
            "high": 0.0263,
            "n": 1200,
            "limit": 0.03,
            "run": 2310,
        }
    ],
    "known_failures": [
        {"ref": "INC-1", "title": "Languages", "text": "It mixed them.", "ended": None},
        {"ref": "EVF-2", "title": "Links", "text": "They didn't open.", "ended": "2026-10-01"},
    ],
}


@pytest.fixture(scope="module")
def validator():
    def retrieve(uri):
        return json.loads((SCHEMAS / uri.rsplit("/", 1)[-1]).read_text())

    schema = json.loads((SCHEMAS / "bom-1.7.schema.json").read_text())
    return jsonschema_rs.validator_for(schema, retriever=retrieve, validate_formats=True)


def bom_of(**system):
    card = deepcopy(CARD)
    card["system"] |= system
    return ml_bom(card, number=3, sha256="ab" * 32, published_at="2026-11-27T09:00:00+00:00")


@pytest.mark.parametrize(
    "system",
    [
        {},
        {"data_sets": [DATA | {"licence": "", "version": 0}]},
        {"data_sets": [DATA | {"licence": "", "own_licence": True}]},
        {"data_sets": [DATA | {"licence": "MIT OR Apache-2.0"}]},
        {"data_sets": [], "models": [], "intended_users": "", "purpose": ""},
        {"models": [{"provider": "", "name": "", "version": ""}] * 2},
        {"data_sets": [DATA, DATA]},
    ],
    ids=["full", "unknown", "own", "expression", "bare", "unnamed", "twice"],
)
def test_it_is_valid_whatever_the_register_leaves_out(validator, system):
    made = bom_of(**system)
    assert [each.message for each in validator.iter_errors(made)] == []
    refs = [each["bom-ref"] for each in made["components"]]
    assert len(set(refs)) == len(refs)


def test_a_card_without_figures_is_valid_too(validator):
    card = deepcopy(CARD) | {"figures": [], "known_failures": []}
    made = ml_bom(card, number=1, sha256="cd" * 32, published_at="2026-11-27T09:00:00+00:00")
    assert [each.message for each in validator.iter_errors(made)] == []


def test_a_licence_is_named_as_far_as_it_is_known():
    def licence(**changes):
        return bom_of(data_sets=[DATA | changes])["components"][-1]["licenses"]

    assert licence() == [{"expression": "CC-BY-4.0"}]
    assert licence(licence="") == [{"license": {"name": "Unknown"}}]
    assert licence(licence="", own_licence=True) == [{"license": {"name": "Own licence"}}]


def test_each_figure_has_its_interval_its_cases_and_its_run():
    found = bom_of()["components"][0]["modelCard"]
    assert found["quantitativeAnalysis"]["performanceMetrics"] == [
        {
            "type": "Hallucination (share)",
            "value": "0.014167",
            "slice": "Claims grounding, version 3, n = 1200",
            "confidenceInterval": {"lowerBound": "0.0075", "upperBound": "0.0263"},
        }
    ]
    said = {each["name"]: each["value"] for each in found["properties"]}
    assert said["meridian:figure:claims-grounding:hallucination:run"] == "2310"
    assert said["meridian:figure:claims-grounding:hallucination:limit"] == "at most 3.0%"
    assert said["meridian:fixed:EVF-2"] == "Links. They didn't open."
    assert "Languages. It mixed them." in found["considerations"]["technicalLimitations"]


def test_the_same_card_gives_the_same_bytes():
    assert json.dumps(bom_of()) == json.dumps(bom_of())
