"""Adding a feature takes one folder, its pages and one line.

In a copy of the product, a toy feature with a table appears everywhere, and the import contracts
hold without another edit.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app import toy_feature


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Return a copy of the product with the toy feature."""
    folder = tmp_path_factory.mktemp("product")
    toy_feature.write(folder)
    return folder


@pytest.fixture(scope="module")
def met(app, settings, copy):
    """Return what people, machines and the schedule see once the toy's line is in the list."""
    done = subprocess.run(
        [
            sys.executable,
            copy / "tests" / "app" / "toy_console.py",
            settings.database_url,
            settings.owner_database_url,
            copy / "var",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "PYTHONSAFEPATH": "1"},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_it_has_its_pages(met):
    assert "Tin robot" in met["page"]


def test_it_stands_in_the_navigation_between_its_neighbours(met):
    order = [href for href, _ in met["navigation"]]
    at = order.index("/t/acme/toys/")
    assert order[at - 1] == "/t/acme/systems/" and order[at + 1] == "/t/acme/policies/"
    assert [href for href, current in met["navigation"] if current] == ["/t/acme/toys/"]
    assert "/t/acme/toys/" not in met["navigation of an officer"], "their role may not"


def test_its_permissions_hold(met):
    assert met["permissions"] == {"toys.view": ["admin", "viewer"], "toys.make": ["admin"]}
    assert met["refused"] == [403, 403] and met["elsewhere"] == 404


def test_the_palette_offers_its_commands_and_finds_its_objects(met):
    assert (
        met["commands"]["admin"]["Add a toy"] == "/t/acme/toys/"
        and "Add a toy" not in met["commands"]["viewer"]
    )
    assert (
        met["objects"]["admin"]["Tin robot"].startswith("/t/acme/toys/")
        and met["objects"]["globex"] == {}
    )


def test_the_audit_log_tells_of_it_and_leads_to_it(met):
    assert "toy.added" in met["log"] and "Tin robot" in met["log"]
    assert met["objects"]["admin"]["Tin robot"] in met["entry"], "the entry links the toy"


def test_a_siem_is_told_its_class(met):
    assert met["ocsf"] == [6003, 1, 2, "added a toy"]


def test_its_jobs_are_scheduled_and_its_work_is_known(met):
    assert met["schedule"] == {"hour": 5, "minute": 5} and "wind up toys" in met["work"]


def test_the_inbox_asks_it(met):
    assert met["inbox"] == ["broken_toys"] and "Fix " in met["inbox page"]


def test_the_contracts_of_imports_hold_and_hold_it_too(copy):
    assert _lint(copy) == (0, "")
    broken = copy / "governance" / "foundation" / "tenants" / "toy_import.py"
    broken.write_text("from governance.operations.toys import models\n")
    try:
        status, said = _lint(copy)
        assert status == 1 and "governance.operations.toys.models" in said
    finally:
        broken.unlink()
    inside = copy / toy_feature.FOLDER / "queries.py"
    own = inside.read_text()
    inside.write_text(own + "\nfrom governance.operations.toys import actions\n")
    try:
        status, said = _lint(copy)
        assert status == 1 and "governance.operations.toys.queries" in said
    finally:
        inside.write_text(own)


def _lint(copy):
    """Return the exit status of lint-imports, and what it reports about broken contracts."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)},
    )
    assert "Analyzed" in done.stdout, done.stdout + done.stderr
    return done.returncode, done.stdout.partition("Broken contracts")[2]
