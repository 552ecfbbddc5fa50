"""Serve with several processes: gunicorn, PostgreSQL behind it."""

from typing import Any

from canary.bootstrap import make_jobs, make_web, open_application
from canary.domain.errors import Invalid

THREADS = 8


def serve_with_workers(*, host: str, port: int, workers: int, with_jobs: bool) -> None:
    """Serve until told to stop. Raises Invalid when gunicorn is not installed."""
    try:
        from gunicorn.app.base import BaseApplication
    except ModuleNotFoundError as error:
        raise Invalid(
            "more than one process needs gunicorn", mend="pip install 'waybill-canary[server]'"
        ) from error

    class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
        """Each worker opens the installation for itself after the fork."""

        def load_config(self) -> None:
            self.cfg.set("bind", f"{host}:{port}")
            self.cfg.set("workers", workers)
            self.cfg.set("threads", THREADS)

        def load(self) -> Any:
            application = open_application()
            jobs = make_jobs(application) if with_jobs else None
            if jobs is not None:
                jobs.start()
            return make_web(application, jobs=jobs)

    Server().run()
