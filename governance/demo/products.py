"""The demo's AI products: 22 clients in three regions that request decisions and obey stops.

Their collector sends minute counts.

    python -m governance.demo.products BASE_URL KEYS_FILE

Each client polls all flags of its system with its last `ETag`, as an OpenFeature web client
does, and sometimes requests a single flag. Stop a feature and watch them acknowledge it.
"""

import http.client
import json
import random
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from governance.demo.measured_minutes import MinuteSeries
from governance.demo.reliability_indicators import MEASURED
from governance.kernel import clock

SILENT = {
    "claims-triage-grounded",
    "support-assistant-resolved",
}  # a stopped feature, and a collector that is down
SEED = 2026
FLAGS = "/ofrep/v1/evaluate/flags"
REGIONS = {"Frankfurt": 8, "Dublin": 4, "Singapore": 2}
SLOWER = {
    "Frankfurt": 0.35,
    "Dublin": 0.45,
    "Singapore": 0.8,
}  # seconds between polls, by distance
ASKED_ONE_BY_ONE = ("policy.grounding", "policy.human_review", "policy.content_filter")
PARTS = {
    "claims-triage": ("auto-approve", "summarise", "sort-queue"),
    "support-assistant": ("answer", "suggest-reply"),
    "ad-copywriter": ("draft", "translate"),
}
PRODUCTS = {"claims-triage": 14, "support-assistant": 6, "ad-copywriter": 2}  # clients of each


@dataclass(frozen=True, slots=True)
class Client:
    """One process of a product."""

    name: str
    region: str
    system: str
    key: str


def clients(keys: Mapping[str, Any]) -> Iterator[Client]:
    """Yield the clients of each product across the regions. `keys` is from credentials.json."""
    places = [region for region, count in REGIONS.items() for _ in range(count)]
    for system, count in PRODUCTS.items():
        for number in range(count):
            region = places[number % len(places)]
            yield Client(
                _name(region, system, places[: number % len(places) + 1].count(region)),
                region,
                system,
                keys[system]["key"],
            )


def _name(region: str, system: str, number: int) -> str:
    """Return the consumer name that the story uses for this client."""
    return f"{region.lower()}-{'worker' if system == 'claims-triage' else system}-{number}"


def run(base: str, file: Path) -> None:
    """Run until SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    keys = json.loads(file.read_text())["api_keys"]
    threads = [
        threading.Thread(target=_live, args=(base, client, stop)) for client in clients(keys)
    ]
    if "metrics" in keys:
        threads.append(threading.Thread(target=_measure, args=(base, keys["metrics"]["key"], stop)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _live(base: str, client: Client, stop: threading.Event) -> None:
    chance, tag, where = (
        random.Random(f"{SEED}{client.name}"),  # noqa: S311
        "",
        urlsplit(base),
    )
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    while not stop.wait(SLOWER[client.region] * chance.uniform(0.6, 1.2)):
        try:
            tag = _ask(connection, client, FLAGS, tag)
            if chance.random() < 0.4:  # noqa: PLR2004 - now and then
                parts = [f"switch.{client.system}.{part}" for part in PARTS[client.system]]
                _ask(
                    connection, client, f"{FLAGS}/{chance.choice([*ASKED_ONE_BY_ONE, *parts])}", ""
                )
        except (OSError, http.client.HTTPException):  # The console may be starting or stopping.
            connection.close()
            stop.wait(1)


def _ask(connection: http.client.HTTPConnection, client: Client, path: str, tag: str) -> str:
    """Request all flags, and return the new ETag."""
    context = {"targetingKey": client.name, "consumer": client.name, "region": client.region}
    headers = {
        "Authorization": f"Bearer {client.key}",
        "Content-Type": "application/json",
        **({"If-None-Match": tag} if tag else {}),
    }
    connection.request("POST", path, json.dumps({"context": context}), headers)
    reply = connection.getresponse()
    reply.read()
    return reply.headers.get("ETag", "")


def _measure(base: str, key: str, stop: threading.Event) -> None:
    """Send the counts of each whole minute, soon after it is over."""
    where, sent = urlsplit(base), clock.now().replace(second=0, microsecond=0)
    while not stop.wait(10):
        now = clock.now().replace(second=0, microsecond=0)
        rows = [
            {"indicator": each.key, "at": f"{at:%Y-%m-%dT%H:%M:00Z}", "good": good, "total": total}
            for each in MEASURED
            if each.key not in SILENT
            for at, good, total in MinuteSeries(SEED, each.rate, each.bad, sent, now).rows()
        ]
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        try:
            if rows:
                body = json.dumps({"rows": rows})
                connection.request("POST", "/api/v1/indicators", body, headers)
                if connection.getresponse().status < HTTPStatus.BAD_REQUEST:
                    sent = now
        except (OSError, http.client.HTTPException):  # The console may be starting or stopping.
            pass
        finally:
            connection.close()


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]))
