"""Pages of a system's versions: the list, and one compared with another."""

from typing import Any
from uuid import UUID

from flask import request, url_for

from governance.foundation.people import queries as people
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.systems import permissions, queries
from governance.operations.systems.facts import LABELS, differences, listed, readable
from governance.operations.systems.models import SystemVersion
from governance.operations.systems.views import feature

PAGE_SIZE = 50
MAX_NUMBER = 2**31 - 1


@feature.get("/systems/<key>/versions", needs=permissions.VIEW)
def versions(key: str) -> ResponseReturnValue:
    found = queries.system(key)
    before = _number(request.args.get("before"))
    rows = queries.versions(found.id, before=before, size=PAGE_SIZE + 2)
    shown, more = rows[:PAGE_SIZE], rows[PAGE_SIZE:]
    names = people.names(each.changed_by for each in shown)
    last = url_for("systems.versions", key=key, before=shown[-1].number) if more else None
    return page(
        "operations/systems/versions.html",
        system=found,
        versions=[
            {
                "row": each,
                "who": names.get(each.changed_by) if each.changed_by else None,
                "changed": [LABELS[name] for name, _, _ in _since(each, rows)],
                "substantial": listed(each.substantial),
            }
            for each in shown
        ],
        next=last,
        is_first=before is None,
    )


def _since(version: SystemVersion, rows: Any) -> list[tuple[str, Any, Any]]:
    earlier = next((each for each in rows if each.number < version.number), None)
    return differences(earlier.content, version.content) if earlier else []


@feature.get("/systems/<key>/versions/<int:number>", needs=permissions.VIEW)
def version(key: str, number: int) -> ResponseReturnValue:
    """Show the changes of a version since the one before it, or since `against`."""
    found = queries.system(key)
    if not 1 <= number <= MAX_NUMBER:
        raise NotFound("This version doesn't exist, or you don't have access to it.")
    row = queries.version(found.id, number)
    against = _number(request.args.get("against")) or number - 1
    other = queries.version(found.id, against) if against and against != number else None
    changed = differences(other.content, row.content) if other else _all(row)
    owners = {
        UUID(each.content["owner"]) for each in (row, other) if each and each.content.get("owner")
    }
    names = {str(person): name for person, name in people.names(owners).items()}
    who = people.names([row.changed_by]).get(row.changed_by) if row.changed_by else None
    return page(
        "operations/systems/version.html",
        system=found,
        row=row,
        other=other,
        who=who,
        substantial=listed(row.substantial),
        lines=[
            (LABELS[name], readable(name, old, names), readable(name, new, names))
            for name, old, new in changed
        ],
    )


def _all(row: SystemVersion) -> list[tuple[str, Any, Any]]:
    return [(name, None, row.content.get(name)) for name in LABELS if row.content.get(name)]


def _number(text: str | None) -> int | None:
    """Return the number of a version, or None for other text."""
    sent = text or ""
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 9 else None  # noqa: PLR2004
