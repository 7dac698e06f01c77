"""What people start jmgraph with says what the settings and the image say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from services.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
VARIABLES = {str(info.validation_alias) for info in Settings.model_fields.values()}
OF_THE_CONTAINER = {"JMGRAPH_HOST": "0.0.0.0", "JMGRAPH_PORT": "11111", "JMGRAPH_DATA_DIR": "/data"}
"""Fixed inside; the same variables say where they are on the machine."""


def _compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return read


def _ours(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: service for name, service in compose["services"].items() if service["image"] == "jmgraph"}


def _interpolated(text: str, **environment: str) -> str:
    """As compose replaces `${NAME:-default}`."""
    return re.sub(r"\$\{(\w+):-([^}]*)}", lambda found: environment.get(found[1]) or found[2], text)


def _instructions(dockerfile: Path) -> list[str]:
    """Its instructions, one a line, without comments."""
    text = re.sub(r"^#.*\n", "", dockerfile.read_text("utf-8"), flags=re.MULTILINE)
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    return [line for line in joined.splitlines() if line]


def test_compose_passes_every_setting_to_every_container_of_ours() -> None:
    ours = _ours(_compose())

    assert set(ours) == {"api", "worker", "workers"}
    for service in ours.values():
        set_here = service["environment"]
        kept = {name for name, value in set_here.items() if f"${{{name}:-" in value}
        from_file = (
            VARIABLES - set(set_here) if service["env_file"] == [{"path": ".env", "required": False}] else set()
        )
        assert {name: set_here[name] for name in set_here if name not in kept} == OF_THE_CONTAINER
        assert VARIABLES - kept - from_file == set(OF_THE_CONTAINER)


def test_compose_puts_address_port_folder_and_user_where_the_variables_say() -> None:
    api = _ours(_compose())["api"]
    nas = {"JMGRAPH_HOST": "0.0.0.0", "JMGRAPH_PORT": "8080", "JMGRAPH_DATA_DIR": "/volume1/comics"}

    assert [_interpolated(text) for text in (*api["ports"], *api["volumes"])] == [
        "127.0.0.1:11111:11111",
        "data:/data",
    ]
    assert _interpolated(api["ports"][0], **nas) == "0.0.0.0:8080:11111"
    assert _interpolated(api["volumes"][0], **nas) == "/volume1/comics:/data"
    assert _interpolated(api["user"]) == "10001:0"
    assert _interpolated(api["user"], PUID="1026", PGID="100") == "1026:100"


def test_compose_waits_for_what_its_profiles_start_and_names_only_what_is_there() -> None:
    compose = _compose()
    services = compose["services"]

    assert {name: service.get("profiles", []) for name, service in services.items()} == {
        "api": [],
        "worker": [],
        "workers": ["workers"],
        "valkey": [],
        "postgres": ["postgres"],
    }
    for service in _ours(compose).values():
        assert set(service["depends_on"]) <= set(services)
        assert service["depends_on"]["postgres"] == {"condition": "service_healthy", "required": False}
    assert _interpolated(services["workers"]["deploy"]["replicas"]) == "2"
    volumes = {text.partition(":")[0] for one in services.values() for text in map(_interpolated, one["volumes"])}
    assert volumes == set(compose["volumes"])


def test_a_space_is_built_as_the_image_is_from_a_source_that_is_fetched() -> None:
    space, image = _instructions(ROOT / "deploy/huggingface/Dockerfile"), _instructions(ROOT / "Dockerfile")
    from_source = [
        re.sub(r"(?<= )(?!\S+$)(\S+)", r"/source/\1", line).replace("COPY", "COPY --from=source", 1)
        if re.match(r"COPY (?!--)", line)
        else line.replace("--platform=$BUILDPLATFORM ", "")
        for line in image
    ]

    assert [line for line in space if line not in from_source] == [
        "ARG SOURCE=https://github.com/OWNER/jmgraph/archive/refs/heads/main.tar.gz",
        "FROM python:3.13-slim AS source",
        "ARG SOURCE",
        "ADD ${SOURCE} /source.tar.gz",
        "RUN mkdir /source && tar --extract --gzip --file /source.tar.gz --directory /source --strip-components 1",
        "ENV JMGRAPH_PORT=7860 JMGRAPH_TRUSTED_PROXIES=10.0.0.0/8",
        "EXPOSE 7860",
        "USER 1000:0",
    ]
    assert [line for line in from_source if line not in space] == ["EXPOSE 11111", "USER 10001:0"]


def test_the_documents_show_commands_of_the_running_containers() -> None:
    shown = re.findall(r"docker compose exec (\w+) jmgraph (\w+)", (ROOT / "docs/operating.md").read_text("utf-8"))

    assert {name for name, _ in shown} <= set(_compose()["services"])
    assert {"doctor", "ehtag"} <= {command for _, command in shown}
