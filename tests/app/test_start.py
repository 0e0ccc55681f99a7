"""The modules that a web worker loads before its first request.

They cost memory in every worker, and time at every start.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.client import serving_console
from governance.app import migrate
from tests.waiting import wait_until

SEEN = """
import json, sys
from governance.app.factory import create_app
from governance.kernel.web import server
reply = create_app().test_client().get("/readyz")
print(json.dumps({"ready": reply.status_code == 200, "loaded": sorted(sys.modules)}))
"""
# Modules that only some requests, background work or a child process need.
LATER = {
    "PIL": "marked previews",
    "alembic": "governance migrate",
    "clickhouse_connect": "usage events in ClickHouse",
    "duckdb": "the child that reads files of usage and costs",
    "google.protobuf": "OTLP",
    "holidays": "business hours",
    "icalendar": "the maintenance calendar",
    "lark": "filters of SCIM",
    "numpy": "reports",
    "pikepdf": "reports and marked copies",
    "puremagic": "refused files",
    "pydantic": "SCIM",
    "pypdfium2": "the child that draws previews",
    "rfc3161_client": "time stamps",
    "scim2_models": "SCIM",
    "scim2_server": "SCIM",
    "scipy": "evaluations and reviews",
    "weasyprint": "reports",
    "xlsxwriter": "workbooks",
}


@pytest.fixture(scope="module")
def environment(server, settings, tmp_path_factory):
    return os.environ | {
        "DATABASE_URL": settings.database_url,
        "GOVERNANCE_DEMO": "1",
        "GOVERNANCE_VAR": str(tmp_path_factory.mktemp("var")),
    }


@pytest.fixture(scope="module")
def worker(environment):
    """Return the modules that a process has loaded once it is ready to answer."""
    told = subprocess.run(
        [sys.executable, "-c", SEEN], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(told.stdout.splitlines()[-1])


def test_a_worker_that_is_ready_has_not_loaded_what_few_requests_need(worker):
    assert worker["ready"]
    assert not LATER.keys() & set(worker["loaded"])


CHILDREN = (
    "assurance.engagements.downloads.watermark_overlay",
    "assurance.previews.marking",
    "assurance.previews.renderers",
    "economics.costs.focus_child",
    "economics.imports.table_child",
    "economics.usage.usage_file_child",
    "kernel.pictures.pdf",
    "operations.evaluations.runs.reading_child",
    "publishing.reports.signatures.sandboxed_verify",
    "publishing.reports.seals.pades",
    "publishing.statements.sandboxed_verify",
)


def test_a_child_that_reads_a_file_loads_neither_pages_nor_the_database():
    """Keep child processes light: each file starts one.

    Pages and database would take half a second, and memory that the child's limit counts.
    """
    imports = "; ".join(f"import governance.{name}" for name in CHILDREN)
    code = f"import sys; {imports}; print(sorted({{'flask', 'psycopg', 'sqlalchemy'}} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


def test_the_newest_migration_is_the_one_that_alembic_names():
    from alembic.script import ScriptDirectory

    assert (
        migrate.newest() == ScriptDirectory.from_config(migrate.configuration()).get_current_head()
    )


@pytest.mark.slow
def test_workers_share_the_memory_of_what_they_have_loaded(environment, tmp_path):
    with serving_console(environment, tmp_path / "web.log", workers=2) as (_, pid):
        wait_until(lambda: len(_children(pid)) == 2)
        shares = [_kilobytes(each, "Pss") / _kilobytes(each, "Rss") for each in _children(pid)]
    assert len(shares) == 2 and max(shares) < 0.5, shares


def _children(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def _kilobytes(process: str, kind: str) -> int:
    """Return a memory figure of a process: Rss counts all pages, Pss a page of n processes as 1/n."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:"))
