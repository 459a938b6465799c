"""A reliable spout and what Storm does for it, before an executable that is killed again and again."""
from __future__ import annotations

import argparse
import json
import mmap
import os
import re
import select
import signal
import subprocess
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

from cases import Case
from children import HERE, STORMCELL, soaked_environment
from plan import Wrong
from processes import children_of
from wire import conf, context, frame

IN_FLIGHT = 2000
CHUNK = 1 << 16
PATIENCE_S = 60
"""Without an ack or a fail: then something has been lost."""
MOMENT_S = 0.004
"""A kill comes within so long after the id that it was drawn for."""
LOOK_AGAIN_S = 0.01
END = b'\nend\n'
ACK, ACK_END = b'{"command":"ack","id":"', b'"}'
OUTCOMES = ('guardian_new_shim', 'interpreter_replaced', 'interpreter_ended_shim',
            'interpreter_unheard')
"""The interpreter's end goes unheard where the guardian is killed before it could tell."""
SINK = Case('sink', 'an id in, recorded in a file', 'soaked.Sink', ['id'], [],
            lambda chance: [], lambda came: (), [])


@dataclass
class Strike:
    """One SIGKILL. outcome: what came of it, once that is known."""

    pid: int
    victim: str
    outcome: str = ''


class Strikes:
    """When who is killed. The moments are drawn as numbers of acked ids; a timer's signal then comes
    in between whatever this process and the killed one just do."""

    def __init__(self, ids: int, kills: int, chance: Random) -> None:
        self.chance = chance
        self.due = deque(sorted(chance.randrange(ids) for _ in range(kills)))
        self.guardian = 0
        self.made: list[Strike] = []
        self.waiting = False
        signal.signal(signal.SIGALRM, lambda *_: self.strike())

    def arm(self, acked: int) -> None:
        """Set the timer if the next one is due."""
        if self.due and acked >= self.due[0] and not self.waiting:
            self.due.popleft()
            self.waiting = True
            signal.setitimer(signal.ITIMER_REAL, self.chance.uniform(1e-6, MOMENT_S))

    def strike(self) -> None:
        """Kill one of the two; again in a moment, where the interpreter is just being replaced."""
        struck = {each.pid for each in self.made}
        interpreters = [pid for pid in children_of(self.guardian) if pid not in struck]
        if self.guardian in struck or not interpreters:
            signal.setitimer(signal.ITIMER_REAL, LOOK_AGAIN_S)
            return
        self.waiting = False
        if self.chance.random() < 0.25:
            self.made.append(Strike(self.guardian, 'guardian'))
        else:
            self.made.append(Strike(interpreters[0], 'interpreter'))
        os.kill(self.made[-1].pid, signal.SIGKILL)

    def are_open(self) -> bool:
        """One is still to come, or has not been heard of."""
        return bool(self.due) or self.waiting or not all(each.outcome for each in self.made)

    def take_report(self, text: str) -> None:
        """An error that the executable reports. Wrong, unless it is about a kill."""
        found = re.search(r'the Python process (\d+) .*was ended by signal 9', text)
        for each in self.made:
            if found and each.pid == int(found[1]) and not each.outcome:
                each.outcome = 'replaced' if 'it is replaced in' in text else 'ended_shim'
                return
        raise Wrong(f'the shim reports what was not done to it: {text}')

    def take_end(self, complaint: str, status: int) -> None:
        """The executable has ended. Wrong, unless a kill is the reason, and was told."""
        unheard = [each for each in self.made if not each.outcome]
        last = self.made[-1] if self.made else Strike(0, 'nobody')
        if last.pid == self.guardian:
            for each in unheard:
                each.outcome = 'unheard'
            last.outcome = 'new_shim'
        elif unheard == [last] and str(last.pid) in complaint:
            last.outcome = 'ended_shim'
        elif unheard or last.outcome != 'ended_shim':
            raise Wrong(f'the shim ended with status {status}: {complaint or "without a word"}')

    def outcomes(self) -> dict[str, int]:
        counts = Counter(f'{each.victim}_{each.outcome}' for each in self.made)
        return {'kills': len(self.made), **{name: counts[name] for name in OUTCOMES}}


class Wire:
    """One run of the executable, and this end of its pipes."""

    def __init__(self, environment: dict[str, str], outgoing: bytes) -> None:
        self.process = subprocess.Popen(
            STORMCELL.command(SINK), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, bufsize=0, cwd=HERE, env=environment, start_new_session=True)
        streams = self.process.stdin, self.process.stdout, self.process.stderr
        self.input, self.output, self.errors = (stream.fileno() for stream in streams if stream)
        self.outgoing = outgoing
        self.rest = b''
        self.ended = False
        self.poll = select.poll()
        for fd in (self.input, self.output):
            os.set_blocking(fd, False)
            self.poll.register(fd, select.POLLIN)

    def wait(self) -> list[bytes]:
        """The messages that have come, if any came within a second."""
        self.poll.modify(self.input, select.POLLOUT if self.outgoing else 0)
        ready = dict(self.poll.poll(1000))
        if self.outgoing and self.input in ready:
            self._write()
        return self._read() if self.output in ready else []

    def _write(self) -> None:
        try:
            self.outgoing = self.outgoing[os.write(self.input, self.outgoing[:CHUNK]):]
        except BrokenPipeError:  # what can be read tells why
            self.outgoing = b''

    def _read(self) -> list[bytes]:
        said = os.read(self.output, CHUNK)
        self.ended = not said
        *messages, self.rest = (self.rest + said).split(END)
        return messages

    def close(self) -> str:
        """Wait for the end; what was written to stderr, which is never much."""
        try:
            said = self.process.communicate(timeout=PATIENCE_S)[1]
        except subprocess.TimeoutExpired:
            raise Wrong(f'the shim has not ended within {PATIENCE_S} s') from None
        return said.decode(errors='replace').strip()

    def kill(self) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.communicate()


class Spout:
    """Has its ids sent until each is acked, by one run of the executable after another."""

    def __init__(self, arguments: argparse.Namespace, folder: Path, chance: Random) -> None:
        self.ids, self.restart = arguments.ids, arguments.restart
        self.strikes = Strikes(self.ids, arguments.kills, chance)
        self.folder = folder
        self.fresh = iter(range(self.ids))
        self.again: deque[int] = deque()
        self.serials = count(1)
        self.in_flight: dict[bytes, int] = {}
        self.acked = self.replayed = self.starts = 0
        self.moved_at = time.monotonic()
        effects = folder / 'effects'
        effects.write_bytes(bytes(self.ids))
        with effects.open('r+b') as file:
            self.effects = mmap.mmap(file.fileno(), 0)

    def run(self) -> None:
        """Wrong."""
        while not self._is_over():
            wire = self._start()
            try:
                self._converse(wire)
            finally:
                wire.kill()

    def _is_over(self) -> bool:
        return self.acked == self.ids and not self.strikes.are_open()

    def _start(self) -> Wire:
        told = conf() | {'stormcell.restart': {'max': self.restart, 'within.secs': 1}}
        greeting = {'pidDir': str(self.folder), 'conf': told, 'context': context(SINK, 0)}
        environment = soaked_environment() | {'SOAK_EFFECTS': str(self.folder / 'effects')}
        wire = Wire(environment, frame(greeting).encode())
        self.strikes.guardian = wire.process.pid
        self.starts += 1
        return wire

    def _converse(self, wire: Wire) -> None:
        while not (wire.ended or self._is_over()):
            self._send(wire)
            self._take(wire.wait())
            self.strikes.arm(self.acked)
            if time.monotonic() - self.moved_at > PATIENCE_S:
                raise Wrong(f'{len(self.in_flight)} tuples were neither acked nor failed within '
                            f'{PATIENCE_S} s')
        if wire.ended:
            self._bury(wire)
        else:
            self._finish(wire)

    def _send(self, wire: Wire) -> None:
        if len(wire.outgoing) > CHUNK:
            return
        frames = []
        for number in islice(self._numbers(), IN_FLIGHT - len(self.in_flight)):
            tuple_id = b'%d' % next(self.serials)  # as in Storm, another one for each attempt
            self.in_flight[tuple_id] = number
            frames.append(b'{"comp":"source","tuple":[%d],"task":12,"stream":"default","id":"%b"}'
                          b'\nend\n' % (number, tuple_id))
        wire.outgoing += b''.join(frames)

    def _numbers(self) -> Iterator[int]:
        while self.again:
            yield self.again.popleft()
        yield from self.fresh

    def _take(self, messages: list[bytes]) -> None:
        for message in messages:
            if message.startswith(ACK):
                number = self._settle(message[len(ACK):-len(ACK_END)])
                if not self.effects[number]:
                    raise Wrong(f'id {number} is acked and its effect is not in the sink')
                self.acked += 1
            else:
                self._take_other(json.loads(message))

    def _take_other(self, message: dict[str, Any]) -> None:
        command = message.get('command', 'pid')
        if command == 'fail':
            self._replay([self._settle(message['id'].encode())])
        elif command == 'error':
            self.strikes.take_report(message['msg'])
        elif command not in ('log', 'sync', 'pid'):
            raise Wrong(f'the shim said {message}')

    def _settle(self, tuple_id: bytes) -> int:
        self.moved_at = time.monotonic()
        try:
            return self.in_flight.pop(tuple_id)
        except KeyError:
            raise Wrong(f'tuple {tuple_id.decode()} is settled and not in flight') from None

    def _replay(self, numbers: Iterable[int]) -> None:
        before = len(self.again)
        self.again.extend(numbers)
        self.replayed += len(self.again) - before

    def _finish(self, wire: Wire) -> None:
        """Have it end. Where an interpreter was killed just now, its end may be that of all."""
        complaint, status = wire.close(), wire.process.returncode
        if complaint or status not in (0, 128 + signal.SIGKILL if self.strikes.made else 0):
            raise Wrong(f'the shim did not end in order: status {status} {complaint}')

    def _bury(self, wire: Wire) -> None:
        """The executable has ended: what it had goes to the next one."""
        self.strikes.take_end(wire.close(), wire.process.returncode)
        self._replay(self.in_flight.values())
        self.in_flight.clear()


def soak(arguments: argparse.Namespace, folder: Path) -> None:
    """Wrong, if anything was lost."""
    seed = SystemRandom().getrandbits(32) if arguments.seed is None else arguments.seed
    print(f'{arguments.ids:,} ids, {arguments.kills:,} kills, --seed {seed}', flush=True)
    spout = Spout(arguments, folder, Random(seed))
    started_at = time.monotonic()
    spout.run()
    lost = spout.effects[:].count(0)
    report = {'ids': spout.ids, 'acked': spout.acked, 'lost': lost, 'starts': spout.starts,
              'replayed': spout.replayed, 'twice': sum(spout.effects[:]) - spout.ids,
              'seconds': round(time.monotonic() - started_at, 1), **spout.strikes.outcomes()}
    print(*(f'{name.replace("_", " ")}: {value:,}' for name, value in report.items()), sep='\n')
    if arguments.json:
        arguments.json.write_text(json.dumps(report) + '\n', encoding='utf-8')
    if lost:
        raise Wrong(f'{lost} ids are acked and their effects are not in the sink')
