"""Settings that can't be: one line that names the variable, the value and what is allowed."""

from __future__ import annotations

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
            "JMGRAPH_REDIS_URL=**********: empty, or an address that begins with redis://, rediss://, unix://",
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
