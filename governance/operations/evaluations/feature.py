"""Evaluation suites, runs and their verdicts. The section Evaluations opens with this week."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    Daily,
    EntryLink,
    Hourly,
    Manifest,
    NavItem,
    PortAnswer,
    SectionTab,
    Subscription,
)
from governance.operations.evaluations import (
    api,
    events,
    gates,
    glossary,
    jobs,
    metrics,
    models,
    openapi,
    permissions,
    successor_runs,
    system_parts,
    views,
)
from governance.operations.evaluations.comparisons import views as comparison_views
from governance.operations.evaluations.coverage import views as coverage_views
from governance.operations.evaluations.judges import actions as judge_actions
from governance.operations.evaluations.judges import models as judge_models
from governance.operations.evaluations.judges import views as judge_views
from governance.operations.evaluations.releases import actions as release_actions
from governance.operations.evaluations.releases import models as release_models
from governance.operations.evaluations.releases import views as release_views
from governance.operations.evaluations.requests import actions as request_actions
from governance.operations.evaluations.requests import models as request_models
from governance.operations.evaluations.requests import views as request_views
from governance.operations.evaluations.runs import actions as run_actions
from governance.operations.evaluations.runs import work as run_work
from governance.operations.evaluations.series import system_charts
from governance.operations.evaluations.series import views as series_views
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.evaluations.suites import measure_views, tier_moves
from governance.operations.gates.gates import GATES
from governance.operations.policies import ports as policy_ports
from governance.operations.systems.parts import SYSTEM_PARTS
from governance.operations.systems.ports import evaluations_of


def _tab(label: str, endpoint: str, order: int) -> SectionTab:
    return SectionTab(
        section="evaluations",
        label=label,
        endpoint=endpoint,
        permission=permissions.VIEW,
        order=order,
    )


manifest = Manifest(
    name="evaluations",
    models=(models, request_models, judge_models, release_models),
    routes=(
        *dict.fromkeys(
            each.feature
            for each in (
                views,
                series_views,
                measure_views,
                coverage_views,
                comparison_views,
                judge_views,
                release_views,
            )
        ),
        request_views.feature,
        api.feature,
    ),
    api=openapi.DESCRIPTION,
    navigation=(
        NavItem(
            label="Evaluations",
            icon="flask",
            endpoint="evaluations.index",
            permission=permissions.VIEW,
            order=67,
            group="operations",
        ),
    ),
    tabs=(
        _tab("This week", "evaluations.index", 10),
        _tab("Suites", "evaluations.suites", 20),
        _tab("Runs", "evaluations.runs", 30),
        _tab("Judges", "evaluations.all_judges", 55),
        _tab("Runners", "evaluation_requests.index", 60),
        _tab("Coverage", "evaluations.coverage", 70),
    ),
    palette=(
        Command("Import evaluation run", "evaluations.new_run", permissions.IMPORT),
        Command("Compare evaluation runs", "evaluations.choose_runs", permissions.VIEW),
        Command("Run evaluation", "evaluation_requests.new", permissions.REQUEST),
        Command("Run undecided evaluations", "evaluation_requests.undecided", permissions.REQUEST),
        Command("New evaluation suite", "evaluations.new_suite", permissions.MANAGE),
    ),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        SYSTEM_PARTS(
            system_parts.VERDICTS,
            system_charts.CHARTS,
            system_parts.EVALUATIONS_TAB,
            system_parts.REQUESTS,
            system_parts.OUTDATED,
        ),
        GATES(gates.MEASURES, gates.PAIRS),
    ),
    work=(run_work.judge,),
    schedule=(
        Hourly("end evaluation requests", jobs.end_unanswered, minute=43),
        Daily("forget evaluation cases", jobs.forget_cases, at="02:53"),
        Daily("remove evaluation files", jobs.remove_files, at="03:11"),
    ),
    audit=actions_in(suite_actions, run_actions, request_actions, judge_actions, release_actions),
    links={
        "EvaluationSuite": EntryLink(endpoint="evaluations.suites", noun="evaluation suite"),
        "EvaluationJudge": EntryLink(
            endpoint="evaluations.judge", argument="judge_id", noun="judge"
        ),
        "EvaluationRun": EntryLink(
            endpoint="evaluations.run", argument="run_id", noun="evaluation run"
        ),
        "ServedRelease": EntryLink(
            endpoint="evaluations.index", noun="served release of an AI system"
        ),
        "EvaluationRequest": EntryLink(
            endpoint="evaluation_requests.shown",
            argument="request_id",
            noun="evaluation request",
        ),
    },
    answers=(
        PortAnswer(evaluations_of, successor_runs.evaluations_of),
        PortAnswer(policy_ports.tier_moves, tier_moves.tier_moves),
    ),
    publishes=(events.RunJudged, events.SuiteVersionWithdrawn, events.JudgeChanged),
    subscribes=(Subscription(events.RunJudged, metrics.note),),
)
