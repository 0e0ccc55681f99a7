"""The tab and history entries that model cards add to an AI system's pages."""

from governance.operations.systems.parts import SystemRecords, SystemTab
from governance.publishing.model_cards import permissions, queries

TAB = SystemTab(
    label="Model card",
    endpoint="model_cards.index",
    argument="system_key",
    permission=permissions.VIEW,
    order=96,
    content=queries.tab_note,
    counts_everything=True,
)
RECORDS = SystemRecords(
    permission=permissions.VIEW, select=queries.cards_of, counts_everything=True
)
