"""Implementation of the register's port for data sets that an AI system names."""

from collections.abc import Collection, Mapping

from governance.kernel.safety.access import allowed
from governance.operations.datasets import permissions, queries
from governance.operations.datasets.queries import DataSetRow
from governance.operations.datasets.states import KINDS, STATES
from governance.operations.systems.ports import NamedDataSet


def data_sets_named(names: Collection[str]) -> Mapping[str, NamedDataSet]:
    """Return known data sets by name. "claims-2025 3" is version 3 of claims-2025.

    Runs one statement. Unknown names get nothing, and neither do people who may not view data sets.
    """
    keys = {name: name.split()[0] for name in names if name.split()}
    if not keys or not allowed(permissions.VIEW):
        return {}
    rows = {row.data_set.key: row for row in queries.rows_of(set(keys.values()))}
    return {name: _named(name, rows[key]) for name, key in keys.items() if key in rows}


def _named(name: str, row: DataSetRow) -> NamedDataSet:
    told = [each.text.removeprefix("is ").removeprefix("has ") for each in row.reasons]
    number = name.split()[1] if len(name.split()) > 1 else ""
    if row.data_set.version and number.isdecimal() and int(number) != row.data_set.version:
        told.append(f"version {row.data_set.version} is published")
    words = "; ".join(told if row.reasons else [STATES[row.state], *told])
    return NamedDataSet(row.data_set.id, KINDS[row.state], words[0].upper() + words[1:])
