"""The web UI, the JSON API and the metrics. They read the ledger and do not depend on the loop.

``clock web`` serves it; ``clock.web.application`` mounts it in any ASGI application. It needs the
extra ``web``.
"""
