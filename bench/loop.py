"""A plain Python loop, which knows nothing of who runs it: what a user's own code costs."""
import os
import time

WORDS = ('the quick brown fox jumps over the lazy dog while seven wizards of the north count '
         'the words that the river brings to the old mill by the sea').split()


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def moved(self, by):
        return Point(self.x + by, self.y - by)


def work():
    counts = {}
    total = 0.0
    point = Point(0, 0)
    for number in range(1500):
        for word in WORDS:
            counts[word] = counts.get(word, 0) + len(word)
        point = point.moved(number % 7)
        line = ','.join(f'{word}={count}' for word, count in counts.items())
        total += sum(len(part) / 3 for part in line.split(',')) + point.x * 0.5
    return sorted(counts.items()), total


def least_cpu_s(times):
    """Of so many rounds, the one that the machine disturbed least."""
    used = []
    for _ in range(times):
        before = time.process_time()
        work()
        used.append(time.process_time() - before)
    return min(used)


def report():
    with open(os.environ['BENCH_RESULT'], 'w', encoding='utf-8') as file:
        file.write(str(least_cpu_s(int(os.environ['BENCH_ROUNDS']))))
