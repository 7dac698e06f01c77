"""The recipe for Kubernetes: valid by its schemas, hardened, and scaled by a number that is really there."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from services.downloads import DownloadState
from services.settings import Settings
from tests.download_fakes import FakeAlbums, FakePipeline, an_album, open_harness

FOLDER = Path(__file__).resolve().parents[2] / "deploy/kubernetes"
VERSIONS = ("1.30", "1.37")
"""The oldest and the newest Kubernetes whose schemas it is checked against."""
OURS = {"api", "worker"}

Resource = dict[str, Any]


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_STRING = {"type": "string", "minLength": 1}
_COUNT = {"type": "integer", "minimum": 0}
SCALED_OBJECT = _object(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "keda.sh/v1alpha1"},
    kind={"const": "ScaledObject"},
    metadata={"type": "object"},
    spec=_object(
        ["scaleTargetRef", "triggers"],
        scaleTargetRef=_object(["name"], name=_STRING),
        minReplicaCount=_COUNT,
        maxReplicaCount=_COUNT,
        pollingInterval=_COUNT,
        advanced=_object(
            [],
            scalingModifiers=_object(["formula", "target"], formula=_STRING, target=_STRING),
            horizontalPodAutoscalerConfig=_object([], behavior={"type": "object"}),
        ),
        triggers={
            "type": "array",
            "minItems": 1,
            "items": _object(
                ["type", "name", "metadata"],
                type={"const": "redis"},
                name=_STRING,
                metadata=_object(["address", "listName"], address=_STRING, listName=_STRING),
            ),
        },
    ),
)
"""What we use of KEDA's custom resource; https://keda.sh/docs/latest/reference/scaledobject-spec/ has all of it."""


@pytest.fixture(scope="module", params=["base", "autoscaled"])
def resources(request: pytest.FixtureRequest) -> list[Resource]:
    """What `kubectl apply -k` would send."""
    return _built(request.param)


def _built(name: str) -> list[Resource]:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed here (Debian's package kubernetes-client)")
    version = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, check=True).stdout
    if json.loads(version).get("kustomizeVersion", "v0") < "v5":
        pytest.skip("the kubectl here has a Kustomize before version 5")
    built = subprocess.run(["kubectl", "kustomize", FOLDER / name], capture_output=True, text=True, check=False)
    assert (built.returncode, built.stderr) == (0, "")
    return list(yaml.safe_load_all(built.stdout))


def _pods(resources: list[Resource]) -> Iterator[tuple[str, Resource]]:
    """Name and pod of each workload."""
    for resource in resources:
        if "template" in resource.get("spec", {}):
            yield resource["metadata"]["name"], resource["spec"]["template"]


def _only(resources: list[Resource], kind: str) -> Resource:
    [found] = [resource for resource in resources if resource["kind"] == kind]
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_every_resource_is_valid_by_its_schema(resources: list[Resource], version: str) -> None:
    kinds = [resource["kind"] for resource in resources]

    assert {"Deployment", "Service", "StatefulSet", "PodDisruptionBudget", "NetworkPolicy", "ConfigMap"} <= set(kinds)
    for resource in resources:
        if resource["kind"] == "ScaledObject":
            jsonschema.validate(resource, SCALED_OBJECT)
        else:
            kubernetes_validate.validate(resource, version, strict=True)


def test_a_misspelt_field_is_not_valid() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a"},
        "spec": {"containers": [], "restartPolcy": "x"},
    }

    with pytest.raises(kubernetes_validate.ValidationError, match="restartPolcy"):
        kubernetes_validate.validate(pod, VERSIONS[0], strict=True)


def test_every_container_is_confined_and_has_its_resources(resources: list[Resource]) -> None:
    pods = dict(_pods(resources))

    assert set(pods) == {*OURS, "valkey"}
    for pod in pods.values():
        [container] = pod["spec"]["containers"]
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert pod["spec"]["enableServiceLinks"] is pod["spec"]["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


def test_what_answers_has_probes_and_what_a_node_may_end_has_a_budget(resources: list[Resource]) -> None:
    probed = {
        name: {probe for probe in ("startupProbe", "livenessProbe", "readinessProbe") if probe in container}
        for name, pod in _pods(resources)
        for container in pod["spec"]["containers"]
    }
    budgets = [resource for resource in resources if resource["kind"] == "PodDisruptionBudget"]

    assert probed == {
        "api": {"startupProbe", "livenessProbe", "readinessProbe"},
        "valkey": {"startupProbe", "livenessProbe", "readinessProbe"},
        "worker": set(),
    }
    assert {budget["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"] for budget in budgets} == OURS


def test_every_name_that_a_resource_refers_to_is_there(resources: list[Resource]) -> None:
    labels = [pod["metadata"]["labels"].items() for _, pod in _pods(resources)]
    selectors = [resource["spec"]["selector"] for resource in resources if resource["kind"] == "Service"]

    assert all(any(selector.items() <= each for each in labels) for selector in selectors)
    for name, pod in _pods(resources):
        spec, [container] = pod["spec"], pod["spec"]["containers"]
        claims = {"data"} if name == "valkey" else set()
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in spec.get("volumes", [])} | claims
        if name in OURS:
            assert container["envFrom"] == [
                {"configMapRef": {"name": _only(resources, "ConfigMap")["metadata"]["name"]}},
                {"secretRef": {"name": "jmgraph"}},
            ]


def test_what_is_configured_are_settings(resources: list[Resource]) -> None:
    data = _only(resources, "ConfigMap")["data"]
    fields = {str(info.validation_alias): name for name, info in Settings.model_fields.items()}

    settings = Settings(**{fields[variable]: value for variable, value in data.items()})

    assert settings.redis_url.get_secret_value() == "redis://valkey:6379/0"
    assert (settings.host, settings.port) == ("127.0.0.1", 11111)  # the image's own


@pytest.mark.anyio
async def test_the_scaler_counts_the_downloads_that_wait_and_run(redis_url: str, tmp_path: Path) -> None:
    scaled = _only(_built("autoscaled"), "ScaledObject")["spec"]
    lists = {trigger["name"]: trigger["metadata"]["listName"] for trigger in scaled["triggers"]}
    pipeline = FakePipeline()
    pipeline.pause_at = 1
    albums = FakeAlbums(*(an_album(id) for id in ("100", "200", "300")))
    async with open_harness(redis_url, tmp_path, albums=albums, pipeline=pipeline) as harness:
        first, *_ = [await harness.start(id) for id in ("100", "200", "300")]
        harness.work(jobs=1)
        await harness.until_state(first.id, DownloadState.RUNNING)
        redis = harness.redis_client.client
        types = {name: await redis.type(key) for name, key in lists.items()}
        counts = {name: await redis.zcard(key) for name, key in lists.items()}

    assert set(scaled["advanced"]["scalingModifiers"]["formula"].split(" + ")) == set(lists)
    assert scaled["advanced"]["scalingModifiers"]["target"] == str(Settings().download_jobs)
    assert types == {"queued": b"zset", "running": b"zset", "packing": b"none"}
    assert counts == {"queued": 2, "running": 1, "packing": 0}
