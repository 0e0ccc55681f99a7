"""The risk ids of scenarios: OWASP lists by edition, and MITRE ATLAS techniques. Pure."""

from governance.assurance.red_teams.atlas import TECHNIQUES, VERSION
from governance.operations.evaluations.coverage.owasp import EDITIONS, RISKS

ATLAS = f"MITRE ATLAS {VERSION}"
NAMES = RISKS | TECHNIQUES


def list_of(risk: str) -> str:
    """Return the name of the list that has the id, or "" if none has it."""
    if risk in TECHNIQUES:
        return ATLAS
    return next((f"OWASP, {each.name}" for each in EDITIONS if risk in each.risks), "")


def choices() -> list[tuple[str, str]]:
    """Return each id with its name: OWASP by edition, then ATLAS."""
    return [(risk, f"{risk} {name}") for risk, name in NAMES.items()]
