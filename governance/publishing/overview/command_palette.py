"""The command palette (⌘K): jump to any object by its name, or run a command.

It finds what the search page finds (foundation/search), and offers the commands on each object.
"stop claims" finds only the command to stop that system.
"""

from collections.abc import Iterator
from typing import Any

from flask import jsonify, request, url_for

from governance.foundation.people import permissions
from governance.foundation.search import finding as search
from governance.foundation.search.finding import FoundObject
from governance.kernel.manifest import Hit, ObjectCommand
from governance.kernel.pages.search_words import MAX_TYPED_LENGTH, typed
from governance.kernel.safety.access import allowed
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("jump", __name__)
MAX_HITS = 12
PER_KIND = 4


@feature.get("/jump", needs=permissions.OWN)
def jump() -> ResponseReturnValue:
    """Return the best matches as JSON, or the commands if there is no text."""
    text = " ".join(request.args.get("q", "")[:MAX_TYPED_LENGTH].split())
    hits = list(_hits(text))[:MAX_HITS] if text else list(search.commands(typed("")))
    return jsonify([{"label": hit.label, "hint": hit.hint, "href": hit.href} for hit in hits])


def _hits(text: str) -> Iterator[Hit]:
    first, _, rest = text.partition(" ")
    on_objects = [each for each in search.entries() if isinstance(each, ObjectCommand)]
    worded = [
        each
        for each in on_objects
        if each.word and each.word == first.lower() and allowed(each.permission)
    ]
    best = _best(text)
    if not worded:
        for each in best:
            yield Hit(each.label, each.kind, each.href)
            yield from _commands_on(each, on_objects)
        return
    for each in best:
        if each.kind == search.VERB:
            yield Hit(each.label, each.kind, each.href)
    for found in _of_kinds({each.kind for each in worded}, rest):
        yield from _commands_on(found, worded)
    for each in best:
        if each.kind != search.VERB:
            yield Hit(each.label, each.kind, each.href)


def _of_kinds(kinds: set[str], text: str) -> list[FoundObject]:
    """Return the objects of these kinds that match the text, or the first ones if there is no text."""
    if not typed(text):
        return search.first_of(kinds, MAX_HITS)
    groups = search.find(typed(text), text, kinds=kinds, per_kind=MAX_HITS).kinds
    return [found for group in groups for found in group.objects]


def _best(text: str) -> list[FoundObject]:
    """Return the best matches of all kinds.

    Among equal matches, commands come first and terms last.
    """
    kinds = search.find(typed(text), text, per_kind=PER_KIND).kinds
    every = [each for group in kinds for each in group.objects]
    return sorted(every, key=lambda each: (each.rank, search.ORDER.get(each.kind, 2)))


def _commands_on(found: FoundObject, commands: list[ObjectCommand]) -> Iterator[Hit]:
    for entry in commands:
        if entry.kind == found.kind and allowed(entry.permission):
            values: dict[str, Any] = {entry.argument: found.ref}
            href = url_for(entry.endpoint, **values)
            yield Hit(entry.label.format(title=found.title), entry.hint, href)
