"""What is done to evidence without anybody at the keyboard: destroying what two agreed on, and each night's chores."""

from itertools import batched

from governance.assurance.evidence import actions, queries
from governance.kernel.db import transaction
from governance.kernel.jobs import Progress, WorkItem, work


@work("destroy evidence")
def destroy(item: WorkItem, progress: Progress) -> None:
    """The work of one EvidenceDestruction (item.target_id)."""
    if item.target_id is None:
        raise RuntimeError("the work names what is to be destroyed")
    progress(0, 1, "Destroying the file")
    with transaction():
        asked, _version, _evidence = queries.destruction(item.target_id, lock=True)
        actions.carry_out(asked)


AT_ONCE = 1000  # files


def tidy() -> None:
    """Nightly: stored files without a row go after a day, and what retention lets go is proposed for destruction.

    In transactions of its own: a store of any size is swept while others bring files in.
    """
    for keys in batched(actions.old_files(), AT_ONCE, strict=False):
        with transaction():
            actions.sweep(keys)
    with transaction():
        actions.clear_halves()
        actions.forget_pushes()
        actions.propose_by_retention()
