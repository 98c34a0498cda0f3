"""How often a password may be wrong: by name, and by address, before a while of waiting."""

from __future__ import annotations

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request

from console.refusals import TooOften

_BY_NAME = RateLimitItemPerMinute(10, 5)
_BY_ADDRESS = RateLimitItemPerMinute(50, 5)  # a plant may stand behind one


class Attempts:
    """Counts what failed, in this process: ten of a name, fifty of an address, in five minutes.

    What succeeds counts nothing, so a whole shift may sign in at once.
    """

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, request: Request, name: str) -> None:
        """See that another try is allowed.

        Raises:
            TooOften: it is not.
        """
        allowed = self._limiter.test(_BY_NAME, "name", name) and self._limiter.test(
            _BY_ADDRESS, "address", _address(request)
        )
        if not allowed:
            raise TooOften

    def failed(self, request: Request, name: str) -> None:
        """Count a try that was wrong."""
        self._limiter.hit(_BY_NAME, "name", name)
        self._limiter.hit(_BY_ADDRESS, "address", _address(request))


def attempts_of(request: Request) -> Attempts:
    """Those of the console that a request came to."""
    attempts: Attempts = request.app.state.attempts
    return attempts


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
