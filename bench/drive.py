"""Runs the driver with a child, and reads what a child answers word for word."""
from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cases import Answers, Case
from children import BUILT, HERE, Child
from plan import Plan, Result, Wrong

PATIENCE_S = 120
"""For one run of the driver, which gives up by itself when a child is silent."""


def drive(what: str, options: Sequence[str | Path], command: list[str], child: Child) -> Result:
    """Run the driver; what it prints. `what` is for people. Wrong."""
    whole = [BUILT / 'driver', *options, *command]
    try:
        done = subprocess.run(list(map(str, whole)), check=False, capture_output=True, text=True,
                              errors='replace', cwd=HERE, env=child.environment(),
                              timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise Wrong(f'{what}, {child.name}: no end after {PATIENCE_S} s') from None
    if done.returncode != 0:
        said = '\n  '.join(readable(line) for line in done.stderr.splitlines()[-30:])
        raise Wrong(f'{what}, {child.name}: failed with {" ".join(map(str, options))}\n  {said}')
    result: Result = json.loads(done.stdout)
    return result


def run_case(plan: Plan, case: Case, child: Child, options: list[str]) -> Result:
    """Run the driver with a child for a case. Wrong."""
    expected = ['--group', str(case.group), '--emits', str(case.emitted), '--logs',
                str(case.logged), *(['--spout'] if case.spout else [])]
    return drive(case.name,
                 [*expected, *child.options, *plan.place, *options, plan.input(case.name)],
                 child.command(case), child)


def readable(line: str) -> str:
    """A line of the driver's; where it quotes an error message of the child's, what that says."""
    before, brace, message = line.partition('{')
    try:
        return before + str(json.loads(brace + message)['msg']).strip().replace('\n', '\n  ')
    except (ValueError, KeyError):
        return line


def check(plan: Plan, case: Case, child: Child, came: list[dict[str, Any]]) -> None:
    """Hold what a child answers to the first tuples against what the case expects. Wrong."""
    copy = plan.folder / 'answers'
    window = str(max(100, 2 * case.group) if case.group > 1 else 100)
    run_case(plan, case, child,
             ['--tuples', str(case.checked), '--window', window, '--copy', str(copy)])
    said = told(copy, ours=case.logged > 0)
    groups = [came[start:start + case.group] for start in range(0, len(came), case.group)]
    for group, answers in zip(groups, child.expect(case)([each.get('tuple', []) for each in came])):
        wanted = whole_answers(case, child, group, answers)
        got = [next(said, {}) for _ in wanted]
        if case.group > 1:  # in a batch's acks, any order will do
            wanted.sort(key=order)
            got.sort(key=order)
        for want, have in zip(wanted, got):
            if any(have.get(key) != value for key, value in want.items()):
                raise Wrong(f'{case.name}, {child.name}: to {group[0]}\n'
                            f'  it answers {have}\n  and not    {want}')


def whole_answers(case: Case, child: Child, group: list[dict[str, Any]],
                  answers: Answers) -> Answers:
    """A case's answers with what else must be in them and behind them."""
    if case.spout:
        return [*(emitted(each, child) for each in answers), {'command': 'sync'}]
    anchors = [each['id'] for each in group if each['stream'] != '__tick']
    # need_task_ids: unless the driver sends some, nobody may wait for them.
    return [
        *(emitted(each, child) | {'anchors': anchors} if each['command'] == 'emit' else each
          for each in answers),
        *({'command': 'ack', 'id': each['id']} for each in group),
    ]


def emitted(answer: dict[str, Any], child: Child) -> dict[str, Any]:
    return answer if child.reads_task_ids else answer | {'need_task_ids': False}


def order(message: dict[str, Any]) -> tuple[str, str]:
    return message.get('command', ''), message.get('id', '')


def told(copy: Path, ours: bool) -> Iterator[dict[str, Any]]:
    """The messages in a copy of what a child said, but the pid; logs if they are the case's own."""
    for text in copy.read_text(encoding='utf-8').split('\nend\n')[1:-1]:
        message = json.loads(text)
        of_pystorm = str(message.get('msg')).startswith('pystorm ')  # it says hello
        if message['command'] != 'log' or ours and not of_pystorm:
            yield message
