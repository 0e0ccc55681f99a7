"""Acme's own services on loopback: two webhook receivers, an evaluation runner and Prometheus.

    python -m governance.demo.acme_services --port 8003 --keys var/demo/keys.json

POST /hooks/on-call               accepts every message
POST /hooks/tickets               was down until TICKETS_REPAIRED ago; rejects older messages
POST /hooks/evaluations           takes a request for an evaluation run (evaluation_runner.py)
POST /prometheus/api/v1/query     the counters of handovers, as Prometheus answers for raw samples
"""

import argparse
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from governance.demo.evaluation_runner import EvaluationRunner
from governance.kernel import clock

ON_CALL, TICKETS, PROMETHEUS = "/hooks/on-call", "/hooks/tickets", "/prometheus"
EVALUATIONS = "/hooks/evaluations"
TICKETS_REPAIRED = timedelta(days=12)
HANDOVERS, IN_TIME = "support_handovers_total", "support_handovers_in_time_total"
SCRAPED_EVERY = 30  # seconds
LATE_EVERY = 6000  # seconds: 100 minutes
LABELS = {"job": "support-assistant", "instance": "frankfurt-1.acme.example:9100"}
RANGE = re.compile(r"([a-z_]+)(?:\{\})?\[(\d+)s\]")
MAX_BODY = 256 * 1024


def counter(metric: str, at: int) -> int | None:
    """Return the value of a counter at a second since 1970, or None for an unknown metric.

    There are about 2.4 handovers/min. One in 100 minutes has a handover that takes over 60 s.
    """
    total = at // SCRAPED_EVERY + at // 233 + at // 599
    return {HANDOVERS: total, IN_TIME: total - at // LATE_EVERY}.get(metric)


def answer_query(query: str, at: float) -> dict[str, Any]:
    """Return Prometheus's answer to `vector(1)`, or to a metric with a range in seconds."""
    if query == "vector(1)":
        found = {"resultType": "vector", "result": [{"metric": {}, "value": [at, "1"]}]}
        return {"status": "success", "data": found}
    asked = RANGE.fullmatch(query)
    if asked is None:
        return {"status": "error", "errorType": "bad_data", "error": f"can't parse {query[:80]}"}
    metric, first = asked[1], int(at) - int(asked[2])
    instants = range(first - first % SCRAPED_EVERY + SCRAPED_EVERY, int(at) + 1, SCRAPED_EVERY)
    samples = [[each, str(counter(metric, each))] for each in instants]
    series = {"metric": {"__name__": metric, **LABELS}, "values": samples}
    known = metric in {HANDOVERS, IN_TIME}
    return {
        "status": "success",
        "data": {"resultType": "matrix", "result": [series] if known else []},
    }


def answer_hook(path: str, headers: Mapping[str, str], now: float) -> tuple[int, str]:
    """Return the status and the text with which a receiver answers a message."""
    sent_at = float(headers.get("webhook-timestamp", "0"))
    if path == TICKETS and sent_at < now - TICKETS_REPAIRED.total_seconds():
        return HTTPStatus.SERVICE_UNAVAILABLE, "The ticket system is being moved to another server."
    return HTTPStatus.OK, json.dumps({"received": headers.get("webhook-id", "")})


class AcmeServices(BaseHTTPRequestHandler):
    """The HTTP handler of Acme's services."""

    runner: EvaluationRunner

    def do_POST(self) -> None:
        body = self.rfile.read(min(MAX_BODY, int(self.headers.get("Content-Length") or 0)))
        if self.path in {ON_CALL, TICKETS, EVALUATIONS}:
            status, text = answer_hook(self.path, dict(self.headers), clock.now().timestamp())
            if self.path == EVALUATIONS:
                self.runner.take(body)
        elif self.path == f"{PROMETHEUS}/api/v1/query":
            fields = dict(parse_qsl(body.decode()))
            found = answer_query(
                fields.get("query", ""), float(fields.get("time", clock.now().timestamp()))
            )
            is_good = found["status"] == "success"
            status = HTTPStatus.OK if is_good else HTTPStatus.BAD_REQUEST
            text = json.dumps(found)
        else:
            status, text = HTTPStatus.NOT_FOUND, ""
        self._answer(status, text)

    def do_GET(self) -> None:
        self._answer(HTTPStatus.OK, "")

    def _answer(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Suppress the line that the server logs for each request."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--keys", type=Path, required=True)
    given = parser.parse_args()
    AcmeServices.runner = EvaluationRunner(given.keys)
    ThreadingHTTPServer(("127.0.0.1", given.port), AcmeServices).serve_forever()
