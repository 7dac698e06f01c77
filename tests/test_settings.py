"""Invalid settings: one line that names the variable, the value and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.errors import ConfigurationError
from services.settings import read_settings


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("PORT", "70000", "JMGRAPH_PORT='70000': input should be less than or equal to 65535"),
        ("JM_METHOD", "HTML", "JMGRAPH_JM_METHOD='HTML': input should be 'auto', 'html' or 'api'"),
        ("JM_API_URLS", "http://a,b", "JMGRAPH_JM_API_URLS='http://a,b': an http:// or https:// address"),
        ("JM_TIMEOUT", "nan", "JMGRAPH_JM_TIMEOUT='nan': input should be a finite number"),
        (
            "REDIS_URL",
            "http://user:word@host",
            "JMGRAPH_REDIS_URL=**********: empty, or an address that begins with redis://, rediss://, unix://, "
            "redis+sentinel://, rediss+sentinel://",
        ),
        (
            "TRUSTED_PROXIES",
            "127.0.0.1,proxy",
            "JMGRAPH_TRUSTED_PROXIES='127.0.0.1,proxy': addresses or networks, as in 10.0.0.0/8, or * for any",
        ),
        (
            "ALLOWED_HOSTS",
            "http://comics.example",
            "JMGRAPH_ALLOWED_HOSTS='http://comics.example': "
            "host names without scheme and port, or * for any; IP addresses need no leave",
        ),
        ("PUBLIC_URL", "http://[", "JMGRAPH_PUBLIC_URL='http://[': an http:// or https:// address"),
        ("PUBLIC_URL", "http://h:99999", "JMGRAPH_PUBLIC_URL='http://h:99999': an http:// or https:// address"),
        ("PUBLIC_URL", "http://h/?tea", "JMGRAPH_PUBLIC_URL='http://h/?tea': an http:// or https:// address"),
        ("JM_API_URLS", "http://h:tea", "JMGRAPH_JM_API_URLS='http://h:tea': an http:// or https:// address"),
        ("STORAGE_OPTIONS", "{x", 'JMGRAPH_STORAGE_OPTIONS=**********: a JSON object, as in {"region": "…"}'),
        ("STORAGE_OPTIONS", "[1]", 'JMGRAPH_STORAGE_OPTIONS=**********: a JSON object, as in {"region": "…"}'),
        ("DATA_DIR", "", "JMGRAPH_DATA_DIR='': a folder"),
        ("JM_TIMEOUT", "1e300", "JMGRAPH_JM_TIMEOUT='1e300': input should be less than or equal to 3600"),
        (
            "DOWNLOAD_TTL",
            "1e12",
            "JMGRAPH_DOWNLOAD_TTL='1e12': input should be less than or equal to 1000000000",
        ),
        (
            "CACHE_STALE",
            "1e300",
            "JMGRAPH_CACHE_STALE='1e300': input should be less than or equal to 1000000000",
        ),
        (
            "DOWNLOAD_QUEUE_LIMIT",
            "1" + "0" * 20,
            "JMGRAPH_DOWNLOAD_QUEUE_LIMIT='100000000000000000000': input should be less than or equal to 1000000",
        ),
        ("EHTAG_EDITORS", "cook,@tea", "JMGRAPH_EHTAG_EDITORS='cook,@tea': logins of GitHub, as in: cook, gardener"),
        (
            "EHTAG_MIN_ACCOUNT_AGE",
            "-1",
            "JMGRAPH_EHTAG_MIN_ACCOUNT_AGE='-1': input should be greater than or equal to 0",
        ),
        (
            "EHTAG_COMMITTER",
            "tea <<tea@example>",
            "JMGRAPH_EHTAG_COMMITTER='tea <<tea@example>': a name and an address, as in: jmgraph <jmgraph@localhost>",
        ),
    ],
)
def test_a_bad_value_is_one_line(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, line: str) -> None:
    monkeypatch.setenv(f"JMGRAPH_{variable}", value)

    with pytest.raises(ConfigurationError) as refused:
        read_settings()

    assert str(refused.value) == line


def test_networks_and_any_are_trusted_as_they_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JMGRAPH_TRUSTED_PROXIES", " 10.0.0.0/8, ::1 ,*,")
    monkeypatch.setenv("JMGRAPH_ALLOWED_HOSTS", "comics.example,*")

    settings = read_settings()

    assert settings.trusted_proxies == ("10.0.0.0/8", "::1", "*")
    assert settings.allowed_hosts == ("comics.example", "*")


def test_the_name_of_a_space_is_its_address_and_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_HOST", "reader-comics.hf.space,comics.example")

    of_the_space = read_settings()
    own = read_settings(public_url="https://other.example/jm", allowed_hosts=("tea.example",))

    assert of_the_space.public_url == "https://reader-comics.hf.space"
    assert of_the_space.allowed_hosts == ("reader-comics.hf.space", "comics.example")
    assert own.public_url == "https://other.example/jm"
    assert own.allowed_hosts == ("tea.example", "reader-comics.hf.space", "comics.example")


def test_editors_are_logins_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JMGRAPH_EHTAG_EDITORS", " Cook, gardener,")

    assert read_settings().ehtag_editors == ("cook", "gardener")
    assert read_settings().ehtag_min_account_age_days == 15


def test_what_may_be_left_out_may_be_empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JMGRAPH_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("JMGRAPH_EHTAG_REPOSITORY", "")
    monkeypatch.setenv("JMGRAPH_STORAGE_OPTIONS", "")

    settings = read_settings()

    assert settings.ehtag_folder == tmp_path / "ehtag"
    assert settings.storage_options == {}


def test_a_settings_file_that_is_no_text_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"JMGRAPH_HOST=caf\xe9\n")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigurationError) as refused:
        read_settings()

    assert str(refused.value) == ".env: a text file in UTF-8"
