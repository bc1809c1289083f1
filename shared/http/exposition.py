"""`GET /metrics`: the series of this process and of those it runs with, each named by its process.

Processes that share a listening socket answer for one another: each lays its series open on a unix
socket in a private folder of their parent's, and whoever is asked asks the others. Nothing is lost
or added up: `process` tells them apart, so a restart resets one process's counters only.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Metric, generate_latest

from shared.booking_api.errors import Forbidden
from shared.http.access import for_everyone, key_in
from shared.http.requests.nearness import comes_from_here
from shared.runtime.metrics import LOOP_LAG_SECONDS, own_metrics

SIBLING_SECONDS = 1.0
READING_SECONDS = 2.0
LAG_SECONDS = 0.5
Reading = Callable[[], Awaitable[Iterable[Metric]]]
_log = structlog.get_logger("seatledger.metrics")


@dataclass(frozen=True, slots=True)
class Place:
    """What this process is called, and the folder where its siblings lay their series open."""

    process: str
    folder: Path | None = None


class Exposition:
    """Gathers the series: own, siblings', and what `readings` read from the database."""

    def __init__(self, place: Place, readings: Sequence[Reading], key: str | None) -> None:
        self._place = place
        self._readings = tuple(readings)
        self._key = key

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/metrics", self.metrics)]

    @for_everyone
    async def metrics(self, request: web.Request) -> web.Response:
        """For a bearer or password of SEATLEDGER_METRICS_KEY; without one, for this machine."""
        if not self._may_see(request):
            raise Forbidden
        text = generate_latest(_Gathered(await self.gather()))
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def gather(self) -> list[Metric]:
        """All series, those of one name together."""
        found = [_of(self._place.process, own_metrics())]
        found += await asyncio.gather(*(_ask(path) for path in self._siblings()))
        for reading in self._readings:
            found.append(await _read(reading))
        return _merged(metric for metrics in found for metric in metrics)

    def _siblings(self) -> list[Path]:
        folder, own = self._place.folder, socket_of(self._place, os.getpid())
        if folder is None:
            return []
        return sorted(path for path in folder.glob("*.sock") if path != own)

    def _may_see(self, request: web.Request) -> bool:
        if self._key is None:
            return comes_from_here(request)
        sent = request.headers.get("Authorization", "")
        given = sent[7:] if sent[:7].lower() == "bearer " else key_in(sent) or ""
        return secrets.compare_digest(given.encode("utf-8", "replace"), self._key.encode())


@asynccontextmanager
async def laid_open(place: Place) -> AsyncIterator[None]:
    """Inside the block siblings may read this process's series, and its loop's lag is watched."""
    watch = asyncio.create_task(_watch_lag(), name="lag")
    server = None
    path = socket_of(place, os.getpid())
    if path is not None:
        server = await asyncio.start_unix_server(_tell(place.process), path)
    try:
        yield
    finally:
        watch.cancel()
        if server is not None and path is not None:
            server.close()
            path.unlink(missing_ok=True)


def socket_of(place: Place, pid: int) -> Path | None:
    """Where the process with this pid lays its series open: it is there once it serves."""
    return None if place.folder is None else place.folder / f"{place.process}.{pid}.sock"


def _tell(
    process: str,
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(json.dumps([_packed(m) for m in _of(process, own_metrics())]).encode())
            await writer.drain()
        writer.close()

    return tell


async def _ask(path: Path) -> list[Metric]:
    """A sibling's series; none when it is gone or hangs."""
    try:
        async with asyncio.timeout(SIBLING_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                return [_unpacked(one) for one in json.loads(await reader.read())]
            finally:
                writer.close()
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)  # noqa: ASYNC240  it was killed
        return []
    except (OSError, TimeoutError, ValueError):
        return []


async def _read(reading: Reading) -> list[Metric]:
    """What the database knows; nothing of it when it does not answer, and the rest is shown."""
    try:
        async with asyncio.timeout(READING_SECONDS):
            return list(await reading())
    except Exception as error:
        _log.warning("metrics_reading_failed", reason=type(error).__name__)
        return []


async def _watch_lag() -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_SECONDS
        await asyncio.sleep(LAG_SECONDS)
        LOOP_LAG_SECONDS.add(max(loop.time() - due, 0.0))


def _of(process: str, metrics: Iterable[Metric]) -> list[Metric]:
    named = []
    for metric in metrics:
        one = Metric(metric.name, metric.documentation, metric.type)
        for sample in metric.samples:
            one.add_sample(sample.name, {"process": process, **sample.labels}, sample.value)
        named.append(one)
    return named


Packed = tuple[str, str, str, list[tuple[str, dict[str, str], float]]]


def _packed(metric: Metric) -> Packed:
    samples = [(sample.name, sample.labels, sample.value) for sample in metric.samples]
    return metric.name, metric.documentation, metric.type, samples


def _unpacked(packed: Packed) -> Metric:
    name, documentation, kind, samples = packed
    metric = Metric(name, documentation, kind)
    for sample in samples:
        metric.add_sample(*sample)
    return metric


def _merged(metrics: Iterable[Metric]) -> list[Metric]:
    """Those of one name together, none twice: a worker and its successor share a name a while."""
    by_name: dict[str, Metric] = {}
    seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for metric in metrics:
        known = by_name.setdefault(
            metric.name, Metric(metric.name, metric.documentation, metric.type)
        )
        for sample in metric.samples:
            identity = sample.name, tuple(sorted(sample.labels.items()))
            if identity not in seen:
                seen.add(identity)
                known.samples.append(sample)
    return list(by_name.values())


class _Gathered:
    """What was gathered, in the form that the renderer takes."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics
