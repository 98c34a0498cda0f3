"""What is refused, and how it is said: a page for people, `application/problem+json` for programs.

Problems are as RFC 9457 has them: `title`, `status`, `detail`.
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from console.access.headers import HEADERS
from console.access.roles import Role
from console.site import site_of
from console.words import language_of
from db.outage import away, in_a_line
from linewatch.errors import LinewatchError, ModelChangedError, QueueUnavailableError

API = "/api/"
SIGN_IN = "/sign-in"


class SignInMissing(Exception):  # noqa: N818
    """Nobody is signed in."""


class RoleMissing(Exception):  # noqa: N818
    """The visitor's role does not suffice."""

    def __init__(self, wanted: Role, role: Role) -> None:
        super().__init__(f"this is for the role {wanted.word}; you are {role.word}")


class OutOfScope(LinewatchError):  # noqa: N818
    """This key is for single lines or cameras, and this is for none of them."""


class TooOften(LinewatchError):  # noqa: N818
    """This was tried too often; wait some minutes, then try again."""


class NotThere(LinewatchError):  # noqa: N818
    """There is no such thing."""


class Superseded(LinewatchError):  # noqa: N818
    """Somebody else changed it since you looked."""


def refusal(request: Request, status: int, detail: str) -> Response:
    """An answer that says why not, in the form that the asker reads."""
    title = HTTPStatus(status).phrase
    if is_api(request):
        return JSONResponse(
            {"type": "about:blank", "title": title, "status": status, "detail": detail},
            status_code=status,
            media_type="application/problem+json",
        )
    words, language = site_of(request).words, language_of(request)
    values = {"title": title, "detail": detail, "status": status, "path": request.url.path}
    page = words.page(language, "refusal.html", values)
    return Response(page, status_code=status, media_type="text/html")


def is_api(request: Request) -> bool:
    """Whether a program asks, which reads JSON."""
    return request.url.path.startswith(API)


def install(app: FastAPI) -> None:
    """Have every error answered in these words."""
    app.add_exception_handler(SignInMissing, _sign_in)
    app.add_exception_handler(RoleMissing, _forbidden)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(OutOfScope, _forbidden)
    app.add_exception_handler(TooOften, _too_often)
    app.add_exception_handler(NotThere, _not_there)
    app.add_exception_handler(QueueUnavailableError, _unavailable)
    app.add_exception_handler(Superseded, _superseded)
    app.add_exception_handler(ModelChangedError, _superseded)
    app.add_exception_handler(LinewatchError, _mistake)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(NoConnectionFree, _database)
    app.add_exception_handler(OverflowError, _too_large)
    app.add_exception_handler(Exception, _fault)


def _sign_in(request: Request, _: Exception) -> Response:
    if is_api(request):
        answer = refusal(request, 401, "sign in, or send an API key: Authorization: Bearer KEY")
        answer.headers["www-authenticate"] = "Bearer"
        return answer
    address = f"{SIGN_IN}?next={quote(_left(request), safe='')}"
    if "hx-request" in request.headers:  # a redirect would put the form into a part of the page
        return Response(status_code=401, headers={"hx-redirect": address})
    return RedirectResponse(address, status_code=303)


def _left(request: Request) -> str:
    """The page that a person is on, to be shown again: no action's address, no part of a page."""
    said = request.headers.get("hx-current-url") or request.headers.get("referer", "")
    page = request.url
    if request.method != "GET" or "hx-request" in request.headers:
        own = URL(said)
        page = own if own.netloc == request.url.netloc else URL("/")
    return page.path + (f"?{page.query}" if page.query else "")


def _forbidden(request: Request, error: Exception) -> Response:
    return refusal(request, 403, str(error))


def _too_often(request: Request, error: Exception) -> Response:
    answer = refusal(request, 429, str(error))
    answer.headers["retry-after"] = "300"
    return answer


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = refusal(request, error.status_code, str(error.detail))
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    return answer


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = (f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors())
    return refusal(request, 422, "; ".join(found))


def _not_there(request: Request, error: Exception) -> Response:
    return refusal(request, 404, str(error))


def _unavailable(request: Request, error: Exception) -> Response:
    return refusal(request, 503, str(error))


def _superseded(request: Request, error: Exception) -> Response:
    return refusal(request, 409, str(error))


def _mistake(request: Request, error: Exception) -> Response:
    return refusal(request, 400, str(error))


def _database(request: Request, error: Exception) -> Response:
    if isinstance(error, DataError):  # a NUL in a name, a number beyond all columns
        return refusal(request, 400, f"no name or number is like this: {in_a_line(error)}")
    status = 503 if away(error) else 500
    return refusal(request, status, f"the database did not answer this: {in_a_line(error)}")


def _too_large(request: Request, error: Exception) -> Response:
    return refusal(request, 400, f"no number or time is like this: {error!s:.200}")


def _fault(request: Request, _: Exception) -> Response:
    """A mistake of ours. It is answered outside of all else, so the headers come here too."""
    detail = "this is a fault of Linewatch; the console's log says more"
    answer = refusal(request, 500, detail)
    answer.headers.update({**HEADERS, "cache-control": "no-store"})
    return answer
