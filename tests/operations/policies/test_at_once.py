"""Two people at the same policy at the same moment: committed, on connections of their own."""

import threading

import pytest

from governance.kernel.errors import DomainError, Stale
from governance.operations.policies import actions, queries
from governance.operations.policies.effective_policies import Content, read_content
from tests import make


@pytest.fixture
def at_globex(committed):
    """Globex: what is left of the races is withdrawn or refused."""
    yield
    with make.acting("admin", "globex"):
        if (row := queries.draft()) is not None:
            actions.withdraw(row)


def elsewhere(deed) -> None:
    """Somebody else does it meanwhile, and it is committed."""
    failed = []

    def act():
        try:
            with make.acting("compliance_officer", "globex"):
                deed()
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=act)
    thread.start()
    thread.join(60)
    assert not failed, failed


def test_an_edit_that_began_before_anothers_was_saved_overwrites_nothing(at_globex):
    with make.acting("admin", "globex"):
        seen = actions.opened(actions.draft(Content("strict"), seen="", because="x"))
    with make.acting("admin", "globex"):
        shown = queries.draft()  # as the page does, before it comes to the lock
        elsewhere(lambda: actions.draft(Content("regulated"), seen=seen, because="x"))
        with pytest.raises(Stale):
            actions.draft(Content("baseline"), seen=seen, because="x")
        assert actions.opened(shown) != seen
    with make.acting("admin", "globex"):
        assert read_content(queries.draft().content).tier == "regulated"


def test_of_a_refusal_and_an_edit_at_the_same_moment_the_second_is_told(at_globex):
    with make.acting("admin", "globex"):
        row = actions.ask(Content("baseline"), seen="", because="x")
        row_id, seen = row.id, actions.opened(row)
    with make.acting("admin", "globex"):
        shown = queries.draft()
        elsewhere(lambda: actions.refuse(queries.policy_version(row_id), "Not this"))
        with pytest.raises(DomainError):
            actions.draft(Content("strict"), seen=seen, because="x")
        assert shown.id == row_id
    with make.acting("admin", "globex"):
        assert queries.policy_version(row_id).state == "refused"
