"""The laws that require a notice after an incident, with deadline and recipient, as versioned data.

A classification keeps the version that it was decided under, so a new version never changes an
earlier deadline. Periods run from the instant of awareness, to the second, which is never later
than a calendar rule would allow. Confirm each with counsel: national law may add to it.

Read on 26 Nov 2026 in the Official Journal of the European Union:
Regulation (EU) 2024/1689 (AI Act) Art. 73 and 113; Regulation (EU) 2016/679 (GDPR) Art. 33 and 99;
Directive (EU) 2022/2555 (NIS2) Art. 23 and 41; Regulation (EU) 2024/2847 (CRA) Art. 14 and 71.
Version 2 names the AI Act as amended by Regulation (EU) 2026/1744, which we know from secondary
sources only; its periods are the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

AWARENESS, FIX = "awareness", "fix"  # The start of a period; otherwise a stage of the regime.
CONFIRM = "Confirm with counsel."


@dataclass(frozen=True, slots=True)
class Stage:
    """A notice that a law requires. It is due `hours`, `days` or `months` after `start`."""

    key: str
    name: str
    article: str
    hours: int = 0
    days: int = 0
    months: int = 0
    start: str = AWARENESS

    @property
    def period(self) -> str:
        """The period as shown: "72 h", "15 days", "1 month"."""
        if self.hours:
            return f"{self.hours} h"
        if self.months:
            return "1 month" if self.months == 1 else f"{self.months} months"
        return "1 day" if self.days == 1 else f"{self.days} days"


@dataclass(frozen=True, slots=True)
class Variant:
    """A case of a regime with its own deadlines. The first one is the usual case."""

    key: str
    label: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Regime:
    """A law. `question` asks a person whether it applies; a "no" needs a reason."""

    key: str
    name: str
    law: str
    source: str
    applies_from: date
    recipient: str
    question: str
    variants: tuple[Variant, ...]
    doubt: str = ""  # An unresolved question about when the law applies.

    def variant(self, key: str) -> Variant:
        """Return the case with that key, or the usual one."""
        return next((each for each in self.variants if each.key == key), self.variants[0])


def _ai_act(key: str, label: str, article: str, days: int) -> Variant:
    return Variant(key, label, (Stage("report", "Report", article, days=days),))


_FIRST: tuple[Regime, ...] = (
    Regime(
        "ai-act",
        "EU AI Act, Art. 73",
        "Regulation (EU) 2024/1689",
        "https://eur-lex.europa.eu/eli/reg/2024/1689/oj",
        date(2026, 8, 2),  # Art. 113
        "the market surveillance authority of the Member State where it happened",
        "Is it a serious incident of a high-risk AI system in the EU (Art. 3(49))?",
        (
            _ai_act("serious", "Serious incident", "Art. 73(2)", 15),
            _ai_act(
                "widespread",
                "Widespread infringement, or critical infrastructure disrupted",
                "Art. 73(3)",
                2,
            ),
            _ai_act("death", "A person died", "Art. 73(4)", 10),
        ),
    ),
    Regime(
        "gdpr",
        "GDPR, Art. 33",
        "Regulation (EU) 2016/679",
        "https://eur-lex.europa.eu/eli/reg/2016/679/oj",
        date(2018, 5, 25),  # Art. 99
        "the competent data protection authority",
        "Is it a breach of personal data that is likely to put people at risk?",
        (
            Variant(
                "breach",
                "Personal data breach",
                (Stage("notification", "Notification", "Art. 33(1)", hours=72),),
            ),
        ),
    ),
    Regime(
        "nis2",
        "NIS2, Art. 23",
        "Directive (EU) 2022/2555",
        "https://eur-lex.europa.eu/eli/dir/2022/2555/oj",
        date(2024, 10, 18),  # Art. 41
        "the CSIRT or the competent authority",
        "Is it a significant incident of an essential or important entity?",
        (
            Variant(
                "significant",
                "Significant incident",
                (
                    Stage("warning", "Early warning", "Art. 23(4)(a)", hours=24),
                    Stage("notification", "Notification", "Art. 23(4)(b)", hours=72),
                    Stage(
                        "report",
                        "Final report",
                        "Art. 23(4)(d)",
                        months=1,
                        start="notification",
                    ),
                ),
            ),
        ),
    ),
    Regime(
        "cra",
        "CRA, Art. 14",
        "Regulation (EU) 2024/2847",
        "https://eur-lex.europa.eu/eli/reg/2024/2847/oj",
        date(2026, 9, 11),  # Art. 71
        "the coordinating CSIRT and ENISA, on the single reporting platform",
        "Is it about a product with digital elements: an exploited vulnerability, or a severe"
        " incident?",
        (
            Variant(
                "vulnerability",
                "Actively exploited vulnerability",
                (
                    Stage("warning", "Early warning", "Art. 14(2)(a)", hours=24),
                    Stage("notification", "Notification", "Art. 14(2)(b)", hours=72),
                    Stage("report", "Final report", "Art. 14(2)(c)", days=14, start=FIX),
                ),
            ),
            Variant(
                "severe",
                "Severe incident",
                (
                    Stage("warning", "Early warning", "Art. 14(4)(a)", hours=24),
                    Stage("notification", "Notification", "Art. 14(4)(b)", hours=72),
                    Stage(
                        "report",
                        "Final report",
                        "Art. 14(4)(c)",
                        months=1,
                        start="notification",
                    ),
                ),
            ),
        ),
    ),
)
VERSIONS: Mapping[int, tuple[Regime, ...]] = {
    1: _FIRST,
    2: tuple(
        replace(
            each,
            law="Regulation (EU) 2024/1689 as amended by (EU) 2026/1744",
            doubt="Chapter IX has applied since 2 August 2026; Article 6 applies from 2 December 2027."
            " Whether Article 73 binds before is unresolved.",
        )
        if each.key == "ai-act"
        else each
        for each in _FIRST
    ),
}
LATEST = max(VERSIONS)


def regimes(version: int = LATEST) -> tuple[Regime, ...]:
    """Return the laws of a version of the rules, or of the latest if the version is unknown."""
    return VERSIONS.get(version, VERSIONS[LATEST])


def regime(key: str, version: int = LATEST) -> Regime | None:
    """Return the law with that key, or None."""
    return next((each for each in regimes(version) if each.key == key), None)
