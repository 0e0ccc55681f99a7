"""A person's choices in one tenant, stored with their membership.

They are about how pages are written and shown, and about notifications.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from governance.kernel.formatting import LOCALES

THEMES = ("light", "dark", "system")
DIGEST_HOUR = 8


@dataclass(frozen=True, slots=True)
class Preferences:
    """A person's choices.

    `locale` is a key of formatting.LOCALES; `time_zone` and `theme` are empty if those of the
    tenant and the browser apply. `digest_hour` is in the person's time zone. `channels` are those
    that differ from the default, by kind of event.
    """

    locale: str = ""
    time_zone: str = ""
    theme: str = ""
    digest: bool = True
    digest_hour: int = DIGEST_HOUR
    channels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """Return what is stored; missing or former values have their default."""
        known = {name: stored[name] for name in cls.__slots__ if name in stored}
        if known.get("locale") not in LOCALES:
            known.pop("locale", None)
        if known.get("theme") not in THEMES:
            known.pop("theme", None)
        return cls(**known)

    def stored(self) -> dict[str, Any]:
        """Return what differs from the defaults, as JSON can hold it."""
        plain = Preferences()
        return {
            name: value for name, value in asdict(self).items() if value != getattr(plain, name)
        }
