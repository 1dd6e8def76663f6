"""Tasks that end in all the ways there are."""

from __future__ import annotations

import asyncio
import os
import time
from threading import Lock
from typing import Any

from rq import Retry, get_current_job


def say() -> str:
    return "said"


def nothing() -> None:
    pass


def fail() -> None:
    raise ValueError("no")


def sleep() -> None:
    time.sleep(30)


def ask_again() -> Any:
    job = get_current_job()
    assert job is not None
    return Retry(max=1) if not job.number_of_retries else "said"


def save_meta() -> str:
    job = get_current_job()
    assert job is not None
    job.meta["b"] = 2
    job.save_meta()  # type: ignore[no-untyped-call]
    job.meta["c"] = 3
    return "said"


def change_options() -> str:
    job = get_current_job()
    assert job is not None
    job.result_ttl, job.failure_ttl, job.description = 900, 60, "changed"
    return "said"


def unserializable() -> Any:
    return Lock()


async def say_async() -> str:
    return "said"


async def fail_async() -> None:
    raise ValueError("no")


async def sleep_async() -> None:
    await asyncio.sleep(30)


async def ask_again_async() -> Any:
    return ask_again()


async def save_meta_async() -> str:
    return save_meta()


def called(*args: Any) -> None:
    pass


def leave() -> None:
    os._exit(3)
