"""The pages of API keys: the list; creating, rotating and revoking a key.

A key is shown once, by the request that creates or rotates it.
"""

from datetime import timedelta
from uuid import UUID

from flask import current_app, flash, redirect, url_for

from governance.foundation.api_keys import actions, key_list, permissions, queries
from governance.foundation.api_keys.forms import ApiKeyForm, KeyRotationForm
from governance.foundation.api_keys.key_list import KEYS
from governance.foundation.api_keys.models import DEFAULT_RATE, ApiKey
from governance.foundation.api_keys.ports import subjects
from governance.foundation.people import queries as people
from governance.kernel import clock
from governance.kernel.data.ids import uuid7
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import known_scopes
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp

feature = Feature("api_keys", __name__)
MAX_ENDED_SHOWN = 50  # Older ones are in the audit log.
EXPIRES_SOON = timedelta(days=14)


@feature.get("/settings/keys", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    live, ended = queries.live(), queries.ended(limit=MAX_ENDED_SHOWN)
    names = people.names(key.made_by for key in [*live, *ended])
    asked, to_rotate = KEYS.read(), queries.known_to_former_members(live)
    return page(
        "foundation/api_keys/index.html",
        asked=asked,
        matching=key_list.matching(live, asked, to_rotate),
        to_rotate=to_rotate,
        live=live,
        ended=ended,
        shown=MAX_ENDED_SHOWN,
        names=names,
        means=known_scopes,
        soon=clock.now() + EXPIRES_SOON,
        systems=subjects().names(key.system_id for key in live),
        default_rate=DEFAULT_RATE,
    )


@feature.get("/settings/keys/new", needs=permissions.MANAGE)
def new() -> ResponseReturnValue:
    return _form(ApiKeyForm(once=str(uuid7())))


def _form(form: ApiKeyForm, *, status: int = 200) -> ResponseReturnValue:
    return page("foundation/api_keys/new.html", status=status, form=form, means=known_scopes)


@feature.post(
    "/settings/keys/new", needs=permissions.MANAGE, fresh=StepUp("Create API key", ApiKeyForm)
)
def make() -> ResponseReturnValue:
    form, created = ApiKeyForm(), list[tuple[ApiKey, str]]()
    key_id = form.key_id
    if queries.exists(key_id) or not accepted(form, lambda: created.append(_create(form, key_id))):
        return _already_created() if queries.exists(key_id) else _form(form, status=form.status)
    return _secret(*created[0])


def _already_created() -> ResponseReturnValue:
    """Redirect to the list when the page was reloaded or its button pressed twice."""
    return _to_list(
        "This key was shown once and can't be recovered. Rotate it to get a new secret."
    )


def _create(form: ApiKeyForm, key_id: UUID) -> tuple[ApiKey, str]:
    return actions.create(
        form.name.data or "",
        form.scopes.data or (),
        ends=form.ends,
        key_id=key_id,
        system_id=form.system_id.data,
        rate=DEFAULT_RATE if form.rate.data is None else form.rate.data,
    )


def _secret(key: ApiKey, token: str, *, rotated: bool = False) -> ResponseReturnValue:
    return page(
        "foundation/api_keys/secret.html",
        status=201,
        key=key,
        token=token,
        rotated=rotated,
        public=current_app.config["PUBLIC_URL"],
    )


def _to_list(sentence: str) -> ResponseReturnValue:
    flash(sentence)
    return redirect(url_for("api_keys.index"), 303)


@feature.get("/settings/keys/<uuid:api_key_id>/rotate", needs=permissions.MANAGE)
def rotate(api_key_id: UUID) -> ResponseReturnValue:
    key = queries.key(api_key_id)
    return _rotation(key, KeyRotationForm(seen=key.hint))


def _rotation(key: ApiKey, form: KeyRotationForm, *, status: int = 200) -> ResponseReturnValue:
    return page("foundation/api_keys/rotate.html", status=status, key=key, form=form)


def _which(api_key_id: UUID) -> list[tuple[str, str]]:
    return [("API key", queries.key(api_key_id).name)]


ROTATE = StepUp("Rotate API key", KeyRotationForm, facts=_which)
REVOKE = StepUp(
    "Revoke API key", facts=_which, danger="Requests with this key are denied immediately."
)


@feature.post("/settings/keys/<uuid:api_key_id>/rotate", needs=permissions.MANAGE, fresh=ROTATE)
def rotated(api_key_id: UUID) -> ResponseReturnValue:
    key, form, tokens = queries.key(api_key_id, lock=True), KeyRotationForm(), list[str]()
    if not accepted(form, lambda: tokens.append(_rotate(key, form))):
        return (
            _to_list(form.stale.message) if form.stale else _rotation(key, form, status=form.status)
        )
    return _secret(key, tokens[0], rotated=True)


def _rotate(key: ApiKey, form: KeyRotationForm) -> str:
    return actions.rotate(key, overlap_days=int(form.overlap.data), seen=form.seen.data or "")


@feature.get("/settings/keys/<uuid:api_key_id>/revoke", needs=permissions.MANAGE)
def revoke(api_key_id: UUID) -> ResponseReturnValue:
    return page("foundation/api_keys/revoke.html", key=queries.key(api_key_id), means=known_scopes)


@feature.post("/settings/keys/<uuid:api_key_id>/revoke", needs=permissions.MANAGE, fresh=REVOKE)
def revoked(api_key_id: UUID) -> ResponseReturnValue:
    key = queries.key(api_key_id, lock=True)
    actions.revoke(key)
    return _to_list(f"The key {key.name} is revoked. It no longer gives access.")
