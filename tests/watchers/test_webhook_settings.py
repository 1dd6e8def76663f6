"""Webhooks in the settings: what is read, and the mistakes that are found at the start."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from clock.errors import SettingsError
from clock.settings import Settings
from clock.webhook import read_webhooks

KEY = bytes(range(32))
SECRET = f"whsec_{b64encode(KEY).decode()}"
URL = "https://hooks.example/services/secret-1"


def test_a_module_names_webhooks_with_and_without_a_secret() -> None:
    webhooks = read_webhooks(
        {"WEBHOOKS": [{"url": URL, "secret": SECRET}, {"url": "http://localhost:8000"}]}, {}
    )
    assert [(webhook.url, webhook.key, webhook.host) for webhook in webhooks] == [
        (URL, KEY, "hooks.example"),
        ("http://localhost:8000", None, "localhost"),
    ]
    assert len({webhook.digest for webhook in webhooks}) == 2


def test_the_environment_names_one_webhook_instead() -> None:
    environ = {"CLOCK_WEBHOOK_URL": URL, "CLOCK_WEBHOOK_SECRET": SECRET}
    (webhook,) = read_webhooks({"WEBHOOKS": [{"url": "http://other"}]}, environ)
    assert (webhook.url, webhook.key) == (URL, KEY)
    (unsigned,) = read_webhooks({}, {"CLOCK_WEBHOOK_URL": URL, "CLOCK_WEBHOOK_SECRET": ""})
    assert unsigned.key is None
    assert read_webhooks({}, {"CLOCK_WEBHOOK_URL": ""}) == ()


def test_neither_url_nor_secret_is_in_a_repr() -> None:
    webhooks = read_webhooks({"WEBHOOKS": [{"url": URL, "secret": SECRET}]}, {})
    shown = repr(Settings(webhooks=webhooks))
    assert "secret-1" not in shown
    assert repr(KEY)[2:20] not in shown


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (URL, "WEBHOOKS in the settings must be a list of dictionaries"),
        ([URL], "WEBHOOKS in the settings must be a list of dictionaries"),
        ([{}], "WEBHOOKS in the settings must be a list of dictionaries"),
        ([{"url": URL, "token": "secret-1"}], "WEBHOOKS in the settings must be a list of"),
        ([{"url": "hooks/secret-1"}], "'url' of WEBHOOKS[0] must be a URL that begins with http:"),
        ([{"url": "http://a"}, {"url": "file:///secret-1"}], "'url' of WEBHOOKS[1] must be a URL"),
        ([{"url": "https://u:secret-1@x/"}], "'url' of WEBHOOKS[0] must be a URL that begins"),
        ([{"url": "https://x:99999/secret-1"}], "'url' of WEBHOOKS[0] must be a URL that begins"),
        ([{"url": "https://x:port/secret-1"}], "'url' of WEBHOOKS[0] must be a URL that begins"),
        ([{"url": "https://x/\nsecret-1"}], "'url' of WEBHOOKS[0] must be a URL that begins"),
        ([{"url": None}], "'url' of WEBHOOKS[0] must be a URL that begins"),
        ([{"url": URL, "secret": "secret-1"}], "'secret' of WEBHOOKS[0] must be whsec_ and the"),
        ([{"url": URL, "secret": "whsec_secret-1"}], "'secret' of WEBHOOKS[0] must be whsec_ and"),
        ([{"url": URL, "secret": "whsec_c2VjcmV0LTE="}], "'secret' of WEBHOOKS[0] must be whsec_"),
        ([{"url": URL, "secret": ""}], "'secret' of WEBHOOKS[0] must be whsec_ and the base64 of"),
        ([{"url": URL}, {"url": URL}], "WEBHOOKS in the settings must not have one URL twice"),
    ],
)
def test_a_mistake_is_one_sentence_that_shows_no_secret(value: Any, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_webhooks({"WEBHOOKS": value}, {})
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert "secret-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"CLOCK_WEBHOOK_URL": "hooks/secret-1"}, "CLOCK_WEBHOOK_URL must be a URL that begins"),
        (
            {"CLOCK_WEBHOOK_URL": URL, "CLOCK_WEBHOOK_SECRET": "secret-1"},
            "CLOCK_WEBHOOK_SECRET must be whsec_ and the base64 of 24 to 64 random bytes",
        ),
    ],
)
def test_a_mistake_in_a_variable_names_the_variable(environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_webhooks({}, environ)
    assert str(caught.value).startswith(message)
    assert "secret-1" not in str(caught.value)
