"""Acme's runner of evaluations: Anna asks it for the further cases that decide on ad copy.

steps(cast, now)    the request, and its message; the runner answers over HTTP by itself
"""

from datetime import datetime, timedelta
from functools import partial

from governance.demo import connections_story, evaluation_story
from governance.demo.cast import Cast
from governance.demo.story import StoryStep
from governance.kernel import clock, current
from governance.kernel.db import transaction
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations import request_actions
from governance.operations.systems import queries as systems

ASKED = timedelta(minutes=80)  # before now
SAMPLES = 4000


def steps(cast: Cast, now: datetime) -> list[StoryStep]:
    """Return what happens after this week's runs."""
    return [StoryStep(now - ASKED, partial(_ask, cast, now))]


def _ask(cast: Cast, now: datetime) -> None:
    told = evaluation_story.COPY
    with current.acting_as(cast("anna")), transaction():
        suite = evaluations.suite(told.key)
        request_actions.request(
            system=systems.system(told.system),
            suite=suite,
            version=evaluations.version(suite.id),
            release=evaluation_story.release_of(now, now),
            samples=SAMPLES,
        )
    connections_story.deliver_until(clock.now())
