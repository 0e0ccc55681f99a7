"""⌘K: jump to any object by its name, or run a command.

What can be found comes from the features' manifests: objects in one statement, the catalogue from
memory; never a page that the reader may not open. Each feature shows an auditor only their
engagement.
"""

from collections.abc import Iterator
from typing import Any

from flask import current_app, jsonify, request, url_for
from sqlalchemy import literal, select, union_all

from governance.foundation.people import permissions
from governance.kernel.access import allowed
from governance.kernel.db import session
from governance.kernel.feature import Feature
from governance.kernel.manifest import Command, Hit, ObjectCommand, ObjectSearch, installed
from governance.kernel.web import ResponseReturnValue

feature = Feature("jump", __name__)
MAX_HITS = 12
MAX_TEXT_LENGTH = 80
VERB = "verb"


@feature.get("/jump", needs=permissions.OWN)
def jump() -> ResponseReturnValue:
    text = " ".join(request.args.get("q", "").split())[:MAX_TEXT_LENGTH]
    hits = (
        [*_commands(text), *_in_memory(text), *_objects(text)][:MAX_HITS] if text else _commands("")
    )
    return jsonify([{"label": hit.label, "hint": hit.hint, "href": hit.href} for hit in hits])


def _palette() -> list[Any]:
    return [entry for each in installed() for entry in each.palette]


def _commands(text: str) -> Iterator[Hit]:
    for command in _palette():
        if (
            isinstance(command, Command)
            and text.lower() in command.label.lower()
            and allowed(command.permission)
        ):
            yield Hit(command.label, VERB, url_for(command.endpoint))


def _in_memory(text: str) -> Iterator[Hit]:
    for source in _palette():
        if not isinstance(source, Command | ObjectCommand):
            yield from source(text)


def _objects(text: str) -> Iterator[Hit]:
    """Yield objects by their names, each with its commands.

    "stop claims" finds only the command to stop that system.
    """
    on_objects = [entry for entry in _palette() if isinstance(entry, ObjectCommand)]
    first, _, rest = text.partition(" ")
    worded = [entry for entry in on_objects if entry.word and entry.word == first.lower()]
    if worded:
        text, on_objects = rest, worded
    sources = {
        source.kind: source
        for each in installed()
        for source in each.search
        if allowed(vars(current_app.view_functions[source.endpoint])["needs"])
    }
    if worded:
        kinds = {entry.kind for entry in worded}
        sources = {kind: source for kind, source in sources.items() if kind in kinds}
    for kind, row_id, ref, title in _found(sources, text):
        if not worded:
            source = sources[kind]
            yield Hit(
                f"{ref} {title}".strip(),
                kind,
                url_for(source.endpoint, **source.address(row_id, ref)),
            )
        for entry in on_objects:
            if entry.kind == kind and allowed(entry.permission):
                href = url_for(entry.endpoint, **{entry.argument: ref})
                yield Hit(entry.label.format(title=title), entry.hint, href)


def _found(sources: dict[str, ObjectSearch], text: str) -> Any:
    """Return (kind, id, ref, title) of everything that the sources find, in one statement."""
    queries = {kind: source.find(text) for kind, source in sources.items()}
    parts = []
    for kind, query in queries.items():
        if query is not None:
            part = query.subquery()
            parts.append(select(literal(kind).label("kind"), *part.c))
    return session().execute(union_all(*parts).limit(MAX_HITS)) if parts else ()
