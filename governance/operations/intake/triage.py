"""Triage of a proposed AI system: classes and duties from its answers, with reasons. Pure.

    triage(answers, act=…, on=…) -> Triage
    triage(…, eu_class=…, risk_class=…)     with the classes that a reviewer has set
    legal_duties(answers, eu_class, …)      only the duties under the EU AI Act

The class of the EU AI Act (law.py) follows from Article 5, Article 6 with Annex III, and
Article 50, by number and in our own words. It is a proposal: a reviewer decides.
Requirements are ids of the NIST AI RMF 1.0 that a control should satisfy; which ones apply to an
answer is our judgement.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from governance.kernel.formatting import long_day
from governance.operations.intake.law import ROLES, Duty, Law
from governance.operations.intake.questions import ANNEX_III, NONE, SAFEGUARDS, unanswered

RISK_CLASSES = {"standard": "Standard", "high_risk": "High risk"}  # Names as in the register
EU_CLASSES = {
    "prohibited": "Prohibited practice",
    "high_risk": "High risk",
    "transparency": "Transparency duties",
    "minimal": "Minimal risk",
    "out_of_scope": "Outside the EU AI Act",
}  # Strictest first
STRICTEST_FIRST = tuple(EU_CLASSES)


@dataclass(frozen=True, slots=True)
class TriageReason:
    """One sentence, with the provision or answer that it is based on."""

    text: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class LegalDuty:
    """A duty under the EU AI Act. `is_ours` is True if the tenant has one of its roles."""

    text: str
    source: str
    roles: tuple[str, ...]
    applies_from: date
    is_ours: bool
    doubt: str = ""
    requirements: tuple[str, ...] = ()
    points: tuple[str, ...] = ()

    @property
    def role_names(self) -> str:
        return ", ".join(ROLES[each] for each in self.roles)


@dataclass(frozen=True, slots=True)
class Triage:
    """The result of triage.

    `open` has the keys of questions without an answer, and SAFEGUARDS if the answer needs proof.
    """

    risk_class: str
    risk_reasons: tuple[TriageReason, ...]
    eu_class: str
    eu_reasons: tuple[TriageReason, ...]
    legal_duties: tuple[LegalDuty, ...]
    duties: tuple[TriageReason, ...]  # Duties under other laws
    requirements: tuple[TriageReason, ...]  # Source: an id of the NIST AI RMF
    tier: str  # Key of a policy tier; empty for a prohibited practice
    tier_reason: str
    open: tuple[str, ...]


def triage(
    answers: Mapping[str, Any],
    *,
    act: Law,
    on: date,
    placed_on: date | None = None,
    eu_class: str = "",
    risk_class: str = "",
) -> Triage:
    """Classify a proposed system under a version of the law, as of a day.

    `answers` are cleaned (questions.cleaned).

    The classes of the result and their reasons come from the answers. Duties, requirements and tier
    come from the given classes if a reviewer has set others.
    """
    found_eu, eu_reasons = _eu_class(answers, act, on)
    found_risk, risk_reasons = _risk_class(answers, found_eu)
    eu_class, risk_class = eu_class or found_eu, risk_class or found_risk
    tier, tier_reason = _tier(answers, eu_class, risk_class)
    return Triage(
        found_risk,
        risk_reasons,
        found_eu,
        eu_reasons,
        legal_duties(answers, eu_class, act=act, placed_on=placed_on),
        tuple(_personal_data(answers)),
        tuple(_requirements(answers, risk_class)),
        tier,
        tier_reason,
        tuple(_open(answers, act)),
    )


def _open(answers: Mapping[str, Any], act: Law) -> list[str]:
    """Return the questions without an answer, and SAFEGUARDS if their proof is missing."""
    found = unanswered(answers, asked_before=not act.amended_by)
    if answers.get(SAFEGUARDS) in {"tested", "untested"}:
        found.append(SAFEGUARDS)
    return found


def is_looser(eu_class: str, than: str) -> bool:
    """Return True if a class of the EU AI Act is less strict than another one."""
    return STRICTEST_FIRST.index(eu_class) > STRICTEST_FIRST.index(than)


# ---- the EU AI Act


def _eu_class(
    answers: Mapping[str, Any], act: Law, on: date
) -> tuple[str, tuple[TriageReason, ...]]:
    regions = answers.get("regions", [])
    if regions and "eu" not in regions:
        reason = TriageReason("It affects nobody in the European Union", "Article 2(1)")
        return "out_of_scope", (reason,)
    if practices := [
        act.practices[each] for each in answers.get("practices", []) if each in act.practices
    ]:
        return "prohibited", tuple(
            TriageReason(
                each.own_title
                if each.applies_from <= on
                else f"{each.own_title}: will be prohibited on {long_day(each.applies_from)}",
                each.ref,
            )
            for each in practices
        )
    if high := tuple(_high_risk(answers)):
        return "high_risk", high
    exempt = (*_convenience(answers), *_exempt(answers))
    if seen := tuple(_transparency(answers, act)):
        return "transparency", (*seen, *exempt)
    return "minimal", exempt or (
        TriageReason("No answer leads to Article 5, Article 6 or Article 50", act.title),
    )


def _high_risk(answers: Mapping[str, Any]) -> Iterator[TriageReason]:
    if answers.get("safety") == "yes":
        yield TriageReason("It is a safety component of a regulated product", "Article 6(1)")
    area = answers.get("area", "")
    if _is_high_risk_area(answers):
        yield TriageReason(
            f"It is used in an area of high risk: {ANNEX_III[area]}", f"Annex III({area})"
        )
        if answers.get("profiles") == "yes":
            yield TriageReason("It profiles people, so no exemption applies", "Article 6(3)")


def _is_high_risk_area(answers: Mapping[str, Any]) -> bool:
    return answers.get("area") in ANNEX_III and not _is_exempt(answers)


def _convenience(answers: Mapping[str, Any]) -> Iterator[TriageReason]:
    if answers.get("safety") == "convenience":
        yield TriageReason(
            "It is part of a regulated product for convenience alone; its failure endangers nobody",
            "Article 6(1a)",
        )


def _is_exempt(answers: Mapping[str, Any]) -> bool:
    """Return True if Article 6(3) exempts it; False while the questions about it are open."""
    return answers.get("profiles") == "no" and answers.get("task", NONE) != NONE


def _exempt(answers: Mapping[str, Any]) -> Iterator[TriageReason]:
    area = answers.get("area")
    if area in ANNEX_III and _is_exempt(answers):
        yield TriageReason(
            f"Its task is exempt, although its area is {ANNEX_III[area]}; document why and register"
            " it",
            f"Article 6(3) and (4), Annex III({area})",
        )


def _transparency(answers: Mapping[str, Any], act: Law) -> Iterator[TriageReason]:
    contact = answers.get("contact", [])
    for each in act.duties:
        if each.contact and each.contact in contact:
            yield TriageReason(each.own_title, each.ref)


def legal_duties(
    answers: Mapping[str, Any], eu_class: str, *, act: Law, placed_on: date | None = None
) -> tuple[LegalDuty, ...]:
    """Return the duties of a class, those of the tenant's role first, by day."""
    ours = _roles(answers)
    annex_i = _is_annex_i_alone(answers)
    found = [
        LegalDuty(
            each.own_title,
            each.ref,
            each.roles,
            _prohibited_from(answers, act) or each.day(annex_i=annex_i, placed_on=placed_on)
            if each.duty_class == "prohibited"
            else each.day(annex_i=annex_i, placed_on=placed_on),
            is_ours=bool(ours & set(each.roles)),
            doubt=each.doubt,
            requirements=each.requirements,
            points=each.points,
        )
        for each in act.duties
        if _applies(each, answers, eu_class)
    ]
    return tuple(sorted(found, key=lambda each: (not each.is_ours, each.applies_from)))


def _applies(duty: Duty, answers: Mapping[str, Any], eu_class: str) -> bool:
    if eu_class == "out_of_scope":
        return False
    if eu_class == "prohibited":
        return duty.duty_class == "prohibited"
    if duty.duty_class == "transparency":
        return eu_class in {"high_risk", "transparency"} and duty.contact in answers.get(
            "contact", []
        )
    if duty.duty_class == "exempt":
        is_exempt = answers.get("area") in ANNEX_III and _is_exempt(answers)
        return eu_class in {"transparency", "minimal"} and is_exempt
    is_of_others = duty.services and answers.get("service") not in duty.services
    is_of_annex_iii = duty.annex_i_from is None and _is_annex_i_alone(answers)
    return not is_of_others and not is_of_annex_iii and duty.duty_class in {"any", eu_class}


def _is_annex_i_alone(answers: Mapping[str, Any]) -> bool:
    """Return True if only Annex I makes it high risk, as a safety component.

    No area of Annex III applies then.
    """
    return answers.get("safety") == "yes" and not _is_high_risk_area(answers)


def _roles(answers: Mapping[str, Any]) -> set[str]:
    """Return the tenant's roles, or every role while the question is open."""
    role = answers.get("role")
    if role is None:
        return set(ROLES)
    return {"provider", "deployer"} if role == "both" else {role}


def _prohibited_from(answers: Mapping[str, Any], act: Law) -> date | None:
    practices = [
        act.practices[each] for each in answers.get("practices", []) if each in act.practices
    ]
    return min((each.applies_from for each in practices), default=None)


def _personal_data(answers: Mapping[str, Any]) -> Iterator[TriageReason]:
    if {"personal", "special", "children"} & set(answers.get("data_used", [])):
        yield TriageReason(
            "Check whether a data protection impact assessment is needed", "GDPR, Article 35"
        )


# ---- the tenant's own classes


def _risk_class(answers: Mapping[str, Any], eu_class: str) -> tuple[str, tuple[TriageReason, ...]]:
    found = tuple(_high_reasons(answers, eu_class))
    if found:
        return "high_risk", found
    return "standard", (TriageReason("No answer calls for the high risk class"),)


def _high_reasons(answers: Mapping[str, Any], eu_class: str) -> Iterator[TriageReason]:
    if eu_class in {"prohibited", "high_risk"}:
        yield TriageReason(f"Its EU AI Act class is “{EU_CLASSES[eu_class]}”")
    if answers.get("decides") == "alone":
        yield TriageReason(
            "It decides about people without a person", "Does it decide about people?"
        )
    sensitive = {"special", "children"} & set(answers.get("data_used", []))
    if sensitive and answers.get("decides") == "informs":
        yield TriageReason("It informs decisions with sensitive data", "Which data does it use?")
    if answers.get("autonomy") == "alone":
        yield TriageReason("It acts alone, without limits", "What can it do by itself?")


def _tier(answers: Mapping[str, Any], eu_class: str, risk_class: str) -> tuple[str, str]:
    if eu_class == "prohibited":
        return "", "A prohibited practice needs no tier: it isn't put into service."
    if eu_class == "high_risk":
        return "regulated", "Its class under the EU AI Act is high risk."
    if risk_class == "high_risk":
        return "strict", "Its risk class is high."
    if eu_class == "transparency" or answers.get("data_used", [NONE]) != [NONE]:
        return "standard", "It has transparency duties, or uses data that needs protection."
    return "baseline", "It uses no protected data, and has no duties of its own."


# ---- requirements to map a control to


def _requirements(answers: Mapping[str, Any], risk_class: str) -> Iterator[TriageReason]:
    yield TriageReason("It joins the inventory of AI systems", "GOVERN 1.6")
    yield TriageReason("Its purpose and setting are documented", "MAP 1.1")
    data = set(answers.get("data_used", []))
    if answers.get("decides", "no") != "no":
        yield TriageReason("It affects people, so impacts are described", "MAP 5.1")
        yield TriageReason(
            "People are affected, so outcomes are compared between groups", "MEASURE 2.11"
        )
    if answers.get("autonomy", "advice") != "advice":
        yield TriageReason("It acts, so people oversee it", "MAP 3.5")
        yield TriageReason("It acts, so it can be stopped", "MANAGE 2.4")
    yield TriageReason("Its results are shown to be valid", "MEASURE 2.5")
    if data & {"personal", "special", "children"}:
        yield TriageReason("It uses personal data", "MEASURE 2.10")
    if data - {NONE}:
        yield TriageReason("It uses data that others must not reach", "MEASURE 2.7")
    if answers.get("safety") == "yes":
        yield TriageReason("It is a safety component", "MEASURE 2.6")
    if set(answers.get("contact", [])) - {NONE}:
        yield TriageReason("People meet it or its content", "MEASURE 2.8")
    if risk_class == "high_risk":
        yield TriageReason("Its output must be explained", "MEASURE 2.9")
    yield TriageReason("It is monitored in use", "MANAGE 4.1")
