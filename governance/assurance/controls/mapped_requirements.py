"""The requirements a control is mapped to, by framework, limited to the reader's scope."""

from uuid import UUID

from governance.assurance.controls import queries
from governance.assurance.frameworks import queries as frameworks
from governance.kernel.safety.visibility_scope import limits


def mapped_requirements(
    control_id: UUID,
) -> list[tuple[frameworks.FrameworkView, list[tuple[frameworks.RequirementView, str]]]]:
    """Return the requirements by framework, in the publisher's order, each with its coverage."""
    scope = limits()
    open_ones = [
        m
        for m in queries.mappings(control_id)
        if scope is None or scope.holds_requirement(m.requirement_id)
    ]
    coverage = {m.requirement_id: m.coverage for m in open_ones}
    found = [
        (
            each,
            [
                (node, coverage[node.id])
                for node in frameworks.requirements(each.id)
                if node.id in coverage
            ],
        )
        for each in frameworks.installed()
    ]
    return [(each, nodes) for each, nodes in found if nodes]
