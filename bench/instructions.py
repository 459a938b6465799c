"""Counts the instructions that a tuple takes. Started by bench/instructions, which builds first."""
from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import valgrind
from cases import CASES, Case
from children import HERE, SHIM
from plan import Wrong
from wire import frame, messages_of

BUDGETS = HERE / 'instructions.json'
INPUT_BYTES = 1 << 20
"""Of messages, about, in the shorter run of a case: some 10,000 words, or 64 pages. So many of the
small ones that it hardly matters when the garbage collector runs."""
SAMPLE = 100
TOLERANCE = 0.05
SHOWN = 30

ABOUT = """
Counts the instructions that our executable takes for a tuple, by running it under valgrind with as
many tuples as fill 1 MB and with twice as many: what start and end take falls out of the
difference. The numbers hardly depend on the machine or on what else it does (tenths of a percent),
but on the Python and the compilers: the budgets in instructions.json are those of one such build
each. It fails if a case takes over 5 % more than its budget.
"""

Numbers = dict[str, int]
Counted = dict[str, tuple[int, int]]
"""For each case the instructions a tuple: the interpreter's and the guardian's."""


def parse(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser('bench/instructions', description=ABOUT)
    names = [case.name for case in CASES]
    parser.add_argument('--only', metavar='CASE', action='append', default=[], choices=names,
                        help='this case (repeatable): ' + ', '.join(names))
    parser.add_argument('--update', action='store_true',
                        help='make what is counted the budgets of this build')
    parser.add_argument('--profile', metavar='CASE', choices=names,
                        help='show where the instructions of a case go instead')
    return parser.parse_args(given)


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def build() -> str:
    """What the numbers depend on, in words: libpython and how it was compiled, and our compiler."""
    shim = output(SHIM, '--version').partition(', ')[2].partition(' at ')[0]
    flags = sysconfig.get_config_var('CONFIG_ARGS') or ''
    ways = [way for way, flag in [('PGO', '--enable-optimizations'), ('LTO', '--with-lto')]
            if flag in flags]
    compiled = ' '.join([platform.python_compiler(), *ways])
    return (f'{shim}, {compiled}; cc {output("cc", "-dumpfullversion")}, '
            f'{" ".join(platform.libc_ver())}, {platform.machine()}')


@dataclass(frozen=True)
class Size:
    """Messages in the shorter run of a case (a spout's are commands), and the tuples in these."""

    messages: int
    tuples: int

    def per_tuple(self, few: int, many: int) -> float:
        return (many - few) / self.tuples


def size(case: Case) -> Size:
    each = case.emitted if case.spout else 1
    sample = sum(len(frame(message).encode()) for message in messages_of(case, SAMPLE)) / SAMPLE
    groups = max(1, round(INPUT_BYTES / sample / each / case.group))
    return Size(groups * case.group, groups * case.group * each)


def count(pool: Executor, case: Case, folder: Path, tool: str) -> list[Future[valgrind.Counts]]:
    """Start the shorter and the longer run of a case."""
    messages = size(case).messages
    return [pool.submit(valgrind.count, case, number, folder / f'{case.name}-{number}', tool)
            for number in (messages, 2 * messages)]


def processors() -> Executor:
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)))


def count_all(cases: list[Case], folder: Path) -> Counted:
    """Wrong."""
    folder.mkdir()
    for case in cases:
        valgrind.start_once(case, folder / case.name)
    counted = {}
    with processors() as pool:
        runs = [count(pool, case, folder, 'cachegrind') for case in cases]
        try:
            for case, (shorter, longer) in zip(cases, runs):
                few, many, per_tuple = shorter.result(), longer.result(), size(case).per_tuple
                counted[case.name] = (round(per_tuple(few.interpreter, many.interpreter)),
                                      round(per_tuple(few.guardian, many.guardian)))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return counted


def read_budgets() -> dict[str, Numbers]:
    budgets: dict[str, Numbers] = json.loads(BUDGETS.read_text(encoding='utf-8'))
    return budgets


def verdict(counted: int, budget: int | None) -> str:
    if budget is None:
        return 'no budget'
    difference = counted / budget - 1
    if difference > TOLERANCE:
        return f'{difference:+.1%} OVER BUDGET'
    if difference < -TOLERANCE:
        return f'{difference:+.1%} less: update the budget'
    return f'{difference:+.1%}'


def compare(counted: Counted, budgets: Numbers) -> int:
    """Print the table; how many cases are over their budgets."""
    print(f'{"case":<12} {"instructions":>12} {"guardian":>9} {"budget":>9}')
    over = 0
    for name, (interpreter, guardian) in counted.items():
        budget = budgets.get(name)
        says = verdict(interpreter, budget)
        over += 'OVER' in says
        print(f'{name:<12} {interpreter:>12,} {guardian:>9,} '
              f'{"" if budget is None else format(budget, ","):>9}  {says}')
    return over


def update(key: str, counted: Counted) -> None:
    budgets = read_budgets()
    budgets[key] = budgets.get(key, {}) | {name: numbers[0] for name, numbers in counted.items()}
    BUDGETS.write_text(json.dumps(budgets, indent=2) + '\n', encoding='utf-8')
    print(f'bench/instructions: {len(counted)} budgets written')


def check(arguments: argparse.Namespace, folder: Path) -> None:
    key = build()
    print(f'instructions a tuple, {key}')
    cases = [case for case in CASES if case.name in arguments.only or not arguments.only]
    budgets = read_budgets().get(key, {})
    counted = count_all(cases, folder / 'first')
    # Python finds methods in a cache that goes by addresses: now and then two names of a case
    # collide there, which costs up to 3 %, and seldom does so twice.
    doubtful = [case for case in cases if arguments.update
                or 'OVER' in verdict(counted[case.name][0], budgets.get(case.name))]
    for name, again in count_all(doubtful, folder / 'again').items():
        counted[name] = min(counted[name], again)
    over = compare(counted, budgets)
    if arguments.update:
        update(key, counted)
    elif over:
        sys.exit(f'bench/instructions: {over} of {len(counted)} cases over budget; --profile CASE '
                 'shows where they go, --update accepts them')
    elif not budgets:
        print('bench/instructions: no budgets for this build, so nothing was compared; '
              '--update makes these the budgets')
    else:
        compared = sum(name in budgets for name in counted)
        print(f'bench/instructions: {compared} of {len(counted)} cases compared, no complaints')


def profile(case: Case, folder: Path) -> None:
    valgrind.start_once(case, folder / case.name)
    with processors() as pool:
        few, many = (run.result() for run in count(pool, case, folder, 'callgrind'))
    per_tuple = size(case).per_tuple
    print(f'{case.name}: {per_tuple(few.interpreter, many.interpreter):,.0f} instructions a tuple')
    for inclusive in (False, True):
        print(f'\n{"with what they call" if inclusive else "by themselves"}:')
        before, after = (valgrind.functions(counts, inclusive) for counts in (few, many))
        after.subtract(before)
        for name, number in after.most_common(SHOWN):
            print(f'{per_tuple(0, number):>10,.1f}  {name}')


def main() -> None:
    arguments = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with tempfile.TemporaryDirectory(prefix='instructions-') as name:
            if arguments.profile:
                chosen = next(case for case in CASES if case.name == arguments.profile)
                profile(chosen, Path(name))
            else:
                check(arguments, Path(name))
    except Wrong as wrong:
        sys.exit(f'bench/instructions: {wrong}')
    except subprocess.CalledProcessError as error:
        sys.exit(f'bench/instructions: {(error.stderr or str(error)).strip()}')
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


if __name__ == '__main__':
    main()
