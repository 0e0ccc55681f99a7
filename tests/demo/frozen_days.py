"""A demo that starts at a given moment."""

from datetime import datetime, timedelta
from functools import cache

from governance.demo import cast


class Now:
    """The demo's clock, which moves only on request."""

    def __init__(self, start: datetime) -> None:
        self.instant = start

    def __call__(self) -> datetime:
        return self.instant

    def move(self, by: timedelta) -> None:
        self.instant += by


def begun_at(monkeypatch, start: datetime) -> Now:
    now = Now(start)
    monkeypatch.setattr(cast, "real_now", now)
    monkeypatch.setattr(cast, "today", cache(cast.today.__wrapped__))
    return now
