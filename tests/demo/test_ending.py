"""The demo's end: at any moment it leaves no process, and it can start again in the same folder."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from governance.demo import cast, progress, run
from governance.demo.progress import StoryFailed
from governance.kernel import clock
from governance.kernel.months import Month
from tests.free_ports import free_port
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
OWN = ("DATABASE_URL", "GOVERNANCE_OWNER_DATABASE_URL", "GOVERNANCE_PUBLIC_URL", "GOVERNANCE_VAR")


class StartedDemo:
    """`governance demo --once` in a folder, and its output so far."""

    def __init__(
        self, data: Path, port: int, *, has_own_group: bool = False, **environment: str
    ) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in OWN}
        self.data = data
        self.process = subprocess.Popen(
            [sys.executable, "-m", "governance.app.cli", "demo", "--once"],
            cwd=ROOT,
            env=kept | {"DATA": str(data), "PORT": str(port)} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=has_own_group,
        )
        self.lines: list[str] = []

    def hear(self, words: str) -> None:
        """Read the output until a line contains these words."""
        for line in self.process.stdout or ():
            self.lines.append(line)
            if words in line:
                return
        raise AssertionError(f"it never said {words!r}:\n{''.join(self.lines)}")

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.lines += self.process.stdout or ()
        self.process.wait()


@pytest.fixture(scope="module")
def demo_folder():
    folder = Path(tempfile.mkdtemp(prefix="ending-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def processes_of(folder: Path) -> list[psutil.Process]:
    """Return the processes whose arguments or environment name the folder."""
    found = []
    for each in psutil.process_iter():
        try:
            named = [*each.cmdline(), each.environ().get("DATA", "")]
        except psutil.Error:  # It has ended, or belongs to another account.
            continue
        if each.pid != os.getpid() and any(str(folder) in word for word in named):
            found.append(each)
    return found


def month_of_today() -> str:
    """Return one of the eighteen months of the story, another one each day."""
    first = Month.of(cast.days_ago((cast.MONTHS - 1) * 30))
    return first.plus(clock.today().toordinal() % (cast.MONTHS - 1)).long_name


def there(name: str) -> Callable[[StartedDemo], None]:
    return lambda demo: wait_until((demo.data / name).exists)


def said(words: str) -> Callable[[StartedDemo], None]:
    return lambda demo: demo.hear(words)


MOMENTS = {
    "the imports": lambda demo: wait_until(lambda: len(processes_of(demo.data)) > 1),
    "the migrations": there("secret.key"),
    "the start of PostgreSQL": there("pg/postmaster.pid"),
    "the start of the children": there("idp.log"),
    "the first month": said("told up to"),
    "a month that is another one each day": said(f"told up to {month_of_today()}"),
}
BY_DAY = ("the imports",)  # Some of the others take most of a minute.


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment",
    [pytest.param(name, marks=() if name in BY_DAY else pytest.mark.nightly) for name in MOMENTS],
)
def test_it_ends_at_any_moment_and_begins_again(demo_folder, moment):
    (demo_folder / "idp.log").unlink(missing_ok=True)
    demo = StartedDemo(demo_folder, free_port(4))
    MOMENTS[moment](demo)
    demo.end()
    assert demo.process.returncode in {128 + signal.SIGTERM, -signal.SIGTERM}, demo.lines
    wait_until(lambda: processes_of(demo_folder) == [])
    assert not (demo_folder / "notice.txt").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGTERM, id="timeout"),
        pytest.param(signal.SIGHUP, id="terminal", marks=pytest.mark.nightly),
    ],
)
def test_a_signal_to_its_whole_group_that_nobody_reads_ends_it(demo_folder, number):
    """Send the signals of `timeout`, and of a terminal that is closed."""
    demo = StartedDemo(demo_folder, free_port(4), has_own_group=True)
    wait_until((demo_folder / "pg" / "postmaster.pid").exists)
    demo.process.stdout.close()
    os.killpg(demo.process.pid, number)
    assert demo.process.wait() == 128 + number
    wait_until(lambda: processes_of(demo_folder) == [])


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("TODAY"), reason="make calendar runs it: minutes a day")
def test_one_that_was_interrupted_in_a_month_starts_over_and_ends_well(demo_folder):
    """Interrupt another month on each day of `make calendar`."""
    port, month = free_port(4), month_of_today()
    interrupted = StartedDemo(demo_folder, port)
    interrupted.hear(f"told up to {month}")
    interrupted.end()
    assert interrupted.process.returncode == 128 + signal.SIGTERM, interrupted.lines
    wait_until(lambda: processes_of(demo_folder) == [])
    again = StartedDemo(demo_folder, port)
    again.hear("The audit log is")
    told = [line.strip() for line in again.lines if "told up to" in line]
    assert len(told) >= cast.MONTHS and f"told up to {month}" in told
    assert again.process.wait() == 0, again.lines
    assert not (demo_folder / "failure.log").exists()
    assert (demo_folder / "ai-rmf-report.pdf").read_bytes().startswith(b"%PDF-")
    wait_until(lambda: processes_of(demo_folder) == [])


@pytest.mark.slow
def test_a_demo_that_fails_says_at_which_step(tmp_path):
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    demo = StartedDemo(
        tmp_path, free_port(4), DATABASE_URL=nowhere, GOVERNANCE_OWNER_DATABASE_URL=nowhere
    )
    demo.hear("The demo failed at the migrations: The database can't be reached: ")
    assert demo.lines[-1].endswith(f"The traceback is in {tmp_path / 'failure.log'}.\n")
    assert demo.process.wait() == 1
    assert "Traceback" in (tmp_path / "failure.log").read_text()
    wait_until(lambda: processes_of(tmp_path) == [])


@pytest.fixture
def at_step():
    @contextmanager
    def doing(name: str):
        before = progress.step()
        progress.begin(name)
        yield
        progress.begin(before)

    return doing


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("the demo's\nfile"), "Acme's story of May 2026: ValueError: the demo's"),
        (SystemExit("It can't sign in."), "Acme's story of May 2026: It can't sign in"),
        (StoryFailed("the story of the operator, bills: wrong"),
         "the story of the operator, bills: wrong"),
        (KeyError(), "Acme's story of May 2026: KeyError: no reason was given"),
    ],
)  # fmt: skip
def test_the_sentence_names_the_step_and_the_first_line(tmp_path, at_step, error, sentence):
    log = tmp_path / "failure.log"
    with at_step("Acme's story of May 2026"):
        said = run._failure(error, log)
    assert said == f"The demo failed at {sentence}. The traceback is in {log}."
    assert type(error).__name__ in log.read_text()


@pytest.mark.parametrize("told", ["tomorrow", "2027-13-01", "2019-12-31", "2027-01-01T24:10"])
def test_a_day_that_is_none_is_refused_in_a_sentence(tmp_path, told):
    demo = StartedDemo(tmp_path, free_port(4), TODAY=told, **{clock.MOVED_BY: ""})
    demo.hear(f"TODAY is '{told}'. Give a day from 2020 to 2099 such as 2027-01-01")
    assert demo.process.wait() == 1
    assert demo.lines == demo.lines[:1]
