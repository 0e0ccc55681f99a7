"""Work on a run: a child process reads and judges the file, then a transaction stores it."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from governance.kernel import clock
from governance.kernel.data.db import extend_statement_timeout, transaction
from governance.kernel.errors import DomainError, Unavailable
from governance.kernel.files import sandbox, storage
from governance.kernel.files.sandbox import Ending, Limits
from governance.kernel.work import background_work
from governance.kernel.work.background_work import PacedProgress
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.operations.evaluations import queries
from governance.operations.evaluations.models import EvaluationRun
from governance.operations.evaluations.runs import actions as run_actions
from governance.operations.evaluations.runs.reading_child import CASES_FILE

CHILD = "governance.operations.evaluations.runs.reading_child"
LIMITS = Limits(
    memory=3 * 1024 * sandbox.MIB,  # Address space, most of it mapped by NumPy and SciPy
    seconds=240,
    output=4 * sandbox.MIB,
    file_size=1024 * sandbox.MIB,
)
TOO_MUCH = "The file needs more time or memory than one run has. Split the run."
CANT_BE_READ = "The file can't be read. Export it again."


@work(run_actions.RUNS.name)
def judge(item: WorkItem, progress: Progress) -> None:
    """Read and judge one EvaluationRun (item.target_id)."""
    run_id = background_work.target_of(run_actions.RUNS, item)
    with transaction(read_only=True):
        run = queries.run(run_id)
        if run.is_ready:
            return
        key, size, orders = run.storage_key, run.size, _orders(run)
    if key is None:
        raise DomainError("The file was removed. Import it again.")
    paced = PacedProgress(progress)
    with tempfile.TemporaryDirectory(prefix="evaluation-") as name:
        folder = Path(name)
        paced(0, size, "Decrypting the file", always=True)
        with storage.store().open(key) as source, (folder / "run").open("wb") as target:
            for piece in storage.in_pieces(source):
                target.write(piece)
        found = _read(folder, orders, paced)
        try:
            with transaction():
                extend_statement_timeout()
                if "problem" in found:
                    run_actions.refuse(run_id, found["place"], found["problem"])
                else:
                    run_actions.keep_results(run_id, found, folder / CASES_FILE)
        except Unavailable:
            raise
        except DomainError as refused:
            with transaction():
                run_actions.refuse(run_id, "", refused.message)
    storage.store().remove(key)


def _orders(run: EvaluationRun) -> dict[str, Any]:
    rules = [queries.rule_of(each) for each in queries.measures(run.version_id)]
    return {
        "model": run.chosen_model,
        "today": clock.today().isoformat(),
        "looks": {week.isoformat(): count for week, count in queries.looks(run).items()},
        "rules": [
            {
                "key": rule.key,
                "kind": rule.kind,
                "unit": rule.unit,
                "at_least": rule.at_least,
                "limits": dict(rule.limits),
                "sources": list(rule.sources),
                "percent": rule.percent,
                "is_inverted": rule.is_inverted,
                "is_signal": rule.is_signal,
                "min_samples": rule.min_samples,
            }
            for rule in rules
        ],
    }


def _read(folder: Path, orders: Mapping[str, Any], paced: PacedProgress) -> Mapping[str, Any]:
    """Return the child's result: a run with its measures, or a place and a problem."""
    given = dict(orders) | {"path": str(folder / "run")}
    last: dict[str, Any] = {}

    def heard(line: bytes) -> None:
        message = json.loads(line)
        if "cases" in message:
            paced(message["cases"], 0, f"{message['cases']:,} cases read")
        else:
            last.update(message)

    outcome = sandbox.run(CHILD, limits=LIMITS, sent=json.dumps(given).encode(), on_line=heard)
    if not outcome.is_finished or not last:
        too_much = outcome.ending in {Ending.TOO_LARGE, Ending.TOO_SLOW}
        return {"place": "", "problem": TOO_MUCH if too_much else CANT_BE_READ}
    return last
