"""Three versions of the allocation rules, each proposed and approved on its day."""

from governance.demo import economics_allocation_story
from governance.demo.cast import days_ago, moment_of
from governance.economics.allocation import queries
from governance.economics.formulas.allocation import Driver, Pool
from governance.kernel import clock
from tests import make

ROLES = {"finance": "operator_finance", "operator": "operator_admin"}


def test_the_rules_changed_twice_in_eighteen_months(database):
    for event in economics_allocation_story.operator(days_ago):
        with clock.frozen(moment_of(event.day)), make.acting(ROLES[event.part], "console"):
            event.act()
    with make.acting("operator_finance", "console"):
        versions = queries.versions()
        assert [each.number for each in versions] == [3, 2, 1]
        assert all(each.made_by != each.decided_by for each in versions)
        months = [each.first_month for each in versions]
        found = queries.rules_in_force(months[0])
        assert {rule.driver for rule in found.rules.values()} == {Driver.ACTIVE_USERS}
        before = queries.rules_in_force(months[0].plus(-1))
        assert before.rules[Pool.SUPPORT].driver is Driver.EQUAL
        assert queries.rules_in_force(months[2].plus(-1)).number == 0
