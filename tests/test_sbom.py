"""The bill of materials: valid CycloneDX with the packages of uv.lock, the same each time.

The schemas in tests/vendor/cyclonedx are those of github.com/CycloneDX/specification, unchanged
(Apache-2.0, at e02a34ae).
"""

import json
import shutil
import tomllib

import jsonschema_rs
import pytest

from tests.conftest import REPOSITORY
from tools import sbom

SCHEMAS = REPOSITORY / "tests" / "vendor" / "cyclonedx"


@pytest.fixture(scope="module")
def bill():
    if not shutil.which("uv") and not (REPOSITORY / ".tools" / "bin" / "uv").exists():
        pytest.skip("NOT TESTED: there is no uv here to read its lock")
    return sbom.bill_of_materials()


def test_it_is_valid(bill):
    def retrieve(uri):
        return json.loads((SCHEMAS / uri.rsplit("/", 1)[-1]).read_text())

    schema = json.loads((SCHEMAS / "bom-1.7.schema.json").read_text())
    validator = jsonschema_rs.validator_for(schema, retriever=retrieve)
    assert [each.message for each in validator.iter_errors(bill)] == []


def test_it_names_each_package_that_runs_with_its_version_and_digests(bill):
    locked = tomllib.loads((REPOSITORY / "uv.lock").read_text())["package"]
    versions = {each["name"]: each["version"] for each in locked if "version" in each}
    python = [each for each in bill["components"] if each["purl"].startswith("pkg:pypi/")]
    assert {each["name"]: each["version"] for each in python}.items() <= versions.items()
    assert all(each["externalReferences"][0]["hashes"] for each in python)
    names = {each["name"] for each in bill["components"]}
    assert {"flask", "sqlalchemy", "weasyprint", "clickhouse-connect", "@tabler/core"} <= names
    assert not names & {"pytest", "hypothesis", "ruff"}


def test_the_same_locks_give_the_same_file(bill):
    assert sbom.bill_of_materials() == bill
