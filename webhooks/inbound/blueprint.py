"""The receiving routes: limits, proof, reading, durable acceptance, then the answer."""

import secrets as random_source
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import IO
from urllib.parse import quote

from flask import Blueprint, Request, Response, request
from werkzeug.exceptions import HTTPException

from webhooks.errors import (
    InboxBusy,
    InboxConflict,
    InboxStale,
    PayloadError,
    SignatureError,
)
from webhooks.inbound.addresses import client_address, is_within
from webhooks.inbound.arrivals import Inbox, ReporterAccess, make_arrival
from webhooks.inbound.proofs import path_secret_digest, same
from webhooks.inbound.reading import Reader, Reply
from webhooks.inbound.registry import READERS
from webhooks.reports import Grade, Post

METHODS = ("GET", "POST", "PUT", "PATCH")
_REFUSED = Reply(status=401)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gate:
    """One way in: everything between a Flask request and the answer."""

    inbox: Inbox
    public_url: str
    max_body: int
    clock: Callable[[], datetime]
    trusted_proxies: Sequence[str]
    readers: Mapping[str, Reader]
    # Proving a post of an unknown reporter takes the same work and fails.
    decoy: str = field(default_factory=lambda: random_source.token_urlsafe(32))

    def answer(self, name: str, path_secret: str | None) -> Response:
        """Take the present request and answer it."""
        try:
            post = self._receive(path_secret)
            return _response(self._take_surely(name, post))
        except SignatureError:
            return _response(_REFUSED, {"WWW-Authenticate": 'Bearer realm="hooks"'})
        except PayloadError as error:
            return _response(_plain(error.status, str(error)))
        except InboxConflict:
            return _response(_plain(409, "this id was used for other content"))
        except InboxBusy as error:
            wait = {"Retry-After": str(max(1, error.retry_after))}
            return _response(_plain(error.status, "come again later"), wait)

    def _take_surely(self, name: str, post: Post) -> Reply:
        """Take the post; what was only remembered of its reporter refuses none."""
        try:
            return self._take(name, post)
        except SignatureError:
            if not self.inbox.forget(name):
                raise
        except InboxStale:
            self.inbox.forget(name)
        try:
            return self._take(name, post)
        except InboxStale as error:
            raise InboxBusy(str(error), retry_after=1) from error

    def _receive(self, path_secret: str | None) -> Post:
        body = _read_body(request, self.max_body)
        encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise PayloadError("packed bodies are not taken", status=415)
        query = request.query_string.decode("latin-1")
        url = self.public_url.rstrip("/") + quote(request.path) + (f"?{query}" if query else "")
        return Post(
            method=request.method,
            url=url,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            remote_address=client_address(
                request.remote_addr or "",
                request.headers.get("X-Forwarded-For", ""),
                self.trusted_proxies,
            ),
            received_at=self.clock(),
            path_secret=path_secret,
        )

    def _take(self, name: str, post: Post) -> Reply:
        access = self.inbox.find_reporter(name)
        reader = self.readers.get(access.format) if access else None
        post, grade = self._prove(access, reader, post)
        if access is None or reader is None:
            raise SignatureError("no such reporter")
        if post.method not in reader.methods:
            return _plain(405, "this reporter does not use that method")
        try:
            reports = reader.read(post, access.options)
            arrival = make_arrival(access, reader, post, reports, grade)
        except PayloadError as error:
            self.inbox.keep_dead(access, post.without_secrets(), str(error), grade)
            raise
        self.inbox.accept(arrival)
        return arrival.reply

    def _prove(
        self, access: ReporterAccess | None, reader: Reader | None, post: Post
    ) -> tuple[Post, Grade]:
        known = access or ReporterAccess(id="", name="", format="", secrets=("whsec_" + "A" * 44,))
        expected = known.path_secret_digest or path_secret_digest(self.decoy)
        proven = same(path_secret_digest(post.path_secret or ""), expected)
        if post.path_secret is not None and not proven:
            raise SignatureError("wrong secret path")
        if known.allowed_addresses and not is_within(post.remote_address, known.allowed_addresses):
            raise SignatureError("address not on the list")
        judged = replace(
            post, path_required=known.path_secret_digest is not None, path_proven=proven
        )
        grade = (reader or self.readers["standard"]).authenticate(
            judged, known.secrets, post.received_at
        )
        if not known.active:
            raise SignatureError("the reporter is switched off")
        return judged, grade


def create_blueprint(
    inbox: Inbox,
    *,
    public_url: str,
    max_body: int,
    clock: Callable[[], datetime],
    trusted_proxies: Sequence[str] = (),
    readers: Mapping[str, Reader] = READERS,
) -> Blueprint:
    """Return the blueprint with `/hooks/<reporter>` and `/hooks/<reporter>/<path_secret>`.

    `max_body` in bytes; `clock` gives aware UTC; `public_url` is what senders call and sign.
    """
    gate = _Gate(
        inbox=inbox,
        public_url=public_url,
        max_body=max_body,
        clock=clock,
        trusted_proxies=tuple(trusted_proxies),
        readers=readers,
    )
    blueprint = Blueprint("hooks", __name__, url_prefix="/hooks")

    def receive(reporter: str, path_secret: str | None = None) -> Response:
        return gate.answer(reporter, path_secret)

    for rule in ("/<reporter>", "/<reporter>/<path_secret>"):
        blueprint.add_url_rule(
            rule, view_func=receive, methods=METHODS, provide_automatic_options=False
        )
    return blueprint


def _read_body(request: Request, max_body: int) -> bytes:
    """Read the raw body, never more than one byte beyond the cap."""
    if (request.content_length or 0) > max_body:
        raise PayloadError("too large", status=413)
    request.max_content_length = max_body + 1
    try:
        body = _read_at_most(request.stream, max_body + 1)
    except HTTPException as error:
        status = 413 if error.code == 413 else 400
        raise PayloadError("the body broke off or is too large", status=status) from error
    except OSError as error:
        raise PayloadError("the body broke off") from error
    if len(body) > max_body:
        raise PayloadError("too large", status=413)
    if request.content_length not in (None, len(body)):
        raise PayloadError("the body broke off")
    return body


def _read_at_most(stream: IO[bytes], most: int) -> bytes:
    chunks: list[bytes] = []
    while most and (chunk := stream.read(most)):
        chunks.append(chunk)
        most -= len(chunk)
    return b"".join(chunks)


def _plain(status: int, sentence: str) -> Reply:
    return Reply(status=status, body=sentence.encode())


def _response(reply: Reply, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(reply.body, status=reply.status, content_type=reply.content_type)
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response
