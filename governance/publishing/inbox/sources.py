"""The sources of the inbox, from the manifests of the features."""

from collections.abc import Mapping
from functools import lru_cache

from governance.kernel.manifest import installed
from governance.kernel.work.inbox import InboxSource


def sources() -> tuple[InboxSource, ...]:
    return tuple(source for manifest in installed() for source in manifest.inbox)


def by_name() -> Mapping[str, InboxSource]:
    return _by_name(sources())


@lru_cache(maxsize=8)
def _by_name(named: tuple[InboxSource, ...]) -> Mapping[str, InboxSource]:
    return {source.name: source for source in named}
