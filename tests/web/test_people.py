"""Who signed in, and what they may do: roles, names, proxies, and an application's own people."""

from __future__ import annotations

import json
import re
import tracemalloc
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis
from starlette.requests import HTTPConnection
from starlette.routing import Route

from clock.errors import SettingsError
from clock.ledger.audit import read_audit
from clock.ledger.audit_entry import Entry
from clock.ledger.pauses import read_pauses
from clock.web.access import Access, read_access
from clock.web.application import application, routes
from clock.web.authenticator import REMEMBERED
from clock.web.password_hash import check_hash, hash_password, is_password
from tests.loop.heartbeat import START, Watched
from tests.web.requests import Web

FORM = {"content-type": "application/x-www-form-urlencoded"}
ANN, BEN = "ann's own password", "ben's own password"
HASHES = {
    "ann": "scrypt:16384:8:5:dGhlIHNhbHQgb2YgYW5uLg:f-0VcsFhQovLrRUkEd5QzifMwSR7a0HBgOmArfHquIw",
    "ben": "scrypt:16384:8:5:dGhlIHNhbHQgb2YgYmVuLg:a0pqWkYfqLruFacM4lHfA5kGa_IFl24SKYZeOeS6rsk",
}
USERS = {"ann": ["act", HASHES["ann"]], "ben": ["read", HASHES["ben"]], "cid": "act"}
SETTINGS = {
    "WEB_PASSWORD": "a long password",
    "WEB_TOKEN": "a-token-of-tests",
    "WEB_READ_PASSWORD": "a reading password",
    "WEB_READ_TOKEN": "a-reading-token",
    "WEB_USERS": USERS,
    "WEB_ACTIONS": True,
}
PROXIED = {"WEB_PROXIES": ["10.0.0.0/8", "::1"], "WEB_USER_HEADER": "X-Forwarded-User"}

OpenSite = Callable[..., Web]


def basic(name: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    return {"authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def open_site(redis: Redis, clock: Watched) -> OpenSite:
    """The application ``test`` with these settings, for a client at an address."""

    def start(
        settings: dict[str, Any] | None = None,
        *,
        client: str = "192.0.2.7",
        now: float = START + 30,
        identify: Any = None,
        access: Access | None = None,
    ) -> Web:
        access = access or read_access(
            {}, SETTINGS if settings is None else settings, identify=identify, actions=True
        )
        return Web(application(redis, access=access, app="test", now=lambda: now), {}, client)

    return start


def entries(redis: Redis) -> list[Entry]:
    """The audit log, the oldest entry first."""
    return [*reversed(read_audit(redis, "test", 100).entries)]


def sign_in(site: Web, password: str, name: str = "") -> dict[str, str]:
    """The headers of a session, with the token of its forms."""
    content = {"username": name, "password": password}
    answer = site.post("/login", data=content)
    assert answer.status_code == 303, answer.text
    cookie = answer.headers["set-cookie"].partition(";")[0]
    page = site.get("/", headers={"cookie": cookie}).text
    found = re.search(r'data-csrf="(\w+)"', page)
    return {"cookie": cookie} | ({"x-csrf-token": found[1]} if found else {})


READERS = [bearer("a-reading-token"), basic("x", "a reading password"), basic("ben", BEN)]
ACTORS = [
    (bearer("a-token-of-tests"), "api"),
    (basic("root", "a long password"), "web"),
    (basic("ann", "a long password"), "web"),
    (basic("ann", ANN), "ann"),
]
WRITING = [
    *(
        (method, re.sub(r"\{\w+(:\w+)?\}", "ten", route.path))
        for route in routes()
        if isinstance(route, Route) and route.path not in {"/login", "/logout"}
        for method in sorted((route.methods or set()) - {"GET", "HEAD"})
    ),
    *(("POST", f"/api/v1{path}") for path in ("/events/ten/run", "/events/ten/pause", "/jobs")),
    ("DELETE", "/api/v1/jobs/x"),
]


@pytest.mark.parametrize("headers", READERS, ids=str)
def test_who_may_only_read_reads_and_changes_nothing(
    open_site: OpenSite, redis: Redis, headers: dict[str, str]
) -> None:
    site = open_site()
    for path in ("/", "/api/v1/events", "/metrics", "/audit", "/live", "/event?name=ten"):
        answer = site.get(path, headers=headers)
        assert answer.status_code == 200
        assert "Run now" not in answer.text
    before = redis.dbsize(), redis.llen("rq:queue:default")
    for method, path in WRITING:
        answer = site.request(method, path, headers=headers | FORM, content="event=ten&job=x")
        assert answer.status_code == 403, (method, path)
        assert "may only read" in answer.text
    assert (redis.dbsize() - 1, redis.llen("rq:queue:default")) == before
    refused = entries(redis)
    assert {(entry.what, entry.outcome) for entry in refused} == {("act", "refused")}
    assert [entry.on for entry in refused] == [f"{method} {path}" for method, path in WRITING]


@pytest.mark.parametrize(("headers", "name"), ACTORS, ids=str)
def test_who_acts_is_who_signed_in_never_what_the_caller_says(
    open_site: OpenSite, redis: Redis, headers: dict[str, str], name: str
) -> None:
    site = open_site()
    answer = site.post("/api/v1/events/ten/pause", headers=headers, json={"by": "somebody"})
    assert answer.json()["paused"]["by"] == name
    assert read_pauses(redis, "test")["ten"].by == name
    (entry,) = entries(redis)
    assert (entry.actor.name, entry.actor.how, entry.actor.source) == (name, "api", "192.0.2.7")
    assert (entry.what, entry.on, entry.outcome) == ("pause", "ten", "done")


@pytest.mark.parametrize(
    ("password", "name", "who"),
    [(ANN, "ann", "ann"), ("a long password", "", "web"), ("a long password", "clock", "web")],
)
def test_a_session_is_of_who_signed_in(
    open_site: OpenSite, redis: Redis, password: str, name: str, who: str
) -> None:
    site = open_site()
    headers = sign_in(site, password, name)
    assert f'<span class="who">{who}</span>' in site.get("/", headers=headers).text
    assert site.post("/pause", data={"event": "ten"}, headers=headers).status_code == 303
    assert read_pauses(redis, "test")["ten"].by == who
    signed_in, paused = entries(redis)
    assert (signed_in.what, signed_in.actor.name, signed_in.actor.how) == ("sign in", who, "page")
    assert (paused.what, paused.actor.name, paused.actor.how) == ("pause", who, "page")


@pytest.mark.parametrize(("password", "name"), [(BEN, "ben"), ("a reading password", "")])
def test_a_reader_s_session_has_no_buttons_and_may_not_act(
    open_site: OpenSite, password: str, name: str
) -> None:
    site = open_site()
    headers = sign_in(site, password, name)
    text = site.get("/", headers=headers).text
    assert "Run now" not in text
    assert "may only read" in text
    assert site.post("/run", data={"event": "ten"}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ann", BEN),
        ("ben", ANN),
        ("cid", ANN),
        ("cid", ""),
        ("", ANN),
        ("nobody", ANN),
        ("ann", ""),
    ],
)
def test_a_password_is_that_of_one_person(open_site: OpenSite, name: str, password: str) -> None:
    site = open_site()
    answer = site.post("/login", data={"username": name, "password": password})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert site.get("/api/v1/status", headers=basic(name, password)).status_code == 401


def test_a_session_ends_with_its_person_s_password_and_no_other(open_site: OpenSite) -> None:
    settings = {"WEB_USERS": {name: USERS[name] for name in ("ann", "ben")}}
    ann, ben = sign_in(open_site(settings), ANN, "ann"), sign_in(open_site(settings), BEN, "ben")
    # Each is another process, with other people.
    changed = {"ann": ["act", hash_password("another one")], "ben": USERS["ben"], "dan": "read"}
    for users, who, is_signed_in in (
        (settings["WEB_USERS"], ann, True),
        (changed, ann, False),
        (changed, ben, True),
        ({"ben": USERS["ben"]}, ann, False),
        ({"ann": "act", "ben": USERS["ben"]}, ann, False),
    ):
        answer = open_site({"WEB_USERS": users}).get("/", headers=who)
        assert answer.status_code == (200 if is_signed_in else 303)
    demoted = {"WEB_USERS": {"ann": ["read", HASHES["ann"]]}, "WEB_ACTIONS": True}
    answer = open_site(demoted).post("/run", data={"event": "ten"}, headers=ann)
    assert (answer.status_code, "may only read" in answer.text) == (403, True)


def test_a_cookie_is_not_unpacked_before_its_signature_is_checked(open_site: OpenSite) -> None:
    bomb = urlsafe_b64encode(zlib.compress(bytes(50_000_000), 9)).decode()
    site = open_site()
    name = urlsafe_b64encode(b"ann").decode()
    tracemalloc.start()
    for cookie in (f".{bomb}.x.y", f"{name}~.{bomb}.x", f"~{bomb}", f"{name}~", "~", "%", "a~b~c"):
        headers = {"cookie": f"clock_session_test_default={cookie}"}
        assert site.get("/", headers=headers).status_code == 303
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_a_session_is_of_the_person_whose_key_signed_it() -> None:
    access = read_access({}, SETTINGS)
    cookie, _ = access.begin(START, "ben")
    _, _, signed = cookie.partition("~")
    for name in ("ann", "web", "zoe"):
        forged = urlsafe_b64encode(name.encode()).decode().rstrip("=") + f"~{signed}"
        assert access.session(forged, START) is None
    assert access.session(cookie, START) is not None


def test_sign_out_ends_every_copy_of_the_session_in_every_process(
    open_site: OpenSite, redis: Redis
) -> None:
    site, other = open_site(), open_site()
    headers, another = sign_in(site, ANN, "ann"), sign_in(site, ANN, "ann")
    assert other.get("/", headers=headers).status_code == 200
    answer = site.post("/logout", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    for page in (site, other, open_site()):
        assert page.get("/", headers=headers).status_code == 303
        assert page.get("/", headers=another).status_code == 200
    # As long as the session would have been valid.
    (key,) = redis.keys("clock:test:signed_out:*")
    assert 0 < redis.ttl(key) <= 12 * 3600
    assert [entry.what for entry in entries(redis)] == ["sign in", "sign in", "sign out"]
    assert site.post("/logout", headers=headers).status_code == 303


def test_a_session_is_not_believed_where_its_end_is_unknown(
    open_site: OpenSite, redis: Redis
) -> None:
    headers = sign_in(open_site(), ANN, "ann")
    away = Redis(port=1, socket_connect_timeout=1)
    made = application(away, access=read_access({}, SETTINGS), app="test", now=lambda: START)
    site = Web(made, {})
    for path in ("/", "/api/v1/status"):
        assert site.get(path, headers=headers).status_code == 503
    assert site.post("/logout", headers=headers).status_code == 503


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ({"host": "a.test"}, "default"),
        ({"host": "a.test:5041"}, "5041"),
        ({"host": "[::1]:8080"}, "8080"),
        ({"host": "inner:5040", "x-forwarded-host": "a.test:8443"}, "8443"),
        ({"host": "a.test:;="}, "default"),
    ],
    ids=str,
)
def test_the_cookie_has_the_names_of_the_application_and_the_port(
    open_site: OpenSite, host: dict[str, str], name: str
) -> None:
    answer = open_site().post("/login", data={"password": SETTINGS["WEB_PASSWORD"]}, headers=host)
    assert answer.headers["set-cookie"].startswith(f"clock_session_test_{name}=")


def test_the_name_of_an_application_in_a_cookie_is_plain(redis: Redis, clock: Watched) -> None:
    made = application(redis, access=read_access({}, SETTINGS), app="{shop}; x=\n")
    answer = Web(made, {}).post("/login", data={"password": SETTINGS["WEB_PASSWORD"]})
    assert answer.headers["set-cookie"].startswith("clock_session_-shop---x--_default=")


def test_a_header_is_believed_only_from_a_stated_proxy(open_site: OpenSite, redis: Redis) -> None:
    settings = {**PROXIED, "WEB_USERS": {"ann": "act"}, "WEB_ACTIONS": True}
    for client, name, status in (
        ("10.9.8.7", "ann", 200),
        ("::1", "zoe", 200),
        ("::ffff:10.1.1.1", "zoe", 200),
        ("192.0.2.7", "ann", 401),
        ("10.9.8.7", "", 401),
        ("10.9.8.7", "api", 401),
        ("10.9.8.7", "x" * 101, 401),
    ):
        answer = open_site(settings, client=client).get("/", headers={"x-forwarded-user": name})
        assert answer.status_code == status, (client, name)
    proxied = open_site(settings, client="10.9.8.7")
    twice = [(b"x-forwarded-user", b"ann"), (b"x-forwarded-user", b"zoe")]
    assert proxied.get("/", headers=twice).status_code == 401
    # Whoever the settings do not name may read.
    for name, status in (("ann", 201), ("zoe", 403)):
        headers = {"x-forwarded-user": name, "x-forwarded-for": "6.6.6.6, 192.0.2.9"}
        answer = proxied.post("/api/v1/events/ten/run", headers=headers)
        assert answer.status_code == status
    assert [(e.actor.name, e.actor.source, e.outcome) for e in entries(redis)] == [
        ("ann", "192.0.2.9", "done"),
        ("zoe", "192.0.2.9", "refused"),
    ]


def test_a_form_behind_a_proxy_needs_the_token_of_its_person(open_site: OpenSite) -> None:
    settings = {**PROXIED, "WEB_USERS": {"ann": "act", "eve": "act"}}
    site = open_site(settings, client="10.9.8.7")
    tokens = {}
    for name in ("ann", "eve"):
        page = site.get("/", headers={"x-forwarded-user": name})
        found = re.search(r'data-csrf="(\w+)"', page.text)
        assert found
        cookie = page.headers["set-cookie"].partition(";")[0]
        tokens[name] = {"cookie": cookie, "x-csrf-token": found[1]}
        assert "Sign out" not in page.text
    for headers, status in (
        ({}, 403),
        (tokens["eve"], 403),
        ({"sec-fetch-site": "cross-site", **tokens["ann"]}, 403),
        (tokens["ann"], 303),
    ):
        sent = {"x-forwarded-user": "ann", **headers}
        assert site.post("/run", data={"event": "ten"}, headers=sent).status_code == status


def _staff(request: HTTPConnection) -> tuple[str, str] | None:
    name = request.headers.get("x-test")
    return (name, "act" if name == "ann" else "read") if name else None


async def _staff_async(request: HTTPConnection) -> tuple[str, str] | None:
    return _staff(request)


@pytest.mark.parametrize("identify", [_staff, _staff_async])
def test_an_application_s_function_says_who_it_is(
    open_site: OpenSite, redis: Redis, identify: Any
) -> None:
    site = open_site({"WEB_TOKEN": "a-token-of-tests"}, identify=identify)
    for headers, status in (
        ({"x-test": "ann"}, 201),
        ({"x-test": "zoe"}, 403),
        ({}, 401),
        (bearer("a-token-of-tests"), 201),
    ):
        answer = site.post("/api/v1/events/ten/run", headers=headers)
        assert answer.status_code == status
    assert [entry.actor.name for entry in entries(redis)] == ["ann", "zoe", "api"]
    only = open_site({}, identify=identify)
    assert only.get("/").status_code == 401
    assert "sign in to the application" in only.get("/").text
    assert only.get("/", headers={"x-test": "ann"}).status_code == 200


@pytest.mark.parametrize("identity", [("ann", "root"), ("", "act"), ("api", "act"), ("a",), 5])
def test_an_invalid_identity_shows_nothing(open_site: OpenSite, identity: Any) -> None:
    site = open_site({}, identify=lambda _request: identity)
    answer = site.get("/")
    assert answer.status_code == 500
    assert "ten" not in answer.text.replace("content", "")


def test_a_hash_is_of_one_password_and_salted() -> None:
    first, second = hash_password("secret word"), hash_password("secret word")
    assert first != second
    assert is_password("secret word", first)
    assert is_password("secret word", second)
    assert not is_password("secret wore", first)
    assert is_password("\udcff", hash_password("\udcff"))
    # The first half of a test vector of RFC 7914.
    key = bytes.fromhex("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2")
    known = f"scrypt:16384:8:1:U29kaXVtQ2hsb3JpZGU:{urlsafe_b64encode(key).decode().rstrip('=')}"
    assert is_password("pleaseletmein", known)


@pytest.mark.parametrize(
    "text",
    ["", "x", "scrypt:1:2:3:4", "scrypt:3:8:1:AA:AAAA", "scrypt:16777216:8:1:AA:" + "A" * 43,
     "scrypt:16384:9999999:1:AA:" + "A" * 43, "scrypt:16384:8:0:AA:" + "A" * 43,
     "scrypt:16384:8:1:A:" + "A" * 43, "scrypt:16384:8:1:AA:", "bcrypt:16384:8:1:AA:" + "A" * 43,
     "scrypt:١٦:8:1:AA:" + "A" * 43, "scrypt:" + "9" * 5000 + ":8:1:AA:" + "A" * 43],
)  # fmt: skip
def test_an_invalid_hash_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_hash(text)
    with pytest.raises(SettingsError) as caught:
        read_access({}, {"WEB_USERS": {"ann": ["act", text]}})
    assert "A" * 20 not in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"WEB_USERS": ["ann"]},
        {"WEB_USERS": {"ann": "root"}},
        {"WEB_USERS": {"ann": []}},
        {"WEB_USERS": {"ann": 5}},
        {"WEB_USERS": {"ann": ["act", HASHES["ann"], "x"]}},
        {"WEB_USERS": {"ann": [["act"], HASHES["ann"]]}},
        {"WEB_USERS": {"": "act"}},
        {"WEB_USERS": {"web": "act"}},
        {"WEB_USERS": {"a:b": "act"}},
        {"WEB_USERS": {" ann": "act"}},
        {"WEB_USERS": {5: "act"}},
        {"WEB_USERS": {"a\nb": "act"}},
        {"WEB_READ_TOKEN": "short"},
        {"WEB_READ_TOKEN": "the same one", "WEB_TOKEN": "the same one"},
        {"WEB_READ_PASSWORD": "the same one", "WEB_TOKEN": "the same one"},
        {"WEB_PROXIES": "everywhere"},
        {"WEB_PROXIES": ["10.0.0.0/33"]},
        {"WEB_PROXIES": 5},
        {"WEB_USER_HEADER": "X-Forwarded-User"},
        {"WEB_USER_HEADER": "X: Y", "WEB_PROXIES": ["::1"]},
    ],
    ids=str,
)
def test_an_invalid_setting_is_an_error(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="WEB_"):
        read_access({}, settings)


def test_the_environment_sets_people_and_proxies() -> None:
    environ = {
        "CLOCK_WEB_USERS": json.dumps(USERS),
        "CLOCK_WEB_PROXIES": "10.0.0.1, ::1",
        "CLOCK_WEB_USER_HEADER": "X-User",
        "CLOCK_WEB_READ_TOKEN": "a-reading-token",
    }
    access = read_access(environ, {"WEB_USERS": {"zoe": "act"}})
    assert access.users.keys() == USERS.keys()
    assert [*map(str, access.proxies)] == ["10.0.0.1/32", "::1/128"]
    assert not access.is_open
    assert "scrypt" not in repr(access)
    for text in ("{", "[" * 100_000, "5"):
        with pytest.raises(SettingsError, match="WEB_USERS"):
            read_access({"CLOCK_WEB_USERS": text}, {})


def test_right_credentials_are_hashed_once_and_the_memory_is_bounded(open_site: OpenSite) -> None:
    site = open_site({"WEB_PASSWORD": "a long password"})
    for number in range(REMEMBERED + 20):
        headers = basic(str(number), "a long password")
        assert site.get("/readyz", headers=headers).status_code == 200
        assert site.get("/api/v1/tasks", headers=headers).status_code == 200
    app: Any = site.app
    assert len(app.state.clock.authenticator._remembered) == REMEMBERED
