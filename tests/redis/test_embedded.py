"""The embedded Valkey, with real servers and real kills."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from structlog.testing import capture_logs

from services.errors import ConfigurationError
from services.redis import embedded_valkey, join_valkey
from tests.waiting import until

pytestmark = pytest.mark.anyio

OWNER = """
import asyncio, sys
from pathlib import Path
from services.redis import embedded_valkey
async def main():
    async with embedded_valkey(Path(sys.argv[1])) as url:
        print(url, flush=True)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            print("ending", flush=True)
            raise
try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
"""


@contextmanager
def owner(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that owns the Valkey of `data_dir`, and its URL."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data_dir)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parent.parent,
    )
    with process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGINT)  # so that it ends its server, too; nothing to one that was killed


def pid_of_server(data_dir: Path) -> int:
    return int(json.loads((data_dir / "valkey" / "address.json").read_bytes())["pid"])


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def title_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def wait_until_exited(pid: int, deadline_s: float = 10.0) -> bool:
    deadline = time.monotonic() + deadline_s
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_alive(pid)


@pytest.fixture
def deep_dir(tmp_path: Path) -> Path:
    """A data directory whose path is longer than a socket's may be, with spaces and Chinese in it."""
    return tmp_path / ("很深的 文件夹 " * 8).strip() / "data dir"


async def test_what_was_written_is_there_after_a_restart_on_the_same_address(deep_dir: Path) -> None:
    async with embedded_valkey(deep_dir) as url:
        with redis.Redis.from_url(url) as client:
            client.set("kept", "yes")

    async with embedded_valkey(deep_dir) as url_again:
        with redis.Redis.from_url(url_again) as client:
            assert client.get("kept") == b"yes"
        assert url_again == url
    assert pid_of_server(deep_dir) == 0


async def test_it_listens_on_loopback_only_and_wants_its_password(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as url:
        with redis.Redis.from_url(url) as client:
            assert client.config_get("bind")["bind"] == "127.0.0.1"
            port = client.connection_pool.connection_kwargs["port"]
        with redis.Redis(port=port) as unauthenticated, pytest.raises(redis.AuthenticationError):
            unauthenticated.ping()
        title = title_of(pid_of_server(tmp_path))
        password = json.loads((tmp_path / "valkey" / "address.json").read_bytes())["password"]
        assert password.encode() not in title
        assert (tmp_path / "valkey" / "address.json").stat().st_mode & 0o777 == 0o600


async def test_a_process_that_joined_keeps_the_server_running_when_its_owner_ends(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, url):
        async with embedded_valkey(tmp_path) as joined:
            with redis.Redis.from_url(url) as client:
                client.set("kept", "yes")
            first = pid_of_server(tmp_path)

            process.send_signal(signal.SIGINT)
            process.wait()
            await until(lambda: pid_of_server(tmp_path) not in (0, first))
            await until(lambda: _answers(joined))

            with redis.Redis.from_url(joined) as client:
                assert client.get("kept") == b"yes"
            second = pid_of_server(tmp_path)
        assert joined == url
        assert not is_alive(second)


def _answers(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


async def test_a_server_left_by_a_killed_owner_is_used_and_stopped_at_the_end(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, url):
        with redis.Redis.from_url(url) as client:
            client.set("kept", "yes")
        pid = pid_of_server(tmp_path)
        process.send_signal(signal.SIGKILL)
        process.wait()

        async with embedded_valkey(tmp_path) as adopted:
            assert adopted == url
            assert pid_of_server(tmp_path) == pid
            with redis.Redis.from_url(adopted) as client:
                assert client.get("kept") == b"yes"

    assert wait_until_exited(pid)


async def test_when_owner_and_server_are_killed_the_next_start_finds_the_data(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, url):
        with redis.Redis.from_url(url) as client:
            client.set("kept", "yes")
        pid = pid_of_server(tmp_path)
        process.send_signal(signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        process.wait()
        assert wait_until_exited(pid)

        async with embedded_valkey(tmp_path) as again:
            with redis.Redis.from_url(again) as client:
                assert client.get("kept") == b"yes"


async def test_a_server_of_a_killed_owner_that_does_not_answer_is_killed(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, _):
        pid = pid_of_server(tmp_path)
        process.send_signal(signal.SIGKILL)
        process.wait()
        address = tmp_path / "valkey" / "address.json"
        address.write_text(json.dumps({**json.loads(address.read_bytes()), "password": "another"}))

        async with embedded_valkey(tmp_path) as fresh:
            assert pid_of_server(tmp_path) != pid
            with redis.Redis.from_url(fresh) as client:
                assert client.ping()

    assert not is_alive(pid)


async def test_ctrl_c_reaches_the_owner_and_not_the_server(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, _):
        pid = pid_of_server(tmp_path)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout
        assert process.stdout.readline() == "ending\n"
        process.wait()
        assert wait_until_exited(pid)
        assert pid_of_server(tmp_path) == 0


async def test_another_process_joins_the_running_server(tmp_path: Path) -> None:
    with owner(tmp_path) as (_, url):
        assert await join_valkey(tmp_path) == url
        async with embedded_valkey(tmp_path) as joined:
            assert joined == url
        with redis.Redis.from_url(url) as client:
            assert client.ping()


async def test_with_nothing_to_join_one_line_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await join_valkey(tmp_path)
    assert "jmgraph up" in str(caught.value)
    assert "JMGRAPH_REDIS_URL" in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_server_that_is_killed_is_restarted_on_the_same_address(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as url:
        with redis.Redis.from_url(url) as client:
            client.set("kept", "yes")
        pid = pid_of_server(tmp_path)
        os.kill(pid, signal.SIGKILL)

        assert await join_valkey(tmp_path) == url
        with redis.Redis.from_url(url) as client:
            assert client.get("kept") == b"yes"


async def test_a_look_at_the_server_leaves_no_connection_wherever_it_is_cancelled(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path):
        whole = await _steps_of_look(tmp_path, cancelled_at=10_000)
        for steps in [*range(0, whole, 5), *range(max(0, whole - 30), whole + 10)] * 10:
            await _steps_of_look(tmp_path, cancelled_at=steps)
    gc.collect()  # a connection that is open still warns, which fails the test


async def _steps_of_look(data_dir: Path, *, cancelled_at: int) -> int:
    """Looks for the server and is cancelled after so many turns of the loop; how many the look has had."""
    look = asyncio.create_task(join_valkey(data_dir))
    steps = 0
    while steps < cancelled_at and not look.done():
        await asyncio.sleep(0)
        steps += 1
    look.cancel()
    await asyncio.wait([look])
    return steps


async def test_a_data_directory_that_is_a_file_ends_the_start_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(ConfigurationError, match="JMGRAPH_DATA_DIR"):
        async with embedded_valkey(tmp_path / "data"):
            pass


async def test_a_server_that_crashed_and_lost_its_folder_is_restarted_and_ends(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    async with embedded_valkey(data_dir) as url:
        pid = pid_of_server(data_dir)
        shutil.rmtree(data_dir)
        os.kill(pid, signal.SIGKILL)
        await until(lambda: _answers(url))

        second = pid_of_server(data_dir)
        shutil.rmtree(data_dir)

    assert wait_until_exited(second)


async def test_a_server_that_could_not_be_started_is_started_once_it_can(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as url:
        pid = pid_of_server(tmp_path)
        folder = tmp_path / "valkey"
        folder.rename(tmp_path / "away")
        folder.write_text("in the way")
        with capture_logs() as logs:
            os.kill(pid, signal.SIGKILL)
            await until(lambda: "Valkey can't be started again; retrying" in [line["event"] for line in logs])
        folder.unlink()
        (tmp_path / "away").rename(folder)

        await until(lambda: _answers(url))
