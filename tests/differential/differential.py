"""Plays random sequences of socket calls on the kernel and under Sockeye and compares them line by line.

Batches of sequences run natively first; what they print goes to the player under Sockeye, which waits for it (see
player.c). A difference that no exception explains is played again, alone; where it stays it is shrunk to the steps
that it needs. Nothing random is left once the seed is given, and `--only N` plays sequence N by itself.
"""

import argparse
import concurrent.futures
import os
import subprocess
import sys
import time

import compare
import sequences

BATCH = 100
SECONDS_MAX = 100
FIRST_PORT, PORTS_APART, REGIONS = 10000, 400, 50


# A network of its own, in which nothing but the loopback can be reached, as in a host here.
ALONE = ["unshare", "--net", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "alone"]


def network_of_its_own():
    """The words before a command that give it one: as root, else as root of a user namespace, else none."""
    for words in (ALONE, [ALONE[0], "--map-root-user", *ALONE[1:]]):
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
            return words
    print("no network namespace can be made: what is said of addresses out of reach may differ", file=sys.stderr)
    return []


class Players:
    """Runs batches of sequences on both sides."""

    def __init__(self, options):
        self.options, self.parted = options, []
        options.alone = network_of_its_own()
        self.exceptions = compare.read_exceptions(options.document)
        self.path = "direct" if options.direct else "engine"

    def play(self, name, batch, expected=None, region=0):
        """The lines of each sequence of a batch {number: steps}; natively unless `expected` lines are given."""
        file = os.path.join(self.options.work, f"{name}.sequences")
        with open(file, "w", encoding="utf-8") as out:
            for number, steps in batch.items():
                out.write(f"sequence {number}\n")
                for index, step in enumerate(steps):
                    lines = (expected or {}).get(number, [])
                    behind = f"\t{lines[index]}" if index < len(lines) else ""
                    out.write(f"{step}{behind}\n")
        first = FIRST_PORT + (region % REGIONS) * PORTS_APART
        command = [self.options.player, file, str(first)]
        if expected is None:
            command = [*self.options.alone, *command, "probe"]
        else:
            direct = ["--direct"] if self.options.direct else []
            command = [self.options.sockeye, "run", *direct, "--", *command]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                  timeout=SECONDS_MAX, check=False)
            text, trouble = done.stdout, done.stderr.decode(errors="replace").strip()
        except subprocess.TimeoutExpired as late:
            text, trouble = late.stdout or b"", f"{name}: not done after {SECONDS_MAX} s"
        if trouble:
            print(f"{name}: {trouble}", file=sys.stderr)
        played = {number: [] for number in batch}
        for line in text.decode(errors="replace").splitlines():
            number = line.split(".", 1)[0]
            if number.isdigit() and int(number) in played:
                played[int(number)].append(line)
        return played

    def compare(self, name, batch, region=0):
        """Plays a batch on both sides: {number: (index, text, native lines, our lines)} of the differing ones."""
        native = self.play(f"{name}.native", batch, None, region)
        ours = self.play(f"{name}.{self.path}", batch, native, region)
        found = {}
        for number, steps in batch.items():
            if len(native[number]) < len(steps):
                found[number] = (len(native[number]), "natively the player did not come so far", native[number], [])
                continue
            differs = compare.differences(native[number], ours[number], self.path, self.exceptions, self.parted)
            if differs:
                found[number] = (*differs, native[number], ours[number])
        return found

    def confirm(self, number, steps, times=2):
        """Whether a sequence differs each time again; the last difference."""
        last = None
        for turn in range(times):
            found = self.compare(f"again-{number}-{turn}", {number: steps}, 40 + turn)
            if number not in found:
                return None
            last = found[number]
        return last

    def shrink(self, number, steps, last):
        """The shortest sequence that removing steps comes to; all removals of one size are played together."""
        steps = steps[:last[0] + 1]
        size = max(1, len(steps) // 2)
        while size:
            starts = range(0, len(steps) - 1, size)
            batch = {start: steps[:start] + steps[start + size:] for start in starts}
            found = self.compare(f"shrink-{number}", batch, 45)
            shorter = None
            for start in found:
                confirmed = self.confirm(number, batch[start], 1)
                if confirmed:
                    shorter, last = batch[start][:confirmed[0] + 1], confirmed
                    break
            if shorter is not None and len(shorter) < len(steps):
                steps = shorter
                size = min(size, max(1, len(steps) // 2))
            else:
                size //= 2
        return steps, self.confirm(number, steps, 1) or last


def report(number, difference, seed):
    """Prints a difference with all its lines."""
    index, text, native, ours = difference
    print(f"FAIL  sequence {number} of seed {seed}: {text}")
    for at, line in enumerate(native[:index + 1]):
        if at < len(ours) and ours[at] == line:
            print(f"        {line}")
        else:
            print(f"      < {line}")
            print(f"      > {ours[at] if at < len(ours) else 'nothing'}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first sequence")
    parser.add_argument("--only", type=int, help="play this one sequence and show all its lines")
    parser.add_argument("--numbers", help="play these sequences, parted by commas")
    parser.add_argument("--file", help="play the steps of this file instead of random ones, as one sequence")
    parser.add_argument("--direct", action="store_true")
    parser.add_argument("--shrink", type=int, default=12, help="how many differences to shrink")
    parser.add_argument("--jobs", type=int, default=3)
    for name in ("--player", "--sockeye", "--document", "--work"):
        parser.add_argument(name, required=True)
    return parser.parse_args()


def show_one(players, options):
    """`--only` and `--file`: every line of one sequence on both sides."""
    number = options.only or 0
    steps = sequences.sequence(options.seed, number)
    if options.file:
        with open(options.file, encoding="utf-8") as file:
            steps = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    native = players.play("one.native", {number: steps})
    ours = players.play("one.sockeye", {number: steps}, native)
    differs = compare.differences(native[number], ours[number], players.path, players.exceptions)
    report(number, (len(steps), differs[1] if differs else "no unexplained difference", native[number],
                    ours[number]), options.seed)
    print(f"{0 if differs else 1} passed, {1 if differs else 0} failed")
    return bool(differs)


def main():
    options = parse()
    players = Players(options)
    if options.only is not None or options.file:
        sys.exit(show_one(players, options))
    began = time.monotonic()
    numbers = range(options.first, options.first + options.sequences)
    if options.numbers:
        numbers = [int(number) for number in options.numbers.split(",")]
    all_steps = {number: sequences.sequence(options.seed, number) for number in numbers}
    batches = [list(numbers)[at:at + BATCH] for at in range(0, len(numbers), BATCH)]
    found = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        work = [pool.submit(players.compare, f"batch-{index}", {n: all_steps[n] for n in batch}, index % 40)
                for index, batch in enumerate(batches)]
        for done in work:
            found.update(done.result())
    played, parted = time.monotonic() - began, len(players.parted)
    failed = once = 0
    for number in sorted(found):
        again = players.confirm(number, all_steps[number])
        if not again:
            once += 1
            print(f"note  sequence {number} of seed {options.seed} differed once, and not again: {found[number][1]}")
            continue
        failed += 1
        if failed <= options.shrink:
            steps, again = players.shrink(number, all_steps[number], again)
            report(number, again, options.seed)
        else:
            print(f"FAIL  sequence {number} of seed {options.seed}: {again[1]} at {again[2][again[0]] if again[0] < len(again[2]) else 'the end'}")
    steps = sum(len(steps) for steps in all_steps.values())
    print(f"{len(numbers)} sequences of {steps} steps in {played:.0f} s ({players.path} path)")
    print(f"{parted} sequences parted ways at an exception; {once} differed once and not on replay")
    for exception in players.exceptions:
        print(f"  {exception.used:6} times: {exception.text}")
    print(f"{len(numbers) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
