"""A `World` out as the portable `attribution-world/1` object."""

from canary.attribution.world import FIELDS, Operator, World


def write_world(world: World) -> dict[str, object]:
    """Return plain JSON values; reading them back gives an equal world."""
    return {
        "schema": "attribution-world/1",
        "scenario": world.scenario,
        "seed": world.seed,
        "window": {"start": world.start, "end": world.end},
        "sources": {
            "id": list(world.source_ids),
            "stage": list(world.stages),
            "parent": [None if at < 0 else at for at in world.parent.tolist()],
        },
        "records": {
            "id": list(world.record_ids),
            "waybill": list(world.waybills),
            "phone": list(world.phones),
            "name": list(world.names),
            "district": list(world.districts),
            "issued": world.issued.tolist(),
            "control": world.control.tolist(),
            "sealed": world.sealed.tolist(),
        },
        "vis_profiles": [dict(zip(FIELDS, row, strict=True)) for row in world.vis.tolist()],
        "exposures": {
            "record": world.exp_record.tolist(),
            "source": world.exp_source.tolist(),
            "since": world.exp_since.tolist(),
            "vis": world.exp_vis.tolist(),
            "kind": ["reveal" if kind else "custody" for kind in world.exp_reveal.tolist()],
        },
        "sites": [
            {
                "id": site.id,
                "channel": site.channel,
                "corpus": site.corpus,
                "show": {name: list(site.show[at]) for at, name in enumerate(FIELDS)},
                "class": site.channel_class.value,
                "party": None if site.party < 0 else site.party,
            }
            for site in world.sites
        ],
        "sightings": [_sighting(world, row) for row in range(len(world.sightings))],
        "operator": _operator(world.operator),
    }


def _sighting(world: World, row: int) -> dict[str, object]:
    seen = world.sightings
    levels = dict(zip(FIELDS, seen.level[row].tolist(), strict=True))
    entry: dict[str, object] = {
        "id": seen.ids[row],
        "time": float(seen.time[row]),
        "site": int(seen.site[row]),
        "shown": {name: seen.shown[row][at] for at, name in enumerate(FIELDS) if levels[name]},
        "level": {name: level for name, level in levels.items() if level},
        "matches": seen.matched_by(row).tolist(),
        "class": seen.channel_class[row].value,
    }
    if seen.template[row]:
        entry["template"] = seen.template[row]
    return entry


def _operator(operator: Operator) -> dict[str, object]:
    written: dict[str, object] = {
        "expected_leakers": operator.expected_leakers,
        "leak_fraction_beta": list(operator.leak_fraction_beta),
        "coverage": dict(operator.coverage),
        "delay_mixture": {
            "weight_fast": operator.weight_fast,
            "mean_fast_h": operator.mean_fast_h,
            "mean_slow_h": operator.mean_slow_h,
        },
        "since_log_lag_mean_h": operator.since_log_lag_mean_h,
        "spam_events_per_phone_per_window": operator.spam_events_per_phone_per_window,
        "enrichment_rate": operator.enrichment_rate,
        "report_only_if_match_p_below": operator.report_only_if_match_p_below,
        "custody_log_error_rate": operator.custody_log_error_rate,
        "chance": {
            "waybill": list(operator.chance_waybill),
            "phone": list(operator.chance_phone),
            "name_dependence": operator.name_dependence,
            "surname": dict(operator.surname),
            "given": dict(operator.given),
            "district": dict(operator.district),
        },
    }
    if operator.campaigns is not None:
        written["campaigns"] = {
            "buyers_per_leaker": operator.campaigns.buyers_per_leaker,
            "single_templates": operator.campaigns.single_templates,
            "storms": operator.campaigns.storms,
        }
    return written
