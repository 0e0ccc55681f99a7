"""Junk in an address, which any page rejects or answers without a server error."""

from typing import Any, ClassVar

import pytest
from werkzeug.datastructures import ImmutableMultiDict

from tests.route_helpers import objects_in, route_methods

MORE_JUNK = ["%ff", "%ED%A0%80", "..%2f..%2fetc", "'%3bDROP", "a" * 3000, "%E2%80%AE"]


class ReadArguments(ImmutableMultiDict[str, str]):
    """Query arguments that record the names a page reads."""

    names: ClassVar[set[str]] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return super().__getitem__(name)

    def getlist(self, name: str, *given: Any, **named: Any) -> Any:
        self.names.add(name)
        return super().getlist(name, *given, **named)

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)


_read_by = dict[str, set[str]]()  # Path → the names that its page reads.


@pytest.fixture
def read_by(app, as_admin, monkeypatch) -> dict[str, set[str]]:
    """Return the query names that each page without an object reads, found once by opening it."""
    with monkeypatch.context() as patched:
        patched.setattr(app.request_class, "parameter_storage_class", ReadArguments)
        for door in [] if _read_by else route_methods(app, "tenant"):
            if door.method == "GET" and not objects_in(door) and "events" not in door.rule.rule:
                path = door.address(app, "acme", {})
                ReadArguments.names.clear()
                as_admin.client.get(path)
                _read_by[path] = set(ReadArguments.names)
    return _read_by


@pytest.mark.parametrize(
    "junk", ["%00", *(pytest.param(each, marks=pytest.mark.slow) for each in MORE_JUNK)]
)
def test_junk_in_an_address_is_answered(as_admin, read_by, junk):
    """Put junk in names that every page may have, and in those of paging and states.

    The latter apply where a page reads them: any other name is ignored alike.
    """
    paths = [
        f"/t/acme/{junk}",
        f"/t/{junk}/",
        f"/{junk}",
        f"/t/acme/systems/{junk}",
        f"/t/acme/frameworks/{junk}/versions",
    ]
    paths += [f"/t/acme/systems/?{name}={junk}" for name in ("q", "after", "lane", "owner")]
    for path, read in read_by.items():
        paths += [f"{path}?{name}={junk}" for name in {"q"} | read & {"after", "status", "page"}]
    assert sum("after=" in path for path in paths) > 10
    assert [p for p in paths if as_admin.client.get(p).status_code >= 500] == []
