"""Small hand-made worlds for the attribution tests."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

Json = dict[str, Any]

RESALE = {
    "id": "resale",
    "channel": "resale",
    "corpus": 2e6,
    "show": {"waybill": [1.0, 0.0], "phone": [0.05, 0.1], "name": [0.1, 0.2], "district": [0.5, 0]},
}
FORUM = {**RESALE, "id": "forum"}


@pytest.fixture
def make_world() -> Callable[..., Json]:
    """Return a maker of worlds: `holders[r]` lists (source, since) of record r."""

    def make(
        holders: list[list[tuple[int, float]]],
        sightings: list[tuple[int, float]],
        *,
        n_sources: int | None = None,
        stages: list[str] | None = None,
        level: dict[str, int] | None = None,
        site_of: Callable[[int], int] = lambda at: at % 2,
        **extra: Any,
    ) -> Json:
        """Build one: `sightings` are (record, time), each showing the bare number."""
        count = n_sources or 1 + max((s for row in holders for s, _ in row), default=0)
        levels = level or {"waybill": 2}
        shown = {name: {"waybill": "W{}", "phone": "P{}"}[name] for name in levels}
        return {
            "schema": "attribution-world/1",
            "window": {"start": 0.0, "end": 1000.0},
            "sources": {
                "id": [f"S{at}" for at in range(count)],
                "stage": stages or ["single"] * count,
            },
            "records": {
                "id": [f"R{at}" for at in range(len(holders))],
                "waybill": [f"97{at * 7919:010d}" for at in range(len(holders))],
            },
            "vis_profiles": [{"waybill": 2, "phone": 2, "name": 2, "district": 2}],
            "exposures": {
                "record": [r for r, row in enumerate(holders) for _ in row],
                "source": [s for row in holders for s, _ in row],
                "since": [t for row in holders for _, t in row],
                "vis": [0 for row in holders for _ in row],
            },
            "sites": copy.deepcopy([RESALE, FORUM]),
            "sightings": [
                {
                    "id": f"Y{at}",
                    "time": time,
                    "site": site_of(at),
                    "shown": {name: text.format(record) for name, text in shown.items()},
                    "level": dict(levels),
                    "matches": [record],
                }
                for at, (record, time) in enumerate(sightings)
            ],
            "operator": {},
            **extra,
        }

    return make
