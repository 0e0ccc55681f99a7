"""The usage of the demo's AI products in the last months, sent in batches as products do."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import batched
from typing import Any
from zoneinfo import ZoneInfo

from governance.demo import machine_keys
from governance.demo.cast import days_ago, system_actor
from governance.economics.usage import actions
from governance.kernel import clock, current
from governance.kernel.data.db import transaction

SEED = 2026
DAYS = 75  # before today
BATCH = 5_000  # events
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, slots=True)
class Product:
    """An AI product: tasks per working day, its models, and the tokens of a request.

    `reads` and `writes` are means. `cached` is the share that a cache supplies. `retried` and
    `refused` are probabilities.
    """

    system: str
    feature: str
    tasks: int
    models: Sequence[tuple[str, str]]  # provider, model
    reads: int
    writes: int
    cached: float
    retried: float = 0.03
    refused: float = 0.01
    reasoning: float = 0.0  # share of `writes`


ACME = (
    Product(
        "claims-triage",
        "auto-approve",
        70,
        (("helio", "helio-large-3"),),
        6_200,
        420,
        0.55,
        retried=0.06,
        reasoning=0.8,
    ),
    Product("claims-triage", "summarise", 45, (("helio", "helio-small-3"),), 3_100, 260, 0.4),
    Product(
        "support-assistant",
        "chat",
        110,
        (("helio", "helio-small-3"), ("northwind", "nw-chat-2")),
        1_900,
        310,
        0.3,
        refused=0.02,
    ),
    Product("ad-copywriter", "drafts", 12, (("northwind", "nw-chat-2"),), 900, 700, 0.0),
)
GLOBEX = (
    Product("router", "routing", 60, (("northwind", "nw-chat-2"),), 41_000, 180, 0.05, retried=0.1),
)


def tell(slug: str, products: Sequence[Product]) -> None:
    """Send the usage of the last months with the tenant's key."""
    with current.acting_as(system_actor(slug)):
        key_id = machine_keys.key_id(f"usage-{slug}")
    machine = replace(system_actor(slug), kind="machine", name="usage exporter", key_id=key_id)
    chance = random.Random(f"{SEED}{slug}")  # noqa: S311 - a story, not a secret
    events = [event for each in products for event in _events(each, chance)]
    with current.acting_as(machine):
        for some in batched(events, BATCH, strict=False):
            body = json.dumps({"events": some}).encode()
            with transaction():
                done = actions.push(body, actions.JSON, idempotency_key=None)
            if done.answer["rejected"]:
                raise ValueError(f"the demo's usage was rejected: {done.answer['errors'][:3]}")


def _events(product: Product, chance: random.Random) -> Iterator[dict[str, Any]]:
    """Yield the events of each day. Their number grows every month."""
    for ago in range(DAYS, -1, -1):
        day = days_ago(ago)
        weekend = 0.3 if day.weekday() > 4 else 1.0  # noqa: PLR2004 - Saturday and Sunday
        growth = 1 + (DAYS - ago) / (4 * DAYS)
        for n in range(round(product.tasks * weekend * growth * chance.uniform(0.85, 1.15))):
            yield from _task(product, chance, day, n)


def _task(
    product: Product, chance: random.Random, day: date, number: int
) -> Iterator[dict[str, Any]]:
    at = datetime.combine(day, time(7), BERLIN) + timedelta(minutes=chance.uniform(0, 11 * 60))
    if at >= clock.now():
        return
    task = f"{product.system}-{day:%m%d}-{product.feature}-{number}"
    provider, model = chance.choice(product.models)
    attempts = 2 if chance.random() < product.retried else 1
    for attempt in range(1, attempts + 1):
        is_last = attempt == attempts
        refused = is_last and chance.random() < product.refused
        read = round(product.reads * chance.lognormvariate(0, 0.4))
        wrote = round(product.writes * chance.lognormvariate(0, 0.5))
        cached = round(read * product.cached * chance.uniform(0.7, 1.2))
        yield {
            "id": f"{task}-{attempt}",
            "at": (at + timedelta(seconds=4 * attempt)).isoformat(timespec="milliseconds"),
            "system": product.system,
            "feature": product.feature,
            "provider": provider,
            "model": model,
            "outcome": "refused" if refused else "success" if is_last else "retried",
            "request": f"{task}-r",
            "task": task,
            "user": f"u-{chance.randrange(400):03}",
            "tokens": {
                "input": max(read - cached, 0),
                "cache_read": min(cached, read),
                "cache_write": round(read * 0.02) if product.cached else 0,
                "output": wrote,
                "reasoning": round(wrote * product.reasoning),
            },
        }
