"""The catalog of AI system documents and their points, in our own words. Pure.

The technical file has the nine sections of Annex IV of Regulation (EU) 2024/1689. The impact
assessment has the points of Article 27(1), and those that ISO/IEC 42005 adds. A point is bound to
the record, or it is open.
"""

from dataclasses import dataclass

TECHNICAL_FILE, IMPACT_ASSESSMENT = "technical-file", "impact-assessment"


@dataclass(frozen=True, slots=True)
class Point:
    """One point. `asks` is what it has to state."""

    key: str
    title: str
    asks: str


@dataclass(frozen=True, slots=True)
class Section:
    """A section with its points, numbered as the source numbers it."""

    number: str
    title: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """One kind of document. `source` is the origin of its points."""

    key: str
    name: str
    source: str
    sections: tuple[Section, ...]

    @property
    def points(self) -> dict[str, Point]:
        return {each.key: each for section in self.sections for each in section.points}


def _section(number: str, title: str, *points: tuple[str, str, str]) -> Section:
    return Section(number, title, tuple(Point(*each) for each in points))


ANNEX_IV = (
    _section(
        "1",
        "General description",
        ("1.a", "Purpose and provider", "What it is meant for, who provides it, which version."),
        ("1.b", "Connections", "The hardware and software outside it that it works with."),
        ("1.c", "Versions", "The versions of its software, and what an update requires."),
        ("1.d", "Forms of delivery", "How it is supplied: embedded, downloaded or as an API."),
        ("1.e", "Hardware", "The hardware that it is meant to run on."),
        ("1.f", "Product", "Pictures and markings, where it is part of a product."),
        ("1.g", "User interface", "What its users see and control."),
        ("1.h", "Instructions", "The instructions for use that deployers get."),
    ),
    _section(
        "2",
        "Elements and development",
        ("2.a", "Development", "How it was built, with which tools and models of others."),
        ("2.b", "Design", "Its logic, its main choices and what it optimizes."),
        ("2.c", "Architecture", "How its parts fit together, and the computing power used."),
        ("2.d", "Data", "The data sets: origin, selection, labels, cleaning."),
        ("2.e", "Human oversight", "Which measures let people oversee and stop it."),
        ("2.f", "Planned changes", "Changes that were decided in advance."),
        ("2.g", "Validation and testing", "How it was tested, with which measures and results."),
        ("2.h", "Cybersecurity", "How it is protected."),
    ),
    _section(
        "3",
        "Monitoring, functioning and control",
        ("3.a", "Capabilities and limits", "What it can do, how accurately, and what it can't."),
        ("3.b", "Foreseeable harm", "Unintended outcomes, and risks to rights and safety."),
        ("3.c", "Control in use", "The settings and controls that apply to it in use."),
    ),
    _section(
        "4",
        "Performance measures",
        ("4", "Suitable measures", "Why its performance measures fit this system."),
    ),
    _section(
        "5",
        "Risk management",
        ("5", "Risk management system", "How risks are found, treated and reviewed (Article 9)."),
    ),
    _section(
        "6",
        "Changes",
        ("6", "Changes over its life", "What was changed since it was put into service."),
    ),
    _section(
        "7",
        "Standards",
        ("7", "Standards applied", "The standards and frameworks that it follows."),
    ),
    _section(
        "8",
        "Declaration",
        ("8", "EU declaration of conformity", "A copy of the declaration (Article 47)."),
    ),
    _section(
        "9",
        "Monitoring after release",
        ("9", "Post-market monitoring", "The plan, and what monitoring found (Article 72)."),
    ),
)
IMPACT = (
    _section(
        "A",
        "Use",
        ("A.1", "Process and purpose", "The process that it is part of, and its purpose there."),
        ("A.2", "Period and frequency", "How long and how often it is used."),
        ("A.3", "Data", "The data about people that it uses."),
    ),
    _section(
        "B",
        "People",
        ("B.1", "People affected", "The people and groups it is likely to affect."),
        ("B.2", "Benefits", "What it does for them, and who gains nothing."),
        ("B.3", "Possible harm", "The harm that each of these groups may suffer."),
    ),
    _section(
        "C",
        "Measures",
        ("C.1", "Human oversight", "Who oversees it, and how they can intervene."),
        ("C.2", "If harm occurs", "What is done then: stopping, repair, notice."),
        ("C.3", "Governance and complaints", "Who decides about it, and where people complain."),
    ),
    _section(
        "D",
        "Follow-up",
        ("D.1", "Consultation", "Who was heard: affected people, experts, worker representatives."),
        ("D.2", "Notice to the authority", "The notice to the market surveillance authority."),
    ),
)
KINDS = {
    each.key: each
    for each in (
        DocumentKind(
            TECHNICAL_FILE, "Technical file", "EU AI Act, Article 11 and Annex IV", ANNEX_IV
        ),
        DocumentKind(
            IMPACT_ASSESSMENT, "Impact assessment", "EU AI Act, Article 27; ISO/IEC 42005", IMPACT
        ),
    )
}
