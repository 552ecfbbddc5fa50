"""Portable world files in, `World` out. Bad input is refused with the path of the field.

Handled, not refused: no sightings at all, sightings that match nothing (they carry no evidence),
a source without baits (it is never a suspect), the same sighting written twice (kept once),
unknown extra keys (ignored).
"""

import gzip
import json
import math
import zlib
from pathlib import Path

import numpy as np

from canary.attribution import columns as col
from canary.attribution.columns import Json, refuse
from canary.attribution.reading_sightings import read_channel_class, read_party, read_sightings
from canary.attribution.world import (
    FIELDS,
    Campaigns,
    ChannelClass,
    Operator,
    Site,
    Small,
    World,
)
from canary.domain.errors import Invalid

SCHEMA = "attribution-world/1"
LARGEST_FILE = 2 << 30


def load_world(path: str | Path) -> World:
    """Read a world file, plain or gzip.

    Raises Invalid when it cannot be read, is no JSON, or is no world.
    """
    raw = _read_bytes(Path(path))
    try:
        decoded = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise Invalid("the file is not UTF-8", field="$") from None
    except RecursionError:
        raise Invalid("the file is nested too deeply", field="$") from None
    except ValueError as problem:
        raise Invalid(f"the file is not JSON: {str(problem)[:120]}", field="$") from None
    return read_world(decoded)


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not packed:
                raw = file.read(LARGEST_FILE + 1)
            else:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    raw = unpacked.read(LARGEST_FILE + 1)
    except (OSError, EOFError, zlib.error) as problem:
        raise Invalid(f"cannot read {path.name}: {str(problem)[:120]}", field="$") from None
    if len(raw) > LARGEST_FILE:
        raise Invalid(f"{path.name} is larger than {LARGEST_FILE} bytes", field="$")
    return raw


def read_world(obj: Json) -> World:
    """Check a decoded world and turn it into arrays."""
    top = col.as_object(obj, "$")
    if top.get("schema", SCHEMA) != SCHEMA:
        refuse("schema", f"must be {SCHEMA!r}")
    start, end = _window(top.get("window"))
    sources = col.as_object(top.get("sources"), "sources")
    source_ids = col.identifiers(sources.get("id"), "sources.id")
    n_sources = len(source_ids)
    records = _records(top.get("records"))
    vis = _profiles(top.get("vis_profiles"))
    exposures = _exposures(top.get("exposures"), len(records["id"]), n_sources, len(vis), end)
    sites = _sites(top.get("sites"), source_ids)
    held = np.zeros(len(records["id"]), dtype=np.bool_)
    held[exposures["record"]] = True
    return World(
        scenario=col.as_text(top.get("scenario", ""), "scenario"),
        seed=int(col.as_number(top.get("seed", 0), "seed", high=2**62)),
        start=start,
        end=end,
        source_ids=source_ids,
        stages=_stages(sources, n_sources),
        parent=_parents(sources, n_sources),
        record_ids=records["id"],
        waybills=records["waybill"],
        phones=records["phone"],
        names=records["name"],
        districts=records["district"],
        issued=records["issued"],
        control=records["control"] if records["control"] is not None else ~held,
        sealed=records["sealed"],
        vis=vis,
        exp_record=exposures["record"],
        exp_source=exposures["source"],
        exp_since=exposures["since"],
        exp_vis=exposures["vis"],
        exp_reveal=exposures["reveal"],
        sites=sites,
        sightings=read_sightings(
            top.get("sightings"),
            n_records=len(records["id"]),
            sites=sites,
            source_ids=source_ids,
            start=start,
            end=end,
        ),
        operator=_operator(top.get("operator", {})),
    )


def _window(value: Json) -> tuple[float, float]:
    window = col.as_object(value, "window")
    start = col.as_number(window.get("start"), "window.start")
    end = col.as_number(window.get("end"), "window.end")
    if end <= start:
        refuse("window.end", "must lie after window.start")
    return start, end


def _stages(sources: Json, n_sources: int) -> tuple[str, ...]:
    if "stage" not in sources:
        return ("single",) * n_sources
    return col.texts(sources["stage"], "sources.stage", length=n_sources)


def _parents(sources: Json, n_sources: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    parent = np.full(n_sources, -1, dtype=np.int64)
    for at, row in enumerate(_optional_rows(sources, "parent", "sources.parent", n_sources)):
        if row is not None:
            path = f"sources.parent[{at}]"
            parent[at] = col.index(row, path, below=n_sources)
            if parent[at] == at:
                refuse(path, "names the source itself")
    return parent


def _optional_rows(table: Json, key: str, path: str, length: int) -> list[Json]:
    if table.get(key) is None:
        return []
    rows = col.as_list(table[key], path)
    if len(rows) != length:
        refuse(path, f"has {len(rows)} rows, its neighbours have {length}")
    return rows


def _records(value: Json) -> dict[str, Json]:
    table = col.as_object(value, "records")
    found: dict[str, Json] = {"id": col.identifiers(table.get("id"), "records.id")}
    count = len(found["id"])
    for name in FIELDS:
        rows = table.get(name)
        found[name] = (
            ("",) * count if rows is None else col.texts(rows, f"records.{name}", length=count)
        )
    issued = table.get("issued")
    found["issued"] = (
        np.zeros(count)
        if issued is None
        else col.hours(issued, "records.issued", low=0.0, high=1e9, length=count)
    )
    for name in ("control", "sealed"):
        given = table.get(name)
        found[name] = None if given is None else col.flags(given, f"records.{name}", length=count)
    if found["sealed"] is None:
        found["sealed"] = np.zeros(count, dtype=np.bool_)
    return found


def _profiles(value: Json) -> Small:
    rows = col.as_list(value, "vis_profiles")
    profiles = np.zeros((len(rows), len(FIELDS)), dtype=np.int8)
    for at, row in enumerate(rows):
        entry = col.as_object(row, f"vis_profiles[{at}]")
        for column, name in enumerate(FIELDS):
            profiles[at, column] = col.level(entry.get(name, 0), f"vis_profiles[{at}].{name}")
    return profiles


def _exposures(
    value: Json, n_records: int, n_sources: int, n_profiles: int, end: float
) -> dict[str, Json]:
    table = col.as_object(value, "exposures")
    record = col.indices(table.get("record"), "exposures.record", below=n_records)
    count = len(record)
    kinds = _optional_rows(table, "kind", "exposures.kind", count)
    for at, kind in enumerate(kinds):
        if kind not in ("custody", "reveal"):
            refuse(f"exposures.kind[{at}]", "must be 'custody' or 'reveal'")
    return {
        "record": record,
        "source": col.indices(
            table.get("source"), "exposures.source", below=n_sources, length=count
        ),
        "since": col.hours(table.get("since"), "exposures.since", low=0.0, high=end, length=count),
        "vis": col.indices(table.get("vis"), "exposures.vis", below=n_profiles, length=count),
        "reveal": np.array([kind == "reveal" for kind in kinds] or [False] * count, dtype=np.bool_),
    }


def _sites(value: Json, source_ids: tuple[str, ...]) -> tuple[Site, ...]:
    sites: list[Site] = []
    for at, row in enumerate(col.as_list(value, "sites")):
        path = f"sites[{at}]"
        entry = col.as_object(row, path)
        channel = entry.get("channel")
        if channel not in ("resale", "sms"):
            refuse(f"{path}.channel", "must be 'resale' or 'sms'")
        sites.append(
            Site(
                id=col.as_text(entry.get("id"), f"{path}.id"),
                channel=channel,
                corpus=col.as_number(entry.get("corpus", 0.0), f"{path}.corpus", high=1e15),
                show=_habits(entry.get("show"), f"{path}.show"),
                channel_class=read_channel_class(entry.get("class"), f"{path}.class")
                or ChannelClass.OWN,
                party=read_party(entry.get("party"), f"{path}.party", source_ids),
            )
        )
    col.identifiers([site.id for site in sites], "sites.id")
    return tuple(sites)


def _habits(value: Json, path: str) -> tuple[tuple[float, float], ...]:
    table = col.as_object(value, path)
    habits = []
    for name in FIELDS:
        full, masked = col.pair(table.get(name, [0.0, 0.0]), f"{path}.{name}")
        if full + masked > 1.0 + 1e-9:
            refuse(f"{path}.{name}", "full and masked together exceed 1")
        habits.append((full, masked))
    return tuple(habits)


def _operator(value: Json) -> Operator:
    table = col.as_object(value, "operator")
    plain = Operator()
    chance = col.as_object(table.get("chance", {}), "operator.chance")
    delay = col.as_object(table.get("delay_mixture", {}), "operator.delay_mixture")

    def number(name: str, low: float = 0.0, high: float = 1e9) -> float:
        given = table.get(name, getattr(plain, name))
        return col.as_number(given, f"operator.{name}", low=low, high=high)

    def speed(name: str) -> float:
        given = delay.get(name, getattr(plain, name))
        return col.as_number(given, f"operator.delay_mixture.{name}", low=1e-3, high=1e6)

    return Operator(
        expected_leakers=number("expected_leakers", low=1e-6, high=1e6),
        leak_fraction_beta=_beta(table.get("leak_fraction_beta", [1.6, 1.2])),
        coverage={
            **plain.coverage,
            **col.frequencies(table.get("coverage", {}), "operator.coverage"),
        },
        weight_fast=col.as_chance(
            delay.get("weight_fast", plain.weight_fast), "operator.delay_mixture.weight_fast"
        ),
        mean_fast_h=speed("mean_fast_h"),
        mean_slow_h=speed("mean_slow_h"),
        since_log_lag_mean_h=number("since_log_lag_mean_h", low=1e-4, high=1e4),
        spam_events_per_phone_per_window=number("spam_events_per_phone_per_window"),
        enrichment_rate=number("enrichment_rate", high=1.0),
        report_only_if_match_p_below=number("report_only_if_match_p_below", high=1.0),
        custody_log_error_rate=number("custody_log_error_rate", high=0.9),
        chance_waybill=_chances(chance, "waybill", plain.chance_waybill),
        chance_phone=_chances(chance, "phone", plain.chance_phone),
        name_dependence=col.as_number(
            chance.get("name_dependence", plain.name_dependence),
            "operator.chance.name_dependence",
            low=1e-3,
            high=1e3,
        ),
        surname=col.frequencies(chance.get("surname", {}), "operator.chance.surname"),
        given=col.frequencies(chance.get("given", {}), "operator.chance.given"),
        district=col.frequencies(chance.get("district", {}), "operator.chance.district"),
        campaigns=_campaigns(table.get("campaigns")),
    )


def _beta(value: Json) -> tuple[float, float]:
    path = "operator.leak_fraction_beta"
    rows = col.as_list(value, path)
    if len(rows) != 2:
        refuse(path, "must hold two numbers")
    first, second = (
        col.as_number(row, f"{path}[{at}]", low=1e-3, high=1e4) for at, row in enumerate(rows)
    )
    return first, second


def _chances(table: Json, name: str, plain: tuple[float, float]) -> tuple[float, float]:
    return col.pair(table[name], f"operator.chance.{name}") if name in table else plain


def _campaigns(value: Json) -> Campaigns | None:
    if value is None:
        return None
    path = "operator.campaigns"
    table = col.as_object(value, path)

    def count(name: str, default: float) -> float:
        given = col.as_number(table.get(name, default), f"{path}.{name}", high=1e6)
        return given if math.isfinite(given) else default

    return Campaigns(
        buyers_per_leaker=count("buyers_per_leaker", 2.0),
        single_templates=count("single_templates", 2.0),
        storms=count("storms", 1.0),
    )
