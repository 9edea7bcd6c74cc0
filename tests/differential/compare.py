"""Compares what two players printed for one sequence, and reads the exceptions from docs/COMPATIBILITY.md.

An exception is a line of a block that is fenced as `differential`, of four parts that two or more blanks part:

    PATHS  WHAT  WHERE  LINUX -> HERE

PATHS is `both`, `engine` or `direct`. WHAT is `result`, where WHERE is a pattern for the step with the kind of its
socket (`recv 2 5 0 [tcp4]`) and LINUX -> HERE one for the two results; or `state`, where WHERE is a pattern for the
kind of a socket and LINUX -> HERE one for its readiness there and here. `ends` in place of `result` says that the
two go different ways from there on, so that the rest of the sequence is not compared. A comment line before it has
the reason, and must be there.
"""

import re

EMPTY = re.compile(r"\s{2,}")


class Exception_:
    """One accepted difference."""

    def __init__(self, text, reason):
        parts = EMPTY.split(text.strip())
        if len(parts) != 4 or parts[0] not in ("both", "engine", "direct") or " -> " not in parts[3]:
            raise SystemExit(f"not an exception: {text}")
        if parts[1] not in ("result", "ends", "state") or not reason:
            raise SystemExit(f"an exception of an unknown sort or without its reason: {text}")
        self.path, self.what, self.text, self.reason = parts[0], parts[1], text.strip(), reason
        self.where, self.change = re.compile(parts[2]), re.compile(parts[3])
        self.used = 0

    def fits(self, path, what, where, change):
        same = self.path in (path, "both") and (what == "state") == (self.what == "state")
        if same and self.where.fullmatch(where) and self.change.fullmatch(change):
            self.used += 1
            return True
        return False


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


def differences(native, ours, path, exceptions):
    """The first unexplained difference as (step index, text); None if there is none."""
    for index, line in enumerate(native):
        if index >= len(ours):
            return index, "the player did not come so far"
        if line == ours[index]:
            continue
        step, result, states = parts(line)
        our_step, our_result, our_states = parts(ours[index])
        if step != our_step or [s[:2] for s in states] != [s[:2] for s in our_states]:
            if result == our_result:
                return index, "other sockets are open"
        if result != our_result:
            change = f"{result} -> {our_result}"
            fitting = [e for e in exceptions if e.fits(path, "result", step, change)]
            if not fitting:
                return index, change
            if any(e.what == "ends" for e in fitting):
                return None
        for (slot, kind, flags), (_, _, our_flags) in zip(states, our_states):
            change = f"{flags} -> {our_flags}"
            if flags != our_flags and not any(e.fits(path, "state", kind, change) for e in exceptions):
                return index, f"slot {slot}: {change}"
    return None
