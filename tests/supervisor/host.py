"""What the pieces of this folder share: hosts to start and ask, and the lines that run.sh counts.

A piece prints `ok NAME` or `FAIL NAME: reason` for each check. Times are of CLOCK_MONOTONIC, which all
processes of the machine share.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

SOCKEYE = os.environ["SOCKEYE"]
QUICK = bool(os.environ.get("QUICK"))
HERE = os.path.dirname(os.path.abspath(__file__))
WORK = os.environ.get("WORK") or tempfile.gettempdir()
NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
IS_ROOT = os.geteuid() == 0


def check(name, fact, reason=""):
    text = str(reason).strip().replace("\n", " / ")[:400]
    print(f"ok {name}" if fact else f"FAIL {name}: {text}", flush=True)


def attempt(name, function, *arguments):
    """A check whose function gives a reason for failure, or nothing."""
    try:
        reason = function(*arguments)
    except Exception as error:  # whatever broke is the reason
        reason = f"{type(error).__name__}: {error}"
    check(name, not reason, reason)


def until(condition, limit_s=5.0):
    """Waits for a true answer and gives it; the last one if there is none in time."""
    end = time.monotonic() + limit_s
    while True:
        answer = condition()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(0.005)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def run(*command, options=(), limit_s=30, **more):
    """`sockeye run` to its end: what subprocess.run gives, with text."""
    return subprocess.run([SOCKEYE, "run", *options, "--", *command], capture_output=True, text=True,
                          timeout=limit_s, stdin=subprocess.DEVNULL, **more)


class Host:
    """A host that lives as long as `sleep` does, or as its own program."""

    count = 0

    def __init__(self, *program, options=(), **more):
        Host.count += 1
        self.name = f"t{os.getpid()}-{Host.count}"
        program = program or ("sleep", "300")
        more.setdefault("stderr", subprocess.DEVNULL)
        self.front = subprocess.Popen([SOCKEYE, "run", "--name", self.name, *options, "--", *program],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, **more)
        self.started = []
        if not until(self.info):
            raise RuntimeError(f"the host {self.name} does not answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.started + [self.front]:
            if child.poll() is None:
                kill(child.pid, signal.SIGTERM)
        info = self.info()
        try:
            self.front.wait(3)
        except subprocess.TimeoutExpired:
            kill(self.front.pid)
        if info and until(lambda: not is_alive(info["supervisor"]), 3) is False:
            kill(info["supervisor"])

    def info(self):
        listed = subprocess.run([SOCKEYE, "ls", "--json"], capture_output=True, text=True).stdout
        rows = [json.loads(line) for line in listed.splitlines()]
        return next((row for row in rows if row.get("name") == self.name and row.get("program")), None)

    def command(self, *program):
        return [SOCKEYE, "exec", self.name, "--", *program]

    def exec(self, *program, limit_s=20, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(self.command(*program), capture_output=True, text=True, timeout=limit_s, **more)

    def start(self, *program, **more):
        """A program of this host in the background, with its output as a pipe."""
        child = subprocess.Popen(self.command(*program), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 text=True, **more)
        self.started.append(child)
        return child

    def python(self, code, *arguments, **more):
        return self.start(sys.executable, "-uc", code, *arguments, **more)

    def sockets(self):
        answer = subprocess.run([SOCKEYE, "ss", self.name, "--json"], capture_output=True, text=True)
        return json.loads(answer.stdout)

    def serves(self):
        """Nothing, or why a new connection between two new programs does not work."""
        code = ("import socket, threading\n"
                "s = socket.create_server(('127.0.0.1', 0))\n"
                "c = socket.create_connection(s.getsockname()); a, _ = s.accept()\n"
                "c.sendall(b'ping'); a.sendall(a.recv(9)); print(c.recv(9).decode())")
        answer = self.exec(sys.executable, "-c", code)
        return "" if answer.stdout == "ping\n" else f"a new program is not served: {answer.stderr[-300:]}"
