"""One strict JSON reader for all bytes that come from outside."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Never

from webhooks.errors import PayloadError

DEEPEST = 20
LARGEST = 2**63
LONGEST_NUMBER = 40


def read_json(body: bytes) -> Any:
    """Return the value of `body`.

    Refuses what two parsers could read differently: other encodings than UTF-8, NaN, duplicate
    keys, numbers beyond 64 bits, nesting deeper than 20.

    Raises:
        PayloadError: always and only, when the bytes are not such JSON.
    """
    try:
        text = body.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_unique_pairs,
            parse_constant=_refuse_constant,
            parse_int=_bounded_int,
            parse_float=_finite_float,
        )
    except UnicodeDecodeError as error:
        raise PayloadError("not UTF-8") from error
    except RecursionError as error:
        raise PayloadError("JSON nested too deeply") from error
    except ValueError as error:
        raise PayloadError("not JSON") from error
    _check_depth(value)
    return value


def read_object(body: bytes) -> Mapping[str, Any]:
    """Return the object in `body`; raises PayloadError if it is anything else."""
    value = read_json(body)
    if not isinstance(value, dict):
        raise PayloadError("not a JSON object")
    return value


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise PayloadError("duplicate key in JSON")
    return found


def _refuse_constant(name: str) -> Never:
    raise PayloadError(f"{name} is not JSON")


def _bounded_int(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER or not -LARGEST <= int(digits) < LARGEST:
        raise PayloadError("number beyond 64 bits")
    return int(digits)


def _finite_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise PayloadError("number beyond 64 bits")
    return value


def _check_depth(value: Any) -> None:
    layer = [value]
    for _ in range(DEEPEST):
        layer = [child for item in layer for child in _children(item)]
        if not layer:
            return
    if any(isinstance(item, dict | list) for item in layer):
        raise PayloadError("JSON nested too deeply")


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value
