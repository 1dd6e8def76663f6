"""A client of an application in this process."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from starlette.types import ASGIApp


class Web:
    """Asks ``app``, with ``headers`` on every request, from the address ``client``."""

    def __init__(self, app: ASGIApp, headers: dict[str, str], client: str = "127.0.0.1") -> None:
        self.app = app
        self._headers = headers
        self._client = client

    def request(
        self, method: str, path: str, headers: Any = None, **options: Any
    ) -> httpx.Response:
        """One request; an error that the application lets out is an answer of 500."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(
                self.app, raise_app_exceptions=False, client=(self._client, 5040)
            )
            async with httpx.AsyncClient(
                transport=transport, base_url="http://web.test", headers=self._headers
            ) as client:
                return await client.request(method, path, headers=headers, **options)

        # A thread of its own has no event loop, whatever else runs in this process.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(ask())).result()

    def get(self, path: str, **options: Any) -> httpx.Response:
        """A GET request."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """A POST request."""
        return self.request("POST", path, **options)
