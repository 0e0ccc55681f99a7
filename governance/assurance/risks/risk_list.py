"""The list of risks: its declaration, its filters, and the columns of its export."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from governance.assurance.risks import source_lists
from governance.assurance.risks.acceptance_state import NAMES
from governance.assurance.risks.actions import TREATMENTS
from governance.assurance.risks.heat_map import score_bar, shape_of
from governance.assurance.risks.queries import RiskPosture
from governance.assurance.risks.scales import BANDS
from governance.foundation.people import owners
from governance.kernel.list_pages import (
    Column,
    Export,
    Filter,
    ListPage,
    ListRequest,
    arrange,
    keep,
)
from governance.kernel.spreadsheet_writer import Cell
from governance.operations.systems import queries as systems

ALL_SYSTEMS = "all"
RISKS = ListPage(
    name="risks",
    title="Risks",
    noun="risk",
    endpoint="risks.index",
    search="Search risks",
    sort="-residual",
    columns=(
        Column("risk", "Risk", sort=True, file=("Ref", "Title", "Description")),
        Column("system", "AI system", sort=True, optional=True, file=("AI systems",)),
        Column("source", "Source", optional=True, file=("Sources",)),
        Column(
            "inherent",
            "Inherent",
            sort=True,
            optional=True,
            numeric=True,
            file=("Likelihood", "Impact", "Inherent score"),
        ),
        Column("scale", "From inherent to residual", optional=True, file=("Scale version",)),
        Column(
            "residual",
            "Residual",
            sort=True,
            file=("Residual likelihood", "Residual impact", "Residual score", "Band"),
        ),
        Column(
            "treatment",
            "Treatment",
            sort=True,
            optional=True,
            file=("Treatment", "Plan", "Plan due"),
        ),
        Column("controls", "Controls", optional=True),
        Column("owner", "Owner", sort=True, optional=True),
        Column("acceptance", "Acceptance", file=("Acceptance", "Accepted until")),
    ),
    filters=(
        Filter(
            "system",
            "AI system",
            lambda: [*systems.choices(), (ALL_SYSTEMS, "All systems")],
            unknown="ignored",
        ),
        Filter("source", "Source", source_lists.LISTS),
        Filter("band", "Residual", (*BANDS.items(), ("above", "Above appetite"))),
        Filter("treatment", "Treatment", tuple(TREATMENTS.items())),
        Filter("acceptance", "Acceptance", tuple(NAMES.items())),
        Filter("owner", "Owner", label_of=owners.filter_label),
        Filter("state", "State", (("closed", "Closed"),), any="open", unknown="ignored"),
        Filter("inherent_at", "Before controls", kind="link", short=True),
        Filter("residual_at", "After controls", kind="link", short=True),
    ),
    exports=tuple(Export(form, "risks.export", {"form": form}) for form in ("csv", "xlsx")),
    bulk="risks.assign_selected",
)
HEAD = (
    "Ref",
    "Title",
    "Description",
    "AI systems",
    "Sources",
    "Likelihood",
    "Impact",
    "Inherent score",
    "Scale version",
    "Residual likelihood",
    "Residual impact",
    "Residual score",
    "Band",
    "Treatment",
    "Plan",
    "Plan due",
    "Controls",
    "Owner",
    "Acceptance",
    "Accepted until",
)


@dataclass(frozen=True, slots=True)
class RiskLine:
    """A row of the list; its picture is drawn for the rows that are shown."""

    posture: RiskPosture
    owner: str | None

    @property
    def bar(self) -> Markup:
        return score_bar(self.posture)

    @property
    def mark(self) -> tuple[int, str]:
        """(level, shape) of the residual score."""
        return shape_of(self.posture.scale.band(self.posture.residual.score))

    @property
    def sources(self) -> str:
        return source_lists.short_labels(self.posture.risk.sources)

    @property
    def treatment(self) -> str:
        return TREATMENTS[self.posture.risk.treatment]


def lines(found: Iterable[RiskPosture], names: Mapping[Any, str]) -> list[RiskLine]:
    return [RiskLine(each, names.get(each.risk.owner_id)) for each in found]


TESTS: Mapping[str, Callable[[RiskLine, str], bool]] = {
    "system": lambda line, value: (
        not line.posture.systems
        if value == ALL_SYSTEMS
        else value in {str(each.id) for each in line.posture.systems}
    ),
    "source": lambda line, value: value in source_lists.lists_of(line.posture.risk.sources),
    "band": lambda line, value: (
        line.posture.is_above_appetite if value == "above" else line.posture.band == value
    ),
    "treatment": lambda line, value: line.posture.risk.treatment == value,
    "acceptance": lambda line, value: line.posture.acceptance.name == value,
    "owner": lambda line, value: value == str(line.posture.risk.owner_id or "nobody"),
    "state": lambda line, _value: line.posture.risk.closed_at is not None,
    "inherent_at": lambda line, value: (
        value == f"{line.posture.risk.likelihood}x{line.posture.risk.impact}"
    ),
    "residual_at": lambda line, value: (
        value == f"{line.posture.residual.likelihood}x{line.posture.residual.impact}"
    ),
}
KEYS: Mapping[str, Callable[[RiskLine], Any]] = {
    "risk": lambda line: line.posture.risk.number,
    "system": lambda line: (line.posture.system_words, line.posture.risk.number),
    "inherent": lambda line: (line.posture.inherent_score, -line.posture.risk.number),
    "residual": lambda line: (
        line.posture.residual.score,
        line.posture.inherent_score,
        -line.posture.risk.number,
    ),
    "treatment": lambda line: (line.treatment, line.posture.risk.number),
    "owner": lambda line: ((line.owner or "\uffff").casefold(), line.posture.risk.number),
}


def matching(rows: Sequence[RiskLine], asked: ListRequest) -> list[RiskLine]:
    return arrange(keep(rows, asked, TESTS, _text), asked, KEYS)


def _text(line: RiskLine) -> str:
    risk = line.posture.risk
    systems_named = " ".join(f"{each.key} {each.name}" for each in line.posture.systems)
    return f"{risk.ref} {risk.title} {risk.description} {line.sources} {systems_named} {line.owner}"


def cells(line: RiskLine) -> list[Cell]:
    found, risk = line.posture, line.posture.risk
    until = found.given.expires_on.isoformat() if found.given else None
    return [
        risk.ref,
        risk.title,
        risk.description,
        found.system_words,
        line.sources,
        risk.likelihood,
        risk.impact,
        found.inherent_score,
        risk.scale_number,
        found.residual.likelihood,
        found.residual.impact,
        found.residual.score,
        BANDS[found.scale.band(found.residual.score)],
        line.treatment,
        risk.plan,
        risk.due_on.isoformat() if risk.due_on else None,
        found.control_words[0],
        line.owner,
        NAMES[found.acceptance.name],
        until,
    ]
