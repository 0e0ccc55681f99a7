"""Checks of the manifests before the application starts.

Each error is one sentence that names the feature.

check_manifests(manifests)              names, audit actions, links, jobs, work, events: before
                                        anything is registered
check_endpoints(manifests, endpoints)   that every page they name exists: once the routes are
                                        registered
"""

from collections.abc import Collection, Iterable, Iterator
from types import ModuleType

from governance.kernel.data.db import Model
from governance.kernel.extension_points import ExtensionPoint
from governance.kernel.manifest import Command, Manifest, ManifestError, ObjectCommand
from governance.kernel.safety import access
from governance.kernel.work import jobs


def check_manifests(manifests: Iterable[Manifest]) -> None:
    """Raise ManifestError for the first name that two features claim, or that nobody has."""
    every = tuple(manifests)
    _check_unique("have the name", ((each.name, each) for each in every))
    _check_unique(
        "have routes named", ((blueprint.name, each) for each in every for blueprint in each.routes)
    )
    _check_unique(
        "declare the audit action", ((action.name, each) for each in every for action in each.audit)
    )
    _check_unique(
        "link audit entries of the class", ((kind, each) for each in every for kind in each.links)
    )
    _check_unique("schedule the job", ((job.name, each) for each in every for job in each.schedule))
    _check_unique(
        "search objects of the kind",
        ((source.kind, each) for each in every for source in each.search),
    )
    _check_unique(
        "answer the port", ((answer.port.name, each) for each in every for answer in each.answers)
    )
    for point in {added.point for each in every for added in each.extensions}:
        if point.key is not None:
            _check_unique(f"have the {point.noun}", _keys_at(point, every))
    _check_kinds(every)
    for each in every:
        _check_permissions(each)
        _check_models(each)
        _check_work(each)
    _check_targets(every)
    _check_events(every)


def check_endpoints(manifests: Iterable[Manifest], endpoints: Collection[str]) -> None:
    """Raise ManifestError when a manifest names a page that is not among `endpoints`."""
    every = tuple(manifests)
    items = {item.endpoint for each in every for item in each.navigation}
    for each in every:
        for what, endpoint in _endpoints(each):
            if endpoint not in endpoints:
                raise ManifestError(
                    f"The feature {each.name} names the endpoint {endpoint} in its {what}, and no"
                    " route has it."
                )
        for endpoint in each.under:
            if endpoint not in items:
                raise ManifestError(
                    f"The feature {each.name} is under {endpoint}, which no navigation item"
                    " leads to."
                )


def _endpoints(each: Manifest) -> Iterator[tuple[str, str]]:
    yield from (("navigation", item.endpoint) for item in each.navigation)
    yield from (("tabs", tab.endpoint) for tab in each.tabs)
    yield from (
        (f"{added.point.noun}s", part.endpoint)
        for added in each.extensions
        for part in added.parts
        if hasattr(part, "endpoint")
    )
    yield from (
        ("palette", command.endpoint)
        for command in each.palette
        if isinstance(command, Command | ObjectCommand)
    )
    yield from (("search", source.endpoint) for source in each.search)
    yield from (("links", link.endpoint) for link in each.links.values() if link.endpoint)


def _keys_at[T](
    point: ExtensionPoint[T], every: Iterable[Manifest]
) -> Iterator[tuple[str, Manifest]]:
    for each in every:
        for part in point.parts_of(each.extensions):
            if point.key is not None:
                yield point.key(part), each


def _check_unique(claims: str, pairs: Iterable[tuple[str, Manifest]]) -> None:
    owners: dict[str, Manifest] = {}
    for name, each in pairs:
        if name in owners:
            if owners[name] is each:
                raise ManifestError(f"The feature {each.name} must not {claims} {name} twice.")
            raise ManifestError(
                f"Two features {claims} {name}: {owners[name].name} and {each.name}."
            )
        owners[name] = each


def _check_permissions(each: Manifest) -> None:
    needed = [item.permission for item in each.navigation]
    needed += [tab.permission for tab in each.tabs]
    needed += [
        command.permission
        for command in each.palette
        if isinstance(command, Command | ObjectCommand)
    ]
    for permission in needed:
        if access.registry.get(permission.name) is not permission:
            raise ManifestError(
                f"The feature {each.name} names the permission {permission.name}, which nothing"
                " declares."
            )


def _check_kinds(every: tuple[Manifest, ...]) -> None:
    kinds = {source.kind for each in every for source in each.search}
    for each in every:
        for command in each.palette:
            if isinstance(command, ObjectCommand) and command.kind not in kinds:
                raise ManifestError(
                    f"The feature {each.name} has a command on objects of the kind {command.kind},"
                    " which no feature searches."
                )


def model_classes(module: ModuleType) -> frozenset[str]:
    """Return the names of the tables' classes that this module defines."""
    return frozenset(
        name
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, Model)
        and value.__module__ == module.__name__
    )


def _check_models(each: Manifest) -> None:
    own = {name for module in each.models for name in model_classes(module)}
    for kind, link in each.links.items():
        if kind not in own:
            raise ManifestError(
                f"The feature {each.name} links audit entries of the class {kind}, which is no"
                " model of its own."
            )
        if bool(link.endpoint) == bool(link.no_page):
            raise ManifestError(
                f"The feature {each.name} must give the link of {kind} a page, or the reason why"
                " there is none."
            )


def _check_work(each: Manifest) -> None:
    known = set(jobs.handlers.values())
    for handler in each.work:
        if handler not in known:
            name = getattr(handler, "__name__", str(handler))
            raise ManifestError(
                f"The feature {each.name} lists {name} as work, which @work does not declare (or"
                " another took its kind)."
            )


def _check_targets(every: tuple[Manifest, ...]) -> None:
    linked = {kind for each in every for kind in each.links}
    for each in every:
        for action in each.audit:
            for target in sorted(action.targets - linked):
                raise ManifestError(
                    f"No feature states where {action.name} leads: link the class {target}, or say"
                    " why it has no page."
                )


def _check_events(every: tuple[Manifest, ...]) -> None:
    taken = {subscription.event for each in every for subscription in each.subscribes}
    published = {event for each in every for event in each.publishes}
    for each in every:
        for event in each.publishes:
            if event not in taken:
                raise ManifestError(
                    f"The feature {each.name} publishes {event.__name__}, and no feature subscribes"
                    " to it."
                )
        for subscription in each.subscribes:
            if subscription.event not in published:
                raise ManifestError(
                    f"The feature {each.name} subscribes to {subscription.event.__name__}, which no"
                    " feature publishes."
                )
