"""The sentences of an AI system's record for its documents, each bound to a record.

A feature registers a provider in its manifest:

    record_points=(documents.points_of,)      points_of(system_id) yields RecordPoints

publishing/system_documents/catalogue.py has the points that documents have.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RecordPoint:
    """One sentence for one or more points of documents, such as "2.g" of Annex IV.

    `source` names the record, which is the page at `endpoint` with `values`.
    """

    points: tuple[str, ...]
    text: str
    source: str
    endpoint: str
    values: Mapping[str, Any]
