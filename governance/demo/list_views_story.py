"""The views of lists that Acme's people saved: two that everyone sees, and one that a list opens with
for its owner alone.
"""

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from urllib.parse import urlencode
from uuid import UUID

from governance.demo.story import StoryEvent
from governance.foundation.list_views import actions
from governance.foundation.list_views.models import ListView


def acme(person: Callable[[str], UUID], ago: Callable[[int], date]) -> Iterator[StoryEvent]:
    """Yield the steps. `person` returns the id of a part."""
    yield StoryEvent(
        ago(33), "officer", partial(_save, "evidence", "Overdue", shared=True, state="overdue")
    )
    yield StoryEvent(
        ago(31), "jun", partial(_save, "controls", "Failing", shared=True, status="failing")
    )
    own = partial(_save, "evidence", "Mine", shared=False, owner=str(person("anna")))
    yield StoryEvent(ago(29), "anna", lambda: actions.open_with("evidence", own()))


def _save(location: str, name: str, *, shared: bool, **filters: str) -> ListView:
    return actions.save_view(location, name, urlencode(filters), shared=shared)
