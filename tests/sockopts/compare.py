"""Compares what probe printed on the kernel and here, option by option and kind by kind of socket.

An option that the table calls refused may differ; so may those that differences.txt names (`NAME: reason`, or
`NAME KIND: reason` for one kind of socket). A name there that does not differ any more is a failure as well, so that
the list stays as short as it can be, unless `~` says that it depends on the machine.
"""

import json
import sys


def accepted(path):
    """The reasons by (name, kind), kind `*` for all; and which of them depend on the machine."""
    reasons, machine = {}, set()
    for line in open(path):
        line = line.strip()
        if line and not line.startswith("#"):
            what, reason = line.split(": ", 1)
            name, _, kind = what.partition(" ")
            key = name.lstrip("~"), kind or "*"
            reasons[key] = reason
            if name.startswith("~"):
                machine.add(key)
    return reasons, machine


def blocks(path):
    """The lines of each (name, kind); a name of two levels keeps both."""
    found = {}
    for line in open(path):
        kind, name, answer = line.rstrip("\n").split(" ", 2)
        found.setdefault((name, kind), []).append(answer)
    return found


def main():
    reasons, machine = accepted(sys.argv[1])
    refused = {row["name"] for row in json.load(open(sys.argv[2])) if row["support"] == "refused"}
    native, ours = blocks(sys.argv[3]), blocks(sys.argv[4])
    used = set()
    for key in native:
        name, kind = key
        there, here = native[key], ours.get(key, [])
        what = f"{kind}/{name}"
        if there == here or name in refused:
            print("ok", what)
            continue
        reason = next((r for r in ((name, kind), (name, "*")) if r in reasons), None)
        if reason:
            used.add(reason)
            print("ok", what)
            continue
        pairs = [(a, b) for a, b in zip(there, here) if a != b]
        shown = "; ".join(f"kernel {a}, ours {b}" for a, b in pairs[:3])
        print("FAIL", what, shown or "no answer", f"({len(pairs)} differ)")
    for name, kind in sorted(set(reasons) - used - machine):
        print("FAIL", f"{kind}/{name}", "is in differences.txt and does not differ")


main()
