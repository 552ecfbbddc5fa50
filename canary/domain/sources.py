"""Sources: who holds waybill data, and who can query whom."""

from collections.abc import Mapping
from enum import StrEnum


class SourceKind(StrEnum):
    """What sort of party or interface a source is."""

    PLATFORM = "platform"
    MERCHANT = "merchant"
    PARTNER_API = "partner_api"
    PRINTING = "printing"
    ACCOUNT = "account"
    PICKUP = "pickup"
    OUTLET = "outlet"
    HUB = "hub"
    TRANSIT = "transit"
    SYSTEM = "system"


def find_cycle(parents: Mapping[str, str | None]) -> list[str]:
    """Return the codes of one cycle in the tree, or an empty list."""
    settled: set[str] = set()
    for start in parents:
        path: dict[str, None] = {}
        code: str | None = start
        while code is not None and code in parents and code not in settled:
            if code in path:
                walked = list(path)
                return walked[walked.index(code) :]
            path[code] = None
            code = parents[code]
        settled.update(path)
    return []


def list_ancestors(code: str, parents: Mapping[str, str | None]) -> list[str]:
    """Return the codes above `code`, nearest first."""
    above: dict[str, None] = {}
    parent = parents.get(code)
    while parent is not None and parent not in above:
        above[parent] = None
        parent = parents.get(parent)
    return list(above)


def find_common_ancestor(codes: list[str], parents: Mapping[str, str | None]) -> str | None:
    """Return the nearest source that is at or above all `codes`; None when there is none."""
    lines = [[code, *list_ancestors(code, parents)] for code in codes]
    shared = set(lines[0]).intersection(*lines[1:]) if lines else set()
    return next((code for code in lines[0] if code in shared), None) if lines else None
