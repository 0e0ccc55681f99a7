"""The pages of one AI system's model card: blockers, preview, versions, known failures' texts."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.foundation.approvals import kinds
from governance.foundation.approvals import queries as approvals
from governance.foundation.people import queries as people
from governance.foundation.people.queries import Moment
from governance.kernel import clock, current
from governance.kernel.config import public_address
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import allowed
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.evaluations import figures
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem
from governance.publishing.model_cards import actions, card, permissions, queries
from governance.publishing.model_cards import record as system_record
from governance.publishing.model_cards.drawing import interval, limit_words
from governance.publishing.model_cards.forms import (
    FailureTextForm,
    PublishCardForm,
    ReleaseForm,
    WithdrawForm,
)
from governance.publishing.model_cards.models import ModelCard
from governance.publishing.model_cards.record import DescribedRelease

feature = Feature("model_cards", __name__, counts_everything=True)
HOME = "/systems/<system_key>/model-card/"
VERSION = f"{HOME}<int:number>"


@feature.get(HOME, needs=permissions.VIEW)
def index(system_key: str) -> ResponseReturnValue:
    """Show what blocks the next version, and what readers see meanwhile."""
    return _index(systems.system(system_key), PublishCardForm())


def _index(
    system: AISystem,
    form: PublishCardForm,
    *,
    choosing: ReleaseForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    chosen, every = system_record.described(system.id), queries.versions(system.id)
    now, newest = system_record.assembled(system, chosen.release), every[0] if every else None
    differs = card.changes(newest.content, now.content) if newest else []
    for_readers = differs
    if newest is not None and chosen.for_readers(newest) != now.release:
        said = system_record.compared(system, newest, chosen).content
        for_readers = card.changes(newest.content, said)
    requested = queries.open_request(system.id)
    if requested is not None and kinds.fingerprint(requested) != requested.fingerprint:
        requested = None  # The record has changed since.
    return page(
        "publishing/model_cards/index.html",
        status=status,
        system=system,
        draft=now,
        requested=requested,
        may_open_approval=requested is not None and approvals.is_visible(requested),
        form=form,
        described=chosen,
        choosing=_choosing(system, chosen, choosing),
        versions=every,
        newest=newest,
        changes=differs,
        changed_for_readers=for_readers,
        too_old=card.outdated(newest.content, clock.now()) if newest else [],
        windows={"figure": card.FIGURE_WINDOW.days, "drill": card.DRILL_WINDOW.days},
        at=clock.now(),
        figures=figures,
        in_force_words=card.in_force_words,
        address=_address(system) if newest else None,
        files=queries.files_of(system.id, None) if allowed(permissions.EXPORT) else (),
        shown=work_pages.shown,
        names=people.names(each.published_by for each in every),
        history=[_moment(each) for each in people.timeline([each.id for each in every])],
    )


def _choosing(
    system: AISystem, chosen: DescribedRelease, form: ReleaseForm | None
) -> ReleaseForm | None:
    """Return the form with the evaluated releases. None for people who may not choose."""
    if system.is_retired or not allowed(permissions.WRITE):
        return None
    form = form or ReleaseForm(release=chosen.chosen)
    form.offer(chosen)
    return form


def _address(system: AISystem) -> str:
    token = queries.public_token(system.id)
    return f"{public_address()}/model-cards/{current.actor().tenant_slug}/{token}"


def _moment(each: Moment) -> dict[str, Any]:
    number = each.facts.get("version", "")
    return {"kind": each.shape, "text": f"{each.who} {each.says} ({number})", "at": each.at}


@feature.post(HOME, needs=permissions.WRITE)
def request_approval(system_key: str) -> ResponseReturnValue:
    """Request approval of exactly what the person saw. Name each reason against it."""
    system, form = systems.system(system_key), PublishCardForm()
    if not accepted(form, lambda: actions.request_approval(system, seen=form.seen.data or "")):
        return _index(system, form, status=form.status)
    flash("Approval is requested. Another person publishes the card.")
    return redirect(url_for("model_cards.index", system_key=system.key), 303)


@feature.post(f"{HOME}release", needs=permissions.WRITE)
def choose_release(system_key: str) -> ResponseReturnValue:
    """Choose the release that the next version describes."""
    system, form = systems.system(system_key), ReleaseForm()

    def act() -> None:
        actions.choose_release(system, form.release.data or "", seen=form.revision)

    if not accepted(form, act):
        return _index(system, PublishCardForm(), choosing=form, status=form.status)
    return redirect(url_for("model_cards.index", system_key=system.key), 303)


@feature.get(f"{HOME}preview", needs=permissions.VIEW)
def preview(system_key: str) -> ResponseReturnValue:
    """Show the card as readers would see it, with links to its sources."""
    system = systems.system(system_key)
    now = system_record.assembled(system)
    return page(
        "publishing/model_cards/preview.html",
        system=system,
        draft=now,
        content=now.content,
        interval=interval,
        limit_words=limit_words,
        day_of=card.day_of,
        in_force_words=card.in_force_words,
        data_set_words=card.data_set_words,
        figures=figures,
    )


@feature.get("/model-cards/<uuid:model_card_id>", needs=permissions.VIEW)
def by_id(model_card_id: UUID) -> ResponseReturnValue:
    """Open a version by its id, as audit entries link it."""
    found = queries.card(model_card_id)
    return _to(systems.system(found.system_id), found, code=302)


@feature.get("/model-cards/texts/<uuid:known_failure_text_id>", needs=permissions.VIEW)
def by_text(known_failure_text_id: UUID) -> ResponseReturnValue:
    """Open the card whose known failure has this text, as audit entries link it."""
    system = systems.system(queries.text(known_failure_text_id).system_id)
    return redirect(url_for("model_cards.index", system_key=system.key), 302)


@feature.get("/model-cards/releases/<uuid:card_release_id>", needs=permissions.VIEW)
def by_release(card_release_id: UUID) -> ResponseReturnValue:
    """Open the card whose release somebody chose, as audit entries link it."""
    system = systems.system(queries.choice(card_release_id).system_id)
    return redirect(url_for("model_cards.index", system_key=system.key), 302)


@feature.get(VERSION, needs=permissions.VIEW)
def version(system_key: str, number: int) -> ResponseReturnValue:
    """Show a published version with links to its sources, and what changed since."""
    system = systems.system(system_key)
    found = queries.version(system.id, number)
    now = system_record.compared(system, found)
    return page(
        "publishing/model_cards/version.html",
        system=system,
        model_card=found,
        content=found.content,
        changes=card.changes(found.content, now.content),
        too_old=card.outdated(found.content, clock.now()),
        interval=interval,
        limit_words=limit_words,
        day_of=card.day_of,
        in_force_words=card.in_force_words,
        data_set_words=card.data_set_words,
        figures=figures,
        files=queries.files_of(system.id, found.id) if allowed(permissions.EXPORT) else (),
        shown=work_pages.shown,
        names=people.names([found.published_by, found.withdrawn_by]),
        history=[_moment(each) for each in people.timeline([found.id])],
    )


@feature.route(f"{VERSION}/withdraw", methods=["GET", "POST"], needs=permissions.PUBLISH)
def withdraw(system_key: str, number: int) -> ResponseReturnValue:
    system, form = systems.system(system_key), WithdrawForm()
    found = queries.version(system.id, number)

    def act() -> None:
        actions.withdraw(found, system, reason=form.reason.data or "")

    if request.method == "POST" and accepted(form, act):
        flash(f"{found.title} is withdrawn.")
        return _to(system, found)
    return page(
        "publishing/model_cards/withdraw.html",
        status=form.status if request.method == "POST" else 200,
        system=system,
        model_card=found,
        form=form,
    )


@feature.route(
    f"{HOME}failures/<any(finding, incident):kind>/<uuid:source_id>",
    methods=["GET", "POST"],
    needs=permissions.WRITE,
)
def write(system_key: str, kind: str, source_id: UUID) -> ResponseReturnValue:
    """Write the text about a finding or an incident that readers see."""
    system = systems.system(system_key)
    found = queries.failure(system_record.assembled(system), kind, source_id)
    there = queries.failure_text(system.id, found)
    form = FailureTextForm(title=found.title, text=found.text)

    def act() -> None:
        actions.write(
            system,
            found,
            title=form.title.data or "",
            text=form.text.data or "",
            seen=form.revision,
        )

    if request.method == "POST" and accepted(form, act):
        flash(f"Text of {found.ref} saved.")
        return redirect(url_for("model_cards.index", system_key=system.key), 303)
    is_new = request.method == "GET" or form.stale
    return page(
        "publishing/model_cards/failure.html",
        status=form.status if request.method == "POST" else 200,
        system=system,
        failure=found,
        form=form,
        seen=(there.revision if there else 0) if is_new else form.revision,
    )


def _to(system: AISystem, found: ModelCard, *, code: int = 303) -> ResponseReturnValue:
    address = url_for("model_cards.version", system_key=system.key, number=found.number)
    return redirect(address, code)
