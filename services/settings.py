"""Settings: environment variables (and a `.env`), read once into one typed, frozen object."""

from __future__ import annotations

import json
import os
import re
from difflib import get_close_matches
from importlib.metadata import version
from ipaddress import ip_network
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, DotEnvSettingsSource, NoDecode, SettingsConfigDict

from services.errors import ConfigurationError

VERSION = version("jmgraph")
"""Of this product, as its package metadata has it: "2.0.0"."""

OFFICIAL_EHTAG_REMOTE = "https://github.com/EhTagTranslation/Database.git"
GITHUB_API_URL = "https://api.github.com"

LONGEST_S = 1e9
"""Thirty years: what Redis and dates can count with, however it is added up."""
LONGEST_ATTEMPT_S = 3600.0
LONGEST_QUEUE = 1_000_000
HIGHEST_RATE = 1_000_000_000

_COMMITTER = re.compile(r"[^<>\x00-\x1f]*[^<>\s\x00-\x1f] <[^<>\s\x00-\x1f]*@[^<>\s\x00-\x1f]*>")

TEMPLATE_FIELDS = frozenset({"author", "title", "id"})
"""What the name of a kept album is made of."""

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_LONGEST_DAYS = 36_500


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _json_object(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        read = json.loads(value or "{}")
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise ValueError('a JSON object, as in {"region": "…"}')
    return read


def _http_url(value: str) -> str:
    if not _is_http_base(value):
        raise ValueError("an http:// or https:// address")
    return value.rstrip("/")


def _is_http_base(value: str) -> bool:
    """True for an address that a path can be put behind."""
    try:
        parts = urlsplit(value)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_whole = parts.scheme in ("http", "https") and bool(parts.hostname)
    return is_whole and has_port and not set(value) & set("?# ")


def _optional_http_url(value: str) -> str:
    return value and _http_url(value)


def _http_urls(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_http_url(value) for value in values)


def _scheme_in(*schemes: str) -> AfterValidator:
    def check(value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and urlsplit(text).scheme not in schemes:
            raise ValueError("empty, or an address that begins with " + ", ".join(f"{s}://" for s in schemes))
        return value

    return AfterValidator(check)


def _origin(value: str) -> str:
    if value == "*":
        return value
    parts = urlsplit(_http_url(value))
    return f"{parts.scheme}://{parts.netloc}".lower()


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_origin(value) for value in values)


def _networks(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if value == "*":
            continue
        try:
            ip_network(value, strict=False)
        except ValueError:
            raise ValueError("addresses or networks, as in 10.0.0.0/8, or * for any") from None
    return values


def _host_names(values: tuple[str, ...]) -> tuple[str, ...]:
    if any(set(value) & set("/:@ ") for value in values):
        raise ValueError("host names without scheme and port, or * for any; IP addresses need no leave")
    return values


SPACE_HOST = "SPACE_HOST"
"""Set by HuggingFace in a Space: its host name, "reader-jmgraph.hf.space", with commas where it has several."""


def _space_hosts() -> tuple[str, ...]:
    return tuple(name.strip() for name in os.environ.get(SPACE_HOST, "").split(",") if name.strip())


def _space_url() -> str:
    """The address of the Space that this server runs in; "" elsewhere."""
    return "".join(f"https://{host}" for host in _space_hosts()[:1])


def _with_space_hosts(values: tuple[str, ...]) -> tuple[str, ...]:
    return (*values, *_space_hosts())


def _logins(values: tuple[str, ...]) -> tuple[str, ...]:
    if not all(map(_LOGIN.fullmatch, values)):
        raise ValueError("logins of GitHub, as in: cook, gardener")
    return tuple(value.lower() for value in values)


def _committer(value: str) -> str:
    if not _COMMITTER.fullmatch(value):
        raise ValueError("a name and an address, as in: jmgraph <jmgraph@localhost>")
    return value


def _library_template(value: str) -> str:
    allowed = "a path below the library such as {author}/{title} [JM{id}], of {author}, {title} and {id}"
    try:
        fields = {field for _, field, *rest in Formatter().parse(value) if field is not None and not any(rest)}
        plain = value.format(author="a", title="t", id="1")
    except (ValueError, LookupError, AttributeError):
        raise ValueError(allowed) from None
    parts = plain.split("/")
    is_path = not set(parts) & {"", ".", ".."} and not re.search(r"[\\\x00-\x1f]", value)
    if not is_path or not fields <= TEMPLATE_FIELDS or not fields & {"title", "id"}:
        raise ValueError(allowed)
    return value


def _folder(value: object) -> object:
    if value == "":  # pathlib takes it for the working directory
        raise ValueError("a folder")
    return value


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Urls = Annotated[CommaSeparated, AfterValidator(_http_urls)]
Networks = Annotated[CommaSeparated, AfterValidator(_networks)]
HostNames = Annotated[CommaSeparated, AfterValidator(_host_names), AfterValidator(_with_space_hosts)]
Logins = Annotated[CommaSeparated, AfterValidator(_logins)]
Origins = Annotated[CommaSeparated, AfterValidator(_origins)]
OptionalUrl = Annotated[str, AfterValidator(_optional_http_url)]
Url = Annotated[str, AfterValidator(_http_url)]
Secrets = Annotated[
    tuple[SecretStr, ...],
    NoDecode,
    BeforeValidator(_split),
    PlainSerializer(lambda keys: ["**********" for _ in keys]),
]
PositiveSeconds = Annotated[float, Field(gt=0, le=LONGEST_S, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_S, allow_inf_nan=False)]
AttemptSeconds = Annotated[float, Field(gt=0, le=LONGEST_ATTEMPT_S, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


_PREFIX = "JMGRAPH_"


def _env(name: str, default: Any, **limits: Any) -> Any:
    return Field(default=default, validation_alias=_PREFIX + name, validate_default=True, **limits)


class Settings(BaseSettings):
    """Everything that can be configured, in the order of docs/settings.md."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True, populate_by_name=True
    )

    host: str = _env("HOST", "127.0.0.1", min_length=1)
    port: int = _env("PORT", 11111, ge=0, le=65535)
    public_url: OptionalUrl = Field(
        default_factory=_space_url, validation_alias=_PREFIX + "PUBLIC_URL", validate_default=True
    )
    data_dir: Annotated[Path, BeforeValidator(_folder)] = _env("DATA_DIR", Path("data"))

    redis_url: Annotated[SecretStr, _scheme_in("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")] = (
        _env("REDIS_URL", SecretStr(""))
    )
    database_url: Annotated[SecretStr, _scheme_in("postgresql")] = _env("DATABASE_URL", SecretStr(""))
    storage_url: Annotated[SecretStr, _scheme_in("file", "s3")] = _env("STORAGE_URL", SecretStr(""))
    storage_options: Annotated[dict[str, Any], NoDecode, BeforeValidator(_json_object), Field(repr=False)] = _env(
        "STORAGE_OPTIONS", {}
    )

    jm_method: Literal["auto", "html", "api"] = _env("JM_METHOD", "auto")
    jm_api_urls: Urls = _env("JM_API_URLS", ())
    jm_html_urls: Urls = _env("JM_HTML_URLS", ())
    jm_image_urls: Urls = _env("JM_IMAGE_URLS", ())
    jm_proxy: Annotated[SecretStr, _scheme_in("http", "https", "socks4", "socks5", "socks5h")] = _env(
        "JM_PROXY", SecretStr("")
    )
    jm_timeout_s: AttemptSeconds = _env("JM_TIMEOUT", 20.0)
    jm_retries: int = _env("JM_RETRIES", 3, ge=1, le=20)
    jm_concurrency: int = _env("JM_CONCURRENCY", 16, ge=1, le=1024)
    jm_rate_per_s: Rate = _env("JM_RATE", 30.0)

    cache_bytes: int = _env("CACHE_BYTES", 1 << 30, ge=0)
    cache_search_s: Seconds = _env("CACHE_SEARCH", 300.0)
    cache_ranking_s: Seconds = _env("CACHE_RANKING", 600.0)
    cache_album_s: Seconds = _env("CACHE_ALBUM", 600.0)
    cache_comments_s: Seconds = _env("CACHE_COMMENTS", 300.0)
    cache_stale_s: Seconds = _env("CACHE_STALE", 86400.0)

    blocked_tags: CommaSeparated = _env("BLOCKED_TAGS", ())
    policy: Literal["lazy", "strict"] = _env("POLICY", "lazy")

    download_ttl_s: PositiveSeconds = _env("DOWNLOAD_TTL", 1800.0)
    download_history_s: PositiveSeconds = _env("DOWNLOAD_HISTORY", 604800.0)
    download_jobs: int = _env("DOWNLOAD_JOBS", 2, ge=1, le=64)
    download_queue_limit: int = _env("DOWNLOAD_QUEUE_LIMIT", 200, ge=1, le=LONGEST_QUEUE)
    disk_floor_bytes: int = _env("DISK_FLOOR", 1 << 30, ge=0)

    library_dir: Annotated[Path | None, BeforeValidator(_none_if_empty)] = _env("LIBRARY_DIR", None)
    library_template: Annotated[str, AfterValidator(_library_template)] = _env(
        "LIBRARY_TEMPLATE", "{author}/{title} [JM{id}]"
    )
    library_check_every_s: Seconds = _env("LIBRARY_CHECK_EVERY", 21600.0)

    ehtag_repository: Annotated[Path | None, BeforeValidator(_none_if_empty)] = _env("EHTAG_REPOSITORY", None)
    ehtag_remote: str = _env("EHTAG_REMOTE", OFFICIAL_EHTAG_REMOTE, min_length=1)
    ehtag_push: bool = _env("EHTAG_PUSH", False)
    ehtag_token: SecretStr = _env("EHTAG_TOKEN", SecretStr(""))
    ehtag_sync_every_s: Seconds = _env("EHTAG_SYNC_EVERY", 0.0)
    ehtag_committer: Annotated[str, AfterValidator(_committer)] = _env(
        "EHTAG_COMMITTER", "jmgraph <jmgraph@localhost>"
    )
    ehtag_editors: Logins = _env("EHTAG_EDITORS", ())
    ehtag_min_account_age_days: int = _env("EHTAG_MIN_ACCOUNT_AGE", 15, ge=0, le=_LONGEST_DAYS)
    ehtag_webhook_secret: SecretStr = _env("EHTAG_WEBHOOK_SECRET", SecretStr(""))
    github_api_url: Url = _env("GITHUB_API_URL", GITHUB_API_URL)

    cors_origins: Origins = _env("CORS_ORIGINS", ())
    api_keys: Secrets = _env("API_KEYS", ())
    allowed_hosts: HostNames = _env("ALLOWED_HOSTS", ())
    trusted_proxies: Networks = _env("TRUSTED_PROXIES", ("127.0.0.1",))

    secret_key: SecretStr = _env("SECRET_KEY", SecretStr(""))
    guests: Literal["", "none", "read", "all"] = _env("GUESTS", "")
    site_login: Annotated[bool | None, BeforeValidator(_none_if_empty)] = _env("SITE_LOGIN", None)
    session_ttl_s: PositiveSeconds = _env("SESSION_TTL", 2592000.0)
    notify_private: bool = _env("NOTIFY_PRIVATE", False)
    notify_titles: bool = _env("NOTIFY_TITLES", False)

    client_rate: int = _env("CLIENT_RATE", 600, ge=0, le=HIGHEST_RATE)
    client_site_rate: int = _env("CLIENT_SITE_RATE", 240, ge=0, le=HIGHEST_RATE)

    query_budget: int = _env("QUERY_BUDGET", 120, ge=1)
    query_depth: int = _env("QUERY_DEPTH", 15, ge=1)
    query_aliases: int = _env("QUERY_ALIASES", 30, ge=0)
    query_tokens: int = _env("QUERY_TOKENS", 4000, ge=1)

    log_format: Literal["", "console", "json"] = _env("LOG_FORMAT", "")
    log_level: Literal["debug", "info", "warning", "error"] = _env("LOG_LEVEL", "info")

    @property
    def library_folder(self) -> Path | None:
        """Where kept files lie: the setting, else `library` under the data directory; None for the S3 store."""
        is_in_store = self.storage_url.get_secret_value().startswith("s3://")
        return self.library_dir or (None if is_in_store else self.data_dir / "library")

    @property
    def ehtag_folder(self) -> Path:
        """Where the tag database's git repository is: the setting, else `ehtag` under the data directory."""
        return self.ehtag_repository or self.data_dir / "ehtag"


def read_settings(**overrides: Any) -> Settings:
    """The settings of this process; `overrides` (by field name) win over the environment.

    Raises `ConfigurationError` with one line that names the variable, the value and what is allowed.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise ConfigurationError(_sentence(error)) from None
    except UnicodeDecodeError:
        raise ConfigurationError(".env: a text file in UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f".env: {error.strerror}; a file that this user can read") from None


def misspelt_variables() -> dict[str, str | None]:
    """Names that begin with JMGRAPH_ in the environment and the `.env` and are no setting, each with the nearest one.

    For example `{"JMGRAPH_JM_PROXI": "JMGRAPH_JM_PROXY"}`; None where no name is near.
    """
    known = [str(info.validation_alias).removeprefix(_PREFIX) for info in Settings.model_fields.values()]
    given = {name.upper() for name in (*os.environ, *DotEnvSettingsSource(Settings).env_vars)}
    unknown = sorted({name.removeprefix(_PREFIX) for name in given if name.startswith(_PREFIX)} - set(known))
    nearest = {name: get_close_matches(name, known, 1) for name in unknown}
    return {_PREFIX + name: _PREFIX + found[0] if found else None for name, found in nearest.items()}


def make_data_dir(data_dir: Path) -> None:
    """Make the data directory where it is missing. Raises `ConfigurationError` for one that can't be used."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"JMGRAPH_DATA_DIR={str(data_dir)!r}: {error.strerror}; a folder") from None
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise ConfigurationError(f"JMGRAPH_DATA_DIR={str(data_dir)!r}: a folder that this user can write to")


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    field = str(first["loc"][0])
    name = field if field.startswith("JMGRAPH_") else _variable(field)
    allowed = str(first["msg"]).removeprefix("Value error, ")
    shown = "**********" if _is_secret(name) else repr(first["input"])
    return f"{name}={shown}: {allowed[:1].lower()}{allowed[1:]}"


def _variable(field: str) -> str:
    info = Settings.model_fields.get(field)
    return str(info.validation_alias) if info else f"JMGRAPH_{field.upper()}"


_SECRET_VARIABLES = (
    "REDIS_URL",
    "DATABASE_URL",
    "STORAGE_URL",
    "STORAGE_OPTIONS",
    "JM_PROXY",
    "TOKEN",
    "SECRET",
    "API_KEYS",
)


def _is_secret(variable: str) -> bool:
    return variable.endswith(_SECRET_VARIABLES)
