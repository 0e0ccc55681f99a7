"""The bench (`make bench`): the product and the limit of the same machine, interleaved in one run.

Results are medians of rounds. Read the ratios, because absolute times vary with the machine's
other work. Sections: pages, writes, the seal (row-level security), the report, memory, the
audit log, evidence, indicators, usage, evaluations, risks and data sets, reviews, packages,
objectives, search, weekly series, model cards, the inbox, burn rates, decisions, rollouts.

`--quick` makes one short round of each, to check that it runs;
`--only pages report` measures only these sections (SECTIONS, below).
"""

import argparse
import itertools
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from bench import (
    alerts,
    comparisons,
    decisions,
    evaluation_import,
    evidence,
    inbox,
    log,
    measurements,
    model_cards,
    objectives,
    packages,
    reviews,
    risks,
    rollouts,
    search,
    series,
    statements,
    systems,
    table,
    testing,
    usage,
    usage_file,
    walks,
    world,
)
from bench.client import (
    Target,
    median_ms,
    rate,
    resident_megabytes,
    serving,
    serving_console,
    share_megabytes,
    warm,
)
from bench.table import Row
from governance.kernel.data import db, embedded

VAR = Path("var/bench")
PEERS = (
    (
        "list of requirements with controls",
        "VerifyWise 8 to 11 ms · CISO Assistant 501 ms, 464 statements",
    ),
    ("create an assessment", "VerifyWise 71 to 79 ms · CISO Assistant 75 ms"),
    ("record a conclusion", "CISO Assistant 82 ms"),
    (
        "page of a signed-in person",
        "VerifyWise 0.9 ms · CISO Assistant 5.4 ms (a no-op of the API)",
    ),
    ("report", "CISO Assistant 2.1 s for a table of 72 rows · VerifyWise 1.4 s for 5 pages"),
)


def main() -> None:
    options = _options()
    short = (1, 0.1, 1) if options.quick else (options.rounds, 0.4, 3)
    begun = time.monotonic()
    bench = measure(Scale(*short, quick=options.quick), options.only or list(SECTIONS))
    _print_totals(bench.memory)
    _keep(bench.rows, bench.memory, short[0])
    print(
        f"\n{short[0]} interleaved rounds, {time.monotonic() - begun:.0f} s. Kept in"
        f" {VAR / 'latest.json'}"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.run")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, metavar="SECTION")
    return parser.parse_args()


@dataclass(frozen=True, slots=True)
class Scale:
    """The extent of a measurement: rounds, seconds of each round, rounds of the report."""

    rounds: int
    seconds: float
    papers: int
    quick: bool


@dataclass(slots=True)
class Bench:
    """The running application, and the results so far."""

    app: Flask
    cookie: str
    server: embedded.Embedded
    environment: Mapping[str, str]
    scale: Scale
    rows: list[Row] = field(default_factory=list)
    memory: dict[str, float] = field(default_factory=dict)

    @property
    def pace(self) -> dict[str, Any]:
        return {"rounds": self.scale.rounds, "seconds": self.scale.seconds}

    @property
    def token(self) -> str:
        return world.token(self.app, self.cookie)


def measure(scale: Scale, sections: Sequence[str]) -> Bench:
    """Measure these sections, in the order of SECTIONS."""
    shutil.rmtree(VAR / "objects", ignore_errors=True)
    VAR.mkdir(parents=True, exist_ok=True)
    server = world.database(VAR / "pg")
    environment = world.environment(server)
    os.environ.update(environment)
    app = world.application()
    world.fill()
    world.analyze(server)
    bench = Bench(app, world.cookie(app), server, environment, scale)
    world.keep_filled(server)
    for name, section in SECTIONS.items():
        if name in sections:
            world.bring_filled_back(server)
            found = section(bench)
            table.print_rows(found)
            bench.rows += found
    return bench


def _served(bench: Bench) -> list[Row]:
    """Measure pages and writes over HTTP, and the memory of the workers that served them."""
    rounds, seconds = bench.scale.rounds, bench.scale.seconds
    with (
        serving_console(bench.environment, VAR / "web.log") as (port, pid),
        serving("bench.floor:app", bench.environment, VAR / "floor.log") as (floor_port, _),
    ):
        pages = _pages(bench.app, bench.cookie, port)
        rows = _read(pages, floor_port, rounds, seconds)
        rows += _written(bench.app, bench.cookie, (port, floor_port), rounds, seconds)
        bench.memory["web worker, after the load (MB)"] = round(resident_megabytes(pid), 1)
    bench.memory["of two workers and their server, what each worker takes (MB)"] = _share(
        bench.environment, pages, rounds, seconds
    )
    return rows


def _decided(bench: Bench) -> list[Row]:
    """Measure decisions, alone and while these pages are read."""
    paths = [each.path for each in _pages(bench.app, bench.cookie, 0).values()]
    readers = decisions.Readers(bench.cookie, paths)
    return decisions.measure(
        bench.environment, bench.server, readers, **bench.pace, quick=bench.scale.quick
    )


# ---- the measurements


def _url(app: Flask, endpoint: str, **values: Any) -> str:
    with app.test_request_context():
        from flask import url_for

        return url_for(endpoint, tenant="acme", **values)


def _pages(app: Flask, cookie: str, port: int) -> dict[str, Target]:
    ref = world.REF.replace(" ", "-")
    paths = {
        "page of a signed-in person": _url(app, "sessions.own_sessions"),
        "heat map": _url(app, "assessments.heat_map", key=world.KEY),
        "list of 72 requirements with controls and evidence": _url(
            app, "assessments.requirements", key=world.KEY
        ),
        "one requirement": _url(app, "assessments.requirement", key=world.KEY, ref=ref),
        "list of controls": _url(app, "controls.index"),
        "list of 500 evidence items, one page": _url(app, "evidence.index"),
    }
    return {
        name: Target(name, port, path, {"Cookie": f"session={cookie}"})
        for name, path in paths.items()
    }


def _read(pages: Mapping[str, Target], floor_port: int, rounds: int, seconds: float) -> list[Row]:
    """Time pages against Flask alone, and Flask with one psycopg select and a template.

    All run on the same server.
    """
    hello, page = Target("hello", floor_port, "/hello"), Target("page", floor_port, "/page")
    many = Target("list", floor_port, "/list")
    targets = {"hello": hello, "floor": page, "floor of 72 rows": many, **pages}
    for target in targets.values():
        warm(target)
    one: dict[str, list[float]] = {name: [] for name in targets}
    four: dict[str, list[float]] = {name: [] for name in targets}
    for _ in range(rounds):
        for name, target in targets.items():
            one[name].append(median_ms(target, seconds))
            four[name].append(rate(target, seconds))
    rows: list[Row] = [
        ("bare Flask hello", statistics.median(one["hello"]), "ms", None, ""),
        (
            "floor page: Flask, one psycopg select, a template",
            statistics.median(one["floor"]),
            "ms",
            _ratio(one["hello"], one["floor"]),
            "",
        ),
        (
            "floor page of 72 rows",
            statistics.median(one["floor of 72 rows"]),
            "ms",
            _ratio(one["hello"], one["floor of 72 rows"]),
            "",
        ),
    ]
    for name in pages:
        floor = "floor of 72 rows" if "72" in name or "heat" in name else "floor"
        goal = "≥ 0.07 of the floor page"
        rows.append(
            (
                name,
                statistics.median(one[name]),
                "ms",
                _ratio(one[floor], one[name]),
                goal,
            )
        )
        rows.append(
            (
                f"{name}, 4 at once",
                statistics.median(four[name]),
                "req/s",
                _ratio(four[name], four[floor]),
                goal,
            )
        )
    return rows


def _written(
    app: Flask, cookie: str, ports: tuple[int, int], rounds: int, seconds: float
) -> list[Row]:
    """Time writes with their audit entries against one bare statement that writes as many rows.

    Writes pass through the form and its checks.
    """
    (port, floor_port), token = ports, world.token(app, cookie)
    headers = {"Cookie": f"session={cookie}"}
    serial, revision, framework = itertools.count(1), itertools.count(0), world.framework_id()
    today = datetime.now(UTC).date()
    begin = Target(
        "create an assessment",
        port,
        _url(app, "assessments.start"),
        headers,
        lambda: {
            "csrf_token": token,
            "title": f"Bench {next(serial)}",
            "framework": framework,
            "scope": "organisation",
            "targets": "3",
            "period_from": (today - timedelta(days=90)).isoformat(),
            "period_to": today.isoformat(),
        },
        303,
    )
    conclude = Target(
        "record a conclusion",
        port,
        _url(app, "assessments.conclude", item_id=world.an_item()),
        headers,
        lambda: {
            "csrf_token": token,
            "level": "2",
            "rationale": "Answered by the policy and its yearly review.",
            "revision": str(next(revision)),
        },
        303,
    )
    floors = {
        conclude: Target("write", floor_port, "/write", {}, dict, 303),
        begin: Target("72 rows", floor_port, "/assessment", {}, dict, 303),
    }
    times: dict[str, list[float]] = {t.name: [] for t in (*floors, *floors.values())}
    for (
        target,
        its_floor,
    ) in floors.items():  # Conclusions first: a new assessment would become the current one.
        for _ in range(rounds):
            for each in (its_floor, target):
                times[each.name].append(median_ms(each, seconds))
    return [
        (
            t.name + ", with its audit entry",
            statistics.median(times[t.name]),
            "ms",
            _ratio(times[f.name], times[t.name]),
            "of one bare statement",
        )
        for t, f in floors.items()
    ]


def _share(
    environment: Mapping[str, str], pages: Mapping[str, Target], rounds: int, seconds: float
) -> float:
    """Return the memory per worker of `governance web` with two workers, after the same pages."""
    two = {**environment, "GOVERNANCE_WEB_WORKERS": "2"}
    with serving_console(two, VAR / "two-web.log", workers=2) as (port, pid):
        for _ in range(rounds):
            for each in pages.values():
                rate(replace(each, port=port), seconds, threads=6)
        return round(share_megabytes(pid), 1)


def _sealed(app: Flask, server: embedded.Embedded, rounds: int) -> Row:
    """Time the heat map's read under row-level security, and as a superuser without policies."""
    from governance.assurance.assessments import board_queries
    from governance.assurance.frameworks import queries as frameworks
    from tests import make

    times: dict[str, list[float]] = {"sealed": [], "open": []}
    superuser = world.superuser(server).replace("postgresql://", "postgresql+psycopg://")
    for _ in range(rounds):
        for name, url in (("sealed", server.app_url), ("open", superuser)):
            db.connect(url)
            samples = []
            for _ in range(12):
                begun = time.perf_counter()
                with app.app_context(), make.acting(read_only=True):
                    board_queries.board(frameworks.framework(world.KEY))
                samples.append(time.perf_counter() - begun)
            times[name].append(statistics.median(samples[2:]) * 1000)
    db.connect(server.app_url)
    return (
        "reading the heat map under row-level security",
        statistics.median(times["sealed"]),
        "ms",
        _ratio(times["open"], times["sealed"]),
        "≥ 0.75 of without",
    )


def _papers(rounds: int) -> list[Row]:
    """Time the AI RMF report against WeasyPrint alone on the same HTML.

    The report is generated in its limited child, as PDF/A-3a with tags and attachments.
    """
    found: dict[str, list[dict[str, float]]] = {"ours": [], "bare": []}
    for _ in range(rounds):
        for how, each in found.items():
            done = subprocess.run(
                [sys.executable, "-m", "bench.paper", how],
                capture_output=True,
                text=True,
                check=True,
                timeout=300,
            )
            each.append(json.loads(done.stdout.splitlines()[-1]))
    cpu = {how: [each["cpu"] for each in runs] for how, runs in found.items()}
    peak = {how: statistics.median(each["peak"] for each in runs) for how, runs in found.items()}
    pages = int(found["ours"][0]["pages"])
    return [
        (f"bare WeasyPrint, {pages} pages, CPU", statistics.median(cpu["bare"]), "s", None, ""),
        (
            "report, CPU",
            statistics.median(cpu["ours"]),
            "s",
            _ratio(cpu["ours"], cpu["bare"]),
            "≤ 1.15 of bare",
        ),
        (
            "report, peak memory of its process",
            peak["ours"],
            "MB",
            peak["ours"] / peak["bare"],
            "≤ 240 MB",
        ),
    ]


def _ratio(above: list[float], below: list[float]) -> float:
    """Return the ratio within each round, then the median of the rounds."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


# ---- output


def _print_totals(memory: Mapping[str, float]) -> None:
    for name, megabytes in memory.items():
        print(f"\n{name:<62}{megabytes:>9.1f}  goal ≤ 250")
    print("\nPeers on the same jobs, measured earlier by us on such a machine, not in this run:")
    for job, figures in PEERS:
        print(f"  {job:<40}{figures}")


def _keep(rows: list[Row], memory: Mapping[str, float], rounds: int) -> None:
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rounds": rounds,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "measured": [
            {"what": w, "median": v, "unit": u, "ratio": r, "goal": g} for w, v, u, r, g in rows
        ],
        "memory": dict(memory),
        "peers_measured_earlier": dict(PEERS),
    }
    (VAR / "latest.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


SECTIONS: dict[str, Callable[[Bench], list[Row]]] = {
    "walk": lambda b: walks.measure(b.server, b.environment, quick=b.scale.quick),
    "pages": _served,
    "seal": lambda b: [_sealed(b.app, b.server, b.scale.rounds)],
    "report": lambda b: _papers(b.scale.papers),
    "log": lambda b: log.measure(
        b.app, b.cookie, b.token, b.server, b.environment, **b.pace, quick=b.scale.quick
    ),
    "testing": lambda b: testing.measure(b.app, b.environment, **b.pace),
    "evidence": lambda b: evidence.measure(
        b.app, b.cookie, b.token, b.server, b.environment, **b.pace, quick=b.scale.quick
    ),
    "indicators": lambda b: measurements.measure(
        b.app, b.server, b.environment, rounds=b.scale.rounds, quick=b.scale.quick
    ),
    "usage": lambda b: usage.measure(b.app, b.server, b.environment, rounds=b.scale.rounds),
    "reviews": lambda b: reviews.measure(
        b.app, b.server, b.environment, **b.pace, quick=b.scale.quick
    ),
    "usage-file": lambda b: usage_file.measure(b.server),
    "evaluation-import": lambda _b: evaluation_import.measure(),
    "packages": lambda b: packages.measure(b.app, b.server, b.environment, quick=b.scale.quick),
    "inbox": lambda b: inbox.measure(
        b.app, b.server, b.environment, rounds=b.scale.rounds, quick=b.scale.quick
    ),
    "series": lambda b: series.measure(
        b.app, b.server, b.environment, rounds=b.scale.rounds, quick=b.scale.quick
    ),
    "search": lambda b: search.measure(b.app, b.server, rounds=b.scale.rounds, quick=b.scale.quick),
    "register": lambda b: systems.measure(
        b.app, b.server, b.environment, rounds=b.scale.rounds, quick=b.scale.quick
    ),
    "model-cards": lambda b: model_cards.measure(
        b.app, b.server, b.environment, rounds=b.scale.rounds, quick=b.scale.quick
    ),
    "risks": lambda b: risks.measure(
        b.app, b.server, b.environment, rounds=b.scale.rounds, quick=b.scale.quick
    ),
    "objectives": lambda b: objectives.measure(
        b.app, b.cookie, b.server, b.environment, **b.pace, quick=b.scale.quick
    ),
    "alerts": lambda b: alerts.measure(rounds=b.scale.rounds, quick=b.scale.quick),
    "comparisons": lambda b: comparisons.measure(b.app, rounds=b.scale.rounds, quick=b.scale.quick),
    "statements": lambda b: statements.measure(quick=b.scale.quick),
    "decisions": _decided,
    "rollouts": lambda b: rollouts.measure(b.environment, **b.pace, quick=b.scale.quick),
}


if __name__ == "__main__":
    main()
