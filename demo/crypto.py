"""Tokens and encryption of the mobile API. Source: jmcomic 2.7.10, `JmCryptoTool` and `JmMagicConstants`."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from hashlib import md5

from Crypto.Cipher import AES

APP_VERSION = "2.1.12"

_TOKEN_SALTS = ("185Hcomic3PAPP7R", "18comicAPPContent")
_DATA_SALT = "185Hcomic3PAPP7R"
_DOMAINS_SALT = "diosfjckwpqpdfjkvnqQjsik"


def time_of(token: str, tokenparam: str) -> str | None:
    """The client's time stamp when token and parameter ("1700566805,2.1.12") belong together, else None."""
    stamp, comma, _version = tokenparam.partition(",")
    if not comma:
        return None
    return stamp if token in (_md5(stamp + salt) for salt in _TOKEN_SALTS) else None


def encrypted(data: object, stamp: str) -> str:
    """A response's `data` as the app reads it: JSON, AES-ECB under a key from the client's time stamp, base64."""
    return encrypted_bytes(_json(data), stamp)


def encrypted_bytes(plain: bytes, stamp: str) -> str:
    """As `encrypted`, of JSON that is written already, or of what is none."""
    return _encrypted(plain, _md5(stamp + _DATA_SALT))


def decrypted(data: str, stamp: str) -> object:
    """What `encrypted` was given."""
    plain = AES.new(_md5(stamp + _DATA_SALT).encode(), AES.MODE_ECB).decrypt(b64decode(data))
    return json.loads(plain[: -plain[-1]])


def encrypted_domains(data: object) -> str:
    """The list of API hosts as the domain servers keep it."""
    return _encrypted(_json(data), _md5(_DOMAINS_SALT))


def _json(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()


def _encrypted(plain: bytes, key: str) -> str:
    short = AES.block_size - len(plain) % AES.block_size
    return b64encode(AES.new(key.encode(), AES.MODE_ECB).encrypt(plain + bytes([short]) * short)).decode()


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
