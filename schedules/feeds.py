"""Feeds. The zone and the defaults are those of the file that imports this one."""

from clock import every

every("hour", "tasks.feeds.refresh", at="**:15", expires="30m", retry=3)
every(
    "minute",
    "tasks.feeds.refresh",
    name="feeds.notices",
    args=["tasks/data/notices.xml"],
    expires="1m",
)
