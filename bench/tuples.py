"""As many tuples as one wants through one executable, which may not hold more at the end."""
from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cases import CASES, Case
from children import BUILT, HERE, STORMCELL, soaked_environment
from plan import Result, Wrong
from processes import Holdings, children_of, holdings_of
from values import WORDS
from wire import write_input

IN_FLIGHT = 1000
"""What lies in the buffers at the most when one of the processes has to wait for a processor."""
SAMPLES = 50
WARM_UP = 5
"""So many of the samples come before memory must be flat: a tenth of the tuples."""
ROOM_KIB = 1024
ROOM_OBJECTS = len(WORDS) + 100
"""A word's count becomes an object of its own when it leaves Python's small integers, which the rare
ones do late; and what caches take."""
NAMES = ('guardian', 'interpreter')


@dataclass(frozen=True)
class Sample:
    """What the two processes hold when so many tuples are settled."""

    settled: int
    holdings: dict[int, Holdings]  # by pid: the guardian first


def sample(driver: int, settled: int) -> Sample | None:
    """None if the processes have ended meanwhile, of which the driver tells if it was no orderly end."""
    guardians = children_of(driver)
    pids = guardians + [child for guardian in guardians for child in children_of(guardian)]
    try:
        holdings = {pid: holdings_of(pid) for pid in pids}
    except OSError:
        return None
    return Sample(settled, holdings) if len(holdings) == len(NAMES) else None


def samples_of(driver: subprocess.Popen[str]) -> Iterator[Sample | Result]:
    """A sample whenever the driver tells how far it is, and its own report at the end."""
    assert driver.stdout is not None
    for line in driver.stdout:
        told: Result = json.loads(line)
        taken = told if 'sent' in told else sample(driver.pid, told['settled'])
        if taken is not None:
            yield taken


def show_head() -> None:
    columns = ''.join(f'{name + " " + what:>17}' for name in NAMES for what in ('RSS', 'PSS'))
    print(f'{"tuples":>13}{columns} KiB  descriptors  threads', flush=True)


def show(taken: Sample) -> None:
    both = list(taken.holdings.values())
    memory = ''.join(f'{size:>17,}' for each in both for size in (each.rss_kib, each.pss_kib))
    descriptors = ' + '.join(str(each.descriptors) for each in both)
    threads = ' + '.join(str(each.threads) for each in both)
    print(f'{taken.settled:>13,}{memory}      {descriptors:>11}  {threads:>7}', flush=True)


def complaints(samples: list[Sample]) -> Iterator[str]:
    """What grew or changed after the warm-up. PSS is not held against anything: it moves when
    another process maps the same libraries."""
    first, *later = samples
    for pid, name in zip(first.holdings, NAMES):
        before = first.holdings[pid]
        for each in later:
            if pid not in each.holdings:
                yield f'the {name} {pid} is another process after {each.settled:,} tuples'
                return
        after = [each.holdings[pid] for each in later]
        growth = max(each.rss_kib for each in after) - before.rss_kib
        if growth > ROOM_KIB:
            yield f'the {name} grew by {growth:,} KiB'
        for what in ('descriptors', 'threads'):
            numbers = {getattr(each, what) for each in [before, *after]}
            if len(numbers) > 1:
                yield f'the {name} has had {sorted(numbers)} {what}'


def growth_of_objects(notes: Path) -> dict[str, int]:
    """How many more blocks, and references where they are counted, Python ever had than after the
    warm-up."""
    rows = [map(int, line.split()) for line in notes.read_text().splitlines()[WARM_UP - 1:]]
    return {name: max(counts) - counts[0]
            for name, counts in zip(('blocks', 'references'), zip(*rows))}


def counted_words() -> Case:
    words = next(case for case in CASES if case.name == 'wordcount')
    return replace(words, component='soaked.Counted')


def drive(tuples: int, errors: int, folder: Path) -> tuple[list[Sample], Result]:
    """Run the driver, and show each sample as it comes. Wrong."""
    case, each = counted_words(), max(1, tuples // SAMPLES)
    write_input(case, folder / 'input')
    command = [BUILT / 'driver', '--sleep', '--window', IN_FLIGHT, '--tuples', tuples, '--tell', each,
               '--emits', case.emitted, '--fails', errors, folder / 'input',
               *STORMCELL.command(case)]
    environment = soaked_environment() | {'SOAK_EACH': str(each), 'SOAK_ERRORS': str(errors),
                                          'SOAK_OBJECTS': str(folder / 'objects')}
    samples, report = [], None
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, cwd=HERE, env=environment) as driver:
        try:
            for told in samples_of(driver):
                if isinstance(told, Sample):
                    samples.append(told)
                    show(told)
                else:
                    report = told
            said = driver.communicate()[1]
        finally:
            driver.terminate()
    if report is None or driver.returncode != 0:
        raise Wrong(f'the driver ended with status {driver.returncode}: {said}')
    return samples, report


def soak(tuples: int, errors: int, folder: Path) -> None:
    """Wrong, if anything grew."""
    show_head()
    samples, report = drive(tuples, errors, folder)
    found = list(complaints(samples[WARM_UP - 1:]))
    growths = growth_of_objects(folder / 'objects')
    found += [f'Python had {growth:,} more {name}' for name, growth in growths.items()
              if growth > ROOM_OBJECTS]
    print(f'{report["acks"]:,} acked and {report["fails"]:,} failed, each once, in '
          f'{report["seconds"]:,.0f} s: {report["rate"]:,.0f} tuples/s, {report["cpu_us"]:.2f} us of '
          'CPU a tuple; after the warm-up at most '
          + ', '.join(f'{growth:+,} {name}' for name, growth in growths.items()))
    if found:
        raise Wrong('; '.join(found))
