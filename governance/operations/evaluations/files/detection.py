"""Detection of the tool that wrote a file, by its content. The file's name isn't used."""

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from governance.operations.evaluations.files import (
    every_eval_ever,
    garak_reports,
    inspect_logs,
    meridian_runs,
    promptfoo_results,
)
from governance.operations.evaluations.files.json_stream import head_of
from governance.operations.evaluations.files.records import EvaluationRecord, FileRefused

ZIP = b"PK"
HEAD_BYTES = 1024 * 1024
FORMATS = (
    "an Inspect log (.json, .eval), promptfoo results (JSON, JSONL), a garak report (JSONL), an"
    " Every Eval Ever document (JSON) or its own JSON"
)
UNKNOWN = f"The file is none that Meridian reads: {FORMATS}."
OTHER_TOOLS = (  # Members that the files of a tool have; the first match counts
    ("lm-evaluation-harness", frozenset({"results", "configs", "versions"})),
    ("lm-evaluation-harness", frozenset({"doc_id", "resps", "filtered_resps"})),
    ("HELM", frozenset({"adapter_spec", "scenario_spec"})),
    ("HELM", frozenset({"adapter_spec", "request_states"})),
    ("OpenAI Evals", frozenset({"spec"})),
    ("DeepEval", frozenset({"testCases", "metricsScores"})),
)
PROMPTFOO = {"version", "prompts", "stats"}  # Members of its results


def read_file(path: Path, model: str = "") -> Iterator[EvaluationRecord]:
    """Read an evaluation file of any known tool. Raises FileRefused.

    `model` chooses one of several that a promptfoo file compares.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head.strip():
        raise FileRefused("", "The file is empty.")
    if head.startswith(ZIP) or zipfile.is_zipfile(path):
        return inspect_logs.read_archive(path)
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        raise FileRefused("", UNKNOWN)
    return _lines(path, head, model) or _document(path, model)


def _lines(path: Path, head: bytes, model: str) -> Iterator[EvaluationRecord] | None:
    first, newline, rest = head.lstrip().partition(b"\n")
    try:
        entry = json.loads(first)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    if "entry_type" in entry:
        return garak_reports.read_report(path)
    if {"success", "promptIdx"} <= entry.keys() or {"success", "testIdx"} <= entry.keys():
        return promptfoo_results.read_lines(path, model)
    if newline and rest.strip():
        raise FileRefused("line 1", _unknown(entry))
    return None


def _document(path: Path, model: str) -> Iterator[EvaluationRecord]:
    head = head_of(path)
    if meridian_runs.MARK in head:
        return meridian_runs.read_document(path)
    if "eval" in head and "status" in head:
        return inspect_logs.read_log(path)
    if "schema_version" in head:
        return every_eval_ever.read_document(path)
    results = head.get("results")
    if isinstance(results, dict) and results.keys() & PROMPTFOO:
        return promptfoo_results.read_document(path, model)
    raise FileRefused("", _unknown(head))


def _unknown(head: Mapping[str, Any]) -> str:
    tool = next((name for name, members in OTHER_TOOLS if members <= head.keys()), "")
    if not tool:
        return UNKNOWN
    return f"This is a result of {tool}, which Meridian doesn't read. It reads {FORMATS}."
