"""Requirements are found by id, without a scan of all of them."""

from uuid import UUID

from governance.assurance.frameworks import queries
from tests.assurance.frameworks.framework_files import RMF

CONTROLS = 60


class CountingId(UUID):
    """An id that counts how often it is compared with another one."""

    comparisons = 0

    def __eq__(self, other: object) -> bool:
        CountingId.comparisons += 1
        return super().__eq__(other)

    __hash__ = UUID.__hash__


def test_60_controls_on_72_requirements_make_no_more_comparisons_than_rows(acting):
    with acting("compliance_officer", read_only=True):
        required = [
            each for each in queries.requirements(queries.framework(RMF).id) if each.assessable
        ]
        rows = [CountingId(int=each.id.int) for _ in range(CONTROLS) for each in required]
        CountingId.comparisons = 0
        found = [queries.requirement_by_id(each) for each in rows]
    assert len(rows) == CONTROLS * 72
    assert found == required * CONTROLS
    assert CountingId.comparisons <= len(rows)
