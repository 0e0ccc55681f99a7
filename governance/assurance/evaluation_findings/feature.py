"""The feature: findings, failing controls and evidence that follow from evaluation verdicts."""

from governance.assurance.controls import ports
from governance.assurance.evaluation_findings import (
    behind,
    consequence_actions,
    discussions,
    finding_actions,
    gates,
    glossary,
    inbox,
    mapping_actions,
    missed_evaluations,
    models,
    palette,
    permissions,
    queries,
    reconsidering,
    system_parts,
    views,
)
from governance.foundation.audit.registry import actions_in
from governance.foundation.comments.subjects import COMMENT_SUBJECTS
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    EntryLink,
    Manifest,
    PortAnswer,
    SectionTab,
    Subscription,
    not_by_scope,
)
from governance.operations.evaluations.events import (
    JudgeChanged,
    RunJudged,
    SuiteVersionWithdrawn,
)
from governance.operations.gates.gates import GATES
from governance.operations.systems.parts import SYSTEM_PARTS

manifest = Manifest(
    name="evaluation_findings",
    models=(models,),
    routes=(views.feature,),
    under=("evaluations.index",),
    tabs=(
        SectionTab(
            section="evaluations",
            label="Findings",
            endpoint="evaluation_findings.index",
            permission=permissions.VIEW,
            order=40,
            note=queries.open_count,
            counts_everything=True,
        ),
        SectionTab(
            section="evaluations",
            label="Controls",
            endpoint="evaluation_findings.mapped",
            permission=permissions.VIEW,
            order=50,
        ),
    ),
    palette=(
        Command("View findings of evaluations", "evaluation_findings.index", permissions.VIEW),
        Command(
            "Map evaluation measures to controls", "evaluation_findings.mapped", permissions.MAP
        ),
    ),
    search=(palette.findings,),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        COMMENT_SUBJECTS(discussions.FINDING),
        GATES(gates.FINDINGS),
        SYSTEM_PARTS(
            system_parts.FIGURE, system_parts.TAB, system_parts.OPEN, system_parts.RECORDS
        ),
    ),
    inbox=inbox.SOURCES,
    work=(consequence_actions.follow_run, reconsidering.reconsider_suite),
    audit=actions_in(finding_actions, mapping_actions, consequence_actions),
    links={
        "EvaluationFinding": EntryLink(
            endpoint="evaluation_findings.finding",
            argument="evaluation_finding_id",
            noun="finding of an evaluation",
            prefix="EVF-",
            within=not_by_scope,
        ),
    },
    subscribes=(
        Subscription(RunJudged, consequence_actions.queue),
        Subscription(SuiteVersionWithdrawn, reconsidering.queue),
        Subscription(JudgeChanged, reconsidering.queue),
    ),
    answers=(
        PortAnswer(ports.missed_evaluations, missed_evaluations.missed_evaluations),
        PortAnswer(ports.evaluations_behind, behind.evaluations_behind),
    ),
)
