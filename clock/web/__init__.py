"""The web side: pages, a JSON API, metrics. It reads the ledger, and never knows a loop.

``clock web`` serves it; ``clock.web.application`` mounts it in any ASGI application. It needs the
extra ``web``.
"""
