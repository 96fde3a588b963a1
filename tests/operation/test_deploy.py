"""The files of deploy/: they read as what they are, name what exists, and query metrics that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from api.cli.main import VERBS
from api.metrics import Metrics
from api.siblings import Place
from api.table import ENDPOINTS
from api.traffic import Traffic
from engine.config import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = DEPLOY / "compose.yaml"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def queries() -> list[str]:
    """Return every query of the dashboard and of the alerts."""
    found = [rule["expr"] for group in read(DEPLOY / "alerts.yaml")["groups"] for rule in group["rules"]]
    for path in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json")):
        dashboard = json.loads(path.read_text(encoding="utf-8"))
        assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
        found += [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return found


def samples() -> dict[str, set[str]]:
    """Return the labels of each sample name that /metrics of several processes can have."""
    traffic = Traffic()
    traffic.ways[:] = [traffic.way(row.method, row.public_path, 0) for row in ENDPOINTS[:1]]  # type: ignore[arg-type]
    traffic.ways[0].statuses[2].add(0.1)
    found: dict[str, set[str]] = {"up": {"job"}}
    shown = Metrics(traffic, "1", place=Place(number=0, folder=DEPLOY)).text().decode()
    for family in text_string_to_metric_families(shown):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    labelled = {"allot_http_problems_total": "code", "allot_routing_runs_total": "status"}
    for name, label in labelled.items():  # which have no sample before anything has happened
        found.setdefault(name, set()).update({label, "worker"})
    return found


@pytest.mark.parametrize("query", queries())
def test_every_query_asks_for_metrics_and_labels_that_there_are(query: str) -> None:
    known = samples()
    names = set(re.findall(r"\b(?:allot|process|python)_\w+|\bup\b", query))
    assert names
    assert names <= known.keys()
    allowed = set().union(*(known[name] for name in names)) | {"le"}
    grouped = {label.strip() for by in re.findall(r"by \(([^)]*)\)", query) for label in by.split(",")}
    compared = {label for inside in re.findall(r"\{([^}]*)\}", query) for label in re.findall(r"(\w+)\s*=", inside)}
    assert grouped | compared <= allowed
    assert query.count("(") == query.count(")")


def test_routes_that_queries_name_are_there() -> None:
    named = {route for query in queries() for route in re.findall(r'route="([^"]+)"', query)}
    assert named
    assert named <= {row.public_path for row in ENDPOINTS}


def test_services_name_files_settings_and_services_that_are_there() -> None:
    compose = read(COMPOSE)
    services = compose["services"]
    known = {f"ALLOT_{name.upper()}" for name in Settings.model_fields}
    for name, service in services.items():
        used = set(service.get("depends_on", ()))
        used |= {
            service[key].partition(":")[2] for key in ("network_mode", "ipc") if "service:" in service.get(key, "")
        }
        assert used <= services.keys(), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in compose["volumes"], volume
        assert {key for key in service.get("environment", ()) if key.startswith("ALLOT_")} <= known
        assert set(service.get("secrets", ())) <= compose["secrets"].keys()
        assert service.get("restart") == "unless-stopped"
        for published in service.get("ports", ()):
            assert published.startswith("127.0.0.1:"), published
    assert services["api"]["command"][0] in {verb.name for verb in VERBS}
    command = services["store"]["command"]
    assert "--appendonly yes --appendfsync always" in command
    assert "--maxmemory-policy noeviction" in command


def test_prometheus_scrapes_where_the_api_is() -> None:
    (job,) = read(DEPLOY / "prometheus.yaml")["scrape_configs"]
    aliases = read(COMPOSE)["services"]["ray"]["networks"]["default"]["aliases"]
    (target,) = job["static_configs"][0]["targets"]
    assert target.partition(":")[0] in aliases
    assert job["authorization"]["credentials_file"] == "/run/secrets/metrics-key"


def test_the_container_file_copies_what_there_is_and_serves() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    copied = [name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for name in line.split()]
    assert copied
    assert all((DEPLOY.parent / name).exists() for name in copied)
    assert "USER allot" in text
    assert json.loads(re.findall(r"^CMD (\[.+\])$", text, re.MULTILINE)[-1])[0] == "serve"


def test_systemd_accepts_the_unit() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this machine has no systemd")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(DEPLOY / "allot.service")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "allot.service" in line and "is not executable" not in line]
    assert said == []
