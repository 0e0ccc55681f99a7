"""Logs of two runs whose cases differ as a test requires."""

from tests.operations.evaluations.evaluation_helpers import log_of
from tests.operations.evaluations.files.evaluation_files import inspect_sample


def log(verdicts, run, *, sources=None, judge=None, first=0, **changes):
    """Return an Inspect log whose cases have these verdicts, "C" or "I", from number `first` on."""
    samples = [
        inspect_sample(first + n, value) | ({"metadata": {"source": sources[n]}} if sources else {})
        for n, value in enumerate(verdicts)
    ]
    made = log_of(0, 0, run=run, samples=samples, **changes)
    made["results"]["total_samples"] = made["results"]["completed_samples"] = len(samples)
    if judge:
        made["eval"]["model_roles"] = {"grader": {"model": judge}}
    return made


def changed(both, worse, better, neither):
    """Return both runs' verdicts, for these numbers of cases: right in both, worse, better, wrong."""
    old = ["C"] * (both + worse) + ["I"] * (better + neither)
    new = ["C"] * both + ["I"] * worse + ["C"] * better + ["I"] * neither
    return old, new
