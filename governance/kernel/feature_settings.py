"""Settings of the environment that features add by their manifests."""

from collections.abc import Callable
from dataclasses import dataclass

from governance.kernel.extension_points import ExtensionPoint


def _accept(_text: str) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting. `use` gets its text at the start, or `default` if it isn't set.

    `problem` returns what is wrong with a text, to be read after the setting's name. `meaning`
    and `unset` are its row in docs/operating/README.md.
    """

    name: str
    meaning: str
    unset: str
    use: Callable[[str], None]
    default: str = ""
    problem: Callable[[str], str | None] = _accept


SETTINGS: ExtensionPoint[Setting] = ExtensionPoint("setting", key=lambda setting: setting.name)
