"""Rollouts measured in the decision API: the cost of the split, and the delay of a halt.

measure(…)      by wrk, with another key in each request: one flag, and 1,000 features in one bulk
                answer, split in halves, compared with the same flags at 100%, which need no
                bucket; the time from a halt or a resumption until both workers obey it, by NOTIFY
"""

import json
import statistics
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from bench.client import serving, serving_console
from bench.decisions import FLAGS, FLIPS, VAR, Row, obeyed_after, wrk
from governance.kernel import clock
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session

FEATURES, KEYS = 1_000, 5_000
ONE = "≥ 0.91: bucketing adds < 10 %"
SPLIT, WHOLE = "bench-split", "bench-whole"  # Systems whose features are all at 50%, or at 100%.


def measure(
    environment: Mapping[str, str], *, rounds: int, seconds: float, quick: bool
) -> list[Row]:
    one, many = _world("acme", 1), _world("globex", FEATURES)
    with (
        serving_console(environment, VAR / "rollouts.log") as (port, _),
        serving("bench.floor:app", environment, VAR / "floor-rollouts.log") as (floor_port, _),
    ):
        rows = _rates(one, many, port, floor_port, rounds, max(seconds * 5, 1))
    two = {**environment, "GOVERNANCE_WEB_WORKERS": "2"}
    with serving_console(two, VAR / "rollouts-two.log", workers=2) as (port, _):
        return [*rows, *_halts(one, port, 6 if quick else FLIPS)]


def _world(slug: str, features: int) -> dict[str, Any]:
    """Create two systems with many features each, every one with a rollout, and a key."""
    from governance.foundation.api_keys import actions as keys
    from governance.operations.rollouts import queries as rollouts
    from governance.operations.rollouts.ladders import LADDERS
    from governance.operations.rollouts.models import Rollout
    from governance.operations.systems import actions as systems
    from governance.operations.systems.models import SystemFeature
    from tests import make

    ladder = LADDERS["standard"]
    with make.acting("admin", slug):
        number = rollouts.next_number()
        for position, name in ((len(ladder) - 2, SPLIT), (len(ladder) - 1, WHOLE)):
            system = systems.register(
                key=name,
                stage="live",
                name=name,
                lane="standard",
                purpose="Measured.",
                owner_id=None,
            )
            every = [
                SystemFeature(id=uuid4(), system_id=system.id, key=f"{name}-{n}", fallback="None")
                for n in range(features)
            ]
            session().add_all(every)
            session().flush()
            session().add_all(
                Rollout(
                    number=(number := number + 1),
                    system_id=system.id,
                    feature_id=each.id,
                    change="model",
                    release="2026.12.0",
                    previous="2026.11.2",
                    summary="Measured.",
                    system_version=1,
                    risk_class="standard",
                    ladder=[stage.plain() for stage in ladder],
                    rollback_plan="Serve 2026.11.2.",
                    on_failure="halt",
                    state="running",
                    position=position,
                    started_at=clock.now(),
                )
                for each in every
            )
            session().flush()
        tenant_revision.advance()
        _, key = keys.create("bench rollouts", ("flags:read",), rate=10_000_000)
        return {"key": key, "slug": slug}


# ---- requests per second


def _rates(
    one: Mapping[str, Any],
    many: Mapping[str, Any],
    port: int,
    floor_port: int,
    rounds: int,
    seconds: float,
) -> list[Row]:
    base = f"http://127.0.0.1:{port}{FLAGS}"
    asked: dict[str, tuple[str, Path | None]] = {
        "hello": (f"http://127.0.0.1:{floor_port}/hello", None)
    }
    asked["policy"] = (f"{base}/policy.grounding", _script("policy", one["key"], SPLIT))
    for name in (SPLIT, WHOLE):
        asked[f"one {name}"] = (
            f"{base}/rollout.{name}-0",
            _script(f"one-{name}", one["key"], name),
        )
        asked[f"bulk {name}"] = (base, _script(f"bulk-{name}", many["key"], name))
    found: dict[str, list[float]] = {name: [] for name in asked}
    for url, script in asked.values():
        wrk(url, script, 1)
    for _ in range(rounds):
        for name, (url, script) in asked.items():
            found[name].append(wrk(url, script, seconds)[0])

    def ratio(name: str, to: str) -> float:
        return statistics.median(a / b for a, b in zip(found[name], found[to], strict=True))

    def rate(name: str) -> float:
        return statistics.median(found[name])

    many_words = f"{FEATURES:,} rollouts in one bulk answer".replace(",", " ")
    return [
        ("bare Flask hello", rate("hello"), "req/s", None, ""),
        (
            "one rollout flag, split by the key",
            rate(f"one {SPLIT}"),
            "req/s",
            ratio(f"one {SPLIT}", "hello"),
            "≥ 2.0 of Flask hello",
        ),
        (
            "the same beside a policy flag",
            rate("policy"),
            "req/s",
            ratio(f"one {SPLIT}", "policy"),
            ONE,
        ),
        (
            "the same beside a rollout at 100%",
            rate(f"one {WHOLE}"),
            "req/s",
            ratio(f"one {SPLIT}", f"one {WHOLE}"),
            ONE,
        ),
        (
            f"{many_words}, split by the key, beside the same at 100%",
            rate(f"bulk {SPLIT}"),
            "req/s",
            ratio(f"bulk {SPLIT}", f"bulk {WHOLE}"),
            ONE,
        ),
    ]


def _script(name: str, key: str, system: str) -> Path:
    """Write the script that makes wrk send another targeting key in each request.

    Return its path.
    """
    before, after = json.dumps({"context": {"system": system, "targetingKey": "user-#"}}).split("#")
    path = VAR / f"rollout-{name}.lua"
    path.write_text(
        'wrk.method = "POST"\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
        f'wrk.headers["Authorization"] = "Bearer {key}"\n'
        "local requests, n = {}, 0\n"
        "function init()\n"
        f"  for i = 1, {KEYS} do\n"
        f"    requests[i] = wrk.format(nil, nil, nil, '{before}' .. i .. '{after}')\n"
        "  end\n"
        "end\n"
        f"function request()\n  n = n % {KEYS} + 1\n  return requests[n]\nend\n"
    )
    return path


# ---- halt → obeyed


def _halts(world: Mapping[str, Any], port: int, flips: int) -> list[Row]:
    """Measure from the commit of a halt to the first answer that obeys it, in each of two workers."""
    late: list[float] = []
    for n in range(flips):
        state, awaited = ("halted", "current") if n % 2 == 0 else ("running", "candidate")
        change: Callable[[], float] = partial(_to, world, state)
        late += obeyed_after(change, port, world["key"], flag=f"rollout.{WHOLE}-0", awaited=awaited)
    late.sort()
    p99, goal = late[min(len(late) - 1, int(len(late) * 0.99))], 50
    what = "halt or resumption of a rollout → obeyed by both workers, NOTIFY"
    return [
        (f"{what}, p50 of {len(late)}", statistics.median(late), "ms", None, ""),
        (f"{what}, p99", p99, "ms", goal / p99, f"≤ {goal} ms"),
    ]


def _to(world: Mapping[str, Any], state: str) -> float:
    """Halt the rollout at 100% by the product's own action, or resume it without its gates.

    Return the instant of the commit.
    """
    from governance.operations.rollouts import actions
    from governance.operations.rollouts.models import Rollout
    from tests import make

    with make.acting("admin", world["slug"]):
        query = select(Rollout).order_by(Rollout.number.desc()).limit(1)
        row = session().scalars(query).one()
        if state == "halted":
            actions.halt(row, reason="Measured.")
        else:
            row.state = state
            session().flush()
            tenant_revision.advance()
    return perf_counter()
