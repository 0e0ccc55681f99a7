"""The decision API: a small WSGI application in front of Flask, answering from memory.

POST /ofrep/v1/evaluate/flags/{key}     one flag
POST /ofrep/v1/evaluate/flags           all flags, with an ETag
GET  /policy/v1/bundle                  all answers, signed, for the edge
GET  /policy/v1/jwks                    the keys that verify a bundle
POST /policy/v1/heartbeat               the bundle version that an edge consumer uses

Bearer key with the scope `flags:read` (or `X-API-Key`). The evaluation context may contain
`system`, `consumer` and `region`; the rest is ignored, and none of it is stored. Meridian counts
answers and the version that each consumer got, which shows if it obeys a stop.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from typing import Any, NamedTuple

import structlog
from sqlalchemy.exc import DBAPIError
from werkzeug.sansio.utils import host_is_trusted

from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.errors import DomainError, KeyNeeded
from governance.kernel.web import bearer, request_bodies
from governance.kernel.web.bearer import StoredKey
from governance.kernel.web.rate_limits import RateLimiter
from governance.kernel.web.responses import HEADERS, STRICT_TRANSPORT_SECURITY
from governance.operations.decisions import actions, bundle, permissions
from governance.operations.decisions.counting import Requester
from governance.operations.decisions.flags import AmbiguousRollout, Answers, is_of
from governance.operations.decisions.rollout_flags import ROLLOUT
from governance.operations.decisions.snapshots import Snapshots

type Environ = dict[str, Any]
type Start = Callable[..., Any]
type Body = Iterable[bytes]

FLAGS = "/ofrep/v1/evaluate/flags"
PREFIXES = ("/ofrep/", "/policy/")
MAX_BODY_BYTES = 64 * 1024
MAX_KEY_LENGTH = 1_000  # Characters of a targeting key
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@-]{0,79}")
DIGITS = re.compile(r"[0-9]{1,9}")
SCHEME, PLAIN = "Bearer ", "Bearer gc_"  # Prefixes of keys as most clients send them
STRICT = (("Strict-Transport-Security", STRICT_TRANSPORT_SECURITY),)
ALWAYS = [
    *HEADERS.items(),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
    ("Vary", "Authorization"),
]
SOON = (("Retry-After", "1"),)
STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
log = structlog.get_logger("decisions")
_decoder = json.JSONDecoder()


class RefusedEvaluation(Exception):
    """An error response: OFREP's error code, or RFC 9457 if OFREP has none."""

    def __init__(
        self, status: int, code: str, details: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(details)
        self.status, self.code, self.details, self.headers = status, code, details, headers


class Reply(NamedTuple):
    """An answer before it is sent. `kind` is its content type if it isn't JSON."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    kind: str = "application/json"


@dataclass(slots=True)
class EvaluationRequest:
    """A request: its key, its context, and the answers of the tenant."""

    key: StoredKey
    answers: Answers
    system: str
    consumer: str
    region: str
    target: str


@dataclass
class DecisionApp:
    """The decision API in front of `inner`, which gets all other requests."""

    inner: Callable[[Environ, Start], Body]
    snapshots: Snapshots
    limiter: RateLimiter
    issuer: str
    hosts: tuple[str, ...]  # Host names of this installation that requests may use
    follow: bool = False
    secure: bool = False

    def is_in_memory(self, environ: Environ) -> bool:
        """Return True if this request is answered from memory, without the database."""
        if not environ["PATH_INFO"].startswith(FLAGS):
            return False
        _, _, rest = bearer.header_of(environ).partition("_")
        return self.snapshots.following and self.snapshots.has(rest.partition("_")[0])

    def __call__(self, environ: Environ, start: Start) -> Body:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIXES):
            return self.inner(environ, start)
        reply = self._replied(path, lambda: self._answer(path, environ))
        start(STATUS[reply.status], [*self.head(reply)])
        return [reply.body]

    def head(self, reply: Reply) -> list[tuple[str, str]]:
        """Return the headers of an answer."""
        strict = STRICT if self.secure else ()
        length = ("Content-Length", str(len(reply.body)))
        return [("Content-Type", reply.kind), length, *ALWAYS, *reply.headers, *strict]

    def _replied(self, path: str, answer: Callable[[], Reply]) -> Reply:
        try:
            return answer()
        except RefusedEvaluation as refused:
            return _refusal(path, refused)
        except (DomainError, DBAPIError) as error:
            cause = (
                error.message if isinstance(error, DomainError) else "The database did not answer."
            )
            return _refusal(
                path,
                RefusedEvaluation(503, "GENERAL", f"Meridian can't answer yet. {cause}", SOON),
            )
        except Exception:
            log.exception("decision failed", path=path)
            return _refusal(
                path,
                RefusedEvaluation(
                    500,
                    "GENERAL",
                    "Something went wrong in Meridian. Try again; if it happens again, contact"
                    " support.",
                ),
            )

    def _answer(self, path: str, environ: Environ) -> Reply:
        if self.follow and not self.snapshots.following:
            self.snapshots.follow()
        if (refused := environ.get(request_bodies.REFUSED)) is not None:
            raise RefusedEvaluation(
                refused.status,
                "GENERAL",
                refused.message,
                SOON if refused.status == HTTPStatus.SERVICE_UNAVAILABLE else (),
            )
        if not host_is_trusted(environ.get("HTTP_HOST"), self.hosts):
            raise RefusedEvaluation(
                400, "GENERAL", f"Send this to the host {self.hosts[0]}, with its name as Host."
            )
        method, header = environ["REQUEST_METHOD"], bearer.header_of(environ)
        if path.startswith(FLAGS):
            if method != "POST":
                raise _only("POST")
            return self._flags(path, header, environ)
        wanted = {
            "/policy/v1/bundle": ("GET", self._bundle),
            "/policy/v1/jwks": ("GET", self._jwks),
            "/policy/v1/heartbeat": ("POST", self._heartbeat),
        }.get(path)
        if wanted is None:
            raise RefusedEvaluation(404, "", "This address doesn't exist.")
        if method not in {wanted[0], "HEAD" if wanted[0] == "GET" else wanted[0]}:
            raise _only(wanted[0])
        return wanted[1](*self._admit(header), environ)

    def _flags(self, path: str, header: str, environ: Environ) -> Reply:
        flag, (key, answers) = _flag_of(path), self._admit(header)
        evaluation = _evaluation(key, answers, _read(environ))
        if flag:
            return self._one(evaluation, flag)
        return self._all(evaluation, environ.get("HTTP_IF_NONE_MATCH", ""))

    # ---- authentication

    def _admit(self, header: str) -> tuple[StoredKey, Answers]:
        """Return the key, checked against memory, and the answers of its tenant.

        Raises 401 without a valid key, 403 without the scope, 429 above its rate.
        """
        key, answers = self._known(header) or self._checked(header)
        wait = self.limiter.wait(key.key_id, key.rate, time.monotonic())
        if wait:
            raise RefusedEvaluation(
                429,
                "GENERAL",
                f"The key {key.name} is limited to {key.rate:,} requests/min.",
                (("Retry-After", str(ceil(wait))),),
            )
        return key, answers

    def _known(self, header: str) -> tuple[StoredKey, Answers] | None:
        """Return a key that may decide, by its hash alone; None if the request needs all checks."""
        if header[: len(PLAIN)] != PLAIN:
            return None
        slug = header[len(PLAIN) :].partition("_")[0]
        answers = self.snapshots.of(slug) if self.snapshots.has(slug) else None
        if answers is None:
            return None
        key = answers.deciding_keys.get(bearer.digest(header[len(SCHEME) :]))
        if key is None or (key.until is not None and self.snapshots.now() >= key.until):
            return None
        return key, answers

    def _checked(self, header: str) -> tuple[StoredKey, Answers]:
        """Return what `_known` returns after all checks, or raise the first failure's error."""
        try:
            token = bearer.parse(header)
            answers = self.snapshots.of(token.tenant)
            key = bearer.admit(token, answers.facts.keys if answers else {}, self.snapshots.now())
        except KeyNeeded as needed:
            error = f', error="{needed.reason}"' if needed.reason else ""
            raise RefusedEvaluation(
                401, "", needed.message, (("WWW-Authenticate", f'Bearer realm="console"{error}'),)
            ) from needed
        if answers is None or key.scopes.isdisjoint(permissions.DECIDE.scopes):
            raise RefusedEvaluation(
                403,
                "",
                f"This key can't {permissions.DECIDE.means}. It needs the scope"
                f" {permissions.FLAGS_READ}.",
            )
        if key.system_id is not None and answers.key_of(key.system_id) is None:
            raise RefusedEvaluation(403, "", f"The AI system of the key {key.name} is retired.")
        return key, answers

    # ---- answers

    def _one(self, evaluation: EvaluationRequest, key: str) -> Reply:
        if key.startswith(ROLLOUT):
            return self._rollout(evaluation, key)
        flag = evaluation.answers.flag(
            evaluation.system, key, others=evaluation.key.system_id is None
        )
        if flag is None:
            raise self._unknown(evaluation, key)
        # Another system's switch counts under no system: a count per pair would be too many.
        own = key.startswith("policy.") or is_of(key, evaluation.system)
        self._note(evaluation, evaluation.system if own else "", key, flag.word)
        return Reply(200, flag.body)

    def _rollout(self, evaluation: EvaluationRequest, key: str) -> Reply:
        try:
            flag = evaluation.answers.rollout(evaluation.system, key)
        except AmbiguousRollout as several:
            raise RefusedEvaluation(400, "INVALID_CONTEXT", str(several)) from several
        if flag is None:
            raise self._unknown(evaluation, key)
        answer = flag.answer(evaluation.target)
        self._note(evaluation, flag.serving.system, key, answer.word)
        return Reply(200, answer.body)

    def _unknown(self, evaluation: EvaluationRequest, key: str) -> RefusedEvaluation:
        self._note(evaluation, evaluation.system, "unknown", "")
        return RefusedEvaluation(404, "FLAG_NOT_FOUND", f"There is no flag {key[:100]}.")

    def _all(self, evaluation: EvaluationRequest, matching: str) -> Reply:
        parts = evaluation.answers.bulk_parts(evaluation.system)
        chosen, etag = parts.chosen(evaluation.target)
        has_it = _matches(matching, etag)
        if parts.rollouts.has_any and not has_it:
            self.snapshots.tally.note_rollouts(evaluation.key.tenant, parts.rollouts, chosen)
        self._note(evaluation, evaluation.system, "bulk", "")
        headers = (("ETag", etag),)
        if has_it:
            return Reply(304, b"", headers)
        return Reply(200, parts.body(chosen), headers)

    def _note(self, evaluation: EvaluationRequest, system: str, flag: str, word: str) -> None:
        self._hear(
            evaluation.key,
            evaluation.consumer,
            evaluation.region,
            (system, flag, word),
            evaluation.answers.facts.obeyed,
        )

    def _hear(
        self, key: StoredKey, consumer: str, region: str, what: tuple[str, str, str], number: int
    ) -> None:
        who = Requester(key.key_id, key.name, consumer or key.name, region, key.system_id)
        self.snapshots.tally.note(key.tenant, *what, who, number)
        if not self.snapshots.following:
            self.snapshots.write_all()

    def _heartbeat(self, key: StoredKey, answers: Answers, environ: Environ) -> Reply:
        """Record the bundle version that a product at the edge uses."""
        body = _json_of(_read(environ), needs="the version of its bundle")
        version = body.get("version")
        if (
            not isinstance(version, int)
            or isinstance(version, bool)
            or not 0 <= version <= answers.facts.number
        ):
            raise RefusedEvaluation(
                400,
                "PARSE_ERROR",
                "A heartbeat must contain the version of the bundle that the consumer obeys.",
            )
        self._hear(
            key, _word(body, "consumer"), _word(body, "region"), ("", "heartbeat", ""), version
        )
        known = {"version": answers.facts.number, "stale": answers.stale}
        return Reply(200, json.dumps(known).encode())

    def _bundle(self, key: StoredKey, answers: Answers, environ: Environ) -> Reply:
        """Return the bundle, unchanged for REUSE_SECONDS. Its ETag changes with it."""
        if answers.facts.bundle_key is None:
            answers = self._with_key(key)
        facts, only = answers.facts, answers.key_of(key.system_id) or "" if key.system_id else ""
        signed = answers.signed.get(only)
        if signed is None or time.monotonic() - signed[0] > bundle.REUSE_SECONDS or answers.stale:
            claims = bundle.claims(answers, self.issuer, self.snapshots.now(), only=only)
            signed = answers.signed[only] = (
                time.monotonic(),
                bundle.sign(claims, facts.bundle_key or b"", facts.bundle_key_id),
            )
        etag = f'"{hashlib.sha256(signed[1]).hexdigest()[:32]}"'
        if _matches(environ.get("HTTP_IF_NONE_MATCH", ""), etag):
            return Reply(304, b"", (("ETag", etag),), "application/jose")
        return Reply(200, signed[1], (("ETag", etag),), "application/jose")

    def _with_key(self, key: StoredKey) -> Answers:
        with current.acting_as(key.actor), transaction(tenant_id=key.tenant_id):
            actions.bundle_key()
        self.snapshots.reload(key.tenant)
        answers = self.snapshots.of(key.tenant)
        if answers is None or answers.facts.bundle_key is None:
            raise RefusedEvaluation(
                503, "GENERAL", "The signing key isn't ready yet. Try again.", SOON
            )
        return answers

    def _jwks(self, _key: StoredKey, answers: Answers, _environ: Environ) -> Reply:
        known = bundle.jwks(answers.facts.bundle_keys)
        return Reply(200, json.dumps(known).encode(), (), "application/jwk-set+json")


# ---- reading a request


def _flag_of(path: str) -> str:
    """Return the flag in the address; empty for all flags."""
    slash, flag = path[len(FLAGS) : len(FLAGS) + 1], path[len(FLAGS) + 1 :]
    if slash not in {"", "/"} or bool(slash) != bool(flag):
        raise RefusedEvaluation(404, "", "This address doesn't exist.")
    return flag


def _read(environ: Environ) -> bytes:
    """Return the body, announced by its length or sent in chunks. Raises 413 if it is too long."""
    announced = environ.get("CONTENT_LENGTH", "")
    if announced and not DIGITS.fullmatch(announced):
        raise RefusedEvaluation(
            400, "INVALID_CONTEXT", "The Content-Length isn't a number of bytes."
        )
    in_chunks = not announced and environ.get("wsgi.input_terminated", False)
    length = MAX_BODY_BYTES + 1 if in_chunks else int(announced or "0")
    body: bytes = environ["wsgi.input"].read(min(length, MAX_BODY_BYTES + 1))
    if len(body) > MAX_BODY_BYTES:
        raise RefusedEvaluation(
            413, "INVALID_CONTEXT", f"The body can have at most {MAX_BODY_BYTES:,} bytes."
        )
    return body


def _evaluation(key: StoredKey, answers: Answers, body: bytes) -> EvaluationRequest:
    context = _json_of(body).get("context")
    if not isinstance(context, dict):
        raise RefusedEvaluation(
            400, "INVALID_CONTEXT", "The body needs a context, which is an object."
        )
    return EvaluationRequest(
        key,
        answers,
        _system(key, answers, context),
        _word(context, "consumer"),
        _word(context, "region"),
        _target(context),
    )


def _target(context: dict[str, Any]) -> str:
    target = context.get("targetingKey")
    if target is None or target == "":
        raise RefusedEvaluation(
            400,
            "TARGETING_KEY_MISSING",
            "The context needs a targetingKey: the user or session of this evaluation.",
        )
    if not isinstance(target, str) or not _is_unicode(target):
        raise RefusedEvaluation(400, "INVALID_CONTEXT", "targetingKey must be text.")
    if len(target) > MAX_KEY_LENGTH:
        raise RefusedEvaluation(
            400,
            "INVALID_CONTEXT",
            f"targetingKey can have at most {MAX_KEY_LENGTH:,} characters.",
        )
    return target


def _is_unicode(text: str) -> bool:
    """Return True if UTF-8 can encode this text: JSON may have lone surrogates (RFC 8259 §8.2)."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _system(key: StoredKey, answers: Answers, context: dict[str, Any]) -> str:
    """Return the system of the request: the key's own, or the one of the context."""
    named = context.get("system", "")
    if not isinstance(named, str) or (named and not answers.knows(named)):
        raise RefusedEvaluation(
            400, "INVALID_CONTEXT", f"There is no AI system {str(named)[:60]!r}."
        )
    if key.system_id is None:
        return named
    own = answers.key_of(key.system_id) or ""
    if named and named != own:
        raise RefusedEvaluation(403, "", f"The key {key.name} is limited to {own}.")
    return own


def _word(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) and WORD.fullmatch(value) else ""


def _json_of(body: bytes, *, needs: str = "a context") -> dict[str, Any]:
    problem = f"The body must be a JSON object with {needs}."
    if not body.strip():
        raise RefusedEvaluation(400, "PARSE_ERROR", f"The body is empty. {problem}")
    try:
        content = _parsed(body.decode())
    except UnicodeDecodeError as error:
        raise RefusedEvaluation(
            400, "PARSE_ERROR", f"The body isn't UTF-8 at byte {error.start + 1:,}."
        ) from error
    except json.JSONDecodeError as error:
        raise RefusedEvaluation(
            400,
            "PARSE_ERROR",
            f"The body isn't valid JSON at character {error.pos + 1:,}: {error.msg}.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise RefusedEvaluation(400, "PARSE_ERROR", "The body isn't valid JSON.") from error
    if not isinstance(content, dict):
        raise RefusedEvaluation(400, "PARSE_ERROR", problem)
    return content


def _parsed(text: str) -> Any:
    """Return json.loads(text), on a faster path if the text is one object to its end."""
    if text[:1] == "{":
        content, end = _decoder.raw_decode(text)
        if end == len(text):
            return content
    return json.loads(text)


def _matches(header: str, etag: str) -> bool:
    """Compare If-None-Match (RFC 9110 §13.1.2), weakly, one or a list; * never matches."""
    return any(tag.strip().removeprefix("W/") == etag for tag in header.split(","))


# ---- responses


def _refusal(path: str, refused: RefusedEvaluation) -> Reply:
    """Return OFREP's error if it has one (400, 404 of a flag, 500), otherwise RFC 9457."""
    if refused.code:
        body: dict[str, Any] = {"errorCode": refused.code, "errorDetails": refused.details}
        if path.startswith(FLAGS + "/"):
            body = {"key": path[len(FLAGS) + 1 :][:200], **body}
        return Reply(refused.status, json.dumps(body).encode(), refused.headers)
    problem = {"type": "about:blank", "title": refused.details, "status": refused.status}
    return Reply(
        refused.status, json.dumps(problem).encode(), refused.headers, "application/problem+json"
    )


def _only(method: str) -> RefusedEvaluation:
    return RefusedEvaluation(405, "", f"This address accepts only {method}.", (("Allow", method),))
