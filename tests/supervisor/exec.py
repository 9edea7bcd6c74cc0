"""`sockeye exec`, `ls` and `ss`: what a program started into a running host gets, and what is told about it."""

import json
import os
import signal
import subprocess
import sys
import tempfile

from host import SOCKEYE, Host, attempt, is_alive, kill, until

SOCKET_FIELDS = {"netid", "state", "recv_q", "send_q", "local", "peer", "v6only", "path", "processes", "tcp"}
TCP_FIELDS = {"rto_us", "rtt_us", "rttvar_us", "mss", "cwnd", "ssthresh", "unacked", "bytes_sent", "bytes_acked",
              "bytes_received", "segs_out", "segs_in", "retransmits"}


def bare(*arguments):
    return subprocess.run([SOCKEYE, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)


def statuses(host):
    cases = [(["sh", "-c", "exit 7"], 7), (["no-such-program"], 127), (["/"], 126), (["sh", "-c", "kill -9 $$"], 137)]
    wrong = [(command, answer) for command, wanted in cases if (answer := host.exec(*command).returncode) != wanted]
    return "" if not wrong else f"{wrong}"


def surroundings(host):
    code = "import os, sys; print(os.getcwd(), oct(os.umask(0)), os.environ['OF_MINE']); print(sys.stdin.read(), file=sys.stderr)"
    with tempfile.TemporaryDirectory() as place:
        answer = subprocess.run(host.command(sys.executable, "-c", code), capture_output=True, text=True, cwd=place, umask=0o027,
                                input="typed", env={**os.environ, "OF_MINE": "a b"})
        fine = answer.stdout == f"{os.path.realpath(place)} 0o27 a b\n" and answer.stderr == "typed\n"
        return "" if fine else f"{answer.stdout!r} {answer.stderr!r}"


def signals_pass(host):
    code = ("import signal, sys, time\n"
            "for n in (signal.SIGUSR1, signal.SIGINT): signal.signal(n, lambda n, _: print(signal.Signals(n).name))\n"
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(4))\n"
            "print('ready')\n"
            "while True: time.sleep(9)\n")
    child = host.python(code)
    heard = [child.stdout.readline().strip()]
    for number in (signal.SIGUSR1, signal.SIGINT, signal.SIGTERM):
        child.send_signal(number)
        heard.append(child.stdout.readline().strip())
    status = child.wait(5)
    return "" if heard == ["ready", "SIGUSR1", "SIGINT", ""] and status == 4 else f"{heard} status {status}"


def hung_up(host):
    child = host.python("import os, time; print(os.getpid()); time.sleep(60)")
    pid = int(child.stdout.readline())
    kill(child.pid)
    return "" if until(lambda: not is_alive(pid), 3) else "the program goes on after its front was killed"


def outlives(host):
    """Programs of `exec` keep a host whose first program has ended."""
    with Host() as host:
        child = host.python("import socket, sys, time; s = socket.create_server(('127.0.0.1', 80)); print('ready'); time.sleep(60)")
        child.stdout.readline()
        kill(host.info()["program"])
        status = host.front.wait(5)
        rows = host.sockets()
        return "" if status == 137 and len(rows) == 1 and child.poll() is None else f"status {status}, {rows}"


def unknown_host(_):
    for command in (["exec", "no-such-host", "--", "true"], ["ss", "no-such-host"]):
        answer = bare(*command)
        if answer.returncode != 125 or "no-such-host" not in answer.stderr or len(answer.stderr.splitlines()) != 1:
            return f"{command}: status {answer.returncode}, {answer.stderr!r}"
    return ""


def listed(host):
    row = host.info()
    fine = row["supervisor"] > 1 and row["program"] > 1 and row["command"] == "sleep 300"
    line = next(l for l in bare("ls").stdout.splitlines() if host.name in l)
    return "" if fine and str(row["supervisor"]) in line and "sleep 300" in line else f"{row} {line}"


def sockets_told(_):
    """`ss --json`: all fields, the true processes (of a forked one, too), queues and figures."""
    code = ("import os, socket, time\n"
            "s = socket.create_server(('127.0.0.1', 80), backlog=7)\n"
            "c = socket.create_connection(('127.0.0.1', 80)); a, _ = s.accept(); waiting = socket.create_connection(('127.0.0.1', 80))\n"
            "u = socket.socket(type=socket.SOCK_DGRAM); u.bind(('127.0.0.1', 5353))\n"
            "six = socket.create_server(('::', 81), family=socket.AF_INET6)\n"
            "c.sendall(b'x' * 1000); a.recv(1000)\n"
            "child = os.fork()\n"
            "if child: print(os.getpid(), child, s.fileno())\n"
            "time.sleep(60)\n")
    with Host() as host:
        parent, child, fd = map(int, host.python(code).stdout.readline().split())
        rows = host.sockets()
        wrong = [r for r in rows if set(r) != SOCKET_FIELDS or r["tcp"] and set(r["tcp"]) != TCP_FIELDS]
        if wrong:
            return f"fields: {wrong[0]}"
        listener = next(r for r in rows if r["local"] == "127.0.0.1:80" and r["state"] == "LISTEN")
        if {(p["pid"], p["fd"]) for p in listener["processes"]} != {(parent, fd), (child, fd)}:
            return f"processes: {listener}"
        if (listener["recv_q"], listener["send_q"]) != (1, 7):
            return f"queue and backlog of the listener: {listener['recv_q']}, {listener['send_q']}"
        client = next(r for r in rows if r["peer"] == "127.0.0.1:80" and r["tcp"]["bytes_acked"])
        if client["tcp"]["bytes_acked"] not in (1000, 1001) or client["path"] != "engine" or client["state"] != "ESTAB":
            return f"client: {client}"
        kinds = sorted((r["netid"], r["state"]) for r in rows)
        wanted = sorted([("tcp", "LISTEN")] * 2 + [("tcp", "ESTAB")] * 4 + [("udp", "UNCONN")])
        if kinds != wanted:
            return f"sockets: {kinds}"
        table = {flag: len(bare("ss", host.name, *flag.split()).stdout.splitlines()) - 1 for flag in ("-t", "-tl", "-ul", "-ta", "-a")}
        return "" if table == {"-t": 4, "-tl": 2, "-ul": 1, "-ta": 6, "-a": 7} else f"table: {table}"


def direct_told(_):
    code = ("import socket, time; s = socket.create_server(('127.0.0.1', 80)); c = socket.create_connection(('127.0.0.1', 80))\n"
            "a, _ = s.accept(); print('ready'); time.sleep(60)")
    with Host(options=["--direct"]) as host:
        host.python(code).stdout.readline()
        paths = [r["path"] for r in host.sockets() if r["state"] == "ESTAB"]
        return "" if paths == ["direct", "direct"] else f"{paths}"


def which_host(_):
    """`ss` alone means the only host; with several it asks for a name."""
    with Host() as first:
        alone = bare("ss").returncode
        with Host() as second:
            answer = bare("ss")
            fine = answer.returncode == 125 and first.name in answer.stderr and second.name in answer.stderr
            return "" if fine and alone in (0, 125) else f"{alone} {answer}"


def control_socket(host):
    place = os.path.join(os.environ["XDG_RUNTIME_DIR"], "sockeye")
    modes = [oct(os.stat(path).st_mode & 0o777) for path in (place, os.path.join(place, f"{host.name}.sock"))]
    return "" if modes == ["0o700", "0o600"] else f"modes {modes}"


def one_namespace(host):
    """A listener of one program is reached by another; the machine and other hosts do not see it."""
    host.python("import socket, time; s = socket.create_server(('10.0.0.1', 80)); print('ready'); time.sleep(60)").stdout.readline()
    ask = "import socket; print(socket.socket().connect_ex(('10.0.0.1', 80)))"
    with Host() as other:
        answers = [json.loads(h.exec(sys.executable, "-c", ask).stdout) for h in (host, other)]
    return "" if answers == [0, 111] else f"{answers}"


with Host() as shared:
    attempt("exec: exit statuses", statuses, shared)
    attempt("exec: directory, umask, environment, standard streams", surroundings, shared)
    attempt("exec: signals", signals_pass, shared)
    attempt("exec: hung up when its front is killed", hung_up, shared)
    attempt("exec: a program keeps the host", outlives, shared)
    attempt("exec, ss: no such host", unknown_host, shared)
    attempt("exec: programs of one host meet, hosts are apart", one_namespace, shared)
    attempt("ls", listed, shared)
    attempt("the control socket is ours alone", control_socket, shared)
attempt("ss: fields, processes, queues", sockets_told, None)
attempt("ss: the direct path", direct_told, None)
attempt("ss: which host", which_host, None)
