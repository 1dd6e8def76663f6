"""The pages, for people."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from clock.web.pages import actions, login, overview

routes: list[BaseRoute] = [
    Route("/", overview.show_overview),
    Route("/live", overview.show_changes),
    Route("/login", login.show_login, methods=["GET"]),
    Route("/login", login.login, methods=["POST"]),
    Route("/logout", login.logout, methods=["POST"]),
    Route("/run", actions.run_event, methods=["POST"]),
    Route("/resume", actions.resume_event, methods=["POST"]),
    Route("/pause", actions.show_pause, methods=["GET"]),
    Route("/pause", actions.pause_event, methods=["POST"]),
]
