"""The list of risks: its definition, filters and export columns."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from governance.assurance.risks import source_lists
from governance.assurance.risks.acceptance_state import NAMES
from governance.assurance.risks.heat_map import score_bar, shape_of
from governance.assurance.risks.models import Risk
from governance.assurance.risks.queries import RiskPosture
from governance.assurance.risks.risk_record import RISK, TREATMENTS
from governance.assurance.risks.scales import BANDS
from governance.foundation.people import owners
from governance.kernel.pages.list_pages import (
    Column,
    Export,
    FileColumn,
    Filter,
    ListPage,
    ListRequest,
    arrange,
    keep,
)
from governance.kernel.pages.record_pages import columns, file_columns, sort_keys
from governance.operations.systems import queries as systems

ALL_SYSTEMS = "all"


@dataclass(frozen=True, slots=True)
class RiskLine:
    """A row of the list. Its picture is drawn only when shown."""

    posture: RiskPosture
    owner: str | None

    @property
    def bar(self) -> Markup:
        return score_bar(self.posture)

    @property
    def mark(self) -> tuple[int, str]:
        """The (level, shape) of the residual score."""
        return shape_of(self.posture.scale.band(self.posture.residual.score))

    @property
    def sources(self) -> str:
        return source_lists.short_labels(self.posture.risk.sources)

    @property
    def treatment(self) -> str:
        return TREATMENTS[self.posture.risk.treatment]


def _risk(line: RiskLine) -> Risk:
    return line.posture.risk


def _band(line: RiskLine) -> str:
    return BANDS[line.posture.scale.band(line.posture.residual.score)]


def _accepted_until(line: RiskLine) -> str | None:
    return line.posture.given.expires_on.isoformat() if line.posture.given else None


RISK_FILE: Sequence[FileColumn[RiskLine]] = (
    FileColumn("Ref", lambda line: line.posture.risk.ref, "risk"),
    FileColumn("Title", lambda line: line.posture.risk.title, "risk"),
    FileColumn("Description", lambda line: line.posture.risk.description, "risk"),
    FileColumn("AI systems", lambda line: line.posture.system_words, "system"),
    FileColumn("Sources", lambda line: line.sources, "source"),
    FileColumn("Likelihood", lambda line: line.posture.risk.likelihood, "inherent"),
    FileColumn("Impact", lambda line: line.posture.risk.impact, "inherent"),
    FileColumn("Inherent score", lambda line: line.posture.inherent_score, "inherent"),
    FileColumn("Scale version", lambda line: line.posture.risk.scale_number, "scale"),
    FileColumn("Residual likelihood", lambda line: line.posture.residual.likelihood, "residual"),
    FileColumn("Residual impact", lambda line: line.posture.residual.impact, "residual"),
    FileColumn("Residual score", lambda line: line.posture.residual.score, "residual"),
    FileColumn("Band", _band, "residual"),
    *file_columns(RISK, _risk),
    FileColumn("Controls", lambda line: line.posture.control_words[0], "controls"),
    FileColumn("Owner", lambda line: line.owner, "owner"),
    FileColumn("Acceptance", lambda line: NAMES[line.posture.acceptance.name], "acceptance"),
    FileColumn("Accepted until", _accepted_until, "acceptance"),
)
RISKS = ListPage(
    name="risks",
    title="Risks",
    noun="risk",
    endpoint="risks.index",
    search="Search risks",
    sort="-residual",
    columns=(
        Column("risk", "Risk", sort=True),
        Column("system", "AI system", sort=True, optional=True),
        Column("source", "Source", optional=True),
        Column("inherent", "Inherent", sort=True, optional=True, numeric=True),
        Column("scale", "From inherent to residual", optional=True),
        Column("residual", "Residual", sort=True),
        *columns(RISK),
        Column("controls", "Controls", optional=True),
        Column("owner", "Owner", sort=True, optional=True),
        Column("acceptance", "Acceptance"),
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
    file=RISK_FILE,
    bulk="risks.assign_selected",
)


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
    "owner": lambda line: ((line.owner or "\uffff").casefold(), line.posture.risk.number),
    **sort_keys(RISK, _risk, lambda line: line.posture.risk.number),
}


def matching(rows: Sequence[RiskLine], asked: ListRequest) -> list[RiskLine]:
    return arrange(keep(rows, asked, TESTS, _text), asked, KEYS)


def _text(line: RiskLine) -> str:
    risk = line.posture.risk
    systems_named = " ".join(f"{each.key} {each.name}" for each in line.posture.systems)
    return f"{risk.ref} {risk.title} {risk.description} {line.sources} {systems_named} {line.owner}"
