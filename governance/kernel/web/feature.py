"""A Blueprint whose every route names the permission it needs.

Without one the application does not start.
"""

import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial, wraps
from math import ceil
from typing import Any, cast
from uuid import UUID

import structlog
from flask import Blueprint, Response, current_app, g, request
from sqlalchemy.exc import DBAPIError

from governance.kernel import clock, current, formatting
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.kernel.errors import (
    DomainError,
    Forbidden,
    KeyNeeded,
    NotFound,
    SignInNeeded,
    StepUpNeeded,
    TooManyRequests,
)
from governance.kernel.files import downloads
from governance.kernel.manifest import installed
from governance.kernel.safety import access
from governance.kernel.safety.visibility_scope import limits
from governance.kernel.web import bearer
from governance.kernel.web.identity import OPERATOR_SLUG, identity
from governance.kernel.web.rate_limits import RateLimiter
from governance.kernel.web.responses import SAFE, ResponseReturnValue
from governance.kernel.web.step_up import KEPT_FORM, STEP_UP_SECONDS, StepUp

View = Callable[..., Any]
PREFIX = {"tenant": "/t/<tenant>", "operator": "/operator", "public": "", "machine": ""}
log = structlog.get_logger("web")


class Feature(Blueprint):
    """Routes of one noun.

    `scope` is their audience: people of a tenant, the operator, machines with a key, everybody.
    Routes of a feature that `counts_everything` don't exist for an auditor whose engagement leaves
    anything out.
    """

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        scope: str = "tenant",
        counts_everything: bool = False,
        **options: Any,
    ) -> None:
        self.scope, self.counts_everything = scope, counts_everything
        super().__init__(name, import_name, url_prefix=PREFIX[scope] or None, **options)
        if scope == "machine":
            self.url_value_preprocessor(_check_key_before_body)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: View | None = None,
        provide_automatic_options: bool | None = None,  # noqa: FBT001 - Flask's signature
        *,
        needs: access.Permission | None = None,
        fresh: StepUp | None = None,
        writes: bool | None = None,
        leaves: Callable[[], None] | None = None,
        attended: bool = True,
        urgent: bool = False,
        while_suspended: bool = False,
        answers: downloads.Answers = downloads.PAGE,
        **options: Any,
    ) -> None:
        """Add a route.

        `needs` is the permission; `fresh` requires a sign-in of the last five minutes, and says for
        what (step-up).

        A GET is read only, even if the route also takes other methods; `writes=False` makes a POST
        read only too. `leaves` writes the log entry of a machine's read, in a transaction of its
        own, after the view and before its answer is sent. A request that a page makes by itself is
        not `attended`: it does not keep a session alive that nobody uses. A route that answers with
        a file or a stream declares it by `answers` (kernel/files/downloads.py). An `urgent` route
        has threads and slots of its own in each worker (see `kernel/web/server.py`). Admins of a
        suspended tenant can open the routes that are open `while_suspended`, and nothing else.
        """
        if needs is None or view_func is None:
            raise TypeError(f"{self.name}: the route {rule} must say which permission it needs")
        if fresh is not None and not isinstance(fresh, StepUp):
            raise TypeError(f"{self.name}: the route {rule} must say what its fresh sign-in is for")
        guards = {"public": _public, "machine": _keyed(leaves)}
        guard = guards.get(self.scope) or _guarded(
            self.scope,
            fresh=fresh,
            writes=writes,
            answers=answers,
            counts_everything=self.counts_everything,
        )
        guarded = guard(view_func, needs)
        vars(guarded).update(attended=attended, urgent=urgent, answers=answers)
        vars(guarded).update(while_suspended=while_suspended)
        super().add_url_rule(
            rule, endpoint or view_func.__name__, guarded, provide_automatic_options, **options
        )


def _public(view: View, needs: access.Permission) -> View:
    """Wrap a public view, which opens its own transactions: nobody is known yet."""
    if not needs.public:
        raise TypeError("a public feature's routes need access.PUBLIC")

    @wraps(view)
    def open_to_all(**url_values: Any) -> ResponseReturnValue:
        answer: ResponseReturnValue = view(**url_values)
        return answer

    vars(open_to_all).update(needs=needs, scope="public")
    return open_to_all


def _keyed(leaves: Callable[[], None] | None) -> Callable[[View, access.Permission], View]:
    """Guard a route for machines, by a key alone.

    It reads no cookie, so no other site can misuse one.
    """

    def guard(view: View, needs: access.Permission) -> View:
        if not needs.scopes:
            raise TypeError("a machine's routes need a permission that some scope holds")

        @wraps(view)
        def keyed(**url_values: Any) -> ResponseReturnValue:
            token = bearer.parse(request.headers.get("Authorization", ""))
            with transaction(read_only=request.method in SAFE, tenant_id=_tenant_of(token)):
                key = bearer.admit(token, identity.keys_of()(token), clock.now())
                # For other methods, the rate was checked before their body.
                if request.method in SAFE:
                    _check_rate(key)
                g.actor = who = key.actor
                if url_values.pop("tenant", who.tenant_slug) != who.tenant_slug:
                    raise NotFound("This address doesn't exist.")
                with current.acting_as(who):
                    access.require(needs)
                    answer: ResponseReturnValue = view(**url_values)
            if leaves is not None:
                with current.acting_as(who), transaction():
                    leaves()
            return answer

        vars(keyed).update(needs=needs, scope="machine")
        return keyed

    return guard


def _tenant_of(token: bearer.PresentedKey) -> UUID:
    tenant_id = identity.tenant_id()(token.tenant)
    if tenant_id is None:
        raise KeyNeeded("This API key doesn't exist.")
    return tenant_id


def _guarded(
    scope: str,
    *,
    fresh: StepUp | None,
    writes: bool | None,
    answers: downloads.Answers,
    counts_everything: bool,
) -> Callable[[View, access.Permission], View]:
    def guard(view: View, needs: access.Permission) -> View:
        @wraps(view)
        def guarded(**url_values: Any) -> ResponseReturnValue:
            slug = url_values.pop("tenant", OPERATOR_SLUG)
            read_only = request.method in SAFE if writes is None else not writes
            tenant_id = _tenant(slug)
            with transaction(read_only=read_only, tenant_id=tenant_id):
                who = _admit(slug, scope)
                check_support(who, request.blueprint or "", request.method, fresh)
                with current.acting_as(who):
                    access.require(needs)
                    if counts_everything and limits() is not None:
                        raise NotFound("This page doesn't exist, or you don't have access to it.")
                    is_file = answers == downloads.FILE  # Other people read a file, too.
                    with formatting.as_tenant() if is_file else nullcontext():
                        answer = _answer(partial(view, **url_values), fresh, who)
                    finish = downloads.begin(answer, answers, may_write=not read_only)
            if finish is None:
                return answer
            with current.acting_as(who):
                return finish(cast("Response", answer))

        vars(guarded).update(needs=needs, scope=scope, fresh=fresh, writes=writes)
        return guarded

    return guard


def check_support(who: Actor, blueprint: str, method: str, fresh: StepUp | None) -> None:
    """Raise unless an operator's support grant covers the route, and the change if it makes one."""
    if who.support is None:
        return
    if who.support.feature and blueprint not in granted_blueprints(who.support.feature):
        raise NotFound("This page doesn't exist, or your access to this tenant doesn't cover it.")
    if method not in SAFE and not who.support.may_change:
        raise Forbidden("Your access to this tenant is view only. Nothing was changed.")
    if fresh is not None and fresh.when():
        raise Forbidden("Only members of this tenant can do this. Nothing was changed.")


def granted_blueprints(feature: str) -> set[str]:
    """Return the blueprints of the feature with that name, and of the progress of its work."""
    return {"work"} | {
        route.name for each in installed() if each.name == feature for route in each.routes
    }


def _answer(
    act: Callable[[], ResponseReturnValue], fresh: StepUp | None, who: Actor
) -> ResponseReturnValue:
    """Return the view's answer, after checking the step-up.

    A form that was kept while its person signed in again always needs that sign-in, for any
    content.
    """
    if fresh is None:
        return act()
    kept = request.form.get(KEPT_FORM, "")
    if (kept or fresh.when()) and not recently_signed_in(who):
        raise StepUpNeeded("This action needs a sign-in from the last 5 minutes.")
    return identity.resubmit()(kept, act) if kept else act()


def _tenant(slug: str) -> UUID:
    tenant_id = identity.tenant_id()(slug)
    if tenant_id is None:
        raise NotFound("This page doesn't exist.")
    return tenant_id


def _admit(slug: str, scope: str) -> Actor:
    who = identity.identify()()
    if who is None:
        raise SignInNeeded(f"Sign in to {slug}." if scope == "tenant" else "Sign in.")
    g.actor = who
    return who


def somebody_may(slug: str, needs: access.Permission) -> bool:
    """Return whether the cookie is that of a live session in this tenant, whose role may.

    Call it before the request's own transaction.
    """
    try:
        with transaction(read_only=True, tenant_id=_tenant(slug)):
            who = identity.identify()()
    except DomainError:
        return False
    return who is not None and who.role in needs.roles


def _check_key_before_body(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Deny a wrong key before its body is read, for any size.

    Raises KeyNeeded, Forbidden and TooManyRequests.
    """
    if request.method in SAFE or endpoint is None:
        return
    needs = vars(current_app.view_functions[endpoint])["needs"]
    token = bearer.parse(request.headers.get("Authorization", ""))
    with transaction(read_only=True, tenant_id=_tenant_of(token)):
        key = bearer.admit(token, identity.keys_of()(token), clock.now())
    g.actor = who = key.actor
    with current.acting_as(who):
        access.require(needs)
    _check_rate(key)


def _check_rate(key: bearer.StoredKey) -> None:
    limiter: RateLimiter = current_app.extensions["rate_limiter"]
    wait = limiter.wait(key.key_id, key.rate, time.monotonic())
    if wait:
        raise TooManyRequests(
            f"The key {key.name} is limited to {key.rate:,} requests/min.", retry_after=ceil(wait)
        )


def key_of(header: str) -> bearer.StoredKey | None:
    """Return the valid key in an Authorization header; None without one.

    It is read in a transaction of its own.
    """
    try:
        token = bearer.parse(header)
        with transaction(read_only=True, tenant_id=_tenant_of(token)):
            return bearer.admit(token, identity.keys_of()(token), clock.now())
    except DomainError:
        return None


def recently_signed_in(who: Actor) -> bool:
    since = who.authenticated_at
    return since is not None and (clock.now() - since).total_seconds() <= STEP_UP_SECONDS


def remember_seen(response: Any) -> Any:
    """Record that the session or key is in use, after the request's own transaction.

    A GET may not write.
    """
    who: Actor | None = g.get("actor")
    if who is not None and _is_attended() and _is_due(who):
        try:
            (identity.note_key_use if who.key_id else identity.note_session_use)()(who)
        except (
            DomainError,
            DBAPIError,
        ) as away:  # The page is answered; only the idle clock misses a beat.
            log.warning("use not marked", reason=str(away))
    return response


def _is_attended() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return request.endpoint != "static" and bool(getattr(view, "attended", True))


SEEN_SECONDS = 60
_noted: dict[UUID, float] = {}


def _is_due(who: Actor) -> bool:
    """Return whether the use is to be recorded: once a minute and process.

    A transaction on every request would cost as much as a small page.
    """
    now, mark = clock.now().timestamp(), who.session_id or who.key_id
    if mark is None or 0 <= now - _noted.get(mark, 0) < SEEN_SECONDS:
        return False
    if len(_noted) > 10_000:  # noqa: PLR2004 - sessions and keys, so that the memory has a bound
        _noted.clear()
    _noted[mark] = now
    return True


__all__ = ["STEP_UP_SECONDS", "DomainError", "Feature", "recently_signed_in", "remember_seen"]
