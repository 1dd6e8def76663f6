"""Three files of ``rq cron`` with what those of real projects have in them, written anew."""

SHOP = """
import shutil
import time

from rq import cron

cron.register(time.time, "default", interval=300)
cron.register(
    shutil.get_terminal_size, queue_name="low", cron="0 3 * * *", job_timeout=600, name="nightly"
)
cron.register(shutil.disk_usage, "low", ("/srv",), cron="30 6 * * 1-5", ttl=3600, result_ttl=60)
"""

FEEDS = """
from json import dumps
from rq.cron import register

for minute, feed in enumerate(["news", "blogs", "prices"]):
    register(
        dumps,
        "feeds",
        args=(feed,),
        kwargs={"sort_keys": True},
        cron=f"{minute}/15 8-18 * * mon-fri",
        name=f"feed of {feed}",
    )
register(lambda: None, "feeds", interval=60)
register(dumps, "feeds", args=({1},), cron="0 12 */2 * fri", meta={"team": "feeds"})
register(dumps, "feeds", args=(object(),), cron="0 12 * * *")
"""

BILLING = """
from json import loads
from rq.cron import register

register(loads, "billing", ("1",), cron="0 1 L * *", failure_ttl=86400)
register(loads, "billing", ("2",), cron="15 6 * * L5")
register(loads, "billing", ("3",), cron="0 */6 1,15 * *")
register(loads, "billing", ("4",), cron="0 9 * * * 30")
register(loads, "billing", ("5",), cron="0 9 * * * 0 2027")
register(loads, "billing", ("6",), cron="0 0 31 2 *")
register(loads, "billing", ("7",), cron="0 9 13 * fri#2")
"""
