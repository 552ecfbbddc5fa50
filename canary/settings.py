"""Settings: read once from the environment, checked, frozen."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from canary.domain.errors import Flaw, Invalid

RoleName = Literal["seeder", "analyst", "auditor", "admin", "partner"]


class Settings(BaseSettings):
    """Everything that can be set from outside."""

    model_config = SettingsConfigDict(
        env_prefix="CANARY_", env_file=".env", extra="ignore", frozen=True
    )

    home: Path = Path("~/.local/share/canary")
    database_url: str = ""
    secret_file: Path = Path()
    public_url: str = "http://127.0.0.1:8000"
    lang: Literal["zh", "en"] = "zh"
    timezone: str = "Asia/Shanghai"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    trusted_proxies: int = Field(default=0, ge=0, le=8)
    outbound_allow: Annotated[tuple[str, ...], NoDecode] = ()
    user_agent: Annotated[str, Field(pattern=r"^[A-Za-z][!-~ ]{2,199}$")] = "waybill-canary"
    metrics_allow: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    require_totp: Annotated[tuple[RoleName, ...], NoDecode] = ()
    scan_cluster: str = ""
    max_body: int = Field(default=1024 * 1024, ge=1024, le=64 * 1024 * 1024)

    @field_validator("outbound_allow", "metrics_allow", "require_totp", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            msg = f"{value!r} is not a time zone such as Asia/Shanghai"
            raise ValueError(msg) from error
        return value

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            msg = f"{value!r} is not an http or https address"
            raise ValueError(msg)
        return value.rstrip("/")

    @model_validator(mode="before")
    @classmethod
    def _fill_places(cls, values: dict[str, object]) -> dict[str, object]:
        home = Path(str(values.get("home") or "~/.local/share/canary")).expanduser()
        values["home"] = home
        values["database_url"] = values.get("database_url") or f"sqlite:///{home}/canary.sqlite3"
        values["secret_file"] = Path(
            str(values.get("secret_file") or home / "secrets.json")
        ).expanduser()
        return values

    @model_validator(mode="after")
    def _check_places(self) -> Self:
        if "://" not in self.database_url:
            msg = "database_url must be a URL such as sqlite:////path/canary.sqlite3"
            raise ValueError(msg)
        return self


def read_settings(**overrides: object) -> Settings:
    """Read the environment and `.env`. Raises Invalid naming each wrong setting."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        raise Invalid(flaws=[_flaw(item) for item in error.errors()]) from error


def _flaw(item: object) -> Flaw:
    assert isinstance(item, dict)
    field = "_".join(str(part) for part in item["loc"]) or "settings"
    name = f"CANARY_{field.upper()}"
    return Flaw(problem=str(item["msg"]), field=name, mend="correct the setting")
