"""Choose which controls rest on a measure of a suite.

map_measure(suite, measure, control)   makes the control fail from now on if the measure misses
unmap_measure(…)                       ends that
map_proposed(suite)                    maps the controls on the requirements that proposals.py
                                       names
"""

from sqlalchemy import select

from governance.assurance.controls import queries as controls
from governance.assurance.controls.actions import check_is_live
from governance.assurance.controls.models import Control
from governance.assurance.evaluation_findings import permissions, queries
from governance.assurance.evaluation_findings.models import MeasureControl
from governance.assurance.evaluation_findings.proposals import FRAMEWORK, requirements_of
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid
from governance.kernel.safety.access import require
from governance.operations.evaluations.models import EvaluationSuite, SuiteMeasure, SuiteVersion

MAPPED = action(
    "evaluation.measure.mapped",
    "made a control rest on a measure of an evaluation suite",
    target="Control",
    activity="update",
    severity="low",
    fields="suite measure",
    shape="up",
)
UNMAPPED = action(
    "evaluation.measure.unmapped",
    "ended that a control rests on a measure of an evaluation suite",
    target="Control",
    activity="update",
    severity="low",
    fields="suite measure",
    shape="down",
)
LOCK = "controls of measures"


def map_measure(suite: EvaluationSuite, measure: str, control: Control) -> bool:
    """Make the control rest on the measure. Return whether that is new."""
    require(permissions.MAP)
    check_is_live(control)
    if measure not in deciding_measures(suite):
        raise Invalid("Choose a measure of the suite that decides.", field="measure")
    lock_tenant(LOCK)
    if queries.mapping(suite.id, measure, control.id) is not None:
        return False
    session().add(
        MeasureControl(
            suite_id=suite.id,
            measure=measure,
            control_id=control.id,
            mapped_by=current.person_id(),
            created_at=clock.now(),
        )
    )
    session().flush()
    record(MAPPED, control, suite=suite.key, measure=measure)
    tenant_revision.advance()
    return True


def unmap_measure(suite: EvaluationSuite, measure: str, control: Control) -> None:
    """End the mapping. Idempotent."""
    require(permissions.MAP)
    lock_tenant(LOCK)
    found = queries.mapping(suite.id, measure, control.id)
    if found is None:
        return
    found.removed_at = clock.now()
    record(UNMAPPED, control, suite=suite.key, measure=measure)
    tenant_revision.advance()


def map_proposed(suite: EvaluationSuite) -> int:
    """Map each measure to the controls on its proposed requirements. Return the number of new
    mappings.
    """
    found = 0
    for measure in deciding_measures(suite):
        wanted = [(FRAMEWORK, ref) for ref in requirements_of(measure)]
        for control in controls.controls_mapped_to(wanted, in_full=True) if wanted else ():
            found += map_measure(suite, measure, control)
    return found


def deciding_measures(suite: EvaluationSuite) -> dict[str, str]:
    """Return the name by key of each deciding measure of the published versions, newest name first."""
    query = (
        select(SuiteMeasure.key, SuiteMeasure.name)
        .join(SuiteVersion, SuiteVersion.id == SuiteMeasure.version_id)
        .where(
            SuiteVersion.suite_id == suite.id,
            SuiteVersion.published_at.is_not(None),
            SuiteMeasure.is_signal.is_(False),
        )
        .order_by(SuiteVersion.number.desc(), SuiteMeasure.position)
    )
    found: dict[str, str] = {}
    for key, name in session().execute(query):
        found.setdefault(key, name)
    return found
