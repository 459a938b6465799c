"""What Storm takes for its settings: the kinds of its keys, as Config.java of Storm 2.8.3 annotates them."""

from __future__ import annotations

from typing import Any, Callable

INT32 = range(-(2**31), 2**31)


def refused(key: str, value: object) -> str | None:
    """What Storm would take for a key in place of this value, or None: it takes the value, or does not know
    the key."""
    kind = KINDS.get(key.removeprefix("topology.")) if key.startswith("topology.") else None
    if kind is None or value is None or kind[1](value):
        return None
    return kind[0]


def known() -> set[str]:
    """The keys that there are rules for."""
    return {f"topology.{name}" for name in KINDS}


def _number(value: Any) -> bool:
    return type(value) in (int, float)


def _whole(value: Any) -> bool:
    """As Storm sees it, 30.0 is one."""
    return _number(value) and value == value // 1 and int(value) in INT32


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _registrations(value: Any) -> bool:
    return isinstance(value, (list, dict)) and all(
        isinstance(one, str) or isinstance(one, dict) for one in value)


def _text_map(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


Kind = tuple[str, Callable[[Any], bool]]

RULES: list[tuple[str, Callable[[Any], bool], str]] = [
    ("a whole number above 0", lambda value: _whole(value) and value > 0, """
        backpressure.check.millis bolts.tuple.timestamp.max.lag.ms bolts.watermark.event.interval.ms
        bolts.window.length.count bolts.window.length.duration.ms bolts.window.sliding.interval.count
        bolts.window.sliding.interval.duration.ms executor.receive.buffer.size isolate.machines
        max.error.report.per.interval max.spout.pending max.task.parallelism message.timeout.secs
        producer.batch.size ras.constraint.max.state.search ras.constraint.max.time.secs
        shellbolt.max.pending state.checkpoint.interval.ms state.synchronization.timeout.secs
        subprocess.timeout.secs transfer.batch.size transfer.buffer.size trident.batch.emit.interval.millis
        trident.windowing.cache.tuple.limit v2.metrics.tick.interval.seconds worker.timeout.secs workers"""),
    ("a whole number from 0", lambda value: _whole(value) and value >= 0, """
        acker.executors backpressure.wait.progressive.level1.count
        backpressure.wait.progressive.level2.count batch.flush.interval.millis
        bolt.wait.progressive.level1.count bolt.wait.progressive.level2.count eventlogger.executors
        executor.overflow.limit priority ras.acker.executors.per.worker sleep.spout.wait.strategy.time.ms
        spout.recvq.skips spout.wait.progressive.level1.count spout.wait.progressive.level2.count tasks"""),
    ("a whole number", _whole, """
        builtin.metrics.bucket.size.secs error.throttle.interval.secs tick.tuple.freq.secs
        worker.shared.thread.pool.size"""),
    ("a number above 0", lambda value: _number(value) and value > 0, """
        localityaware.higher.bound localityaware.lower.bound stats.sample.rate worker.max.heap.size.mb"""),
    ("a number from 0", lambda value: _number(value) and value >= 0, """
        acker.cpu.pcore.percent acker.resources.offheap.memory.mb acker.resources.onheap.memory.mb
        backpressure.wait.park.microsec backpressure.wait.progressive.level3.sleep.millis
        bolt.wait.park.microsec bolt.wait.progressive.level3.sleep.millis component.cpu.pcore.percent
        component.resources.offheap.memory.mb component.resources.onheap.memory.mb
        metrics.consumer.cpu.pcore.percent metrics.consumer.resources.offheap.memory.mb
        metrics.consumer.resources.onheap.memory.mb spout.wait.park.microsec
        spout.wait.progressive.level3.sleep.millis"""),
    ("a number", _number, "max.replication.wait.time.sec min.replication.count"),
    ("true or false", lambda value: isinstance(value, bool), """
        backpressure.enable debug disable.loadaware.messaging enable.message.timeouts
        enable.send.iconnection.metrics enable.v2.metrics.tick fall.back.on.java.serialization
        ras.one.component.per.worker ras.one.executor.per.worker serialized.message.size.metrics
        skip.missing.kryo.registrations testing.always.try.serialize worker.nimbus.thrift.client.use.tls"""),
    ("a string", lambda value: isinstance(value, str), """
        backpressure.wait.strategy bolt.wait.strategy bolts.late.tuple.stream bolts.message.id.field.name
        kryo.factory logging.config logging.sensitivity multilang.log.handler multilang.serializer name
        scheduler.strategy spout.wait.strategy state.provider state.provider.config submitter.principal
        submitter.user transactional.id tuple.serializer version"""),
    ("a string or a list of strings", lambda value: isinstance(value, str) or _texts(value), """
        classpath classpath.beginning groups readonly.groups readonly.users users worker.childopts
        worker.gc.childopts worker.logwriter.childopts"""),
    ("a list of strings", _texts, """
        auto-credentials auto.task.hooks kryo.decorators scheduler.favored.nodes
        scheduler.unfavored.nodes spread.components state.kryo.register"""),
    ("a list of class names, or of maps from such to serializers", _registrations, "kryo.register"),
    ("a map of strings", _text_map, "environment worker.metrics"),
    ("a map", lambda value: isinstance(value, dict), "blobstore.map component.resources.map"),
]

KINDS: dict[str, Kind] = {name: (text, fits) for text, fits, names in RULES for name in names.split()}
