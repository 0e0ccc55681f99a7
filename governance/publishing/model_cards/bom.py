"""A model card as an ML-BOM: CycloneDX 1.7 in JSON. Pure.

ml_bom(card, …)    a bill of materials whose component is the AI system, with its model card

A licence that nobody stated is named "Unknown": leaving it out would read as none.
"""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from governance.publishing.model_cards.drawing import limit_words

SCHEMA = "http://cyclonedx.org/schema/bom-1.7.schema.json"
SPEC_VERSION = "1.7"
NAMESPACE = uuid.UUID("6f0cd1a4-6e0b-5b3e-9d7f-2f5f3a8f0d17")  # Namespace of serial numbers.
UNKNOWN_LICENCE = {"license": {"name": "Unknown"}}
OWN_LICENCE = {"license": {"name": "Own licence"}}


def ml_bom(
    card: Mapping[str, Any], *, number: int, sha256: str, published_at: str
) -> dict[str, Any]:
    """Return one version of a card as an ML-BOM. The same card gives the same bytes."""
    system = card["system"]
    data = [_data(each, n) for n, each in enumerate(system["data_sets"], 1)]
    models = [_model(each, n) for n, each in enumerate(system["models"], 1)]
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, sha256)}",
        "version": number,
        "metadata": {
            "timestamp": published_at,
            "supplier": {"name": card["tenant"]},
            "properties": [_property("sha256", sha256)],
        },
        "components": [
            {
                "type": "machine-learning-model",
                "bom-ref": "system",
                "supplier": {"name": card["tenant"]},
                "name": system["name"],
                "version": card["release"],
                "description": system["purpose"],
                "licenses": [UNKNOWN_LICENCE],
                "modelCard": _model_card(card, [each["bom-ref"] for each in data]),
            },
            *models,
            *data,
        ],
        "dependencies": [
            {"ref": "system", "dependsOn": [each["bom-ref"] for each in (*models, *data)]}
        ],
    }


def _model(each: Mapping[str, str], n: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": f"model-{n}",
        "name": each["name"] or "unnamed",
        "licenses": [UNKNOWN_LICENCE],
    }
    if each["provider"]:
        made["supplier"] = {"name": each["provider"]}
    if each["version"]:
        made["version"] = each["version"]
    return made


def _data(each: Mapping[str, Any], n: int) -> dict[str, Any]:
    licence = {"expression": each["licence"]} if each["licence"] else UNKNOWN_LICENCE
    made: dict[str, Any] = {
        "type": "data",
        "bom-ref": f"data-{n}",
        "name": each["name"],
        "licenses": [OWN_LICENCE if each["own_licence"] else licence],
        "data": [{"type": "dataset", "name": each["name"]}],
    }
    if each["version"]:
        made["version"] = str(each["version"])
    return made


def _model_card(card: Mapping[str, Any], data: Iterable[str]) -> dict[str, Any]:
    system = card["system"]
    made: dict[str, Any] = {
        "bom-ref": "model-card",
        "quantitativeAnalysis": {
            "performanceMetrics": [_metric(each) for each in card["figures"]],
        },
        "considerations": {
            "useCases": list(system["capabilities"]),
            "technicalLimitations": [
                *system["limits"],
                *(
                    f"{each['title']}. {each['text']}"
                    for each in card["known_failures"]
                    if not each["ended"]
                ),
            ],
        },
        "properties": [*_properties(card)],
    }
    if system["intended_users"]:
        made["considerations"]["users"] = [system["intended_users"]]
    if refs := [{"ref": each} for each in data]:
        made["modelParameters"] = {"datasets": refs}
    return made


def _metric(each: Mapping[str, Any]) -> dict[str, Any]:
    interval = {"lowerBound": _number(each["low"])}
    if each["high"] is not None:
        interval["upperBound"] = _number(each["high"])
    return {
        "type": f"{each['name']} ({each['unit']})",
        "value": _number(each["point"]),
        "slice": f"{each['suite']}, version {each['suite_version']}, n = {each['n']}",
        "confidenceInterval": interval,
    }


def _number(value: float) -> str:
    return f"{value:.6g}"


def _properties(card: Mapping[str, Any]) -> Iterable[dict[str, str]]:
    yield _property("policy-tier", card["policy"]["tier"])
    for each in card["figures"]:
        lead = f"figure:{each['suite_key']}:{each['measure']}"
        yield _property(f"{lead}:run", str(each["run"]))
        yield _property(f"{lead}:method", each["method"])
        if each["limit"] is not None:
            yield _property(f"{lead}:limit", limit_words(each))
    for each in card["known_failures"]:
        if each["ended"]:
            yield _property(f"fixed:{each['ref']}", f"{each['title']}. {each['text']}")


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": f"meridian:{name}", "value": value}
