"""The import of an evaluation log measured: read, judged and stored, as a pipeline sends it.

    measure() -> rows of the table

The log is 200 MB of Inspect with 50,000 samples; GOVERNANCE_BENCH_SAMPLES sets another number.
The limit is the work that no import can avoid: ijson reads the same bytes and builds each
sample, in its own process. Memory is that of the child that reads, minus that of the same child
with a log of one sample.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.table import Row
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from governance.operations.evaluations import queries
from governance.operations.evaluations.files.json_stream import PIECE_BYTES
from governance.operations.evaluations.models import EvaluationSuite
from governance.operations.evaluations.runs import actions as run_actions
from governance.operations.evaluations.runs import work as run_work
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.systems import actions as systems
from governance.operations.systems.models import AISystem
from tests import make

SAMPLES = int(os.environ.get("GOVERNANCE_BENCH_SAMPLES", "50000"))
KEY = "bench-evaluated"
QUESTION = "Is the water damage in the cellar covered by the household policy of March?" * 3
ANSWER = "The claim is covered by section 3: tap water that leaves its pipes by accident." * 4
BARE = f"""
import ijson, sys
with open(sys.argv[1], "rb") as file:
    for _ in ijson.items(file, "samples.item", use_float=True, buf_size={PIECE_BYTES}):
        pass
"""


def measure() -> list[Row]:
    """Import the log between two bare reads of it, then read it once more to measure its memory."""
    with tempfile.TemporaryDirectory(prefix="bench-evaluation-") as name:
        path = Path(name) / "run.json"
        _write(path, SAMPLES)
        size = path.stat().st_size / 1e6
        bare = [_bare(path)]
        seconds = _import(path)
        bare.append(_bare(path))
        limit = statistics.mean(bare)
        peak = _peak(path)
        _write(path, 1)
        idle = _peak(path)
    return [
        (
            f"an Inspect log of {SAMPLES:,} samples, from upload to judged",
            seconds,
            f"s ({size:,.0f} MB)",
            seconds / limit,
            "≤ 3 of ijson alone",
        ),
        ("memory of its reading over an idle one", peak - idle, "MB", None, "≤ 64"),
    ]


def _write(path: Path, count: int) -> None:
    """Write a log as Inspect does: the samples last, each with its messages."""
    ended = clock.now().replace(microsecond=0).isoformat()
    head = {
        "version": 2,
        "status": "success",
        "eval": {"eval_id": f"bench-{ended}-{count}", "task": "grounding", "model": "bench"},
        "results": {"total_samples": count, "completed_samples": count, "scores": []},
        "stats": {"started_at": ended, "completed_at": ended},
    }
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head)[:-1] + ', "samples": [')
        for n in range(count):
            file.write("," * bool(n) + json.dumps(_sample(n)))
        file.write("]}")


def _sample(n: int) -> dict[str, Any]:
    """Return a 4 KB sample with what Inspect 0.3 writes: messages, output, scores and events."""
    asked = {"id": f"q{n}", "content": f"{QUESTION} Claim {n}.", "source": "input", "role": "user"}
    said = {"id": f"a{n}", "content": ANSWER, "source": "generate", "role": "assistant"}
    usage = {"input_tokens": 400 + n % 100, "output_tokens": 60, "total_tokens": 460 + n % 100}
    output = {"model": "bench", "choices": [{"message": said, "stop_reason": "stop"}]}
    score = {"value": "I" if n % 40 == 0 else "C", "answer": "covered", "history": []}
    at = {"span_id": f"span-{n}", "timestamp": "2026-11-24T22:44:00.067952+00:00"}
    begins, ends = {"event": "span_begin", "type": "solver"}, {"event": "span_end"}
    events = [
        at | {"uuid": f"u{n}-{each}", "working_start": 1612.85 + n + each} | facts
        for each, facts in enumerate(
            [
                begins | {"name": "init"},
                {"event": "sample_init", "state": {"messages": [asked], "tools": [], "store": {}}},
                ends,
                begins | {"name": "generate"},
                {"event": "model", "input_refs": [[0, 1]], "output": output, "usage": usage},
                ends,
                begins | {"name": "grounded"},
                {"event": "score", "score": score, "target": "covered", "intermediate": False},
                ends,
            ]
        )
    ]
    return {
        "id": f"case-{n}",
        "epoch": 1,
        "input": asked["content"],
        "target": "covered",
        "messages": [asked, said],
        "output": output | {"completion": ANSWER, "usage": usage},
        "scores": {"grounded": score, "harmless": {"value": 1.0}},
        "metadata": {"source": f"policy-{n % 200}"},
        "events": events,
        "model_usage": {"bench": usage},
        "total_time": 0.4 + n % 100 / 100,
    }


def _bare(path: Path) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", BARE, str(path)], check=True)
    return time.perf_counter() - begun


def _import(path: Path) -> float:
    """Return the seconds from upload until the verdicts are stored."""
    with make.acting("admin"):
        system, suite = _system(), _suite()
        version = queries.version(suite.id)
        begun = time.perf_counter()
        with path.open("rb") as file:
            run_id = run_actions.import_run(
                file, system=system, suite=suite, version=version, release="1", name=path.name
            ).id
    jobs.drain(actor_of)
    taken = time.perf_counter() - begun
    with make.acting("admin"):
        run = queries.run(run_id)
        if (run.state, run.cases) != ("judged", SAMPLES):
            raise SystemExit(f"the run is {run.state}: {run.place} {run.problem}")
    return taken


def _system() -> AISystem:
    found = session().query(AISystem).filter(AISystem.key == KEY).one_or_none()
    return found or systems.register(
        key=KEY, stage="live", name="Evaluated", lane="standard", purpose="Bench.", owner_id=None
    )


def _suite() -> EvaluationSuite:
    found = session().query(EvaluationSuite).filter(EvaluationSuite.key == KEY).one_or_none()
    if found is None:
        found = suite_actions.create(key=KEY, name="Bench", purpose="Bench.", pack="support")
        suite_actions.publish(queries.versions(found.id)[0], found)
    return found


def _peak(path: Path) -> float:
    """Return the peak memory of a child that reads this file, in MB."""
    with make.acting("admin"):
        version = queries.version(_suite().id)
        rules = [asdict(queries.rule_of(each)) for each in queries.measures(version.id)]
    today = clock.today().isoformat()
    orders = {"path": str(path), "model": "", "today": today, "looks": {}, "rules": rules}
    with subprocess.Popen(
        [sys.executable, "-m", run_work.CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        if child.stdin is None or child.stdout is None:
            raise SystemExit("the child has no pipes")
        child.stdin.write(json.dumps(orders).encode())
        child.stdin.close()
        peak = 0.0
        # The child prints its last line, the verdicts, then waits for the reader.
        for line in child.stdout:
            peak = max(peak, _high_water(child.pid))
            if b"problem" in line and b"measures" not in line:
                raise SystemExit(line.decode())
    return peak


def _high_water(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
