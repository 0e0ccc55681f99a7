"""Guarded rows, checked at every write. A failed check writes nothing."""

import pytest
from sqlalchemy import func, select

from governance.kernel.data import write_guards
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.operations.systems import actions as systems
from governance.operations.systems.models import AISystem, SystemFeature
from tests import faults


@pytest.fixture(autouse=True)
def own_guards():
    with faults.restored(write_guards._guards):
        yield


def refuse(_work):
    raise DomainError("Systems stay as they are today.")


def register(key):
    return systems.register(
        key=key, stage="live", name=key, lane="standard", purpose="Sorts claims.", owner_id=None
    )


def test_adding_and_changing_are_refused_through_the_front_door_and_in_a_command(
    as_admin, acting, database
):
    with acting("admin"):
        register("before")
    write_guards.guard((AISystem,), refuse)
    write_guards.guard((AISystem,), refuse)
    assert write_guards._guards.count(((AISystem,), refuse)) == 1
    with pytest.raises(DomainError, match="stay as they are"), acting("admin"):
        register("after")
    with pytest.raises(DomainError, match="stay as they are"), acting("admin"):
        session().scalars(select(AISystem).where(AISystem.key == "before")).one().name = "Changed"
    with acting("admin"):
        assert session().scalars(
            select(AISystem.name).where(AISystem.key.in_(("before", "after")))
        ).all() == ["before"]


def test_rows_of_other_models_are_not_asked_about(acting, database):
    asked = []
    write_guards.guard((SystemFeature,), asked.append)
    with acting("admin"):
        made = register("alone")
        assert asked == []
        systems.add_feature(made, key="draft", fallback="A person writes it")
        session().flush()
        assert asked and session().scalar(select(func.count()).select_from(SystemFeature)) >= 1
