"""The page of one's own profile."""

from flask import flash, make_response, redirect, url_for

from governance.foundation.notifications.kinds import KINDS
from governance.foundation.people import permissions
from governance.foundation.people.preferences import Preferences
from governance.foundation.people.theme_views import keep_theme
from governance.foundation.profiles import actions
from governance.foundation.profiles.forms import ProfileForm
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("profiles", __name__)


@feature.get("/settings/profile", needs=permissions.OWN)
def profile() -> ResponseReturnValue:
    own = Preferences.of(actions.own_membership().preferences)
    return _profile_page(ProfileForm.of(own))


def _profile_page(form: ProfileForm, *, status: int = 200) -> ResponseReturnValue:
    return page("foundation/profiles/profile.html", status=status, form=form, kinds=list(KINDS))


@feature.post("/settings/profile", needs=permissions.OWN)
def change_profile() -> ResponseReturnValue:
    form, membership = ProfileForm(), actions.own_membership()
    if not accepted(form, lambda: actions.change_profile(membership, form.wanted)):
        return _profile_page(form, status=form.status)
    flash("Profile saved.")
    response = make_response(redirect(url_for("profiles.profile"), 303))
    keep_theme(response, form.theme.data)
    return response
