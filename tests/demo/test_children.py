"""Processes of the demo: each has its own output, and none outlives the demo."""

import os
import signal
from contextlib import suppress

import requests

from governance.demo.children import child
from tests.free_ports import free_port
from tests.waiting import wait_until


def answers(address: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(address, timeout=5).ok
    return False


def test_a_module_runs_in_a_group_of_its_own_until_the_block_ends(tmp_path):
    port, keys = free_port(), str(tmp_path / "keys.json")
    asked = ["--port", str(port), "--keys", keys]
    with child("governance.demo.acme_services", asked, os.environ, tmp_path / "log") as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}"))
        assert os.getpgid(process.pid) == process.pid != os.getpgrp()
    assert process.exitcode == -signal.SIGTERM
    assert not answers(f"http://127.0.0.1:{port}")


def test_what_a_module_says_and_how_it_ends_is_kept(tmp_path):
    with child("governance.demo.acme_services", [], os.environ, tmp_path / "log") as process:
        process.join()
    assert process.exitcode == 2
    assert "--port" in (tmp_path / "log").read_text()
