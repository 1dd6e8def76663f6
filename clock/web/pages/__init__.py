"""The pages of the web UI."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from clock.web.pages import (
    actions,
    audit,
    backfill,
    event,
    icon,
    login,
    output,
    overview,
    queues,
    requeue,
    run,
    week,
    zone_choice,
)

routes: list[BaseRoute] = [
    Route("/", overview.show_overview),
    Route("/live", overview.reload_old_page),
    Route("/zone", zone_choice.choose_zone),
    Route("/icon", icon.show_icon),
    Route("/login", login.show_login, methods=["GET"]),
    Route("/login", login.login, methods=["POST"]),
    Route("/logout", login.logout, methods=["POST"]),
    Route("/run", run.show_run, methods=["GET"]),
    Route("/run", run.run_event, methods=["POST"]),
    Route("/resume", actions.resume_event, methods=["POST"]),
    Route("/pause", actions.show_pause, methods=["GET"]),
    Route("/pause", actions.pause_event, methods=["POST"]),
    Route("/backfill", backfill.show_backfill, methods=["GET"]),
    Route("/backfill", backfill.backfill_event, methods=["POST"]),
    Route("/event", event.show_event),
    Route("/week", week.show_week),
    Route("/audit", audit.show_audit),
    Route("/queues", queues.show_queues),
    Route("/jobs", queues.show_jobs),
    Route("/job", queues.show_job),
    Route("/output", output.show_output),
    Route("/requeue", requeue.requeue_job, methods=["POST"]),
    Route("/delete", requeue.delete_job, methods=["POST"]),
    Route("/requeue-all", requeue.requeue_jobs, methods=["POST"]),
    Route("/delete-all", requeue.delete_jobs, methods=["POST"]),
]
