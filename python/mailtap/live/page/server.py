"""Serves the page, its stream of events, metrics and health over HTTP."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from mailtap.live.page.access import MAXIMUM_TOKEN, Access
from mailtap.live.page.broadcast import Broadcast
from mailtap.live.page.connections import BACKLOG, REQUEST_SECONDS, bounded_protocol
from mailtap.live.page.guard import COOKIE, SIGN_IN, Guard
from mailtap.live.page.metrics import exposition
from mailtap.live.page.view import SCRIPT, STYLE, View
from mailtap.live.state import Live, Search

#: Browsers that see the page at once.
MAXIMUM_CLIENTS = 32

#: Records of the store that one search lists.
MAXIMUM_LISTED = 10_000

#: What may be searched for, and how it is read.
_SEARCHED: dict[str, Callable[[str], Any]] = {
    "uid": str,
    "address": str,
    "port": int,
    "since": float,
    "until": float,
    "verdict": str,
    "cause": str,
}

#: Seconds between two updates of the page, at least.
PACE = 1.0

#: Seconds that answers under way have when the service ends.
_GRACE = 2

_MAXIMUM_FORM = 3 * MAXIMUM_TOKEN + len("token=")


async def serve(live: Live, listener: socket.socket, token: str | None) -> None:
    """Serves on the socket until cancelled, or until live mode ends."""
    page = Page(live, Access(token))
    server = _Server(
        uvicorn.Config(
            page.application(),
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            http=bounded_protocol(),
            backlog=BACKLOG,
            timeout_graceful_shutdown=_GRACE,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    updating = asyncio.create_task(page.update())
    try:
        done, _ = await asyncio.wait((serving, updating), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        updating.cancel()
        page.close()
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals alone: they are the command's, which cancels `serve`."""
        yield


class Page:
    """The handlers of the requests, and what they share."""

    def __init__(self, live: Live, access: Access) -> None:
        self._live = live
        self._access = access
        self._view = View()
        self._broadcast = Broadcast(MAXIMUM_CLIENTS)
        self._searching = asyncio.Lock()
        self._shown: dict[str, str] = {}  # what everybody who watches has

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._page),
                Route("/events", self._events),
                Route("/metrics", self._metrics),
                Route("/store/{what}", self._stored),
                Route("/healthz", self._health),
                Route("/style.css", self._style),
                Route("/script.js", self._script),
                Route(SIGN_IN, self._sign_in_form, methods=["GET"]),
                Route(SIGN_IN, self._sign_in, methods=["POST"]),
            ],
            middleware=[Middleware(Guard, access=self._access)],
        )

    async def update(self) -> None:
        """Sends the sections that changed to whoever watches, until live mode ends."""
        async for snapshot in self._live.subscribe():
            if len(self._broadcast):
                before, self._shown = self._shown, self._view.sections(snapshot)
                changed = {
                    name: html for name, html in self._shown.items() if before.get(name) != html
                }
                self._broadcast.send(_message(changed))
            await asyncio.sleep(PACE)

    def close(self) -> None:
        self._broadcast.close()

    async def _page(self, _: Request) -> Response:
        return HTMLResponse(self._view.page(self._live.snapshot()))

    async def _events(self, _: Request) -> Response:
        if not len(self._broadcast):
            self._shown = self._view.sections(self._live.snapshot())
        messages = self._broadcast.join(_message(self._shown))
        if messages is None:
            return PlainTextResponse("Too many are watching.\n", status_code=503)
        return StreamingResponse(messages, media_type="text/event-stream")

    async def _metrics(self, _: Request) -> Response:
        return Response(
            exposition(self._live.snapshot()), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def _stored(self, request: Request) -> Response:
        """Sessions or labels of the store, a JSON object a line."""
        what = request.path_params["what"]
        asked = {name: text for name, text in request.query_params.items() if text}
        try:
            search = Search(**{name: _SEARCHED[name](text) for name, text in asked.items()})
        except (KeyError, ValueError):
            return PlainTextResponse("That can't be searched for.\n", status_code=400)
        if what not in ("sessions", "labels"):
            return PlainTextResponse("The store has sessions and labels.\n", status_code=404)
        if self._searching.locked():
            return PlainTextResponse("Another search is under way.\n", status_code=503)
        async with self._searching:
            found = await self._live.stored(what, search, MAXIMUM_LISTED)
        if found is None:
            return PlainTextResponse("There is no store to read.\n", status_code=404)
        lines = "".join(json.dumps(record) + "\n" for record in found)
        return Response(lines, media_type="application/x-ndjson")

    async def _health(self, _: Request) -> Response:
        """Well as long as nothing that was to be kept is being lost."""
        store = self._live.snapshot().store
        if store and store.error:
            return PlainTextResponse("the store can't be written\n", status_code=503)
        return PlainTextResponse("ok\n")

    async def _style(self, _: Request) -> Response:
        return Response(STYLE, media_type="text/css")

    async def _script(self, _: Request) -> Response:
        return Response(SCRIPT, media_type="text/javascript")

    async def _sign_in_form(self, _: Request) -> Response:
        return HTMLResponse(self._view.sign_in(refused=False))

    async def _sign_in(self, request: Request) -> Response:
        form = b""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                async for part in request.stream():
                    form += part
                    if len(form) > _MAXIMUM_FORM:
                        break
        except TimeoutError:
            return PlainTextResponse("The form did not come.\n", status_code=408)
        (token,) = parse_qs(form.decode("latin-1")).get("token", [""])[:1]
        if not self._access.is_token(token):
            return HTMLResponse(self._view.sign_in(refused=True), status_code=403)
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(
            COOKIE,
            self._access.cookie(),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer


def _message(sections: dict[str, str]) -> bytes:
    """A server-sent event; JSON has no line breaks of its own."""
    return b"event: sections\ndata: " + json.dumps(sections).encode() + b"\n\n"
