"""The headlines of risk pages: conclusions with their numbers. Pure."""

from collections.abc import Sequence
from datetime import date

from governance.assurance.risks.queries import RiskPosture
from governance.kernel.formatting import plural, weekday


def headline(risks: Sequence[RiskPosture], today: date) -> str:
    """Return a headline like "3 of 14 risks are above appetite; 1 acceptance is stale …"."""
    if not risks:
        return "No risks yet"
    above = sum(each.is_above_appetite for each in risks)
    lead = f"{above or 'None'} of {plural(len(risks), 'risk')} {_is(above)} above appetite"
    told = _acceptances(risks, today)
    return f"{lead}; {told}" if told else lead


def _acceptances(risks: Sequence[RiskPosture], today: date) -> str:
    found = {
        name: [each for each in risks if each.acceptance.name == name]
        for name in ("stale", "expired", "expiring")
    }
    parts = []
    if stale := len(found["stale"]):
        parts.append(f"{plural(stale, 'acceptance')} {_is(stale)} stale")
    if expired := len(found["expired"]):
        parts.append(f"{expired if parts else plural(expired, 'acceptance')} expired")
    if found["expiring"]:
        days = sorted(each.given.expires_on for each in found["expiring"] if each.given)
        count = len(days) if parts else plural(len(days), "acceptance")
        when = "today" if days[0] == today else f"on {weekday(days[0])}"
        parts.append(
            f"{count} {'expires' if len(days) == 1 else 'expire'} {'' if len(days) == 1 else 'from '}"
            f"{when}".replace("from on", "from")
        )
    return " and ".join(parts)


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def above(risks: Sequence[RiskPosture], *, before: bool) -> str:
    """Return a text like "Before controls: 11 of 14 above appetite"."""
    count = sum(
        (each.inherent_score if before else each.residual.score) > each.scale.appetite
        for each in risks
    )
    where = "Before controls" if before else "After controls"
    return f"{where}: {count} of {len(risks)} above appetite"
