"""Runs `python …` in forks of a process that has imported the console, which takes seconds."""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.waiting import MAX_WAIT_SECONDS

ROOT = Path(__file__).parents[1]
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["governance.app.factory", "governance.demo.run", "tests.make"])


def run_python(
    *arguments: str, environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run `python -c CODE` or `python -m MODULE …` at the root of the project.

    Only the variables in `environment` are set. The output is returned as text.
    """
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder) / "output", Path(folder) / "errors"
        process = FORKS.Process(
            target=_run, args=(arguments, dict(environment), str(output), str(errors))
        )
        process.start()
        process.join(MAX_WAIT_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, MAX_WAIT_SECONDS)
        return subprocess.CompletedProcess(
            arguments, process.exitcode, output.read_text(), errors.read_text()
        )


def _run(arguments: tuple[str, ...], environment: dict[str, str], output: str, errors: str) -> None:
    for number, path in ((1, output), (2, errors)):
        opened = os.open(path, os.O_CREAT | os.O_WRONLY)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    option, program, *rest = arguments
    sys.argv = [option, *rest]
    if option == "-c":
        code = Path(output).with_name("code.py")
        code.write_text(program)
        runpy.run_path(str(code), run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)
