"""Entries from Meridian's record of one system, for its documents.

They come from policy, switches, objectives, controls, incidents, frameworks and the proposal that
opened the system. Features with their own records register a provider in their manifests
(kernel/record_points.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, select

from governance.assurance.controls import queries as controls
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.frameworks.models import Adoption
from governance.assurance.incidents.models import Impact, Incident
from governance.assurance.risks import queries as risks
from governance.kernel.data.selects import Rows, Selected
from governance.kernel.formatting import long_day
from governance.kernel.manifest import installed
from governance.kernel.record_points import RecordPoint
from governance.operations.datasets import queries as datasets
from governance.operations.datasets.queries import SystemDataSet
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.models import EvaluationRun, MeasureResult
from governance.operations.intake import queries as intake
from governance.operations.intake.questions import answer_words
from governance.operations.objectives.queries import objectives_with_indicators
from governance.operations.policies import queries as policies
from governance.operations.policies.setting_labels import setting_title, short_label
from governance.operations.switches.models import Drill
from governance.operations.systems import queries as systems
from governance.operations.systems.facts import readable
from governance.operations.systems.models import AISystem

MAX_INCIDENTS, MAX_DRILLS, MAX_RUNS = 20, 3, 5
REQUIREMENTS = {  # NIST AI RMF requirement → the points that a control for it is about.
    "MEASURE 2.7": ("2.h",),
    "MAP 3.5": ("2.e", "C.1"),
    "MANAGE 1.3": ("5",),
    "MANAGE 2.4": ("2.e", "C.2"),
    "MANAGE 4.1": ("9",),
    "MAP 5.1": ("5", "B.3"),
    "GOVERN 3.2": ("2.e", "C.1"),
    "MEASURE 3.3": ("C.3",),
}


_SYSTEM = bindparam("system_id", type_=Uuid())
RUNS = Rows(
    EvaluationRun,
    lambda m: and_(m.system_id == _SYSTEM, m.id.in_(select(MeasureResult.run_id))),
    lambda m: (m.number.desc(),),
    limit=MAX_RUNS,
)
DRILLS = Rows(
    Drill,
    lambda m: and_(m.system_id == _SYSTEM, m.state.in_(("passed", "failed"))),
    lambda m: (m.ended_at.desc(), m.id),
    limit=MAX_DRILLS,
)
INCIDENTS = Rows(
    Incident,
    lambda m: m.id.in_(
        select(Impact.incident_id).where(Impact.system_id == _SYSTEM, Impact.removed_at.is_(None))
    ),
    lambda m: (m.detected_at.desc(), m.id),
    limit=MAX_INCIDENTS,
)
ADOPTED = Selected[UUID](lambda: select(Adoption.framework_id))


def points_of(system: AISystem) -> list[RecordPoint]:
    """Return all entries of the record, in a fixed order."""
    used = datasets.datasets_of(system.id)
    found = [
        *_system(system, used),
        *_features(system),
        *_proposal(system),
        *_policy(system),
        *_data_sets(used),
        *_evaluations(system.id),
        *_objectives(system.id),
        *_drills(system),
        *_risks(system.id),
        *_controls(),
        *_incidents(system.id),
        *_frameworks(),
    ]
    for manifest in installed():
        for provider in manifest.record_points:
            found += provider(system.id)
    return found


def _system(system: AISystem, used: Sequence[SystemDataSet]) -> Iterator[RecordPoint]:
    for points, text in _facts(system, used):
        if text:
            yield RecordPoint(
                points,
                text,
                f"Register, version {system.version}",
                "systems.system",
                {"system_id": system.key},
            )


def _facts(
    system: AISystem, used: Sequence[SystemDataSet]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield (points, text) of each fact of the register. The text is empty if the fact is blank.

    Data sets with their own page have their own sentence: `_data_sets`.
    """
    kept = {each.row.data_set.key for each in used}
    others = [each for each in system.data_sets if each.split()[0] not in kept]
    controls_of_users = {
        "memory": system.memory_control,
        "sources": system.sources_control,
        "tone": system.tone_control,
        "verify with search": system.verify_control,
    }
    shown = "; ".join(f"{name}: {value}" for name, value in controls_of_users.items() if value)
    autonomy = readable("autonomy", system.autonomy) or ""
    note = f" {system.autonomy_note}" if system.autonomy_note else ""
    yield ("1.a", "A.1"), system.purpose
    yield ("1.b",), _listed("Depends on", system.dependencies)
    yield ("1.c", "6"), f"Version {system.version} of the register's entry, {system.stage_name}."
    yield ("1.g",), f"Users control {shown}." if shown else ""
    yield ("1.h",), f"Users read: {system.why_shown}" if system.why_shown else ""
    yield ("2.a",), _listed("Models", [readable("models", [each]) for each in system.models])
    yield ("2.d", "A.3"), _listed("Data sets", others)
    yield ("2.e", "C.1"), f"{autonomy}.{note}" if autonomy else ""
    yield ("3.a",), _listed("Can", system.capabilities)
    yield ("3.a",), _listed("Limits", system.limits)
    yield ("B.1",), f"Intended users: {system.intended_users}" if system.intended_users else ""


def _listed(lead: str, values: Iterable[object]) -> str:
    words = "; ".join(map(str, values))
    return f"{lead}: {words}." if words else ""


def _features(system: AISystem) -> Iterator[RecordPoint]:
    for each in systems.features(system.id):
        yield RecordPoint(
            ("2.e", "C.2"),
            f"People can stop {each.key} by itself. Meanwhile: {each.fallback}",
            f"Register, version {system.version}",
            "systems.system",
            {"system_id": system.key},
        )


def _proposal(system: AISystem) -> Iterator[RecordPoint]:
    found = intake.proposal_of_system(system.id)
    if found is None:
        return
    yield RecordPoint(
        ("A.3",),
        f"Data: {answer_words('data_used', found.answers.get('data_used'))}.",
        f"Proposal {found.ref}",
        "intake.proposal",
        {"proposal_id": found.id},
    )


def _policy(system: AISystem) -> Iterator[RecordPoint]:
    policy = policies.current_policy()
    governed = next((each for each in policy.systems if each.key == system.key), None)
    values = "; ".join(
        f"{setting_title(key)}: {short_label(each.value, key)}"
        for key, each in policy.effective(governed).items()
    )
    yield RecordPoint(
        ("3.c",),
        f"Tier {policy.tier.name}. {values}.",
        f"Policy, version {policy.number}" if policy.number else "Policy",
        "policies.index",
        {},
    )


def _data_sets(used: Iterable[SystemDataSet]) -> Iterator[RecordPoint]:
    for each in used:
        found, reasons = each.row.data_set, each.row.reasons
        state = "; ".join(reason.text for reason in reasons) or "is usable"
        version = f"version {found.version}" if found.version else "not published"
        yield RecordPoint(
            ("2.d", "A.3"),
            f"{found.name}, for {' and '.join(each.purposes)}, {state}.",
            f"Data set {found.name}, {version}",
            "datasets.data_set",
            {"data_set_id": found.id},
        )


def _evaluations(system_id: UUID) -> Iterator[RecordPoint]:
    """Yield the results of the newest runs that measured something."""
    runs = RUNS.read(system_id=system_id)
    results = evaluations.results_of([each.id for each in runs]) if runs else []
    for run in runs:
        measured = "; ".join(
            f"{measure.name} {result.point:.3g}"
            for result, measure in results
            if result.run_id == run.id and result.point is not None
        )
        if measured:
            yield RecordPoint(
                ("2.g", "3.a"),
                f"Release {run.release}: {measured}.",
                f"Evaluation run {run.number}",
                "evaluations.run",
                {"run_id": run.id},
            )


def _risks(system_id: UUID) -> Iterator[RecordPoint]:
    for each in risks.risks_of(system_id):
        yield RecordPoint(
            ("3.b", "5", "B.3"),
            f"{each.risk.title}: {each.residual.score} after controls, {each.inherent_score} before.",
            f"Risk {each.risk.ref}",
            "risks.risk",
            {"risk_id": each.risk.id},
        )


def _objectives(system_id: UUID) -> Iterator[RecordPoint]:
    for objective, indicator in objectives_with_indicators():
        if indicator.system_id == system_id:
            percent = f"{(objective.target * 100).normalize():f}%"
            yield RecordPoint(
                ("3.a", "9"),
                f"{objective.name}: at least {percent}.",
                f"Objective {objective.name}",
                "objectives.objective",
                {"objective_id": objective.id},
            )


def _drills(system: AISystem) -> Iterator[RecordPoint]:
    for each in DRILLS.read(system_id=system.id):
        at = long_day(each.ended_at) if each.ended_at else ""
        yield RecordPoint(
            ("2.e", "C.1"),
            f"A drill of the stop {each.state} on {at}.",
            f"Switches, {system.name}",
            "switches.system",
            {"system_key": system.key},
        )


def _controls() -> Iterator[RecordPoint]:
    for ref, found in controls.controls_by_requirement(REQUIREMENTS).items():
        for each in found:
            yield RecordPoint(
                REQUIREMENTS[ref],
                f"{each.title} ({ref}).",
                f"Control {each.ref}",
                "controls.control",
                {"control_id": each.id},
            )


def _incidents(system_id: UUID) -> Iterator[RecordPoint]:
    for each in INCIDENTS.read(system_id=system_id):
        yield RecordPoint(
            ("3.b", "9", "B.3"),
            f"{each.title}, detected on {long_day(each.detected_at)}.",
            f"Incident {each.ref}",
            "incidents.incident",
            {"incident_id": each.id},
        )


def _frameworks() -> Iterator[RecordPoint]:
    adopted = set(ADOPTED.read())
    for each in frameworks.frameworks():
        if each.id in adopted:
            yield RecordPoint(
                ("7",),
                f"{each.title}, {each.version}.",
                f"Framework {each.title}",
                "frameworks.versions",
                {"key": each.key},
            )
