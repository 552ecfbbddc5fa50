"""The sightings of a world file: one object each in, columns out."""

import itertools

import numpy as np

from canary.attribution import columns as col
from canary.attribution.columns import Json, refuse
from canary.attribution.world import FIELDS, ChannelClass, Sightings, Site

_MOST_MATCHES = 5_000_000
Row = tuple[str, float, int, tuple[int, ...], tuple[str, ...], tuple[int, ...], str, ChannelClass]


def read_sightings(
    value: Json,
    *,
    n_records: int,
    sites: tuple[Site, ...],
    source_ids: tuple[str, ...],
    start: float,
    end: float,
) -> Sightings:
    """Read the list of sightings; the same sighting twice is kept once."""
    rows: dict[str, Row] = {}
    for at, given in enumerate(col.as_list(value, "sightings")):
        row = _read_row(given, f"sightings[{at}]", n_records, sites, source_ids, (start, end))
        if rows.setdefault(row[0], row) != row:
            refuse(f"sightings[{at}].id", "repeats an id with other content", "number it anew")
    return _columns(list(rows.values()))


def read_channel_class(value: Json, path: str) -> ChannelClass | None:
    """Read an optional channel class."""
    if value is None:
        return None
    if not isinstance(value, str) or value not in list(ChannelClass):
        refuse(path, "must be one of " + ", ".join(ChannelClass))
    return ChannelClass(value)


def read_party(value: Json, path: str, source_ids: tuple[str, ...]) -> int:
    """Read the source that runs a channel: an index, an id, or null (-1)."""
    if value is None:
        return -1
    if isinstance(value, str):
        if value not in source_ids:
            refuse(path, "names an unknown source")
        return source_ids.index(value)
    return col.index(value, path, below=len(source_ids))


def _read_row(
    given: Json,
    path: str,
    n_records: int,
    sites: tuple[Site, ...],
    source_ids: tuple[str, ...],
    window: tuple[float, float],
) -> Row:
    entry = col.as_object(given, path)
    site = col.index(entry.get("site"), f"{path}.site", below=len(sites))
    matches = col.indices(
        col.as_list(entry.get("matches", []), f"{path}.matches"),
        f"{path}.matches",
        below=n_records,
    )
    level, shown = _displayed(entry, path)
    template = entry.get("template")
    return (
        col.as_text(entry.get("id"), f"{path}.id"),
        col.as_number(entry.get("time"), f"{path}.time", low=window[0], high=window[1]),
        site,
        level,
        shown,
        tuple(np.unique(matches).tolist()),
        "" if template is None else col.as_text(template, f"{path}.template"),
        _class_of(entry, path, sites[site], source_ids),
    )


def _class_of(entry: Json, path: str, site: Site, source_ids: tuple[str, ...]) -> ChannelClass:
    """Return the class; whoever a source brings is as good as anonymous."""
    party = read_party(entry.get("party"), f"{path}.party", source_ids)
    if party >= 0 or site.party >= 0:
        return ChannelClass.ANONYMOUS
    return read_channel_class(entry.get("class"), f"{path}.class") or site.channel_class


def _displayed(entry: Json, path: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    shown = col.as_object(entry.get("shown", {}), f"{path}.shown")
    level = col.as_object(entry.get("level", {}), f"{path}.level")
    levels, displayed = [], []
    for name in FIELDS:
        step = col.level(level.get(name, 0), f"{path}.level.{name}")
        text = shown.get(name)
        if step and text is None:
            refuse(f"{path}.shown.{name}", "is missing, but its level is given")
        levels.append(step)
        displayed.append(col.as_text(text, f"{path}.shown.{name}") if step else "")
    return tuple(levels), tuple(displayed)


def _columns(rows: list[Row]) -> Sightings:
    sizes = [len(row[5]) for row in rows]
    if sum(sizes) > _MOST_MATCHES * 10:
        refuse("sightings", "hold too many matches")
    return Sightings(
        ids=tuple(row[0] for row in rows),
        time=np.array([row[1] for row in rows], dtype=np.float64),
        site=np.array([row[2] for row in rows], dtype=np.int64),
        level=np.array([row[3] for row in rows], dtype=np.int8).reshape(-1, len(FIELDS)),
        shown=tuple(row[4] for row in rows),
        match_starts=np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64),
        matches=np.fromiter(
            itertools.chain.from_iterable(row[5] for row in rows), dtype=np.int64, count=sum(sizes)
        ),
        template=tuple(row[6] for row in rows),
        channel_class=tuple(row[7] for row in rows),
    )
