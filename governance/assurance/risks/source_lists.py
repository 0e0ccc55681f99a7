"""The published lists that risks come from: ids and names only. Pure.

    SOURCES     each source by its id, such as LLM01:2026
    LISTS       (key, name) of each list, for a filter
    choices()   (id, label) of all sources, in the order of the lists

An edition is part of an id: the same number means another risk in another edition. The text of the
OWASP lists is CC BY-SA 4.0, so it isn't included here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from governance.assurance.frameworks.catalogue import AI_600_1, load_catalogue
from governance.kernel.work.inbox import lower_first


@dataclass(frozen=True, slots=True)
class RiskSource:
    """A risk of a published list. `short` is its name in rows of a list."""

    id: str
    title: str
    short: str
    list_key: str


OWN = "own"
LISTS = (
    ("nist", "NIST AI 600-1"),
    ("llm-2026", "OWASP Top 10 for LLM Applications 2026"),
    ("llm-2025", "OWASP Top 10 for LLM Applications 2025"),
    ("asi-2026", "OWASP Top 10 for Agentic Applications 2026"),
    (OWN, "Own"),
)
AGENTIC = (  # OWASP Top 10 for Agentic Applications 2026; drafts used other numbers.
    "Agent Goal Hijack",
    "Tool Misuse & Exploitation",
    "Identity & Privilege Abuse",
    "Agentic Supply Chain Vulnerabilities",
    "Unexpected Code Execution (RCE)",
    "Memory & Context Poisoning",
    "Insecure Inter-Agent Communication",
    "Cascading Failures",
    "Human-Agent Trust Exploitation",
    "Rogue Agents",
)


def _sources() -> Iterator[RiskSource]:
    for each in load_catalogue(AI_600_1).requirements:
        if each.depth == 1:
            number = each.ref.removeprefix("Risk ")
            yield RiskSource(
                f"NIST-{number}", each.title, f"NIST {lower_first(each.title)}", "nist"
            )
    for edition in ("2026", "2025"):
        for each in load_catalogue(f"owasp-llm-{edition}").requirements:
            yield RiskSource(each.ref, each.title, each.ref, f"llm-{edition}")
    for place, title in enumerate(AGENTIC, 1):
        ref = f"ASI{place:02}:2026"
        yield RiskSource(ref, title, ref, "asi-2026")


SOURCES = {each.id: each for each in _sources()}


def choices() -> list[tuple[str, str]]:
    return [(each.id, label(each.id)) for each in SOURCES.values()]


def label(source_id: str) -> str:
    """Return a label like "LLM01:2026 Prompt Injection" or "NIST AI 600-1: Confabulation"."""
    found = SOURCES[source_id]
    return (
        f"NIST AI 600-1: {found.title}" if found.list_key == "nist" else f"{found.id} {found.title}"
    )


def short_labels(source_ids: Sequence[str]) -> str:
    """Return short names of the sources like "LLM09:2026, NIST confabulation", or "Own"."""
    known = [SOURCES[each].short for each in source_ids if each in SOURCES]
    return ", ".join(known) or "Own"


def lists_of(source_ids: Sequence[str]) -> set[str]:
    """Return the keys of the lists that a risk comes from."""
    return {SOURCES[each].list_key for each in source_ids if each in SOURCES} or {OWN}
