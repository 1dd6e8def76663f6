"""Who sent a request: a person with a role, or nobody."""

from __future__ import annotations

import hmac
import inspect
import math
import secrets
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from redis import Redis
from starlette.requests import HTTPConnection

from clock.connection.client import with_timeout
from clock.errors import SettingsError
from clock.ledger.audit import write_entry
from clock.ledger.audit_entry import Actor, Entry, Outcome
from clock.ledger.sign_outs import is_signed_out, sign_out
from clock.web.access import Access
from clock.web.attempts import Attempts
from clock.web.error_response import is_for_programs
from clock.web.person import LONGEST_NAME, UNKNOWN, Person, Role, is_name
from clock.web.proxies import address_of, is_of_proxy, network_of
from clock.web.session import cookie_name

HASHING = 2
"""Passwords that are hashed at once; each takes a core, and 16 MiB."""

REMEMBERED = 100
"""Credentials that were right lately, so that a program does not wait for a hash each time."""


class TooManyAttemptsError(Exception):
    """Too many sign-ins failed at this address: the next one may be tried in ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = math.ceil(seconds)

    def __str__(self) -> str:
        return f"too many sign-ins failed at your address; try again in {self.seconds} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """``name`` is what the client says its name is, empty where it says none."""

    request: HTTPConnection
    name: str
    password: str


class Authenticator:
    """Authenticates the requests to the page of ``app``. ``now`` returns this host's time, in UTC
    seconds since 1970, ``server_now`` the server's; the server has ``timeout`` seconds to answer.
    """

    def __init__(
        self,
        connection: Redis,
        access: Access,
        *,
        app: str,
        now: Callable[[], float],
        server_now: Callable[[], float],
        timeout: float,
    ) -> None:
        self._connection = with_timeout(connection, timeout)
        self._access = access
        self._app = app
        self._now = now
        self._server_now = server_now
        self._attempts = Attempts()
        self._hashing = CapacityLimiter(HASHING)
        self._remembered: OrderedDict[bytes, tuple[str, Role]] = OrderedDict()
        self._salt = secrets.token_bytes(32)

    async def person(self, request: HTTPConnection) -> Person | None:
        """Who sent ``request``, None if not authenticated. Raises TooManyAttemptsError, and
        ServerError where it is unknown whether a session was ended.

        Who vouches for the person comes first, then credentials in the request: a session does not
        make up for a wrong token.
        """
        ambient = await self._ambient(request)
        if ambient is not None:
            return ambient
        kind, _, credentials = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return await self._of_token(request, credentials.strip())
        if kind.lower() == "basic":
            return await self._of_basic(request, credentials)
        person = await self.of_session(request)
        if person is None and self._access.is_open:
            return self._vouched(request, "web", Role.ACT)
        return person

    async def of_session(self, request: HTTPConnection) -> Person | None:
        """Who sent the session cookie of ``request``. Raises ServerError."""
        valid = self._access.session(request.cookies.get(self.cookie(request)), self._now())
        if valid is None:
            return None
        session, role = valid
        if await run_sync(is_signed_out, self._connection, self._app, session.id):
            return None
        return Person(name=session.name, role=role, session=session.id)

    async def sign_in(self, request: HTTPConnection, name: str, password: str) -> str | None:
        """The value of the cookie of a new session, None if the password is wrong. Raises
        TooManyAttemptsError.
        """
        known = await self._try(_Attempt(request=request, name=name, password=password))
        if known is None:
            return None
        actor = Actor(name=known[0], how=how_of(request), source=self.address(request))
        await self._record(actor, "sign in", "", Outcome.DONE)
        return self._access.begin(self._now(), known[0])[0]

    async def sign_out(self, request: HTTPConnection) -> None:
        """End the session of ``request``, if there is one. Raises ServerError."""
        person = await self.of_session(request)
        if person is None or person.session is None:
            return
        seconds = self._access.session_seconds
        await run_sync(sign_out, self._connection, self._app, person.session, seconds)
        await self._record(self.actor(request, person), "sign out", "", Outcome.DONE)

    async def refused(self, request: HTTPConnection, person: Person, what: str) -> None:
        """Record that ``person`` may not do what the request asks for."""
        await self._record(self.actor(request, person), "act", what, Outcome.REFUSED)

    def actor(self, request: HTTPConnection, person: Person) -> Actor:
        """``person`` in the audit log."""
        return Actor(name=person.name, how=how_of(request), source=self.address(request))

    def address(self, request: HTTPConnection) -> str:
        """The address of the client."""
        return address_of(request, self._access.proxies)

    def cookie(self, request: HTTPConnection) -> str:
        """The name of the session cookie."""
        return cookie_name(self._app, request)

    async def _ambient(self, request: HTTPConnection) -> Person | None:
        access = self._access
        if access.identify is not None and (named := await _identity(access, request)) is not None:
            return self._vouched(request, *named)
        if access.user_header is None or not is_of_proxy(request, access.proxies):
            return None
        names = request.headers.getlist(access.user_header)
        # With two of them, one may be the client's own.
        if len(names) != 1 or not is_name(names[0]):
            return None
        user = access.users.get(names[0])
        return self._vouched(request, names[0], Role.READ if user is None else user.role)

    def _vouched(self, request: HTTPConnection, name: str, role: Role) -> Person:
        cookie = request.cookies.get(self.cookie(request))
        session = self._access.ambient_session(cookie, name, self._now())
        return Person(name=name, role=role, session=session, is_ambient=True)

    async def _of_token(self, request: HTTPConnection, token: str) -> Person | None:
        known = self._access.role_of_token(token)
        if known is None:
            # Counted apart from passwords: a program with an old token keeps nobody from signing
            # in. The right token never waits, as it is too long to guess.
            network = network_of(self.address(request))
            wait = self._attempts.begin(f"token from {network}", self._now())
            await self._failed(request, "", wait)
            return None
        return Person(name=known[0], role=known[1])

    async def _of_basic(self, request: HTTPConnection, credentials: str) -> Person | None:
        name, password = _basic(credentials)
        digest = hmac.digest(self._salt, f"{name}\0{password}".encode(), "sha256")
        known = self._remembered.get(digest)
        if known is None:
            known = await self._try(_Attempt(request=request, name=name, password=password))
            if known is not None:
                self._remembered[digest] = known
                while len(self._remembered) > REMEMBERED:
                    self._remembered.popitem(last=False)
        return None if known is None else Person(name=known[0], role=known[1])

    async def _try(self, attempt: _Attempt) -> tuple[str, Role] | None:
        network = network_of(self.address(attempt.request))
        wait = self._attempts.begin(network, self._now())
        known = None
        if not wait:
            known = await run_sync(
                self._access.role_of, attempt.name, attempt.password, limiter=self._hashing
            )
        if known is None:
            await self._failed(attempt.request, attempt.name, wait)
            return None
        self._attempts.succeed(network, self._now())
        return known

    async def _failed(self, request: HTTPConnection, name: str, wait: float) -> None:
        """Raises TooManyAttemptsError."""
        if wait:
            raise TooManyAttemptsError(wait)
        # A password may have been typed into the field of the name.
        known = name if name in self._access.users else ""
        actor = Actor(name=UNKNOWN, how=how_of(request), source=self.address(request))
        await self._record(actor, "sign in", known, Outcome.FAILED)

    async def _record(self, actor: Actor, what: str, on: str, outcome: Outcome) -> None:
        await run_sync(self._write, actor, what, on, outcome)

    def _write(self, actor: Actor, what: str, on: str, outcome: Outcome) -> None:
        reasons = {
            Outcome.DONE: "",
            Outcome.FAILED: "wrong credentials",
            Outcome.REFUSED: "may only read",
        }
        at, reason = self._server_now(), reasons[outcome]
        entry = Entry(at=at, actor=actor, what=what, on=on, outcome=outcome, reason=reason)
        write_entry(self._connection, self._app, entry)


def how_of(request: HTTPConnection) -> str:
    """How somebody acts, judged by the path of the request."""
    return "api" if is_for_programs(request.scope) else "page"


async def _identity(access: Access, request: HTTPConnection) -> tuple[str, Role] | None:
    """Who the application says sent the request."""
    assert access.identify is not None
    # In a thread, as it may read a database; an async function only makes a coroutine there.
    identity = await run_sync(access.identify, request)
    if inspect.isawaitable(identity):
        identity = await identity
    if identity is None:
        return None
    name, role = identity
    if not is_name(name) or role not in [*Role]:
        raise SettingsError(f"the identify function of the application returned {identity!r}")
    return name, Role(role)


def _basic(credentials: str) -> tuple[str, str]:
    try:
        name, _, password = b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return name[: LONGEST_NAME + 1], password
