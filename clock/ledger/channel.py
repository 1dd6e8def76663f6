"""A channel: calls of a script, the next of which is sent before the reply to the last is read.

So the server works on one batch while the clock prepares the next. Nothing is sent twice,
whatever the client's own settings for retries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from redis import Redis
from redis.exceptions import NoScriptError

from clock.connection.errors import server_errors
from clock.connection.scripts import script


class ChannelCall(NamedTuple):
    """A call whose reply is not read yet."""

    keys: Sequence[str]
    arguments: Sequence[Any]


class Channel:
    """Calls of one script that begins with ``job.lua``, over a connection of its own.

    Every method but ``close`` raises ServerError where the server is away or refuses; the replies
    to all pending calls are then lost.
    """

    def __init__(self, connection: Redis, name: str) -> None:
        self._client = connection
        self._script = connection.register_script(script("clock.ledger", name, include="job.lua"))
        self._pool = connection.connection_pool
        self._connection: Any = None
        self._pending = 0
        self._was_sent = False

    def send(self, keys: Sequence[str], arguments: Sequence[Any]) -> ChannelCall:
        """Call the script; ``receive`` returns the reply."""
        with server_errors():
            try:
                if self._connection is None:
                    self._connection = self._pool.get_connection()
                self._connection.send_command(*self._command(), len(keys), *keys, *arguments)
            except BaseException:
                self.close()
                raise
        self._pending += 1
        return ChannelCall(keys, arguments)

    def _command(self) -> tuple[str, Any]:
        # The first call sends the source: a server that does not have it would need a second one.
        if self._was_sent:
            return "EVALSHA", self._script.sha
        self._was_sent = True
        return "EVAL", self._script.script

    def receive(self, call: ChannelCall) -> Any:
        """The reply to ``call``, which must be the oldest pending one."""
        with server_errors():
            try:
                reply = self._connection.read_response(disable_decoding=True)
            except NoScriptError:
                # The server did nothing, so this call is not a repetition.
                reply = self._script(keys=call.keys, args=call.arguments)
            except BaseException:
                self.close()
                raise
        self._pending -= 1
        if not self._pending:
            self._pool.release(self._connection)
            self._connection = None
        return reply

    def close(self) -> None:
        """Drop the pending calls: a late reply must not be taken for that of a later call."""
        connection, self._connection, self._pending = self._connection, None, 0
        if connection is not None:
            connection.disconnect()
            self._pool.release(connection)
