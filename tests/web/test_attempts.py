"""Failed sign-ins are counted by address and slowed; nobody is locked out by somebody else."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx
import pytest
from redis import Redis
from starlette.requests import HTTPConnection

from clock.ledger.audit import read_audit
from clock.web.access import Access, read_access
from clock.web.application import application
from clock.web.attempts import ADDRESSES, FORGOTTEN_AFTER, FREE, LONGEST_WAIT, Attempts
from clock.web.proxies import address_of, network_of, read_proxies
from tests.loop.heartbeat import START, Watched
from tests.web.requests import Web
from tests.web.test_people import ANN, BEN, USERS, basic, bearer

ACCESS = read_access(
    {},
    {
        "WEB_PASSWORD": "a long password",
        "WEB_TOKEN": "a-token-of-tests",
        "WEB_PROXIES": ["10.0.0.1"],
    },
)


class Site:
    """The application ``test`` for clients at several addresses, at a time that can be set."""

    def __init__(self, redis: Redis, access: Access = ACCESS) -> None:
        self.now = START
        self.app = application(redis, access=access, app="test", now=lambda: self.now)

    def at(self, address: str, headers: dict[str, str] | None = None) -> Web:
        """What a client at ``address`` asks."""
        return Web(self.app, headers or {}, address)

    def sign_in(self, address: str, password: str, **headers: str) -> httpx.Response:
        """A sign-in on the page."""
        return self.at(address).post("/login", data={"password": password}, headers=headers)


@pytest.fixture
def site(redis: Redis, clock: Watched) -> Site:
    return Site(redis)


def test_after_some_wrong_passwords_the_next_ones_wait_longer_each_time(site: Site) -> None:
    for _ in range(FREE):
        assert site.sign_in("192.0.2.1", "wrong").status_code == 401
    waits = []
    for _ in range(8):
        # Even the right one: otherwise a guess would show at once whether it is.
        answer = site.sign_in("192.0.2.1", "a long password")
        assert answer.status_code == 429
        assert "try again" in answer.text
        waits.append(int(answer.headers["retry-after"]))
        site.now += waits[-1]
        assert site.sign_in("192.0.2.1", "wrong").status_code == 401
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (1, LONGEST_WAIT)
    site.now += waits[-1]
    assert site.sign_in("192.0.2.1", "a long password").status_code == 303
    site.now += FORGOTTEN_AFTER
    for _ in range(FREE):
        assert site.sign_in("192.0.2.1", "wrong").status_code == 401


def test_others_are_not_locked_out(site: Site) -> None:
    session = site.sign_in("192.0.2.1", "a long password").headers["set-cookie"]
    remembered = basic("x", "a long password")
    assert site.at("192.0.2.1", remembered).get("/api/v1/status").status_code == 200
    for _ in range(50):
        site.sign_in("192.0.2.1", "wrong")
        site.at("192.0.2.1", bearer("wrong")).get("/api/v1/status")
    assert site.sign_in("192.0.2.1", "a long password").status_code == 429
    # Other addresses, and at the same one whoever is signed in already or has the token.
    assert site.sign_in("192.0.2.2", "a long password").status_code == 303
    for headers in (
        {"cookie": session.partition(";")[0]},
        bearer("a-token-of-tests"),
        remembered,
    ):
        assert site.at("192.0.2.1", headers).get("/api/v1/status").status_code == 200
    for path in ("/readyz", "/login", "/static/base.css"):
        assert site.at("192.0.2.1").get(path).status_code == 200


@pytest.mark.parametrize("wrong", [bearer("wrong"), basic("x", "wrong")], ids=["token", "basic"])
def test_wrong_tokens_and_basic_passwords_wait_too(site: Site, wrong: dict[str, str]) -> None:
    for _ in range(FREE):
        assert site.at("192.0.2.1", wrong).get("/metrics").status_code == 401
    answer = site.at("192.0.2.1", wrong).get("/metrics")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


def test_a_program_with_an_old_token_keeps_nobody_from_signing_in(site: Site) -> None:
    for _ in range(FREE + 10):
        site.at("192.0.2.1", bearer("wrong")).get("/metrics")
    assert site.sign_in("192.0.2.1", "a long password").status_code == 303


def test_many_attempts_at_once_are_slowed_as_well(redis: Redis, clock: Watched) -> None:
    settings = {"WEB_USERS": {name: USERS[name] for name in ("ann", "ben")}}
    app = Site(redis, read_access({}, settings)).app

    async def ask() -> list[int]:
        transport = httpx.ASGITransport(app, client=("192.0.2.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://web.test") as client:
            data = {"username": "ann", "password": "wrong"}
            answers = await asyncio.gather(*(client.post("/login", data=data) for _ in range(40)))
        return [answer.status_code for answer in answers]

    statuses = asyncio.run(ask())
    assert (statuses.count(401), statuses.count(429)) == (FREE, 40 - FREE)


def test_who_may_sign_in_cannot_reset_the_count_for_guesses(redis: Redis, clock: Watched) -> None:
    settings = {"WEB_USERS": {name: USERS[name] for name in ("ann", "ben")}}
    site = Site(redis, read_access({}, settings))

    def sign_in(name: str, password: str) -> int:
        data = {"username": name, "password": password}
        return site.at("192.0.2.1").post("/login", data=data).status_code

    statuses = []
    for number in range(FREE + 3):
        statuses.append(sign_in("ann", f"guess {number}"))
        statuses.append(sign_in("ben", BEN))
    assert statuses.count(401) <= FREE
    assert statuses[-2:] == [429, 429]


def test_failed_sign_ins_are_logged_with_the_address_but_no_password(
    site: Site, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "clock"):
        site.sign_in("192.0.2.1", "wrong-one")
        site.at("192.0.2.2").post("/login", data={"username": "wrong-two", "password": "x"})
        site.at("192.0.2.3", bearer("wrong-three")).get("/api/v1/status")
        site.sign_in("192.0.2.4", "wrong-four", **{"x-forwarded-for": "6.6.6.6"})
        site.sign_in("10.0.0.1", "wrong-five", **{"x-forwarded-for": "6.6.6.6, 192.0.2.5"})
    logged: list[Any] = [line.__dict__["fields"] for line in caplog.records]
    sources = [f"192.0.2.{number}" for number in range(1, 6)]
    assert [fields["source"] for fields in logged] == sources
    assert {(fields["what"], fields["outcome"]) for fields in logged} == {("sign in", "failed")}
    entries = read_audit(redis, "test", 10).entries
    assert [entry.actor.source for entry in reversed(entries)] == sources
    assert "wrong-" not in repr(logged) + repr(entries)


def test_a_known_name_is_in_the_log(redis: Redis, clock: Watched) -> None:
    site = Site(redis, read_access({}, {"WEB_USERS": USERS}))
    site.at("192.0.2.1").post("/login", data={"username": "ann", "password": BEN})
    site.at("192.0.2.1").post("/login", data={"username": ANN, "password": ANN})
    entries = read_audit(redis, "test", 10).entries
    assert [(entry.actor.name, entry.on) for entry in entries] == [
        ("unknown", ""),
        ("unknown", "ann"),
    ]


def test_throttled_attempts_write_nothing(site: Site, redis: Redis) -> None:
    for _ in range(FREE + 30):
        site.sign_in("192.0.2.1", "wrong")
    assert redis.xlen("clock:test:audit:failed") == FREE


def test_the_memory_of_the_counts_is_bounded() -> None:
    attempts = Attempts()
    for number in range(ADDRESSES + 500):
        attempts.begin(f"host-{number}", START)
    assert len(attempts._counts) == ADDRESSES


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "unknown"),
    ],
)
def test_one_client_counts_as_one_whatever_address_it_chooses(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        ("192.0.2.1", ["6.6.6.6"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.9"], "192.0.2.9"),
        ("10.0.0.1", ["6.6.6.6, 192.0.2.9"], "192.0.2.9"),
        ("10.0.0.1", ["6.6.6.6", "192.0.2.9,10.0.0.2"], "192.0.2.9"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["192.0.2.9, <script>"], "10.0.0.1"),
        ("10.0.0.1", [",,,"], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1," * 10_000 + "192.0.2.9"], "192.0.2.9"),
        (None, ["192.0.2.9"], "unknown"),
    ],
)
def test_the_address_is_the_last_one_before_the_proxies(
    client: str | None, forwarded: list[str], address: str
) -> None:
    scope = {
        "type": "http",
        "client": client and (client, 1),
        "headers": [(b"x-forwarded-for", value.encode()) for value in forwarded],
    }
    proxies = read_proxies({}, {"WEB_PROXIES": ["10.0.0.0/24"]})
    assert address_of(HTTPConnection(scope), proxies) == address
