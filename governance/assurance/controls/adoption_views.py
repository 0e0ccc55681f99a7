"""The page to choose and adopt controls of the starter pack."""

from flask import flash, redirect, request, url_for

from governance.assurance.controls import adoption_actions, permissions, queries
from governance.assurance.controls.forms import (
    StarterPackForm,
)
from governance.assurance.controls.models import Control
from governance.assurance.controls.starter_pack import mapped_frameworks, pack
from governance.assurance.controls.views import feature
from governance.assurance.frameworks import import_queries
from governance.kernel.formatting import plural
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue


@feature.get("/controls/starter", needs=permissions.MANAGE)
def adopting() -> ResponseReturnValue:
    taken = queries.refs_taken()
    return _starter_page(_adopt_form(taken), taken)


def _starter_page(form: StarterPackForm, taken: set[str], status: int = 200) -> ResponseReturnValue:
    free = [each for each in pack() if each.ref not in taken]
    return page(
        "assurance/controls/starter.html",
        form=form,
        pack=pack(),
        taken=taken,
        adopts=import_queries.not_adopted(mapped_frameworks(free)),
        status=status,
    )


def _adopt_form(taken: set[str]) -> StarterPackForm:
    free = [each.ref for each in pack() if each.ref not in taken]
    form = StarterPackForm(refs=free) if request.method == "GET" else StarterPackForm()
    form.refs.choices = [(each.ref, f"{each.ref} {each.title}") for each in pack()]
    return form


@feature.post("/controls/starter", needs=permissions.MANAGE)
def adopt() -> ResponseReturnValue:
    taken = queries.refs_taken()
    form = _adopt_form(taken)
    adopted: list[Control] = []
    if not accepted(
        form,
        lambda: adopted.extend(
            adoption_actions.adopt(form.refs.data, with_evidence=bool(form.with_evidence.data))
        ),
    ):
        return _starter_page(form, taken, 422)
    there = len(form.refs.data or ()) - len(adopted)
    flash(
        f"{plural(len(adopted), 'control')} adopted."
        + (f" {there} already existed and didn't change." if there else "")
    )
    return redirect(url_for("controls.index"), 303)
