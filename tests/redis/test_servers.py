"""Servers as hosts run them: TLS, users with few rights, Sentinel, and a cluster, which is refused."""

from __future__ import annotations

import re
import signal
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import anyio
import pytest
import redis

from services.downloads import DownloadState
from services.errors import ConfigurationError
from services.redis import RedisClient, RedisUnavailable, open_events, open_redis
from services.settings import Settings, read_settings
from tests.graphql_client import graphql_client, running_worker
from tests.redis_servers import redis_process, sentinels, tls_redis
from tests.waiting import DEADLINE_S, STEP_S, until

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]
START = 'mutation { startDownload(input: { albumId: "163348" }) { ... on Download { id } } }'
READ = "query ($id: ID!) { download(id: $id) { file { url } } }"
REMOVE = "mutation ($id: ID!) { removeDownload(id: $id) { __typename } }"
USER = "user jm on >secret ~jmgraph:* ~arq:* &jmgraph:* +@all -@dangerous"


async def refusal_of(url: str, folder: Path) -> str:
    """The line with which a process ends that is given this address."""
    with pytest.raises(ConfigurationError) as caught:
        async with open_redis(read_settings(data_dir=folder, redis_url=url)):
            pass
    return str(caught.value)


async def test_a_server_over_tls_is_used_when_its_certificate_is_trusted(tmp_path: Path) -> None:
    with tls_redis(tmp_path) as (server, certificate):
        url = f"rediss://127.0.0.1:{server.port}/0"
        async with open_redis(read_settings(redis_url=f"{url}?ssl_ca_certs={certificate}")) as client:
            await client.client.set("jmgraph:kept", "yes")
            assert await client.client.get("jmgraph:kept") == b"yes"

        refused = await refusal_of(url, tmp_path)

    assert refused.startswith("JMGRAPH_REDIS_URL=**********: its certificate: self-signed certificate")
    assert refused.endswith("(?ssl_ca_certs=FILE names the issuer to trust)")


async def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    with tls_redis(tmp_path, name="DNS:elsewhere.example") as (server, certificate):
        url = f"rediss://127.0.0.1:{server.port}/0?ssl_ca_certs={certificate}"

        assert "IP address mismatch" in await refusal_of(url, tmp_path)
        async with open_redis(read_settings(redis_url=f"{url}&ssl_check_hostname=false")) as client:
            assert await client.ping() is not None


async def test_a_user_needs_only_our_keys_and_channels(tmp_path: Path) -> None:
    with redis_process(tmp_path, config=USER) as server:
        url = f"redis://jm:secret@127.0.0.1:{server.port}/0"
        async with (
            open_redis(read_settings(redis_url=url)) as client,
            open_events(client) as events,
            events.watch("download:*") as watcher,
        ):
            await watcher.changed()
            await events.publish("download:1")
            assert await watcher.changed() == {"download:1"}


async def test_a_download_from_request_to_file_needs_no_right_but_those_of_the_documents(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    documented = re.search(r"ACL SETUSER jmgraph on >password (.+)", (ROOT / "docs/operating.md").read_text("utf-8"))
    assert documented
    with redis_process(tmp_path / "redis", config=f"user jm on >secret {documented[1]}") as server:
        settings = make_settings(redis_url=f"redis://jm:secret@127.0.0.1:{server.port}/0")
        async with graphql_client(settings) as client, running_worker(client.services):
            started = (await client.ask(START))["startDownload"]
            states = [download.state async for download in client.services.downloads.watch(started["id"])]
            url = (await client.ask(READ, id=started["id"]))["download"]["file"]["url"]
            file = await client.http.get(url)
            removed = (await client.ask(REMOVE, id=started["id"]))["removeDownload"]
        with redis.Redis(port=server.port) as direct:
            denied = direct.acl_log()

    assert states[-1] is DownloadState.READY
    assert zipfile.is_zipfile(BytesIO(file.content))
    assert removed == {"__typename": "RemovedDownload"}
    assert denied == []


async def test_a_user_without_a_right_that_is_needed_ends_the_start(tmp_path: Path) -> None:
    with redis_process(tmp_path, config="user jm on >secret ~jmgraph:* +@all -publish") as server:
        refused = await refusal_of(f"redis://jm:secret@127.0.0.1:{server.port}/0", tmp_path)
        wrong = await refusal_of(f"redis://jm:wrong@127.0.0.1:{server.port}/0", tmp_path)

    assert refused.startswith("JMGRAPH_REDIS_URL=**********: Redis answers: ")
    assert "publish" in refused
    assert wrong == "JMGRAPH_REDIS_URL=**********: Redis refuses this user and password"


async def test_a_cluster_is_refused_in_one_line_that_says_why(tmp_path: Path) -> None:
    with redis_process(tmp_path, "--cluster-enabled", "yes") as server:
        with redis.Redis(port=server.port) as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            await until(lambda: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok")

        refused = await refusal_of(server.url, tmp_path)

    assert refused == (
        "JMGRAPH_REDIS_URL=**********: this is a Redis Cluster, and our scripts change keys of several slots in one "
        "step; give one server, or Sentinel (redis+sentinel://)"
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
async def test_the_client_follows_the_sentinels_to_a_new_master(tmp_path: Path, number: signal.Signals) -> None:
    with sentinels(tmp_path) as running:
        async with (
            open_redis(read_settings(redis_url=running.url)) as client,
            open_events(client) as events,
            events.watch("download:*") as watcher,
        ):
            await watcher.changed()
            await client.client.set("jmgraph:kept", "yes")
            await until(running.is_replicated)
            old = running.master()

            old.process.send_signal(number)

            assert await _get_when_available(client, "jmgraph:kept") == b"yes"
            assert await watcher.changed() == {"download:*"}  # everything may have changed: read it again
            assert running.master() != old
            await events.publish("download:1")
            assert await watcher.changed() == {"download:1"}


async def test_a_master_that_has_become_a_replica_is_left(tmp_path: Path) -> None:
    with sentinels(tmp_path) as running:
        async with open_redis(read_settings(redis_url=running.url)) as client:
            old, other = running.servers
            with redis.Redis(port=old.port) as direct:
                await client.client.set("jmgraph:kept", "yes")
                direct.execute_command("REPLICAOF", "127.0.0.1", other.port)

            with pytest.raises(RedisUnavailable):
                await client.client.set("jmgraph:kept", "no")


async def test_servers_and_sentinels_are_spoken_to_over_tls(tmp_path: Path) -> None:
    with tls_redis(tmp_path / "master", config=USER) as (master, of_master):
        both_ways = ("--tls-replication", "yes", "--tls-ca-cert-file", str(of_master))
        watch = f"sentinel monitor main 127.0.0.1 {master.port} 1\nuser jm on >watched ~* &* +@all\n"
        with tls_redis(tmp_path / "sentinel", "--sentinel", *both_ways, config=watch) as (sentinel, of_sentinel):
            trusted = tmp_path / "trusted.pem"
            trusted.write_bytes(of_master.read_bytes() + of_sentinel.read_bytes())
            own = "sentinel_username=jm&sentinel_password=watched"
            url = f"rediss+sentinel://jm:secret@127.0.0.1:{sentinel.port}/main/0?ssl_ca_certs={trusted}&{own}"

            async with open_redis(read_settings(redis_url=url)) as client:
                assert await client.client.set("jmgraph:kept", "yes")


async def test_sentinels_that_know_no_such_master_end_the_start(tmp_path: Path) -> None:
    with redis_process(tmp_path, "--sentinel") as sentinel:
        url = f"redis+sentinel://127.0.0.1:{sentinel.port}/other/0"

        assert await refusal_of(url, tmp_path) == (
            "JMGRAPH_REDIS_URL=**********: Redis answers: No such master with that name"
        )


@pytest.mark.parametrize("url", ["redis+sentinel://h1,h2", "redis+sentinel:///main/0"])
async def test_an_address_of_sentinels_without_a_name_or_hosts_is_refused(tmp_path: Path, url: str) -> None:
    assert await refusal_of(url, tmp_path) == (
        "JMGRAPH_REDIS_URL=**********: as in redis+sentinel://host1,host2/name-of-the-master/0"
    )


async def _get_when_available(client: RedisClient, key: str) -> bytes | None:
    with anyio.fail_after(DEADLINE_S):
        while True:
            try:
                value: bytes | None = await client.client.get(key)
            except RedisUnavailable:
                await anyio.sleep(STEP_S)
            else:
                return value
