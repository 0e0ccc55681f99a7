"""The page of coverage: OWASP risks by AI system."""

from flask import request

from governance.kernel import clock
from governance.kernel.pages.rendering import page
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.evaluations import permissions
from governance.operations.evaluations.coverage import queries as risks
from governance.operations.evaluations.coverage.owasp import BY_KEY, EDITIONS
from governance.operations.evaluations.views import feature
from governance.operations.systems import queries as systems


@feature.get("/evaluations/coverage", needs=permissions.VIEW)
def coverage() -> ResponseReturnValue:
    """Show when each AI system tested each risk of an edition."""
    edition = BY_KEY.get(request.args.get("edition", ""), EDITIONS[0])
    now = clock.now()
    found = risks.systems(after=request.args.get("after"))
    tested = risks.tested([system.id for system in found.rows], edition)
    counts = risks.counts_of(
        edition,
        risks.systems_tested(edition, now - risks.RECENT),
        systems.counts()["live"],
    )
    return page(
        "operations/evaluations/coverage.html",
        edition=edition,
        editions=EDITIONS,
        counts=counts,
        title=risks.title_of(counts),
        rows=[
            (system, [risks.RiskCell(tested.get((system.id, risk)), now) for risk in edition.risks])
            for system in found.rows
        ],
        next=found.next,
    )
