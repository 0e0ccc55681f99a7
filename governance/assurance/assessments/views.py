"""Pages of a framework's heat map and requirement list.

Other view modules of the package add routes to the same feature. Every page accepts
`?as_of=2026-10-01`.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from functools import partial
from uuid import UUID

from flask import request, url_for

from governance.assurance.assessments import (
    assessment_queries,
    assessment_state,
    board_queries,
    item_actions,
    level_history,
    map_layout,
    permissions,
    requirement_list,
)
from governance.assurance.assessments.as_of import as_of_moment, past_day
from governance.assurance.assessments.forms import (
    RequirementAssignForm,
)
from governance.assurance.assessments.framework_board import (
    FrameworkBoard,
)
from governance.assurance.assessments.models import Assessment, AssessmentItem
from governance.assurance.assessments.report_facts import closes
from governance.assurance.assessments.requirement_list import GAPS, REQUIREMENTS
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.frameworks.queries import FrameworkView
from governance.foundation.people import assigning, owners
from governance.foundation.people.assigning import Assignable
from governance.kernel import current
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes, xlsx_bytes
from governance.kernel.formatting import plural
from governance.kernel.pages.list_export import chosen
from governance.kernel.pages.list_pages import ListPage, ListRequest, one_page
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.pages.undo_pages import undo_offer
from governance.kernel.pictures import charts
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import constraint
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work.bulk import BulkChange, BulkColumn, BulkItem

feature = Feature("assessments", __name__)
feature.add_app_template_filter(map_layout.cell_name, "cell_name")
constraint(
    "uq_sign_offs_tenant_id_conclusion_id",
    "Someone else signed off this conclusion at the same time. Reload the page to see it.",
)
constraint(
    "uq_conclusions_tenant_id_item_id_revision",
    "Someone else wrote a conclusion at the same time. Your text is kept: save it again.",
)

MONTH = timedelta(days=30)
GAPS_SHOWN = 10
ROWS_SHOWN = 100
FIRST_DAY = date(2000, 1, 1)


# ---- the heat map


@feature.get("/frameworks/<key>", needs=permissions.VIEW)
def heat_map(key: str) -> ResponseReturnValue:
    framework = frameworks.framework(key)
    board = board_queries.board(framework, as_of_moment())
    list_request = _read_list(GAPS, board)
    moved = requirement_list.gaps_by_ref(board)
    gaps = requirement_list.filter_requirements(
        requirement_list.below_target(board), list_request, moved
    )
    then = level_history.shares_at(
        board, level_history.with_history(board, [board.as_of - MONTH]), board.period
    )
    may_assign, past = list_request.may_select and board.is_open, past_day()
    rows = one_page(gaps, list_request, lambda row: row.ref)
    return page(
        "assurance/assessments/heat_map.html",
        framework=framework,
        shown=board,
        groups=map_layout.map_groups(board, then[0] if then else None),
        says=map_layout.map_headline(board),
        peek=map_layout.peek(board, request.args.get("sel", "")),
        peeks=map_layout.peek_text,
        gaps=rows.rows,
        matching=len(gaps),
        next=rows.next,
        moved=moved,
        most=max((gap.moves for gap in moved.values()), default=1.0),
        asked=list_request,
        closes=closes,
        owners=_assignees() if may_assign else [],
        share_bar=charts.share_bar,
        noun=map_layout.requirement_noun(board),
        total=len(requirement_list.below_target(board)),
        drawn=requirement_list.Drawing(
            board, past["as_of"], tuple(c.name for c in list_request.columns)
        ),
        **past,
    )


@feature.get("/frameworks/<key>/requirements", needs=permissions.VIEW)
def requirements(key: str) -> ResponseReturnValue:
    framework = frameworks.framework(key)
    board = board_queries.board(framework, as_of_moment())
    list_request = _read_list(REQUIREMENTS, board)
    found = requirement_list.filter_requirements(
        board.rows, list_request, requirement_list.gaps_by_ref(board)
    )
    rows = one_page(found, list_request, lambda row: row.ref)
    may_assign, past = list_request.may_select and board.is_open, past_day()
    return page(
        "assurance/assessments/requirements.html",
        framework=framework,
        shown=board,
        asked=list_request,
        rows=rows.rows,
        matching=len(found),
        next=rows.next,
        owners=_assignees() if may_assign else [],
        noun=map_layout.requirement_noun(board),
        proven=map_layout.proven_phrase(board),
        signed=sum(
            row.judgement is not None and row.judgement.signer is not None for row in board.rows
        ),
        evidence=requirement_list.count_evidence,
        drawn=requirement_list.Drawing(
            board, past["as_of"], tuple(c.name for c in list_request.columns)
        ),
        **past,
    )


def _read_list(listed: ListPage, board: FrameworkBoard) -> ListRequest:
    """Return the list request in the URL, for a list of this board."""
    choices = {"under": requirement_list.functions(board), "owner": requirement_list.owners(board)}
    return listed.read(place={"key": board.framework.key}, choices=choices)


def _assignees() -> owners.Choices:
    return owners.assignee_choices("Keep each owner")


@feature.get(
    "/frameworks/<key>/requirements.<any(csv, xlsx):form>", needs=permissions.VIEW, answers=FILE
)
def export(key: str, form: str) -> ResponseReturnValue:
    """Export all rows that match the filters."""
    board = board_queries.board(frameworks.framework(key), as_of_moment())
    list_request = REQUIREMENTS.read(place={"key": key})
    cells = requirement_list.export_cells(
        board,
        requirement_list.filter_requirements(
            board.rows, list_request, requirement_list.gaps_by_ref(board)
        ),
    )
    head, lines = chosen(list_request, requirement_list.EXPORT_COLUMNS, cells)
    content = csv_bytes(head, lines) if form == "csv" else xlsx_bytes("Requirements", head, lines)
    return table_file(content, f"{key}-{current.actor().tenant_slug}-{board.as_of.date()}.{form}")


INHERITED = (  # Shown as the owner of a requirement that has none of its own.
    "From its controls"
)
OWNER = BulkColumn("owner_id", "Owner", lambda ids: {**owners.describe(ids), None: INHERITED})


@feature.post("/frameworks/<key>/assign", needs=permissions.MANAGE)
def assign_selected(key: str) -> ResponseReturnValue:
    """Set the owner, the due date, or both, of the selected requirements.

    A field that isn't chosen stays the same.
    """
    framework, home = frameworks.framework(key), url_for("assessments.heat_map", key=key)
    rows = Assignable(
        "requirement",
        "Assign requirements",
        partial(_selected, framework),
        _assign_all,
        columns=(OWNER, assigning.DUE),
        unowned=_inherited,
    )
    crumbs = [("Frameworks", url_for("frameworks.index")), (framework.name, home)]
    return assigning.assign_selected(rows, RequirementAssignForm(), home=home, crumbs=crumbs)


def _inherited(count: int) -> str:
    verb = "inherits its owner" if count == 1 else "inherit their owners"
    return f"{plural(count, 'requirement')} {verb} from the mapped controls."


# The signature that BulkAction expects.
def _selected(framework: FrameworkView, ids: Collection[UUID], lock: bool) -> list[BulkItem]:  # noqa: FBT001
    """Return the selected items in the publisher's order."""
    nodes = {
        node.id: (place, node) for place, node in enumerate(frameworks.requirements(framework.id))
    }
    found = sorted(
        assessment_queries.items_with_assessments(framework.id, ids, lock=lock),
        key=lambda each: nodes[each[0].requirement_id][0],
    )
    return [
        _bulk_item(framework, nodes[row.requirement_id][1], row, assessment)
        for row, assessment in found
    ]


def _bulk_item(
    framework: FrameworkView,
    node: frameworks.RequirementView,
    row: AssessmentItem,
    assessment: Assessment,
) -> BulkItem:
    href = url_for("assessments.requirement", key=framework.key, ref=node.path)
    return BulkItem(
        row.id,
        node.ref,
        node.title,
        href,
        {"owner_id": row.owner_id, "due_on": row.due_on},
        assessment_state.why_not_open(assessment),
    )


def _assign_all(changes: Sequence[BulkChange]) -> None:
    item_actions.assign_all(
        [(each.item.id, each.after["owner_id"], each.after["due_on"]) for each in changes]
    )


@feature.post("/assessments/undo/<uuid:undo_offer_id>", needs=permissions.MANAGE)
def undo_change(undo_offer_id: UUID) -> ResponseReturnValue:
    return undo_offer(undo_offer_id, item_actions.UNDOABLE, url_for("assessments.index"))
