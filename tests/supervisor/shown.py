"""What `--stats` and `--trace` say of a known number of calls."""

from host import attempt, check, run

PROGRAM = """
import socket
listener = socket.socket()
listener.bind(("127.0.0.1", 80))
listener.listen()
for _ in range(20):
    client = socket.create_connection(("127.0.0.1", 80))
    server, _ = listener.accept()
    server.close()
    client.close()
try:
    socket.create_connection(("127.0.0.1", 81))
except ConnectionRefusedError:
    pass
"""


def rows(text):
    """The table's rows by the call's name; each is calls, errors, held, mean, p99, total."""
    lines = [line.split() for line in text.splitlines()]
    return {fields[6]: [float(field) for field in fields[:6]] for fields in lines if len(fields) == 7 and fields[0].isdigit()}


def statistics():
    answer = run("python3", "-c", PROGRAM, options=["--stats"])
    table = rows(answer.stderr)
    if answer.returncode or not answer.stderr.startswith("     calls"):
        return f"status {answer.returncode}: {answer.stderr}"
    for name, calls, errors in [("connect", 21, 1), ("accept4", 20, 0), ("socket", 22, 0), ("bind", 1, 0), ("listen", 1, 0)]:
        if table.get(name, [None, None])[:2] != [calls, errors]:
            return f"{name}: {table.get(name)}, expected {calls} calls and {errors} errors"
    for name, (calls, _, held, mean, p99, total) in table.items():
        if calls > held and not (0 < mean <= total + 1 and 0 < p99 and abs(mean * (calls - held) - total) <= 0.01 * total + 1):
            return f"{name}: mean {mean}, p99 {p99}, total {total} of {calls - held}"
    totals = [row[5] for row in table.values()]
    return "" if totals == sorted(totals, reverse=True) else f"not dearest first: {totals}"


attempt("--stats counts calls and errors, with their times", statistics)
traced = run("python3", "-c", PROGRAM, options=["--trace"]).stderr
check("--trace has a line for each call", traced.count("accept4(") == 20 and traced.count("] connect(") == 21, traced)
check("--trace names errors", "ECONNREFUSED" in traced, traced)
