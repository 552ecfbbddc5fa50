"""One operation of the API: what it is called, what it takes, who may, what it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from canary.services.people.keys import Caller, Scope
from canary.web.api.models import NAME, REF
from canary.web.parts import WebParts

PATH_PATTERNS = {"name": NAME, "ref": REF}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that has passed every check; `query` and `body` are of the operation's models."""

    parts: WebParts
    caller: Caller
    path: Mapping[str, str]
    query: BaseModel | None
    body: BaseModel | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one address; `path` as in OpenAPI, such as `/inbox/{ref}`."""

    name: str
    method: str
    path: str
    summary: str
    scope: Scope
    answer: type[BaseModel]
    handler: Callable[[Call], BaseModel]
    status: int = 200
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    refusals: tuple[int, ...] = field(default=())

    @property
    def placeholders(self) -> list[str]:
        """Name what stands in the path."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def rule(self) -> str:
        """Return the path as Flask writes it."""
        return self.path.replace("{", "<").replace("}", ">")
