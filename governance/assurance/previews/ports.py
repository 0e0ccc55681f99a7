"""Ports that features above previews answer."""

from collections.abc import Callable

from governance.kernel.ports import Port


def _none() -> str:
    return ""


viewer_mark: Port[Callable[[], str]] = Port(
    "the text of the watermark for who is acting; empty for none", default=_none
)
