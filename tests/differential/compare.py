"""Compares what two players printed for one sequence, and reads the exceptions from docs/COMPATIBILITY.md.

An exception is a line of a block that is fenced as `differential`, of four or five parts that two or more blanks part:

    PATHS  WHAT  WHERE  LINUX -> HERE  [after STEP]

PATHS is `both`, `engine` or `direct`. WHAT is `result`, where WHERE is a pattern for the step with the kind of its
socket (`recv 2 5 0 [tcp4]`) and LINUX -> HERE one for the two results; or `state`, where WHERE is a pattern for the
kind of a socket and LINUX -> HERE one for its readiness there and here. With `after STEP` an earlier step of the
sequence must fit that pattern, in which SLOT stands for the slots of the socket at hand and its copies by dup. `result-ends` and `state-ends` say that the two may go different ways from there on:
the rest is compared all the same, but its first difference ends the sequence instead of failing it, and is counted.
A comment line before it has the reason, and must be there.
"""

import re

EMPTY = re.compile(r"\s{2,}")


class Exception_:
    """One accepted difference."""

    def __init__(self, text, reason):
        parts = EMPTY.split(text.strip())
        after = parts.pop() if len(parts) == 5 and parts[4].startswith("after ") else None
        if len(parts) != 4 or parts[0] not in ("both", "engine", "direct") or " -> " not in parts[3]:
            raise SystemExit(f"not an exception: {text}")
        sort, _, ends = parts[1].partition("-")
        if sort not in ("result", "state") or ends not in ("", "ends") or not reason:
            raise SystemExit(f"an exception of an unknown sort or without its reason: {text}")
        self.path, self.what, self.ends, self.text, self.reason = parts[0], sort, bool(ends), text.strip(), reason
        self.where, self.change = re.compile(parts[2]), re.compile(parts[3])
        self.after = after[len("after "):] if after else None
        self.used = 0

    def fits(self, path, what, where, change, before, slots):
        same = self.path in (path, "both") and what == self.what
        if not same or not self.where.fullmatch(where) or not self.change.fullmatch(change):
            return False
        if self.after:
            after = re.compile(self.after.replace("SLOT", f"(?:{'|'.join(sorted(slots))})"))
            if not any(after.fullmatch(step) for step in before):
                return False
        self.used += 1
        return True


def read_exceptions(document):
    """All exceptions of the document."""
    found, inside, reason = [], False, ""
    with open(document, encoding="utf-8") as file:
        for line in file:
            if line.startswith("```"):
                inside = line.strip() == "```differential"
            elif inside and line.startswith("#"):
                reason = line[1:].strip()
            elif inside and line.strip():
                found.append(Exception_(line, reason))
    if not found:
        raise SystemExit(f"{document} has no block of exceptions")
    return found


def parts(line):
    """The step with its kind, the result, the states by slot."""
    head, _, tail = line.partition(" = ")
    result, _, states = tail.partition(" |")
    step = head.split(" ", 1)[1] if " " in head else head
    return step, result, [state.split(":", 2) for state in states.split()]


class Comparison:
    """One sequence on both sides. `parted` says that an exception allowed the two ways to part."""

    def __init__(self, path, exceptions):
        self.path, self.exceptions, self.before, self.parted = path, exceptions, [], False
        self.copies = {}

    def happened(self, step):
        """Remembers a step, and which slots are copies of one socket."""
        self.before.append(step)
        words = step.split(":")[-1].split()
        if words[0] == "dup":
            self.copies[words[2]] = self.copies.setdefault(words[1], {words[1]})
            self.copies[words[2]].add(words[2])
        elif words[0] in ("socket", "accept"):
            self.copies.pop(words[2 if words[0] == "accept" else 1], None)

    def explained(self, what, where, change, slot):
        slots = self.copies.get(slot, {slot})
        fitting = [e for e in self.exceptions if e.fits(self.path, what, where, change, self.before, slots)]
        self.parted |= any(e.ends for e in fitting)
        return bool(fitting)

    def line(self, native, ours):
        """What differs in one line and is not explained; None if nothing is."""
        step, result, states = parts(native)
        our_step, our_result, our_states = parts(ours)
        if step != our_step or [s[:2] for s in states] != [s[:2] for s in our_states]:
            if result == our_result:
                return "other sockets are open"
        slot = (step.split() + ["none"])[1]
        if result != our_result and not self.explained("result", step, f"{result} -> {our_result}", slot):
            return f"{result} -> {our_result}"
        self.happened(step)
        for (slot, kind, flags), (_, _, our_flags) in zip(states, our_states):
            change = f"{flags} -> {our_flags}"
            if flags != our_flags and not self.explained("state", kind, change, slot):
                return f"slot {slot}: {change}"
        return None


def differences(native, ours, path, exceptions, parted=None):
    """The first unexplained difference as (step index, text); None if there is none. Where an exception allowed the
    ways to part and they did, the sequence is noted in `parted`."""
    comparison = Comparison(path, exceptions)
    for index, line in enumerate(native):
        if index >= len(ours):
            return index, "the player did not come so far"
        text = None if line == ours[index] else comparison.line(line, ours[index])
        if line == ours[index]:
            comparison.happened(parts(line)[0])
        if text and comparison.parted:
            if parted is not None:
                parted.append(line)
            return None
        if text:
            return index, text
    return None
