"""The section on risks of an AI RMF report: heat maps, the top risks and their acceptances. Pure.

risk_section(snapshot)     its title, maps and tables; None if no risks were reported
risk_contents(snapshot)    its line in the table of contents
risks_csv(position)        every open risk, for the attachments
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from governance.assurance.risks.acceptance_state import NAMES
from governance.assurance.risks.risk_record import RISK
from governance.kernel.files.spreadsheet_writer import Cell, csv_bytes
from governance.publishing.reports.ai_rmf.snapshot import ReportedRisk, RiskPosition, Snapshot
from governance.publishing.reports.wording import capital, digits, has, is_, many, out_of, verb

TOPIC = "Risks"
MAX_RISKS, MAX_ACCEPTANCES = 10, 15  # Printed. All of them are attached.
OUTDATED = frozenset({"stale", "expired"})
MARKS = {"low": "○", "medium": "◑", "high": "△", "critical": "▲"}
STATE_MARKS = {"stale": "▲", "expired": "▲", "expiring": "△", "none": "□", "requested": "◇"}
SCALE = (
    "A score is likelihood times impact on the organization's own scale. The residual score is"
    " lower by the steps that effective controls earn: a failing control earns none, one that is"
    " evidenced but not tested half. A second person accepts a risk above the appetite until a"
    " day; an acceptance is stale once the score that it accepted has changed. Scores do not"
    " count toward levels or coverage."
)


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A cell of a heat map. `band` names its shade, and `mark` is beside every number of risks."""

    score: int
    count: int
    band: str
    mark: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The rows of a heat map as (step, its name, cells), the highest likelihood first."""

    title: str
    rows: tuple[tuple[int, str, tuple[HeatCell, ...]], ...]


class RiskSection:
    """The sentences of the section about a position."""

    most = MAX_ACCEPTANCES

    def __init__(self, position: RiskPosition) -> None:
        self.position = position
        self.risks = position["open"]
        self.scale = position["scale"]

    @property
    def title(self) -> str:
        if not self.risks:
            return "No open risk is recorded"
        above = sum(each["is_above_appetite"] for each in self.risks)
        start = f"{capital(out_of(above, len(self.risks), 'risk'))} {is_(above)} above the appetite"
        if len(self.risks) == 1:
            start = f"The one risk is {'above' if above else 'within'} the appetite"
        return f"{start}; {self._renewals}" if self._renewals else start

    @property
    def _renewals(self) -> str:
        """Return "two acceptances are stale" or "three acceptances are stale or expired"."""
        count, found = len(self.outdated), {each["acceptance"]["state"] for each in self.outdated}
        words = [each for each in ("stale", "expired") if each in found]
        return f"{many(count, 'acceptance')} {is_(count)} {' or '.join(words)}" if count else ""

    @property
    def outdated(self) -> list[ReportedRisk]:
        return [each for each in self.risks if each["acceptance"]["state"] in OUTDATED]

    @property
    def lede(self) -> str:
        if not self.risks:
            return "Risks that are recorded for the systems in scope appear here with their scores."
        open_ = [each for each in self.risks if each["acceptance"]["state"] == "none"]
        bare = [each for each in self.risks if not each["owner"]]
        apart = [each for each in self.risks if not each["is_comparable"]]
        highest = len(self.scale["likelihood"]) * len(self.scale["impact"])
        scores = f"Scores go from 1 to {highest}; a risk above {self.scale['appetite']} needs the"
        parts = [f"{scores} acceptance of a second person."]
        if open_:
            count = len(open_)
            parts.append(
                f"{capital(many(count, 'risk'))} {verb(count, 'need')} one and {has(count)} none."
            )
        if bare:
            parts.append(f"{capital(many(len(bare), 'risk'))} {has(len(bare))} no owner.")
        if apart:
            parts.append(
                f"{capital(many(len(apart), 'risk'))} {is_(len(apart))} missing from the heat maps:"
                " scored on an earlier scale with other steps."
            )
        return " ".join(parts)

    @property
    def maps(self) -> tuple[HeatMap, HeatMap]:
        known = [each for each in self.risks if each["is_comparable"]]
        return (
            self._map("Before controls", [(each["likelihood"], each["impact"]) for each in known]),
            self._map(
                "After controls",
                [(each["residual_likelihood"], each["residual_impact"]) for each in known],
            ),
        )

    def _map(self, when: str, scores: Sequence[tuple[int, int]]) -> HeatMap:
        above = sum(high * wide > self.scale["appetite"] for high, wide in scores)
        counts, impacts = Counter(scores), range(1, len(self.scale["impact"]) + 1)
        rows = tuple(
            (step, name, tuple(self._cell(step * each, counts[step, each]) for each in impacts))
            for step, name in reversed([*enumerate(self.scale["likelihood"], 1)])
        )
        return HeatMap(f"{when}: {digits(above)} of {digits(len(scores))} above the appetite", rows)

    def _cell(self, score: int, count: int) -> HeatCell:
        band = next(key for key, _name, low, high in self.scale["bands"] if low <= score <= high)
        return HeatCell(score, count, band, MARKS[band])

    @property
    def key(self) -> list[tuple[str, str]]:
        """Return (mark, meaning) of each band, the lowest first."""
        return [
            (MARKS[key], f"{name}, {low} to {high}") for key, name, low, high in self.scale["bands"]
        ]

    @property
    def impact_words(self) -> str:
        """Return a legend such as "Impact: 1 Negligible, 2 Minor."."""
        named = ", ".join(f"{step} {name}" for step, name in enumerate(self.scale["impact"], 1))
        return f"Impact: {named}."

    @property
    def top(self) -> Sequence[ReportedRisk]:
        return self.risks[:MAX_RISKS]

    @property
    def top_title(self) -> str:
        if self.left_out:
            return f"The {many(MAX_RISKS, 'highest residual score')}"
        count = len(self.risks)
        return "The open risk" if count == 1 else f"All {many(count, 'open risk')}"

    @property
    def left_out(self) -> int:
        return len(self.risks) - len(self.top)

    @property
    def acceptances(self) -> list[ReportedRisk]:
        """Every acceptance, given or requested: invalid ones first, then by day."""
        found = [each for each in self.risks if each["acceptance"]["until"]]
        return sorted(
            found,
            key=lambda each: (
                each["acceptance"]["state"] not in OUTDATED,
                each["acceptance"]["until"] or "",
                each["ref"],
            ),
        )

    @property
    def acceptances_title(self) -> str:
        count = len(self.acceptances)
        return f"{capital(many(count, 'acceptance'))} given or requested"


def state_mark(state: str) -> str:
    return STATE_MARKS.get(state, "●")


def state_word(state: str) -> str:
    return next(word for name, word in NAMES.items() if name == state)


def mark(band: str) -> str:
    return MARKS[band]


def risk_section(snapshot: Snapshot) -> RiskSection | None:
    """Return the section. None if the snapshot is from a time before risks were reported."""
    return RiskSection(snapshot["risks"]) if "risks" in snapshot else None


def risk_contents(snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """Return the section's line in the table of contents: anchor, topic and conclusion."""
    section = risk_section(snapshot)
    if section is not None:
        yield "risks", TOPIC, section.title


def risks_csv(position: RiskPosition) -> bytes:
    """Return the table with one row per open risk."""
    head = (
        "risk",
        "title",
        "AI systems",
        "sources",
        "likelihood",
        "impact",
        "inherent score",
        "residual likelihood",
        "residual impact",
        "residual score",
        "scale version",
        "above appetite",
        *RISK.report_heads.values(),
        "controls",
        "owner",
        "acceptance",
        "accepted score",
        "accepted or requested by",
        "accepted or requested on",
        "until",
    )
    return csv_bytes(head, [_csv_row(each) for each in position["open"]])


def _csv_row(each: ReportedRisk) -> tuple[Cell, ...]:
    given = each["acceptance"]
    return (
        each["ref"],
        each["title"],
        ", ".join(each["systems"]) or "all",
        each["sources"],
        each["likelihood"],
        each["impact"],
        each["likelihood"] * each["impact"],
        each["residual_likelihood"],
        each["residual_impact"],
        each["residual_likelihood"] * each["residual_impact"],
        each["scale"],
        "yes" if each["is_above_appetite"] else "no",
        *(cast("Cell", each.get(name)) for name in RISK.report_heads),
        each["controls"],
        each["owner"],
        state_word(given["state"]),
        given["score"],
        given["by"],
        given["on"],
        given["until"],
    )
