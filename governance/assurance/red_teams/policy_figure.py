"""The age of a system's last red team, for the policy page to show beside its limit."""

from collections.abc import Mapping

from flask import url_for

from governance.assurance.red_teams import permissions
from governance.assurance.red_teams.age import DIMENSION, age_within, limit_in
from governance.kernel.formatting import plural
from governance.kernel.safety.access import allowed
from governance.kernel.safety.visibility_scope import limits
from governance.operations.policies.effective_policies import Governed
from governance.operations.policies.ports import InForce, SettingFigure


def setting_figures(system: Governed, in_force: InForce) -> Mapping[str, SettingFigure]:
    """Return the figure of the policy setting that red teams measure, in one statement."""
    age = age_within(system.id, limit_in(in_force))
    words = "never" if age.days is None else plural(age.days, "day")
    return {DIMENSION: SettingFigure(words, _page(system), age.is_too_old)}


def _page(system: Governed) -> str | None:
    """Return the URL of the system's red-team tab if the reader may open it."""
    if limits() is not None or not allowed(permissions.VIEW):
        return None
    return url_for("red_teams.of_system", system_key=system.key)
