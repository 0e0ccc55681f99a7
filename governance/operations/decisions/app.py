"""The decision API: a small WSGI application in front of Flask, answering from memory.

    POST /ofrep/v1/evaluate/flags/{key}     one flag          POST /ofrep/v1/evaluate/flags     all
                                            of them, with an ETag
    GET  /policy/v1/bundle                  signed, for the edge        GET /policy/v1/jwks     the
         keys that verify it
    POST /policy/v1/heartbeat               a consumer says that it is there and obeys

Bearer key with the scope `flags:read` (or `X-API-Key`). The evaluation context may name `system`,
`consumer` and `region`; nothing else of it is looked at, and nothing of it is kept. What is
answered is counted, and so is who heard which version: that is how a stop knows that it is obeyed.
"""

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError

from governance.kernel import bearer, current, request_bodies
from governance.kernel.bearer import StoredKey
from governance.kernel.db import transaction
from governance.kernel.errors import DomainError, KeyNeeded
from governance.operations.decisions import actions, bundle, permissions
from governance.operations.decisions.counting import Asker
from governance.operations.decisions.flags import Answers, is_of
from governance.operations.decisions.rate_limits import Limiter
from governance.operations.decisions.snapshots import Snapshots

type Environ = dict[str, Any]
type Start = Callable[..., Any]
type Body = Iterable[bytes]

FLAGS = "/ofrep/v1/evaluate/flags"
ADDRESSES = ("/ofrep/", "/policy/")
MOST_BYTES = 64 * 1024
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@-]{0,79}")
DIGITS = re.compile(r"[0-9]{1,9}")
JSON = ("Content-Type", "application/json")
ALWAYS = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Vary", "Authorization"),
]
SOON = (("Retry-After", "1"),)
STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
log = structlog.get_logger("decisions")


class RefusedEvaluation(Exception):
    """An answer that is not the one asked for:

    OFREP's error code, or RFC 9457 where OFREP has none.
    """

    def __init__(
        self, status: int, code: str, details: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(details)
        self.status, self.code, self.details, self.headers = status, code, details, headers


@dataclass(slots=True)
class EvaluationRequest:
    """Who asks, what for, and what there is to answer from."""

    held: StoredKey
    answers: Answers
    system: str
    consumer: str
    region: str


@dataclass
class Decisions:
    """In front of `inner`, which gets everything that is not a decision."""

    inner: Callable[[Environ, Start], Body]
    snapshots: Snapshots
    limiter: Limiter
    issuer: str
    follow: bool = False

    def is_in_memory(self, environ: Environ) -> bool:
        """Whether the answer to this request waits for nothing, not even the database."""
        if not environ["PATH_INFO"].startswith(FLAGS) or not self.snapshots.following:
            return False
        _, _, rest = bearer.header_of(environ).partition("_")
        return self.snapshots.has(rest.partition("_")[0])

    def __call__(self, environ: Environ, start: Start) -> Body:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(ADDRESSES):
            return self.inner(environ, start)
        try:
            return self._answer(path, environ, start)
        except RefusedEvaluation as refused:
            return _refusal(start, path, refused)
        except (DomainError, DBAPIError) as away:
            said = away.message if isinstance(away, DomainError) else "The database did not answer."
            return _refusal(
                start,
                path,
                RefusedEvaluation(503, "GENERAL", f"The console cannot answer yet: {said}", SOON),
            )
        except Exception:
            log.exception("decision failed", path=path)
            return _refusal(
                start,
                path,
                RefusedEvaluation(
                    500, "GENERAL", "The console failed to answer, and the fault is ours."
                ),
            )

    def _answer(self, path: str, environ: Environ, start: Start) -> Body:
        if self.follow and not self.snapshots.following:
            self.snapshots.follow()
        if (refused := environ.get(request_bodies.REFUSED)) is not None:
            raise RefusedEvaluation(
                refused.status,
                "GENERAL",
                refused.message,
                SOON if refused.status == HTTPStatus.SERVICE_UNAVAILABLE else (),
            )
        method = environ["REQUEST_METHOD"]
        if path.startswith(FLAGS):
            if method != "POST":
                raise _only("POST")
            flag, (held, answers) = _flag_of(path), self._admit(environ)
            asked = _asked(held, answers, _read(environ))
            return self._one(asked, flag, start) if flag else self._all(asked, environ, start)
        wanted = {
            "/policy/v1/bundle": ("GET", self._bundle),
            "/policy/v1/jwks": ("GET", self._jwks),
            "/policy/v1/heartbeat": ("POST", self._heartbeat),
        }.get(path)
        if wanted is None:
            raise RefusedEvaluation(404, "", "This address doesn't exist.")
        if method not in {wanted[0], "HEAD" if wanted[0] == "GET" else wanted[0]}:
            raise _only(wanted[0])
        return wanted[1](*self._admit(environ), environ, start)

    # ---- who asks

    def _admit(self, environ: Environ) -> tuple[StoredKey, Answers]:
        """The key, checked against memory:

        401 without one that opens, 403 without the scope, 429 above its rate.
        """
        try:
            token = bearer.parse(bearer.header_of(environ))
            answers = self.snapshots.of(token.tenant)
            held = bearer.admit(token, answers.facts.keys if answers else {}, self.snapshots.now())
        except KeyNeeded as needed:
            error = f', error="{needed.reason}"' if needed.reason else ""
            raise RefusedEvaluation(
                401, "", needed.message, (("WWW-Authenticate", f'Bearer realm="console"{error}'),)
            ) from needed
        if answers is None or held.scopes.isdisjoint(permissions.DECIDE.scopes):
            raise RefusedEvaluation(
                403,
                "",
                f"This key may not {permissions.DECIDE.means}. It takes the scope"
                f" {permissions.FLAGS_READ}.",
            )
        if held.system_id is not None and answers.key_of(held.system_id) is None:
            raise RefusedEvaluation(403, "", f"The AI system of the key {held.name} was retired.")
        wait = self.limiter.wait(held.key_id, held.rate, time.monotonic())
        if wait:
            raise RefusedEvaluation(
                429,
                "GENERAL",
                f"The key {held.name} may ask {held.rate} times a minute.",
                (("Retry-After", str(ceil(wait))),),
            )
        return held, answers

    # ---- what is answered

    def _one(self, asked: EvaluationRequest, key: str, start: Start) -> Body:
        flag = asked.answers.flag(asked.system, key, others=asked.held.system_id is None)
        if flag is None:
            self._note(asked, asked.system, "unknown", "")
            raise RefusedEvaluation(404, "FLAG_NOT_FOUND", f"There is no flag {key[:100]}.")
        own = key.startswith("policy.") or is_of(
            key, asked.system
        )  # another system's switch is asked for in no system's name:
        self._note(
            asked, asked.system if own else "", key, flag.word
        )  # a count for each pair would be too many
        return _send(start, 200, flag.body)

    def _all(self, asked: EvaluationRequest, environ: Environ, start: Start) -> Body:
        found = asked.answers.bulk(asked.system)
        self._note(asked, asked.system, "bulk", "")
        headers = (("ETag", found.etag),)
        if _matches(environ.get("HTTP_IF_NONE_MATCH", ""), found.etag):
            return _send(start, 304, b"", headers)
        return _send(start, 200, found.body, headers)

    def _note(self, asked: EvaluationRequest, system: str, flag: str, word: str) -> None:
        self._hear(
            asked.held,
            asked.consumer,
            asked.region,
            (system, flag, word),
            asked.answers.facts.number,
        )

    def _hear(
        self, held: StoredKey, consumer: str, region: str, what: tuple[str, str, str], number: int
    ) -> None:
        who = Asker(held.key_id, held.name, consumer or held.name, region, held.system_id)
        self.snapshots.tally.note(held.tenant, *what, who, number)
        if not self.snapshots.following:
            self.snapshots.tell()

    def _heartbeat(self, held: StoredKey, answers: Answers, environ: Environ, start: Start) -> Body:
        """From a product that decides at the edge:

        `version` is that of the bundle which it obeys.
        """
        given = _json_of(_read(environ))
        version = given.get("version")
        if (
            not isinstance(version, int)
            or isinstance(version, bool)
            or not 0 <= version <= answers.facts.number
        ):
            raise RefusedEvaluation(
                400, "PARSE_ERROR", "A heartbeat holds the version of the bundle that is obeyed."
            )
        self._hear(
            held, _word(given, "consumer"), _word(given, "region"), ("", "heartbeat", ""), version
        )
        return _send(
            start,
            200,
            json.dumps({"version": answers.facts.number, "stale": answers.stale}).encode(),
        )

    def _bundle(self, held: StoredKey, answers: Answers, _environ: Environ, start: Start) -> Body:
        """Handed out again for FRESH seconds, so that signing is no work for each edge."""
        if answers.facts.bundle_key is None:
            answers = self._with_key(held)
        facts, only = answers.facts, answers.key_of(held.system_id) or "" if held.system_id else ""
        made = answers.signed.get(only)
        if made is None or time.monotonic() - made[0] > bundle.FRESH or answers.stale:
            claims = bundle.claims(answers, self.issuer, self.snapshots.now(), only=only)
            made = answers.signed[only] = (
                time.monotonic(),
                bundle.sign(claims, facts.bundle_key or b"", facts.bundle_key_id),
            )
        return _send(start, 200, made[1], (), "application/jose")

    def _with_key(self, held: StoredKey) -> Answers:
        with current.acting_as(held.actor), transaction(tenant_id=held.tenant_id):
            actions.bundle_key()
        self.snapshots.reload(held.tenant)
        answers = self.snapshots.of(held.tenant)
        if answers is None or answers.facts.bundle_key is None:
            raise RefusedEvaluation(
                503, "GENERAL", "The key that signs bundles is not there yet.", SOON
            )
        return answers

    def _jwks(self, _held: StoredKey, answers: Answers, _environ: Environ, start: Start) -> Body:
        return _send(
            start,
            200,
            json.dumps(bundle.jwks(answers.facts.bundle_keys)).encode(),
            (),
            "application/jwk-set+json",
        )


# ---- reading a request


def _flag_of(path: str) -> str:
    """The flag that the address names; empty where it names all of them."""
    slash, flag = path[len(FLAGS) : len(FLAGS) + 1], path[len(FLAGS) + 1 :]
    if slash not in {"", "/"} or bool(slash) != bool(flag):
        raise RefusedEvaluation(404, "", "This address doesn't exist.")
    return flag


def _read(environ: Environ) -> bytes:
    """The body, unless it is too long to be a context."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not DIGITS.fullmatch(length) or int(length) > MOST_BYTES:
        raise RefusedEvaluation(
            400,
            "INVALID_CONTEXT",
            f"The body may have {MOST_BYTES} bytes, with their number in Content-Length.",
        )
    body: bytes = environ["wsgi.input"].read(int(length))
    return body


def _asked(held: StoredKey, answers: Answers, body: bytes) -> EvaluationRequest:
    context = _json_of(body).get("context")
    if not isinstance(context, dict):
        raise RefusedEvaluation(
            400, "INVALID_CONTEXT", "The body holds a context, which is an object."
        )
    target = context.get("targetingKey")
    if target is None or target == "":
        raise RefusedEvaluation(
            400,
            "TARGETING_KEY_MISSING",
            "The context names no targetingKey: the user or session that is asked for.",
        )
    if not isinstance(target, str):
        raise RefusedEvaluation(400, "INVALID_CONTEXT", "targetingKey is text.")
    return EvaluationRequest(
        held,
        answers,
        _system(held, answers, context),
        _word(context, "consumer"),
        _word(context, "region"),
    )


def _system(held: StoredKey, answers: Answers, context: dict[str, Any]) -> str:
    """The system that is asked for: the key's own, or the one that the context names."""
    named = context.get("system", "")
    if not isinstance(named, str) or (named and not answers.knows(named)):
        raise RefusedEvaluation(
            400, "INVALID_CONTEXT", f"There is no AI system {str(named)[:60]!r} here."
        )
    if held.system_id is None:
        return named
    own = answers.key_of(held.system_id) or ""
    if named and named != own:
        raise RefusedEvaluation(403, "", f"The key {held.name} may ask for {own} only.")
    return own


def _word(given: dict[str, Any], name: str) -> str:
    said = given.get(name)
    return said if isinstance(said, str) and WORD.fullmatch(said) else ""


def _json_of(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads((body or b"null").decode())
    except (ValueError, RecursionError) as error:
        raise RefusedEvaluation(400, "PARSE_ERROR", "The body is not JSON.") from error
    if not isinstance(given, dict):
        raise RefusedEvaluation(
            400, "PARSE_ERROR", "The body is a JSON object that holds a context."
        )
    return given


def _matches(header: str, etag: str) -> bool:
    """If-None-Match (RFC 9110 §13.1.2): weak comparison, one or a list.

    Not the star: who has no answer yet obeys none.
    """
    return any(tag.strip().removeprefix("W/") == etag for tag in header.split(","))


# ---- writing an answer


def _send(
    start: Start,
    status: int,
    body: bytes,
    headers: tuple[tuple[str, str], ...] = (),
    kind: str = "",
) -> Body:
    content = ("Content-Type", kind) if kind else JSON
    start(STATUS[status], [content, ("Content-Length", str(len(body))), *ALWAYS, *headers])
    return [body]


def _refusal(start: Start, path: str, refused: RefusedEvaluation) -> Body:
    """OFREP's own form where it has one (400, 404 of a flag, 500), otherwise RFC 9457."""
    if refused.code:
        body: dict[str, Any] = {"errorCode": refused.code, "errorDetails": refused.details}
        if path.startswith(FLAGS + "/"):
            body = {"key": path[len(FLAGS) + 1 :][:200], **body}
        return _send(start, refused.status, json.dumps(body).encode(), refused.headers)
    problem = {"type": "about:blank", "title": refused.details, "status": refused.status}
    return _send(
        start,
        refused.status,
        json.dumps(problem).encode(),
        refused.headers,
        "application/problem+json",
    )


def _only(method: str) -> RefusedEvaluation:
    return RefusedEvaluation(405, "", f"This address takes {method} only.", (("Allow", method),))
