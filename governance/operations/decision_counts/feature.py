"""Counts of decisions."""

from governance.kernel.manifest import Daily, Manifest
from governance.operations.decision_counts import jobs, models

manifest = Manifest(
    name="decision_counts",
    models=(models,),
    schedule=(Daily("fold decision counts", jobs.fold_counts, at="01:37"),),
)
