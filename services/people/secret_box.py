"""Encryption of what must not lie open in the database: sessions and passwords of the site."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from services.errors import ConfigurationError

KEY_FILE = "secret.key"


class SecretBox:
    """Encrypts and decrypts with one key, by Fernet: AES-128-CBC with HMAC-SHA256."""

    def __init__(self, secret: bytes) -> None:
        """`secret` is of any length; the key is its SHA-256."""
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret).digest()))

    def encrypt(self, text: str) -> bytes:
        """The text, readable with this key alone."""
        return self._fernet.encrypt(text.encode())

    def decrypt(self, data: bytes) -> str | None:
        """The text; None for what was encrypted with another key, or is damaged."""
        try:
            return self._fernet.decrypt(data).decode()
        except InvalidToken:
            return None


def open_secret_box(secret_key: str, data_dir: Path) -> SecretBox:
    """The box of this host: by the setting, else by a key that is made once in the data directory, readable by its
    owner alone.

    Raises `ConfigurationError` for a key file that can't be read or made.
    """
    if secret_key:
        return SecretBox(secret_key.encode())
    path = data_dir / KEY_FILE
    try:
        return SecretBox(_key_in(path))
    except OSError as error:
        raise ConfigurationError(f"{KEY_FILE} in JMGRAPH_DATA_DIR: {error.strerror}; a file of this user") from None


def read_secret_key(secret_key: str, data_dir: Path) -> bytes:
    """The key of this host, by the setting, else of the file; empty where none was made yet."""
    path = data_dir / KEY_FILE
    if secret_key or not path.exists():
        return secret_key.encode()
    return path.read_bytes().strip()


def write_secret_key(data_dir: Path, key: bytes) -> None:
    """Put this key in the data directory, in place of one that is there."""
    _written(data_dir / KEY_FILE, key).replace(data_dir / KEY_FILE)


def _key_in(path: Path) -> bytes:
    """The key in this file. Of several processes that make it at once, one is first."""
    if not path.exists():
        made = _written(path, Fernet.generate_key())
        try:
            os.link(made, path)  # fails where another process was first
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_bytes().strip()


def _written(path: Path, key: bytes) -> Path:
    """A file beside this one with the key, on disk, readable by its owner alone."""
    made = path.with_name(f"{KEY_FILE}.{os.getpid()}")
    made.unlink(missing_ok=True)
    file = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(key)
        stream.flush()
        os.fsync(stream.fileno())
    return made
