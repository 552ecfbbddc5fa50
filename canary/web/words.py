"""The words pages use for the states, kinds and reasons that are codes elsewhere."""

from collections.abc import Mapping

from canary.web.catalog import lazy_gettext as _l
from canary.web.deeds import ACTIONS, AREAS, DETAILS
from canary.web.language import get_lang
from canary.web.visible import shorten
from seeds.carriers import load_carriers

Words = Mapping[str, object]

VERDICTS: Words = {
    "confirmed": _l("Confirmed"),
    "probable": _l("Probable"),
    "weak": _l("Weak"),
    "unattributable": _l("Not attributable"),
}
INCIDENT_STATES: Words = {
    "open": _l("Open"),
    "confirmed": _l("Confirmed by review"),
    "dismissed": _l("Dismissed"),
    "merged": _l("Merged"),
}
BAIT_STATES: Words = {
    "draft": _l("Draft"),
    "issued": _l("Issued"),
    "planted": _l("Planted"),
    "live": _l("Live"),
    "burned": _l("Burned"),
    "retired": _l("Retired"),
    "handed_over": _l("Handed over"),
}
SOURCE_KINDS: Words = {
    "platform": _l("Platform"),
    "merchant": _l("Merchant"),
    "partner_api": _l("Partner interface"),
    "printing": _l("Label printing"),
    "account": _l("Account"),
    "pickup": _l("Pickup point"),
    "outlet": _l("Outlet"),
    "hub": _l("Hub"),
    "transit": _l("Transit"),
    "system": _l("Central system"),
}
SIGHTING_KINDS: Words = {
    "listing": _l("Listing"),
    "sms": _l("SMS"),
    "call": _l("Call"),
    "query_log": _l("Query log"),
    "tracking_lookup": _l("Tracking look-up"),
    "document": _l("Document"),
    "manual": _l("Manual report"),
}
CHANNELS: Words = {
    "own": _l("Our own monitor"),
    "own_tip": _l("Our own monitor, after a tip"),
    "arrival": _l("Our own phone"),
    "contracted": _l("Contracted reporter"),
    "relay": _l("Relayed text"),
    "manual": _l("Typed in by staff"),
    "anonymous": _l("Anonymous"),
}
IDENTIFIERS: Words = {
    "number": _l("Waybill number"),
    "phone": _l("Phone"),
    "name": _l("Name"),
    "address": _l("Address"),
    "arrival": _l("Arrived at a bait phone"),
}
FORMS: Words = {
    "exact": _l("as issued"),
    "disguised": _l("disguised"),
    "masked": _l("masked"),
    "truncated": _l("cut short"),
}
DISGUISES: Words = {
    "comment": _l("HTML comment inside"),
    "hidden_decoy": _l("hidden characters"),
    "tag": _l("markup inside"),
    "entity": _l("HTML entities"),
    "percent": _l("percent codes"),
    "escape": _l("escape codes"),
    "bidi": _l("writing direction turned"),
    "keycap": _l("keycap digits"),
    "combining": _l("added strokes"),
    "invisible": _l("invisible characters"),
    "line_break": _l("line break"),
    "full_width": _l("full-width letters"),
    "mojibake": _l("wrongly decoded"),
    "spoken": _l("spelled out"),
    "han_numeral": _l("Chinese numerals"),
    "styled_digit": _l("styled digits"),
    "other_script": _l("digits of another script"),
    "circled": _l("circled digits"),
    "special_digit": _l("special digits"),
    "separators": _l("separators"),
    "case": _l("letter case"),
    "variant": _l("another spelling"),
    "prefix_dropped": _l("prefix left out"),
    "split_character": _l("characters taken apart"),
    "spaced": _l("spaced out"),
    "pinyin": _l("pinyin"),
    "lookalike": _l("look-alike letters"),
    "scientific": _l("scientific notation"),
    "homophone": _l("sound-alike characters"),
    "ocr": _l("read from a picture"),
}
LEVELS: Words = {
    "exact": _l("carries weight alone"),
    "candidate": _l("points at a bait, needs support"),
}
EXCLUSIONS: Words = {
    "never_held": _l("Never held these baits"),
    "too_late": _l("Got the baits only after they were seen"),
    "field_not_visible": _l("Could not see the fields that were shown"),
    "silent": _l("Held many baits, and the others stayed silent"),
    "chance": _l("Explained by coincidence"),
    "covered": _l("Explained by a source that is already named"),
}
ROLES: Words = {
    "seeder": _l("Seeder"),
    "analyst": _l("Analyst"),
    "auditor": _l("Auditor"),
    "admin": _l("Administrator"),
    "partner": _l("Partner"),
}
DECISIONS: Words = {
    "confirm": _l("Confirm"),
    "dismiss": _l("Dismiss"),
    "reopen": _l("Reopen"),
}
KEY_STATES: Words = {
    "live": _l("In force"),
    "expired": _l("Expired"),
    "revoked": _l("Revoked"),
}
WORK_STATES: Words = {
    "waiting": _l("Waiting"),
    "done": _l("Done"),
    "dead": _l("Dead letter"),
}
REVEAL_STATES: Words = {
    "waiting": _l("Waiting"),
    "agreed": _l("Agreed"),
    "refused": _l("Refused"),
    "shown": _l("Shown"),
    "over": _l("Too old"),
}
GRADES: Words = {
    "signed": _l("signed"),
    "weak": _l("weakly proven"),
    "manual": _l("by hand"),
    "fetched": _l("fetched by us"),
}
MONITOR_KINDS: Words = {"page": _l("Page"), "feed": _l("Feed")}
MONITOR_STATES: Words = {
    "new": _l("not looked at yet"),
    "fine": _l("fine"),
    "changed": _l("changed"),
    "blocked": _l("blocked"),
    "lost": _l("nothing found any more"),
    "unreachable": _l("unreachable"),
    "refused": _l("refused by robots.txt"),
}
MONITOR_ADVICE: Words = {
    "blocked": _l("The site keeps us out. A slower rhythm may help; a cookie, if we may use one."),
    "lost": _l("A redesign looks like silence: look at the page and mend the selector."),
    "unreachable": _l("It is tried again, each time later. Is the address still right?"),
    "refused": _l(
        "The site wants no robots there. An override needs a reason and is written down."
    ),
}
VISIBILITIES: Words = {"0": _l("not visible"), "1": _l("masked"), "2": _l("in full")}
ORIGINS: Words = {
    "placement": _l("Placement"),
    "custody": _l("Handling scan"),
    "reveal": _l("Reveal"),
    "ancestor": _l("Query from above"),
}

ROUTES: Words = {
    "sheet": _l("Planting sheet"),
    "push": _l("Interface of the source"),
    "local": _l("Local sheet, in no system others can query"),
}
BATCH_STATES: Words = {
    "draft": _l("Draft"),
    "ordered": _l("Waiting to be made"),
    "making": _l("Being made"),
    "issued": _l("Made"),
}
RISKS: Words = {
    "named": _l("named by an open incident"),
    "suspected": _l("suspected"),
    "blind": _l("blind: no bait"),
}
PHONE_USES: Words = {
    "free": _l("free"),
    "given": _l("given out"),
    "control": _l("control"),
}
FILED: Words = {
    "expected": _l("filed quietly: an expected sighting"),
    "echo": _l("filed quietly: an echo of our own alert"),
    "heartbeat": _l("filed quietly: a heartbeat"),
    "drill": _l("filed quietly: a drill of ours"),
}
RHYTHMS: Words = {
    "none": _l("no digest"),
    "daily": _l("daily digest"),
    "weekly": _l("weekly digest"),
}

PARAMETERS: Words = {
    "expected_leakers": _l("Leakers to be expected"),
    "leak_fraction_a": _l("Share of baits passed on: Beta, first shape"),
    "leak_fraction_b": _l("Share of baits passed on: Beta, second shape"),
    "coverage_resale": _l("Share of listings our monitors see"),
    "coverage_sms": _l("Share of messages our phones receive"),
    "weight_fast": _l("Share of fast leaks"),
    "mean_fast_h": _l("Delay of fast leaks, hours"),
    "mean_slow_h": _l("Delay of slow leaks, hours"),
    "since_log_lag_mean_h": _l("How late scans are logged, hours"),
    "spam_per_phone_and_day": _l("Unrelated messages per phone and day"),
    "chance_factor": _l("Coincidence beside the chance table, times"),
    "enrichment_rate": _l("Fields shown that the source could not see"),
    "custody_log_error_rate": _l("Wrong entries in the custody log"),
    "unmodelled": _l("What no model knows: the cap on every probability"),
    "named_from": _l("Probability from which a source may be named"),
}
BASES: Words = {
    "default": _l("Default; too few data of your own"),
    "policy": _l("Policy"),
    "control_phones": _l("Control phones"),
    "control_baits": _l("Control baits"),
    "custody": _l("Handling scans and hand-overs"),
    "confirmed_incidents": _l("Incidents confirmed by review"),
}

LABELS: Mapping[str, Words] = {
    "verdict": VERDICTS,
    "incident_state": INCIDENT_STATES,
    "bait_state": BAIT_STATES,
    "source_kind": SOURCE_KINDS,
    "sighting_kind": SIGHTING_KINDS,
    "channel": CHANNELS,
    "identifier": IDENTIFIERS,
    "form": FORMS,
    "disguise": DISGUISES,
    "level": LEVELS,
    "exclusion": EXCLUSIONS,
    "role": ROLES,
    "decision": DECISIONS,
    "action": ACTIONS,
    "visibility": VISIBILITIES,
    "origin": ORIGINS,
    "route": ROUTES,
    "detail": DETAILS,
    "work_state": WORK_STATES,
    "grade": GRADES,
    "monitor_kind": MONITOR_KINDS,
    "monitor_state": MONITOR_STATES,
    "monitor_advice": MONITOR_ADVICE,
    "reveal_state": REVEAL_STATES,
    "area": AREAS,
    "key_state": KEY_STATES,
    "batch_state": BATCH_STATES,
    "risk": RISKS,
    "phone_use": PHONE_USES,
    "filed_as": FILED,
    "rhythm": RHYTHMS,
    "parameter": PARAMETERS,
    "basis": BASES,
}


def label(kind: str, value: object) -> str:
    """Return the word for a code; an unknown code stands for itself."""
    word = LABELS[kind].get(str(value))
    return shorten(value, 60) if word is None else str(word)


def tell_carrier(code: str) -> str:
    """Return a carrier's name in the page's language; an unknown code stands for itself."""
    known = load_carriers().get(code.upper())
    if known is None:
        return shorten(code, 40)
    return known.name_zh if get_lang() == "zh" else known.name_en
