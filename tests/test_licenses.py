"""The page docs/licenses.md, compared with uv.lock and the installed packages."""

import re

from tests.conftest import REPOSITORY
from tools import licenses

PAGE = (REPOSITORY / "docs" / "licenses.md").read_text()
AGAIN = "run `make licenses`"
# security.md explains these licenses: a program may use the packages, and changes to them stay
# under them.
WEAK = {"certifi", "pikepdf", "psycopg", "psycopg-binary", "psycopg-pool", "pyphen"}


def section(title: str) -> dict[str, str]:
    """Return the packages of a section of the page, with their licenses."""
    part = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| (\S+) \| (.+) \|$", part, re.MULTILINE)[2:])


def others() -> set[str]:
    return set(PAGE.partition(f"## {licenses.OTHERS}\n")[2].strip().rstrip(".").split(", "))


def test_the_page_names_each_package_of_the_lock_and_no_other():
    runtime, development = licenses.runtime_and_development()
    assert section(licenses.RUNTIME).keys() == runtime - others(), AGAIN
    assert section(licenses.DEVELOPMENT).keys() == development - others(), AGAIN
    assert others() <= runtime | development, AGAIN


def test_each_license_is_that_of_the_installed_package():
    written = section(licenses.RUNTIME) | section(licenses.DEVELOPMENT)
    found = {name: licenses.license_of(name) for name in written}
    stated = {name: each for name, each in found.items() if each is not None}
    assert len(stated) > 200, "the packages are not installed"
    assert stated == {name: written[name] for name in stated}, AGAIN


def test_what_an_installation_runs_has_weak_copyleft_only():
    copyleft = re.compile("GPL|General Public|MPL|Mozilla|EUPL|European Union|EPL|CDDL|SSPL")
    found = {name for name, each in section(licenses.RUNTIME).items() if copyleft.search(each)}
    assert found == WEAK
    strong = {name for name, each in section(licenses.RUNTIME).items() if "Affero" in each}
    assert strong == set()


def test_a_license_without_a_name_of_its_own_is_read_from_the_older_fields():
    assert licenses.license_of("a-package-that-nobody-has") is None
    assert licenses.license_of("psycopg") == "LGPL-3.0-only"
    assert licenses.license_of("pikepdf") == "MPL-2.0"
