"""Proposed MEASURE requirements of the NIST AI RMF for each measure. Pure.

A proposal is a starting point: it is applied only on request, and people can change it.
"""

from collections.abc import Mapping

FRAMEWORK = "nist-ai-rmf"
# Matched by the start of the measure's key: measures of the task packs, and common names.
REQUIREMENTS: Mapping[str, tuple[str, ...]] = {
    "hallucination": ("MEASURE 2.5",),
    "grounding": ("MEASURE 2.5",),
    "citation": ("MEASURE 2.9",),
    "task-success": ("MEASURE 2.3", "MEASURE 2.5"),
    "accuracy": ("MEASURE 2.3", "MEASURE 2.5"),
    "latency": ("MEASURE 2.3",),
    "harmful": ("MEASURE 2.6",),
    "toxicity": ("MEASURE 2.6", "MEASURE 2.11"),
    "refusal": ("MEASURE 2.6",),
    "prompt-injection": ("MEASURE 2.7",),
    "jailbreak": ("MEASURE 2.7",),
    "transparency": ("MEASURE 2.8",),
    "privacy": ("MEASURE 2.10",),
    "leak": ("MEASURE 2.10",),
    "fairness": ("MEASURE 2.11",),
    "bias": ("MEASURE 2.11",),
}


def requirements_of(measure: str) -> tuple[str, ...]:
    """Return the requirements proposed for a measure with this key."""
    return next((refs for start, refs in REQUIREMENTS.items() if measure.startswith(start)), ())
