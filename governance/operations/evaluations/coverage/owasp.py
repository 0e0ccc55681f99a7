"""The OWASP lists by edition: only ids and names, since OWASP owns the texts. Pure.

The edition is part of every id, since a number means another risk in another edition.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OwaspEdition:
    """One list; its ids are "LLM01:2025" to "LLM10:2025"."""

    key: str
    name: str
    prefix: str
    year: int
    names: Sequence[str]

    @property
    def risks(self) -> dict[str, str]:
        """Names by id, in the order of the list."""
        return {
            f"{self.prefix}{rank:02}:{self.year}": name for rank, name in enumerate(self.names, 1)
        }


EDITIONS = (
    OwaspEdition(
        "llm-2026",
        "LLM applications, 2026",
        "LLM",
        2026,
        (
            "Prompt Injection",
            "Sensitive Information Disclosure",
            "Excessive Agency",
            "Supply Chain",
            "Data and Model Poisoning",
            "Unbounded Consumption",
            "Misinformation",
            "Hidden Context Exposure",
            "Vector and Embedding Weaknesses",
            "Improper Output Handling",
        ),
    ),
    OwaspEdition(
        "llm-2025",
        "LLM applications, 2025",
        "LLM",
        2025,
        (
            "Prompt Injection",
            "Sensitive Information Disclosure",
            "Supply Chain",
            "Data and Model Poisoning",
            "Improper Output Handling",
            "Excessive Agency",
            "System Prompt Leakage",
            "Vector and Embedding Weaknesses",
            "Misinformation",
            "Unbounded Consumption",
        ),
    ),
    OwaspEdition(
        "agentic-2026",
        "Agentic applications, 2026",
        "ASI",
        2026,
        (
            "Agent Goal Hijack",
            "Tool Misuse and Exploitation",
            "Identity and Privilege Abuse",
            "Agentic Supply Chain Vulnerabilities",
            "Unexpected Code Execution",
            "Memory and Context Poisoning",
            "Insecure Inter-Agent Communication",
            "Cascading Failures",
            "Human-Agent Trust Exploitation",
            "Rogue Agents",
        ),
    ),
)
BY_KEY = {edition.key: edition for edition in EDITIONS}
RISKS = {risk: name for edition in EDITIONS for risk, name in edition.risks.items()}


def unknown(risks: Iterable[str]) -> list[str]:
    """Return the ids that no edition has, such as one without its year."""
    return [risk for risk in risks if risk not in RISKS]
