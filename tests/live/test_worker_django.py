"""Database connections of Django, from one job of a warm child to the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue

from tests.live.conftest import StartWorker
from tests.live.waiting import wait_for

TASKS = """
import os
import sqlite3

import django
from django.conf import settings

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "shop_engine",
            "NAME": "shop.sqlite3",
            "CONN_MAX_AGE": int(os.environ["SHOP_MAX_AGE"]),
        }
    }
)
django.setup()

from django.db import connection, transaction
from django.db.backends.signals import connection_created

opened = []
connection_created.connect(lambda **_: opened.append(1), weak=False)


def orders():
    is_open = connection.connection is not None
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER)")
        cursor.execute("SELECT count(*) FROM orders")
        (count,) = cursor.fetchone()
    return os.getpid(), is_open, len(opened), count


def lose_connection():
    # As after a restart of the database: Django finds out at the next query.
    connection.ensure_connection()
    connection.connection.close()
    return orders()


def leave_transaction():
    transaction.set_autocommit(False)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO orders VALUES (1)")


def write():
    with sqlite3.connect("shop.sqlite3", timeout=0) as other:
        other.execute("INSERT INTO orders VALUES (2)")
"""


ENGINE = """
import sqlite3

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    # As those of servers do; a file is always usable to Django.
    def is_usable(self):
        try:
            self.connection.execute("SELECT 1")
        except sqlite3.Error:
            return False
        return True
"""


@pytest.fixture
def queue(redis: Redis, work_folder: Path) -> Queue:
    """A queue, where the worker finds the tasks of a Django application."""
    (work_folder / "shop.py").write_text(TASKS)
    (work_folder / "shop_engine").mkdir()
    (work_folder / "shop_engine" / "base.py").write_text(ENGINE)
    return Queue(connection=redis)


def run(queue: Queue, *tasks: str) -> list[Any]:
    """What the tasks of the application returned, one after the other; None of one that failed."""
    jobs = [queue.enqueue(f"shop.{task}") for task in tasks]
    wait_for("they end", lambda: all(job.is_finished or job.is_failed for job in jobs))
    return [job.return_value() for job in jobs]


def test_a_connection_is_kept_for_its_age_and_no_job_finds_a_broken_one(
    queue: Queue, start_worker: StartWorker
) -> None:
    start_worker(SHOP_MAX_AGE="600")
    first, second, lost, third = run(queue, "orders", "orders", "lose_connection", "orders")
    child = first[0]
    assert first == (child, False, 1, 0)
    assert second == (child, True, 1, 0)
    assert lost is None
    assert third == (child, False, 2, 0)


def test_a_transaction_that_a_job_left_open_ends_with_it(
    queue: Queue, start_worker: StartWorker
) -> None:
    start_worker(SHOP_MAX_AGE="600")
    _, left, _, (_, is_open, _, count) = run(
        queue, "orders", "leave_transaction", "write", "orders"
    )
    assert left is None
    assert not is_open
    assert count == 1


def test_a_connection_without_an_age_is_closed_after_its_job(
    queue: Queue, start_worker: StartWorker
) -> None:
    start_worker(SHOP_MAX_AGE="0")
    first, second = run(queue, "orders", "orders")
    assert first[1:3] == (False, 1)
    assert second == (first[0], False, 2, 0)
