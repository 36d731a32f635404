"""What every answer has, and who gets one."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailtap.live.page.access import Access

COOKIE = "mailtap"
SIGN_IN = "/sign-in"

#: Holds no data: the state of the service, and what the sign-in form needs.
OPEN_PATHS = frozenset({"/healthz", SIGN_IN, "/style.css", "/script.js"})

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Around the application: asks `Access`, and sets the headers of every answer."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        answer = self._app if self._may(scope) else self._refusal(scope["path"])
        await answer(scope, receive, send_with_headers)

    def _may(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        return (scope["path"] in OPEN_PATHS and self._access.token is not None) or (
            self._access.allows(
                headers.get("host", ""),
                headers.get("authorization", ""),
                cookie_parser(headers.get("cookie", "")).get(COOKIE, ""),
            )
        )

    def _refusal(self, path: str) -> Response:
        if self._access.token is None:
            return PlainTextResponse("Use the loopback address.\n", status_code=421)
        if path == "/":
            return RedirectResponse(SIGN_IN, status_code=303)
        return PlainTextResponse(
            "A bearer token is needed.\n", status_code=401, headers={"WWW-Authenticate": "Bearer"}
        )
