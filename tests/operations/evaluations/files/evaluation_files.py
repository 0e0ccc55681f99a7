"""Small files of each tool, written as the tool does, for tests to damage."""

import json
import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 14):
    import zipfile
else:
    from backports.zstd import zipfile


def inspect_log(count: int = 3, **changes: Any) -> dict[str, Any]:
    """Return an Inspect log of `count` samples, the first of which is wrong.

    Changes replace members.
    """
    samples = [inspect_sample(n, "C" if n else "I") for n in range(count)]
    head = {
        "version": 2,
        "status": "success",
        "eval": {
            "eval_id": "run-1",
            "task": "grounding",
            "task_version": 3,
            "model": "openai/gpt-x",
            "packages": {"inspect_ai": "0.3.285"},
        },
        "results": {"total_samples": count, "completed_samples": count, "scores": []},
        "stats": {"started_at": "2026-11-20T10:00:00+00:00", "completed_at": ""},
    }
    log = head | changes
    log["samples"] = log.pop("samples", samples)  # Last, as Inspect writes them.
    return log


def inspect_sample(number: int, value: Any, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"case-{number}",
        "epoch": 1,
        "scores": {"grounded": {"value": value}},
        "total_time": 0.5,
    } | changes


def promptfoo_row(number: int, success: Any = True, **changes: Any) -> dict[str, Any]:
    return {
        "success": success,
        "score": 1,
        "testIdx": number,
        "promptIdx": 0,
        "vars": {"question": f"q{number}"},
        "prompt": {"label": "Answer {{question}}"},
        "provider": {"id": "openai:gpt-x"},
        "latencyMs": 120,
        "failureReason": 0 if success else 1,
    } | changes


def promptfoo_document(rows: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    prompts = [{"provider": name} for name in {row["provider"]["id"] for row in rows}]
    results = {
        "version": 3,
        "timestamp": "2026-11-20T10:00:00Z",
        "prompts": prompts,
        "results": rows,
    }
    return {"evalId": "eval-1", "results": results | changes}


def garak_report(**changes: Any) -> list[dict[str, Any]]:
    """Return a report with one attempt of two outputs, the second of which was hit."""
    attempt = {
        "entry_type": "attempt",
        "uuid": "a-1",
        "seq": 0,
        "status": 2,
        "probe_classname": "dan.Dan",
        "detector_results": {"dan.DAN": [0.0, 1.0]},
    }
    counts = {"passed": 1, "total_evaluated": 2, "fails": 1, "nones": 0}
    evaluation = {"entry_type": "eval", "probe": "dan.Dan", "detector": "dan.DAN"} | counts
    return [
        {
            "entry_type": "start_run setup",
            "plugins.model_type": "openai",
            "run.eval_threshold": 0.5,
        },
        {"entry_type": "init", "garak_version": "0.17.1", "run": "g-1", "start_time": ""},
        attempt,
        evaluation | changes,
        {"entry_type": "completion", "run": "g-1", "end_time": ""},
    ]


def every_eval_ever(**changes: Any) -> dict[str, Any]:
    result = {
        "evaluation_name": "claims",
        "source_data": {"dataset_name": "claims", "source_type": "other"},
        "metric_config": {
            "metric_id": "accuracy",
            "lower_is_better": False,
            "score_type": "binary",
        },
        "score_details": {"score": 0.93, "uncertainty": {"num_samples": 200}},
    }
    return {
        "schema_version": "0.2.2",
        "evaluation_id": "claims/gpt-x/1763600000",
        "retrieved_timestamp": "1763600000",
        "source_metadata": {"source_type": "evaluation_run"},
        "model_info": {"name": "GPT X", "id": "openai/gpt-x"},
        "eval_library": {"name": "lm_eval", "version": "0.4.9"},
        "evaluation_results": [result | changes],
    }


def write_json(folder: Path, document: Any) -> Path:
    """Write JSON as Python's tools do, so that NaN stays NaN."""
    path = folder / "log.json"
    path.write_text(json.dumps(document))
    return path


def write_lines(folder: Path, rows: list[Any]) -> Path:
    path = folder / "results.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def write_archive(
    folder: Path, log: dict[str, Any], method: int = zipfile.ZIP_ZSTANDARD, **extra: bytes
) -> Path:
    """Write an .eval archive of the log, packed as Inspect does today.

    Extra members are given by name.
    """
    path = folder / "log.eval"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("_journal/start.json", json.dumps({"version": log["version"]}))
        for sample in log["samples"]:
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", json.dumps(sample))
        header = {name: value for name, value in log.items() if name != "samples"}
        archive.writestr("header.json", json.dumps(header))
        for name, content in extra.items():
            archive.writestr(name, content)
    return path
