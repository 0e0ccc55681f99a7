"""The kinds of report: each takes a snapshot of some data and builds a document from it.

    KINDS[key]           the kind of a run
    build(snapshot)      the document of a frozen snapshot, by its schema

A kind's `snapshot(report)` returns its own facts with `schema` and `document` (its number without
the tenant, its first version, and `until`, the last day it covers). jobs.py adds the facts that all
kinds share: tenant, instants, edition, log, entry, signing key.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import governance.publishing.reports.attestation.document as attestation
import governance.publishing.reports.readiness.document as readiness
import governance.publishing.reports.type2.document as type2
from governance.publishing.reports import models
from governance.publishing.reports.ai_rmf import document, snapshot
from governance.publishing.reports.ai_rmf import facts as ai_rmf
from governance.publishing.reports.ai_rmf.snapshot import canonical
from governance.publishing.reports.attestation.snapshot import SCHEMA as ATTESTATION
from governance.publishing.reports.built_document import Built
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.readiness.snapshot import SCHEMA as READINESS
from governance.publishing.reports.type2.snapshot import SCHEMA as TYPE_II


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of report. `pages` is an estimate for the progress bar."""

    key: str
    name: str
    schema: str
    pages: int
    snapshot: Callable[[ReportRun], dict[str, Any]]
    build: Callable[[Any], Built]


AI_RMF = Kind(
    models.AI_RMF, "AI RMF compliance", snapshot.SCHEMA, 44, ai_rmf.snapshot, document.build
)
POLICY = Kind(
    models.POLICY, "Policy attestation", ATTESTATION, 12, attestation.snapshot, attestation.build
)
SOC2 = Kind(models.READINESS, "SOC 2 readiness", READINESS, 20, readiness.snapshot, readiness.build)
MATRIX = Kind(models.TYPE_II, "Type II evidence matrix", TYPE_II, 20, type2.snapshot, type2.build)
KINDS = {each.key: each for each in (AI_RMF, POLICY, SOC2, MATRIX)}
BY_SCHEMA = {each.schema: each for each in KINDS.values()}


def build(frozen: Mapping[str, Any]) -> Built:
    """Build a report of any kind.

    The same facts give the same document in any order of their keys. The database changes that
    order, and the fingerprint is of the canonical order.
    """
    return BY_SCHEMA[frozen["schema"]].build(json.loads(canonical(frozen)))
