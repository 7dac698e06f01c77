"""Knobs make the site slow, unreliable or blocked while it runs; the log lists the requests."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from demo.knobs import Knobs
from demo.records import Fault, FaultKind
from demo.server import RunningDemo

COVER = "/media/albums/350234.jpg"
ALBUM = "/album/350234/"


def test_a_role_can_be_blocked_while_the_others_respond(demo: RunningDemo, http: httpx.Client) -> None:
    demo.knobs.set("html", failure="region")

    statuses = [http.get(demo.html_url + ALBUM).status_code, http.get(demo.image_url + COVER).status_code]

    assert statuses == [403, 200]


def test_one_host_can_fail_while_the_other_responds(demo: RunningDemo, http: httpx.Client) -> None:
    demo.knobs.set("html-2", failure="server_error", status=520)

    assert [http.get(url + ALBUM).status_code for url in demo.html_urls] == [200, 520]


def test_a_knob_can_be_limited_to_a_path(demo: RunningDemo, http: httpx.Client) -> None:
    demo.knobs.set("html", path="/photo/", failure="maintenance")

    assert http.get(demo.html_url + "/photo/350234/").status_code == 503
    assert http.get(demo.html_url + ALBUM).status_code == 200


def test_only_the_next_requests_fail_with_fail_next(demo: RunningDemo, http: httpx.Client) -> None:
    demo.knobs.set("image", failure="rate_limit", fail_next=2, retry_after_s=7)

    answers = [http.get(demo.image_url + COVER) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"


def test_a_share_of_requests_fails(demo: RunningDemo, http: httpx.Client) -> None:
    demo.knobs.set("image", failure="server_error", rate=0.5)

    statuses = {http.get(demo.image_url + COVER).status_code for _ in range(30)}

    assert statuses == {200, 500}


def test_latency_delays_a_response(demo: RunningDemo, http: httpx.Client) -> None:
    http.get(demo.image_url + COVER)
    demo.knobs.set("image", latency_s=0.3)

    began = time.monotonic()
    http.get(demo.image_url + COVER)

    assert time.monotonic() - began >= 0.3


def test_a_transfer_stalls_after_some_bytes(demo: RunningDemo, http: httpx.Client) -> None:
    demo.knobs.set("image", stall_after_bytes=1000)
    received = b""

    with http.stream("GET", demo.image_url + COVER, timeout=0.3) as answer:
        pieces = answer.iter_raw()
        while len(received) < 1000:
            received += next(pieces)
        with pytest.raises(httpx.ReadTimeout):
            next(pieces)

    assert len(received) == 1000


def test_a_transfer_can_be_slow(demo: RunningDemo, http: httpx.Client) -> None:
    size = len(http.get(demo.image_url + COVER).content)
    demo.knobs.set("image", bytes_per_s=size * 4)

    began = time.monotonic()
    dripped = http.get(demo.image_url + COVER).content

    assert (len(dripped), time.monotonic() - began >= 0.2) == (size, True)


@pytest.mark.parametrize("failure", ["drop", "truncated"])
def test_a_connection_can_be_cut(demo: RunningDemo, http: httpx.Client, failure: str) -> None:
    demo.knobs.set("image", failure=failure)

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        http.get(demo.image_url + COVER)


def test_a_dead_host_cuts_old_connections_and_new_ones(demo: RunningDemo, http: httpx.Client) -> None:
    http.get(demo.image_url + COVER)
    demo.knobs.set("image-1", dead=True)

    for _ in range(2):
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            http.get(demo.image_url + COVER)
    assert http.get(demo.image_urls[1] + COVER).status_code == 200


def test_there_is_an_address_that_refuses_connections(demo: RunningDemo, http: httpx.Client) -> None:
    with pytest.raises(httpx.ConnectError):
        http.get(demo.dead_url)


def test_a_reset_restores_everything(demo: RunningDemo, http: httpx.Client) -> None:
    demo.knobs.set("*", failure="challenge", latency_s=0.1)

    demo.knobs.reset()

    assert http.get(demo.image_url + COVER).status_code == 200
    assert demo.knobs.as_json() == []


def test_a_host_overrides_its_role_and_a_path_overrides_both() -> None:
    knobs = Knobs()
    knobs.set("image", failure="region")
    knobs.set("image-2", failure="challenge")
    knobs.set("*", path="/media/photos/", failure="html")

    assert knobs.behaviour("image-1", "image", COVER).fault == Fault(FaultKind.REGION)
    assert knobs.behaviour("image-2", "image", COVER).fault == Fault(FaultKind.CHALLENGE)
    assert knobs.behaviour("image-2", "image", "/media/photos/1/1.webp").fault == Fault(FaultKind.HTML)


def test_setting_one_knob_leaves_the_others_as_they_are() -> None:
    knobs = Knobs()
    knobs.set("api", latency_s=0.5)
    knobs.set("api", failure="hang")
    knobs.set("api", failure=None)

    orders = knobs.behaviour("api-1", "api", "/album")

    assert (orders.latency_s, orders.fault) == (0.5, None)


@pytest.mark.parametrize("knobs", [{"speed": 3}, {"failure": "boredom"}])
def test_an_unknown_knob_or_failure_is_refused(knobs: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"speed|boredom"):
        Knobs().set("api", **knobs)


def test_the_log_has_path_role_and_host_of_each_request(demo: RunningDemo, http: httpx.Client) -> None:
    http.get(demo.html_urls[1] + ALBUM)
    http.get(demo.image_url + COVER + "?v=1")

    album, cover = demo.requests

    assert (album.host, album.role, album.method, album.path, album.status) == ("html-2", "html", "GET", ALBUM, 200)
    assert (cover.host, cover.role, cover.path, cover.query) == ("image-1", "image", COVER, "v=1")
    assert album.at_s <= cover.at_s
    assert (demo.requests.count("350234"), demo.requests.count(role="image"), demo.requests.count(host="api-1")) == (
        2,
        1,
        0,
    )


def test_the_log_has_the_peak_of_open_requests(demo: RunningDemo, http: httpx.Client) -> None:
    demo.knobs.set("image", latency_s=0.3)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: http.get(demo.image_url + COVER), range(5)))

    assert demo.requests.peak("image") == 5
    assert demo.requests.peak("api") == 0


def test_a_request_is_closed_when_its_client_disconnects(demo: RunningDemo, http: httpx.Client) -> None:
    demo.knobs.set("image", latency_s=60)
    with pytest.raises(httpx.ReadTimeout):
        http.get(demo.image_url + COVER, timeout=0.1)

    demo.requests.wait_idle("image", timeout_s=5)
    demo.requests.reset()

    assert demo.requests.peak("image") == 0


def test_a_test_can_wait_for_a_request(demo: RunningDemo, http: httpx.Client) -> None:
    asking = threading.Thread(target=http.get, args=(demo.image_url + COVER,))
    asking.start()

    demo.requests.wait_for(1, path="/media/", role="image")

    asking.join()
    with pytest.raises(TimeoutError):
        demo.requests.wait_for(2, path="/media/", timeout_s=0.05)


def test_another_process_can_set_knobs_and_read_the_log(demo: RunningDemo, http: httpx.Client) -> None:
    admin = demo.api_url + "/_demo"
    orders = [{"target": "image", "failure": "region"}, {"target": "api-2", "path": "/album", "latency_s": 0.1}]

    turned = http.post(f"{admin}/knobs", json=orders)
    refused = http.get(demo.image_url + COVER)
    log = http.get(f"{admin}/requests?role=image").json()
    counted = http.get(f"{admin}/requests?count").json()
    reset = http.post(f"{admin}/knobs", json={"reset": True})

    assert turned.status_code == 200
    assert [order["target"] for order in turned.json()] == ["image", "api-2"]
    assert refused.status_code == 403
    assert [(line["path"], line["status"]) for line in log] == [(COVER, 403)]
    assert counted == {"count": 1, "peaks": {"api": 0, "html": 0, "image": 1}}
    assert reset.json() == http.get(f"{admin}/knobs").json() == []
    assert http.delete(f"{admin}/requests").status_code == 204
    assert http.get(f"{admin}/requests").json() == []


@pytest.mark.parametrize("body", [{"target": "api", "speed": 1}, {"failure": "region"}, [3]])
def test_an_invalid_change_is_refused_with_the_reason(demo: RunningDemo, http: httpx.Client, body: object) -> None:
    answer = http.post(demo.api_url + "/_demo/knobs", json=body)

    assert (answer.status_code, list(answer.json())) == (400, ["detail"])


def test_the_admin_routes_respond_whatever_is_set(demo: RunningDemo, http: httpx.Client) -> None:
    demo.knobs.set("*", failure="hang", latency_s=60)

    assert http.get(demo.api_url + "/_demo/hosts").json()["image"] == demo.image_urls
