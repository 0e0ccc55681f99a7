"""The sentences of an AI RMF report: titles, ledes and key findings. Pure.

They are made from the figures and nothing else.

    Sentences(snapshot)                 each property is one title or paragraph

Titles are conclusions. A number in a sentence is the number in the table beside it; the tests
compare them. Parts: summary_sentences.py, section_sentences.py. wording.py formats numbers and
dates.
"""

from governance.publishing.reports.ai_rmf.risk_section import risk_contents
from governance.publishing.reports.ai_rmf.section_sentences import (
    CONTROL_TITLE,
    METHOD_TITLE,
    SectionSentences,
    anchor,
)
from governance.publishing.reports.ai_rmf.summary_sentences import SummarySentences
from governance.publishing.reports.order.section import order_contents


class Sentences(SummarySentences, SectionSentences):
    """The sentences of the report about a snapshot. Each property is one title or paragraph."""

    @property
    def contents(self) -> list[tuple[str, str, str]]:
        """The anchor, topic and conclusion of each section, in order. Topics are numbered."""
        sections = [
            ("heat", "Heat map", self.heat_title),
            ("movement", "Progress", self.movement_title),
            ("gaps", "Ranked gaps", self.gaps_title),
            *risk_contents(self.snapshot),
            *(
                (anchor(each["key"]), each["key"], self.function_title(each["key"]))
                for each in self.snapshot["functions"]
            ),
            ("findings", "Open findings", self.findings_title),
            ("register", "Register", self.register_title),
            ("evidence", "Evidence index", self.evidence_title),
            *order_contents(self.snapshot),
            ("method", "Method", METHOD_TITLE),
            ("control", "Document control", CONTROL_TITLE),
        ]
        return numbered(self.summary_title, sections)


def numbered(summary: str, sections: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Return the table of contents: the summary, then the sections with their numbers."""
    return [
        ("summary", "Executive summary", summary),
        *(
            (place, f"{number} {topic}", title)
            for number, (place, topic, title) in enumerate(sections, start=1)
        ),
    ]
