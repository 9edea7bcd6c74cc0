"""Job control on a terminal: ^C, ^Z and `fg` under an interactive shell that runs `sockeye run`, and the
pseudo-terminal that `sockeye exec` gives its program."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

from host import SOCKEYE, Host, attempt, is_alive, kill, run, until


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(self, *command, size=(30, 100)):
        self.text = ""
        self.ended = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1="prompt> ", TERM="dumb", HISTFILE="/dev/null")
            os.execvp(command[0], command)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)
        if not self.ended:
            kill(self.pid)
            os.waitpid(self.pid, 0)

    def type(self, text):
        os.write(self.fd, text.encode())

    def read(self, limit_s):
        if select.select([self.fd], [], [], limit_s)[0]:
            try:
                self.text += os.read(self.fd, 65536).decode(errors="replace")
                return True
            except OSError:
                time.sleep(limit_s)
        return False

    def expect(self, pattern, limit_s=6):
        """Reads until the pattern shows, and forgets what came up to it."""
        end = time.monotonic() + limit_s
        while not (found := re.search(pattern, self.text)):
            if time.monotonic() > end:
                raise TimeoutError(f"no {pattern!r} in {self.text[-200:]!r}")
            self.read(0.05)
        self.text = self.text[found.end():]
        return found

    def status(self, limit_s=6):
        """The exit status of the program itself."""
        end = time.monotonic() + limit_s
        while not self.ended and time.monotonic() < end:
            self.read(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.ended = pid and (os.waitstatus_to_exitcode(status),)
        return self.ended[0] if self.ended else f"none; {self.text[-200:]!r}"


COUNTING = "import os, time; print('started', os.getpid())\nfor n in range(900): print('tick', n); time.sleep(0.05)"
TICKER = "ticker.py"
SHELL = ["bash", "--norc", "--noprofile", "--noediting", "-i"]


def state(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def shell_with_program():
    terminal = Terminal(*SHELL)
    terminal.expect("prompt> ")
    terminal.type(f"{SOCKEYE} run -- {sys.executable} -u {TICKER}\n")
    pid = int(terminal.expect(r"started (\d+)").group(1))
    return terminal, pid


def interrupted():
    terminal, pid = shell_with_program()
    with terminal:
        terminal.expect("tick 3")
        terminal.type("\x03")
        terminal.expect("prompt> ")
        terminal.type("echo status $?\n")
        status = terminal.expect(r"status (\d+)").group(1)
        if is_alive(pid):
            return "the program goes on"
        # Python ends itself by SIGINT after its traceback.
        return "" if status == "130" else f"status {status}, not 130"


def stopped_and_continued():
    terminal, pid = shell_with_program()
    with terminal:
        terminal.expect("tick 3")
        terminal.type("\x1a")
        terminal.expect("Stopped")
        terminal.expect("prompt> ")
        if not until(lambda: state(pid) == "T", 2):
            return f"the program is in state {state(pid)} after ^Z"
        terminal.text = ""
        terminal.type("fg\n")
        terminal.expect(r"tick \d+")
        terminal.type("\x1a")
        terminal.expect("Stopped")
        terminal.type("bg\n")
        terminal.expect(r"tick \d+")
        terminal.type("kill %1; wait %1; echo status $?\n")
        status = terminal.expect(r"status (\d+)").group(1)
        if until(lambda: not is_alive(pid), 2) is False:
            kill(pid)
            return "the program goes on after kill %1"
        return "" if status == "143" else f"status {status}, not 143"


def sockets_while_stopped():
    """A stopped server's connections wait; after `fg` it answers."""
    with Host() as host:
        code = ("import os, socket; s = socket.create_server(('127.0.0.1', 80)); print('started', os.getpid())\n"
                "while True: c, _ = s.accept(); c.sendall(c.recv(9)); c.close()")
        server = host.python(code)
        pid = int(server.stdout.readline().split()[1])
        kill(pid, signal.SIGSTOP)
        client = host.python("import socket; c = socket.create_connection(('127.0.0.1', 80)); c.sendall(b'hello'); "
                             "print('sent'); print(c.recv(9).decode())")
        client.stdout.readline()
        time.sleep(0.1)
        kill(pid, signal.SIGCONT)
        answer = client.stdout.readline()
        return "" if answer == "hello\n" else f"got {answer!r}"


def exec_on_a_terminal():
    with Host() as host, Terminal(SOCKEYE, "exec", host.name, "--", *SHELL, size=(31, 97)) as terminal:
        terminal.expect("prompt> ")
        terminal.type("test -t 0 && test -t 1 && test -t 2 && echo on a; tty; stty size\n")
        terminal.expect("on a\r")
        terminal.expect(r"/dev/pts/\d+")
        terminal.expect("31 97")
        fcntl.ioctl(terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        time.sleep(0.2)
        terminal.type("stty size\n")
        terminal.expect("40 120")
        terminal.type("sleep 60\n")
        time.sleep(0.3)
        terminal.type("\x03")
        terminal.expect("prompt> ")
        terminal.type("sleep 60\n")
        time.sleep(0.3)
        terminal.type("\x1a")
        terminal.expect("Stopped")
        terminal.type("kill -9 %1; disown %1; exit 6\n")
        status = terminal.status()
        return "" if status == 6 else f"status {status}, not 6"


def exec_restores_the_terminal():
    with Host() as host, Terminal(*SHELL) as terminal:
        terminal.expect("prompt> ")
        terminal.type(f"stty -a >{host.name}.before; {SOCKEYE} exec {host.name} -- true; stty -a >{host.name}.after; "
                      f"cmp {host.name}.before {host.name}.after && echo sa''me; rm {host.name}.*\n")
        terminal.expect("same")
        return ""


def exec_with_a_pipe_and_a_terminal():
    """Standard output that is no terminal is passed as it is."""
    with Host() as host, Terminal(*SHELL) as terminal:
        terminal.expect("prompt> ")
        terminal.type(f"{SOCKEYE} exec {host.name} -- sh -c 'test -t 0 && test ! -t 1 && echo pa''ssed' | cat\n")
        terminal.expect("passed")
        return ""


def exec_closes_with_its_terminal():
    """The terminal goes: the program is hung up."""
    with Host() as host:
        terminal = Terminal(SOCKEYE, "exec", host.name, "--", sys.executable, "-uc", COUNTING)
        pid = int(terminal.expect(r"started (\d+)").group(1))
        kill(terminal.pid)
        gone = until(lambda: not is_alive(pid), 3)
        with terminal:
            kill(pid)
        return "" if gone else "the program goes on"


os.chdir(os.environ["WORK"])
with open(TICKER, "w") as file:
    file.write(COUNTING)
attempt("^C ends the program", interrupted)
attempt("^Z stops it, fg and bg continue it", stopped_and_continued)
attempt("a stopped server's clients wait for it", sockets_while_stopped)
attempt("exec on a terminal: size, ^C, ^Z, status", exec_on_a_terminal)
attempt("exec leaves the terminal as it was", exec_restores_the_terminal)
attempt("exec passes on what is no terminal", exec_with_a_pipe_and_a_terminal)
attempt("exec ends with its terminal", exec_closes_with_its_terminal)
attempt("a new host afterwards", lambda: run("true").stderr)
