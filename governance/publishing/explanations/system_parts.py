"""The tab that explanations add to an AI system's pages."""

from governance.operations.systems.parts import SystemTab
from governance.publishing.explanations import permissions

TAB = SystemTab(
    label="Explanation",
    endpoint="explanations.explanation",
    argument="system_key",
    permission=permissions.VIEW,
    order=95,
)
