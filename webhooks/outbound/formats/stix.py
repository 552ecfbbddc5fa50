"""STIX 2.1 bundles, plain or as a TAXII 2.1 envelope."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from webhooks.errors import DeliveryError, PayloadError
from webhooks.json_strict import read_object
from webhooks.messages import Message
from webhooks.outbound.formats.base import (
    EndpointConfig,
    Format,
    dump,
    judge_status,
)
from webhooks.outbound.formats.wording import cut, group_of, text_in, title_of
from webhooks.outbound.sending import Answer, Request

_NAMESPACE = UUID("6a3d2f0e-6f0b-5b53-9f0a-54c1f3a2c9d1")
# Fixed by the standard for the ids of observables.
_OBSERVABLES = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")


class StixFormat(Format):
    """Tells where it was seen and who is suspected, never a live bait value.

    Options: `identity` names us; `taxii` wraps the objects for a TAXII 2.1 collection. The first
    secret, if there is one, is sent as a Bearer credential.
    """

    name = "stix"

    def render(self, message: Message, config: EndpointConfig, _now: datetime) -> Request:
        """Return the call."""
        objects = _objects(message, str(config.options.get("identity", "Waybill Canary")))
        is_taxii = config.options.get("taxii") is True
        media = (
            "application/taxii+json;version=2.1"
            if is_taxii
            else "application/stix+json;version=2.1"
        )
        body: dict[str, Any] = {"objects": objects}
        if not is_taxii:
            body = {"type": "bundle", "id": _id("bundle", message.id), **body}
        headers = {"Content-Type": media, "Accept": media}
        if config.secrets:
            headers["Authorization"] = f"Bearer {config.secrets[0]}"
        return Request(url=config.url, headers=headers, body=dump(body))

    def judge(self, answer: Answer, now: datetime) -> None:
        """Take a 2xx unless a TAXII status in it counts failures."""
        judge_status(answer, now)
        try:
            failures = read_object(answer.body).get("failure_count", 0) if answer.body else 0
        except PayloadError:
            return
        if failures != 0:
            raise DeliveryError("objects were refused", permanent=True, answer=answer.excerpt)


def _objects(message: Message, identity: str) -> list[dict[str, Any]]:
    at = _stamp(message.occurred_at.isoformat(), message)
    group = group_of(message)
    us = _object("identity", identity, at, name=cut(identity, 200), identity_class="organization")
    objects = [us]
    url = text_in(message.data, "url", 1000)
    if not url:
        return objects
    page = {
        "type": "url",
        "spec_version": "2.1",
        "id": f"url--{uuid5(_OBSERVABLES, dump({'value': url}).decode())}",
        "value": url,
    }
    indicator = _object(
        "indicator",
        group,
        at,
        created_by_ref=us["id"],
        name=cut(title_of(message), 500),
        pattern=f"[url:value = '{_quoted(url)}']",
        pattern_type="stix",
        valid_from=_stamp(text_in(message.data, "first_seen"), message),
    )
    first = _stamp(text_in(message.data, "first_seen"), message)
    last = _stamp(text_in(message.data, "last_seen"), message)
    observed = _object(
        "observed-data",
        message.id,
        at,
        created_by_ref=us["id"],
        first_observed=first,
        last_observed=last,
        number_observed=_count(message),
        object_refs=[page["id"]],
    )
    sighting = _object(
        "sighting",
        message.id,
        at,
        created_by_ref=us["id"],
        first_seen=first,
        last_seen=last,
        count=_count(message),
        sighting_of_ref=indicator["id"],
        observed_data_refs=[observed["id"]],
        where_sighted_refs=[us["id"]],
    )
    return [*objects, page, indicator, observed, sighting, *_suspect(message, indicator, at)]


def _suspect(message: Message, indicator: dict[str, Any], at: str) -> list[dict[str, Any]]:
    source = text_in(message.data, "source", 200)
    if not source:
        return []
    suspect = _object(
        "identity", f"source:{source}", at, name=source, identity_class="organization"
    )
    relation = _object(
        "relationship",
        f"{indicator['id']}:{source}",
        at,
        relationship_type="related-to",
        source_ref=indicator["id"],
        target_ref=suspect["id"],
    )
    return [suspect, relation]


def _object(kind: str, seed: str, at: str, **values: Any) -> dict[str, Any]:
    base = {"type": kind, "spec_version": "2.1", "id": _id(kind, seed)}
    return {**base, "created": at, "modified": at, **values}


def _id(kind: str, seed: str) -> str:
    return f"{kind}--{uuid5(_NAMESPACE, f'{kind}:{seed}')}"


def _count(message: Message) -> int:
    count = message.data.get("count")
    return count if isinstance(count, int) and 0 < count < 1_000_000_000 else 1


def _stamp(text: str, message: Message) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = message.occurred_at
    if at.tzinfo is None:
        at = message.occurred_at
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
