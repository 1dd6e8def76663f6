"""Authentication: requests without credentials, with wrong and expired ones, from other sites."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest
from redis import Redis
from starlette.routing import Route

from clock.errors import SettingsError
from clock.web.access import LOOPBACK, Access, read_access
from clock.web.application import application, routes
from clock.web.guard import LARGEST, LARGEST_FORM
from tests.loop.heartbeat import START, Watched
from tests.web.conftest import COOKIE
from tests.web.requests import Web

PASSWORD, TOKEN = "a long password", "a-token-of-tests"
ACCESS = Access(password=PASSWORD, token=TOKEN, actions=True, arguments=False, secret=b"s" * 32)
OPEN = replace(ACCESS, password=None, token=None)

FORM = {"content-type": "application/x-www-form-urlencoded"}
OPENED = {"/healthz", "/readyz", "/login", "/logout"}


def _all_routes() -> Iterator[tuple[str, str]]:
    for route in routes():
        if isinstance(route, Route):
            path = re.sub(r"\{\w+(:\w+)?\}", "x", route.path)
            yield from ((method, path) for method in sorted((route.methods or set()) - {"HEAD"}))
    yield from (("GET", "/nothing"), ("POST", "/nothing"), ("DELETE", "/"), ("POST", "/api/v1/run"))


ROUTES = [route for route in _all_routes() if route[1] not in OPENED]

StartSite = Callable[..., Web]


@pytest.fixture
def site(redis: Redis, clock: Watched) -> StartSite:
    """The application ``test`` for whoever comes, at a time that can be set."""

    def start(access: Access = ACCESS, *, now: float = START + 30) -> Web:
        made = application(redis, access=access, app="test", now=lambda: now)
        return Web(made, {})

    return start


def _is_refused(answer: httpx.Response) -> bool:
    if answer.status_code == 303:
        return answer.headers["location"].startswith("/login?next=")
    return answer.status_code == 401 and "www-authenticate" in answer.headers


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=str)
def test_nothing_is_shown_without_valid_credentials(
    site: StartSite, method: str, path: str
) -> None:
    web = site()
    wrong = b64encode(b"me:another password").decode()
    stale = ACCESS.begin(START - 10**6)[0]
    foreign = replace(ACCESS, secret=b"t" * 32).begin(START)[0]
    guest = replace(OPEN, secret=ACCESS.secret).begin(START)[0]
    for headers in (
        {},
        {"authorization": "Bearer another-token"},
        {"authorization": "Bearer "},
        {"authorization": f"Bearer {PASSWORD}"},
        {"authorization": f"Basic {wrong}"},
        {"authorization": "Basic %%%"},
        {"authorization": "Digest x"},
        {"cookie": f"{COOKIE}={stale}"},
        {"cookie": f"{COOKIE}={foreign}"},
        {"cookie": f"{COOKIE}={guest}"},
        {"cookie": f"{COOKIE}=x"},
    ):
        answer = web.request(method, path, headers=headers)
        assert _is_refused(answer), (headers, answer.status_code)
        assert "working" not in answer.text


@pytest.mark.parametrize("path", ["/login", "/static/base.css"])
def test_sign_in_and_static_files_need_no_credentials(site: StartSite, path: str) -> None:
    assert site().get(path).status_code == 200


def test_a_session_begins_with_the_password_and_expires(site: StartSite) -> None:
    answer = site().post("/login", content=f"password={PASSWORD}&next=/week", headers=FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, "/week")
    header = answer.headers["set-cookie"]
    assert all(word in header.lower() for word in ("httponly", "samesite=lax", "path=/"))
    cookie = {"cookie": header.partition(";")[0]}
    assert site().get("/", headers=cookie).status_code == 200
    ended = START + 30 + ACCESS.session_seconds
    assert site(now=ended - 1).get("/", headers=cookie).status_code == 200
    assert site(now=ended).get("/", headers=cookie).status_code == 303


def test_a_session_cookie_is_secure_behind_https(site: StartSite) -> None:
    answer = site().post(
        "/login", content=f"password={PASSWORD}", headers=FORM | {"x-forwarded-proto": "https"}
    )
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("word", ["", "x", PASSWORD + " ", TOKEN, "\udcff"])
def test_a_wrong_password_begins_no_session(site: StartSite, word: str) -> None:
    content = b"password=" + word.encode(errors="surrogateescape")
    answer = site().post("/login", content=content, headers=FORM)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["//evil.test/", "https://evil.test", "/\\evil.test", "x", "/\tx"])
def test_signing_in_redirects_only_to_our_own_pages(site: StartSite, path: str) -> None:
    form = httpx.QueryParams({"password": PASSWORD, "next": path})
    answer = site().post("/login", content=str(form), headers=FORM)
    assert answer.headers["location"] == "/"


def _session(access: Access) -> tuple[dict[str, str], str]:
    cookie, name = access.begin(START)
    return {"cookie": f"{COOKIE}={cookie}"} | FORM, access.form_token(name)


@pytest.mark.parametrize("access", [ACCESS, OPEN], ids=["password", "open"])
def test_a_form_needs_the_csrf_token_of_its_session(
    site: StartSite, access: Access, redis: Redis
) -> None:
    headers, token = _session(access)
    _, other = _session(access)
    for wrong in ("", f"csrf={other}", "csrf=x", "csrf=%F0"):
        answer = site(access).post("/run", content=f"event=ten&{wrong}", headers=headers)
        assert answer.status_code == 403
    assert redis.llen("rq:queue:default") == 2
    answer = site(access).post("/run", content=f"event=ten&csrf={token}", headers=headers)
    assert answer.status_code == 303
    assert redis.llen("rq:queue:default") == 3


def test_a_guest_without_a_session_cannot_submit_a_form(site: StartSite) -> None:
    assert site(OPEN).post("/run", content="event=ten", headers=FORM).status_code == 403


@pytest.mark.parametrize(
    "origin",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.test"},
        {"origin": "null"},
        {"origin": "http://[", "host": "web.test"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/run", "/login", "/logout", "/api/v1/x"])
def test_a_form_from_another_site_is_rejected(
    site: StartSite, path: str, origin: dict[str, str]
) -> None:
    headers, token = _session(ACCESS)
    form = f"event=ten&csrf={token}&password={PASSWORD}"
    assert site().post(path, content=form, headers=headers | origin).status_code == 403


@pytest.mark.parametrize(
    "origin",
    [{"sec-fetch-site": "same-origin"}, {"origin": "http://web.test"}, {}],
    ids=str,
)
def test_a_form_from_our_own_page_is_accepted(site: StartSite, origin: dict[str, str]) -> None:
    headers, token = _session(ACCESS)
    form = f"event=ten&csrf={token}"
    assert site().post("/run", content=form, headers=headers | origin).status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "/run",
        "/backfill",
        "/pause",
        "/resume",
        "/requeue",
        "/delete",
        "/requeue-all",
        "/delete-all",
    ],
)
def test_actions_are_rejected_unless_they_are_enabled(site: StartSite, path: str) -> None:
    headers, token = _session(ACCESS)
    answer = site(replace(ACCESS, actions=False)).post(
        path, content=f"event=ten&csrf={token}", headers=headers
    )
    assert answer.status_code == 403
    assert "--allow-actions" in answer.text


def test_a_read_only_page_has_no_buttons(site: StartSite) -> None:
    headers, _ = _session(ACCESS)
    assert "Run now" in site().get("/", headers=headers).text
    text = site(replace(ACCESS, actions=False)).get("/", headers=headers).text
    assert "Run now" not in text
    assert "<dialog" not in text


@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:5040", "127.0.0.1.evil.test", "", "[::2]"]
)
def test_an_open_page_is_served_only_under_host_names_of_this_machine(
    site: StartSite, host: str
) -> None:
    web = site(replace(OPEN, hosts=LOOPBACK))
    assert web.get("/", headers={"host": host}).status_code == 421
    for ours in ("localhost:5040", "127.0.0.1", "[::1]:5040", "[::1]"):
        assert web.get("/", headers={"host": ours}).status_code == 200


def test_a_large_request_is_rejected_before_it_is_stored(site: StartSite) -> None:
    headers, _ = _session(ACCESS)
    assert (
        site().post("/run", content=b"x" * (LARGEST_FORM + 1), headers=headers).status_code == 413
    )
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert (
        site().post("/api/v1/x", content=b"x" * (LARGEST + 1), headers=headers).status_code == 413
    )


def test_every_response_has_the_security_headers(site: StartSite) -> None:
    for path in ("/", "/login", "/nothing", "/static/main.js", "/static/nothing", "/healthz"):
        policy = site().get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_the_repr_of_access_contains_no_secret() -> None:
    shown = repr(ACCESS)
    assert not any(word in shown for word in (PASSWORD, TOKEN, "ssss"))


def test_sessions_survive_a_restart_unless_the_password_changes() -> None:
    first, again, other = (
        read_access({"CLOCK_WEB_PASSWORD": word}, {})
        for word in (PASSWORD, PASSWORD, "another one")
    )
    assert first.secret == again.secret != other.secret


@pytest.mark.parametrize(
    ("environ", "settings"),
    [
        ({"CLOCK_WEB_PASSWORD": "short"}, {}),
        ({}, {"WEB_TOKEN": 5}),
        ({"CLOCK_WEB_ACTIONS": "on!"}, {}),
    ],
)
def test_an_invalid_setting_raises_an_error(
    environ: dict[str, str], settings: dict[str, object]
) -> None:
    with pytest.raises(SettingsError, match="WEB_"):
        read_access(environ, settings)


def test_the_environment_overrides_the_settings() -> None:
    settings = {"WEB_PASSWORD": "from the settings", "WEB_ACTIONS": True}
    access = read_access({"CLOCK_WEB_PASSWORD": PASSWORD, "CLOCK_WEB_ACTIONS": "0"}, settings)
    assert (access.password, access.actions) == (PASSWORD, False)
    assert read_access({}, settings).knows("from the settings")
