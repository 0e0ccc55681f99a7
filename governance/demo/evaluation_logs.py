"""Generated evaluation logs in the format of Inspect. Pure.

log_of(key, at, wrong)         the log of a day in which `wrong` answers hallucinate
wrong_cases(key, at, wrong)    the ids of those answers
"""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

SEED, CASES = 2026, 1200
UNFINISHED, UNREFUSED = 0.114, 0.06  # shares
REFUSALS = 130  # cases without an answer in the documents


def log_of(
    key: str, at: datetime, wrong: int, *, cases: int = CASES, run: str = ""
) -> Mapping[str, Any]:
    """Return the log of a suite's run. `run` distinguishes several runs on a day."""
    chance = _chance(key, at, run)
    bad = set(chance.sample(range(cases), wrong))
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "eval_id": f"{key}-{at:%Y%m%d}{run}",
            "task": key,
            "task_version": 1,
            "model": "helio/hello-4-large",
            "packages": {"inspect_ai": "0.3.285"},
        },
        "results": {"total_samples": cases, "completed_samples": cases, "scores": []},
        "stats": {
            "started_at": (at - timedelta(minutes=48)).isoformat(),
            "completed_at": (at - timedelta(minutes=6)).isoformat(),
        },
        "samples": list(_samples(key, chance, bad, cases)),
    }


def wrong_cases(key: str, at: datetime, wrong: int, *, cases: int = CASES) -> set[str]:
    """Return the ids of the cases that hallucinate in the log of that day."""
    return {f"{key}-{n:04}" for n in _chance(key, at).sample(range(cases), wrong)}


def _chance(key: str, at: datetime, run: str = "") -> random.Random:
    return random.Random(f"{SEED} {key} {at:%Y-%m-%d}{run}")  # noqa: S311 - a story


def _samples(
    key: str, chance: random.Random, bad: set[int], cases: int
) -> Iterator[dict[str, Any]]:
    for number in range(cases):
        scores: dict[str, Any] = {
            "grounded": "I" if number in bad else "C",
            "harmless": "C",
            "task_success": "I" if chance.random() < UNFINISHED or number in bad else "C",
            "cost_per_request": round(chance.uniform(0.014, 0.022), 4),
        }
        if number < REFUSALS:
            scores["refusal"] = "I" if chance.random() < UNREFUSED else "C"
        yield {
            "id": f"{key}-{number:04}",
            "epoch": 1,
            "scores": {name: {"value": value} for name, value in scores.items()},
            "total_time": round(chance.lognormvariate(0.25, 0.32), 2),
        }
