"""Acme's evaluation runner: it receives requests from Meridian, reports progress, sends the run.

    EvaluationRunner(keys).take(message)    queue a message for the runner's thread

It uses only the public API, with its key from the demo's credentials.
"""

import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import requests

from governance.demo.evaluation_logs import CASES, log_of
from governance.kernel import clock

KEY = "evaluations"  # its name in the file of keys
HALLUCINATE = {"claims-grounding": 0.045, "ad-copy": 0.021}  # shares of answers, by suite
QUIET = 0.012  # for other suites
STEPS = 4  # progress reports per run
PATIENCE = 900  # seconds to wait for the console and the key
TIMEOUT = 30
AWAY = {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class EvaluationRunner:
    """A runner that handles one request after the other. `pause` is the time of a quarter of a run."""

    def __init__(self, keys: Path, pause: float = 0.5) -> None:
        self._keys, self._pause = keys, pause
        self._asked: SimpleQueue[Mapping[str, Any]] = SimpleQueue()
        Thread(target=self._work, daemon=True).start()

    def take(self, message: bytes) -> None:
        """Queue the request in the body of a webhook message."""
        self._asked.put(json.loads(message)["data"])

    def _work(self) -> None:
        while True:
            self.answer(self._asked.get())

    def answer(self, asked: Mapping[str, Any]) -> None:
        """Report progress, then send the run. Stop if Meridian answers that the request ended."""
        cases = asked["samples"] or CASES
        for step in range(STEPS):
            told = {"done": cases * step // STEPS, "total": cases, "note": "Evaluating"}
            if not self._send(partial(self._post, asked["report_to"], json=told)):
                return
            time.sleep(self._pause)
        wrong = round(cases * HALLUCINATE.get(asked["suite"], QUIET))
        at = clock.now() + timedelta(minutes=6)  # log_of ends a run six minutes earlier.
        log = log_of(asked["suite"], at, wrong, cases=cases, run=f"-{asked['request'][-6:]}")
        content = json.dumps(log).encode()
        self._send(partial(self._post, asked["push_to"], data=content))

    def _send(self, post: Callable[[], requests.Response]) -> bool:
        """Send until the console responds and accepts the key.

        Return False if the console rejects the request.
        """
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                reply = post()
            except (requests.ConnectionError, FileNotFoundError, KeyError):
                time.sleep(1)
                continue
            if reply.status_code not in AWAY:
                return reply.ok
            time.sleep(1)
        return False

    def _post(self, address: str, **body: Any) -> requests.Response:
        key = json.loads(self._keys.read_text())[KEY]["key"]
        headers = {"Authorization": f"Bearer {key}"}
        if "data" in body:
            headers["Content-Type"] = "application/json"
        return requests.post(address, headers=headers, timeout=TIMEOUT, **body)
