"""The files under deploy/ hold together: alerts name what is measured, units what can start."""

from __future__ import annotations

import configparser
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from services.children import STOP_SECONDS
from services.query.metrics import GAUGES
from services.query.webhooks.metrics import WEBHOOK_GAUGES
from services.workers import DRAIN_SECONDS as DRAIN_OF_WORKERS
from shared.http.server import DRAIN_SECONDS, LINGER_SECONDS
from shared.runtime.metrics import SERIES, own_metrics

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
MEASURED = re.compile(r"\b((?:seatledger|process)_[a-z_]+)\b")
KINDS = ("_bucket", "_count", "_sum")
OPEN_FILES = 65_536
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def rules() -> list[dict[str, Any]]:
    document = YAML(typ="safe").load(DEPLOY / "alerts.yml")
    return [rule for group in document["groups"] for rule in group["rules"]]


def measured() -> set[str]:
    own = {metric.name for metric in own_metrics()} | {series.name for series in SERIES}
    return own | {name for name, _ in (*GAUGES, *WEBHOOK_GAUGES)}


def test_each_alert_is_about_something_that_is_measured() -> None:
    known = measured()
    for rule in rules():
        names = {_family(name) for name in MEASURED.findall(rule["expr"])}
        assert names <= known, rule["alert"]


def _family(name: str) -> str:
    for kind in KINDS:
        if name.endswith(kind) and not name.startswith("process_"):
            return name.removesuffix(kind)
    return name


def test_each_alert_says_what_to_do_on_its_page() -> None:
    headings = re.findall(r"^## (\w+)$", (DEPLOY / "alerts.md").read_text(), re.M)
    assert [rule["alert"] for rule in rules()] == headings
    for rule in rules():
        assert rule["annotations"]["page"] == f"deploy/alerts.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("page", "ticket")


def sections_of(unit: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit.read_text())
    return parser


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_each_unit_starts_a_module_of_ours_with_few_rights(unit: Path) -> None:
    sections = sections_of(unit)
    service = sections["Service"]
    module = service["ExecStart"].partition(" -m ")[2]
    assert importlib.util.find_spec(module) is not None
    assert (service["User"], service["NoNewPrivileges"]) == ("seatledger", "true")
    assert service["ProtectSystem"] == "strict" and service["CapabilityBoundingSet"] == ""
    assert int(service["TimeoutStopSec"]) >= 30, "lead and drain must fit"
    assert (service["KillMode"], service["SendSIGKILL"]) == ("mixed", "yes")
    assert int(service["LimitNOFILE"]) >= OPEN_FILES
    assert (service["Restart"], sections["Unit"]["StartLimitIntervalSec"]) == ("always", "0")


def compose() -> dict[str, dict[str, Any]]:
    document: dict[str, Any] = YAML(typ="safe").load(DEPLOY / "compose.yaml")
    services: dict[str, dict[str, Any]] = document["services"]
    return services


def test_each_container_may_open_enough_files_and_is_killed_in_the_end() -> None:
    for name, service in compose().items():
        assert service["ulimits"]["nofile"] >= OPEN_FILES, name
        assert int(service["stop_grace_period"].removesuffix("s")) >= 30, name


def test_only_one_container_knows_the_superuser() -> None:
    secret = "${POSTGRES_PASSWORD"
    knowing = {name for name, service in compose().items() if secret in str(service)}
    assert knowing == {"postgres", "role"}
    urls = {service["environment"].get("DATABASE_URL") for service in compose().values()}
    [ours] = urls - {None}
    assert ours.startswith("postgresql://seatledger_service:${SERVICE_PASSWORD")


LEAD_SECONDS = 5
ENDING_SECONDS = LEAD_SECONDS + DRAIN_SECONDS + LINGER_SECONDS


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_each_unit_kills_what_does_not_end_and_starts_it_again(unit: Path) -> None:
    sections = sections_of(unit)
    service = sections["Service"]
    bound = int(service["TimeoutStopSec"])
    assert bound > ENDING_SECONDS + STOP_SECONDS, "our own parent kills its children first"
    assert bound > DRAIN_OF_WORKERS + LEAD_SECONDS
    assert service.get("SendSIGKILL", "yes") == "yes"
    assert service.get("KillMode", "control-group") in ("control-group", "mixed")
    assert service["Restart"] == "always"  # whatever ended it, SIGPROF too


def test_containers_are_killed_and_started_again_too() -> None:
    services = YAML(typ="safe").load(DEPLOY / "compose.yaml")["services"]
    ours = [one for one in services.values() if "services." in str(one.get("command"))]
    assert len(ours) == 6
    for one in ours:
        assert int(one["stop_grace_period"].removesuffix("s")) > ENDING_SECONDS
        assert one["restart"] == "unless-stopped"
        assert one["init"] is True, "the kernel spares process 1"


def test_pages_link_to_what_is_there() -> None:
    for page in DEPLOY.glob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
