"""Pages to map controls to requirements, from either side."""

from uuid import UUID

from flask import redirect, request, url_for

from governance.assurance.controls import mapping_actions, permissions, queries
from governance.assurance.controls.forms import (
    ControlMappingForm,
    RequirementMappingForm,
)
from governance.assurance.controls.mapped_requirements import mapped_requirements
from governance.assurance.controls.models import Control
from governance.assurance.controls.views import feature
from governance.assurance.frameworks import queries as frameworks
from governance.kernel.pages.rendering import page
from governance.kernel.pages.undo_pages import say_changed
from governance.kernel.web.forms import accepted, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue


@feature.get("/controls/<uuid:control_id>/mapping", needs=permissions.MANAGE)
def mapping(control_id: UUID) -> ResponseReturnValue:
    return _mapping_page(
        queries.find_control(control_id),
        RequirementMappingForm(requirement_id=uuid_or_none(request.args.get("requirement"))),
    )


def _mapping_page(
    row: Control, form: RequirementMappingForm, *, code: int = 200
) -> ResponseReturnValue:
    return page(
        "assurance/controls/mapping.html",
        control=row,
        form=form,
        mapped=mapped_requirements(row.id),
        status=code,
    )


@feature.post("/controls/<uuid:control_id>/mapping", needs=permissions.MANAGE)
def map_to(control_id: UUID) -> ResponseReturnValue:
    row, form = queries.find_control(control_id, lock=True), RequirementMappingForm()
    if not accepted(
        form, lambda: mapping_actions.map_to(row, form.requirement_id.data, form.coverage.data)
    ):
        return _mapping_page(row, form, code=422)
    say_changed(_mapped_to(row, form.requirement_id.data, form.coverage.data))
    return redirect(url_for("controls.mapping", control_id=row.id), 303)


@feature.post(
    "/controls/<uuid:control_id>/mapping/<uuid:requirement_id>/remove", needs=permissions.MANAGE
)
def unmap(control_id: UUID, requirement_id: UUID) -> ResponseReturnValue:
    row = queries.find_control(control_id, lock=True)
    mapping_actions.unmap(row, requirement_id)
    say_changed(
        f"{row.ref} is no longer mapped to {frameworks.requirement_by_id(requirement_id).ref}."
    )
    return redirect(url_for("controls.mapping", control_id=row.id), 303)


def _mapped_to(row: Control, requirement_id: UUID, coverage: str) -> str:
    how = "fully" if coverage == "full" else "partially"
    return f"{row.ref} now satisfies {frameworks.requirement_by_id(requirement_id).ref} {how}."


@feature.get("/controls/answering/<uuid:requirement_id>", needs=permissions.MANAGE)
def answering(requirement_id: UUID) -> ResponseReturnValue:
    """Show the form to map a control to this requirement."""
    return _answering_page(requirement_id, _map_form())


def _map_form() -> ControlMappingForm:
    form = ControlMappingForm()
    form.control_id.choices = [("", "Choose a control"), *queries.choices()]
    return form


def _answering_page(
    requirement_id: UUID, form: ControlMappingForm, *, code: int = 200
) -> ResponseReturnValue:
    node = frameworks.requirement_by_id(requirement_id)
    each = frameworks.framework_by_id(node.framework_id)
    return page(
        "assurance/controls/answering.html",
        node=node,
        framework=each,
        form=form,
        held=queries.controls_of_requirement(requirement_id),
        back=_requirement(node, each),
        status=code,
    )


def _requirement(node: frameworks.RequirementView, each: frameworks.FrameworkView) -> str:
    return f"{url_for('frameworks.index')}{each.key}/{node.path}"


@feature.post("/controls/answering/<uuid:requirement_id>", needs=permissions.MANAGE)
def answer(requirement_id: UUID) -> ResponseReturnValue:
    node, form = frameworks.requirement_by_id(requirement_id), _map_form()
    if not accepted(
        form,
        lambda: mapping_actions.map_to(
            queries.find_control(form.control_id.data, lock=True), node.id, form.coverage.data
        ),
    ):
        return _answering_page(requirement_id, form, code=422)
    say_changed(_mapped_to(queries.find_control(form.control_id.data), node.id, form.coverage.data))
    return redirect(_requirement(node, frameworks.framework_by_id(node.framework_id)), 303)
