"""What `sockeye run` says by its exit status and hands through: signals, descriptors, surroundings, names,
warnings; and what it costs."""

import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from host import HERE, IS_ROOT, NOBODY, QUICK, SOCKEYE, WORK, Host, attempt, run, until

RUN_COSTS_MAX_MS = 15


def gives(status, *command, options=(), says="", **more):
    """A check: this status, and this text on standard error."""
    def look():
        answer = run(*command, options=options, **more)
        if answer.returncode != status:
            return f"status {answer.returncode}, not {status}: {answer.stderr}"
        return "" if says in answer.stderr else f"says: {answer.stderr!r}"
    return look


def bare(*arguments):
    return subprocess.run([SOCKEYE, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)


script = os.path.join(WORK, "script")
with open(script, "w") as file:
    file.write("echo from a script\nexit 3\n")
attempt("status of the program", gives(7, "sh", "-c", "exit 7"))
attempt("not executable: 126", gives(126, script, says="cannot run"))
attempt("a directory: 126", gives(126, "/", says="cannot run"))
attempt("not found: 127", gives(127, "no-such-program", says="not found"))
attempt("not found by its path: 127", gives(127, "/no/such/program", says="cannot run"))
os.chmod(script, 0o755)
attempt("a script without a first line", gives(3, script))
for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV):
    attempt(f"ended by {number.name}: 128 + {int(number)}", gives(128 + number, "sh", "-c", f"kill -{int(number)} $$"))
attempt("an unknown option: 125", lambda: "" if bare("run", "--no-such", "--", "true").returncode == 125 else "not 125")
attempt("no program: 125", lambda: "" if bare("run").returncode == 125 else "not 125")
attempt("without `--`", lambda: bare("run", "true").stderr)
attempt("a wrong name: 125", gives(125, "true", options=["--name", "a/b"], says="name"))
attempt("inside a host: a clear error", gives(125, SOCKEYE, "run", "--", "true", says="already runs inside"))


def nested_leaves_the_outer():
    code = f"import subprocess, socket; subprocess.run(['{SOCKEYE}', 'run', '--', 'true'], stderr=-3); " \
           "s = socket.create_server(('127.0.0.1', 80)); c = socket.create_connection(('127.0.0.1', 80))"
    return run(sys.executable, "-c", code).stderr


attempt("inside a host: the outer one goes on", nested_leaves_the_outer)


def name_in_use():
    with Host() as host:
        answer = run("true", options=["--name", host.name])
        if answer.returncode != 125 or "in use" not in answer.stderr:
            return f"status {answer.returncode}: {answer.stderr}"
        if len(answer.stderr.splitlines()) != 1:
            return f"more than one line: {answer.stderr}"
        return host.serves()


attempt("a name in use: a clear error", name_in_use)


def name_free_again():
    """A host that was killed leaves its name behind; the next one takes it."""
    with Host() as host:
        info = host.info()
        os.kill(info["supervisor"], signal.SIGKILL)
        host.front.wait(5)
        return run("true", options=["--name", host.name]).stderr


attempt("a name is free after its host was killed", name_free_again)

# Says what it got, and ends by the second.
COUNTER = """
import os, signal, sys, time
def note(number, _):
    print(signal.Signals(number).name)
    if number == signal.SIGTERM: sys.exit(9)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP): signal.signal(number, note)
print('ready')
while True: time.sleep(9)
"""


def signals_pass():
    front = subprocess.Popen([SOCKEYE, "run", "--", sys.executable, "-uc", COUNTER], stdout=subprocess.PIPE, text=True,
                             start_new_session=True)
    heard = [front.stdout.readline().strip()]
    for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGHUP, signal.SIGTERM):
        front.send_signal(number)
        heard.append(front.stdout.readline().strip())
    rest, status = front.stdout.read(), front.wait(5)
    wanted = ["ready", "SIGINT", "SIGUSR1", "SIGHUP", "SIGTERM"]
    return "" if (heard, rest, status) == (wanted, "", 9) else f"{heard} {rest!r} status {status}"


attempt("signals sent to the front reach the program, once each", signals_pass)


def descriptors_pass():
    read, write = os.pipe()
    answer = run("sh", "-c", f"echo through >&{write}; ls /proc/$$/fd", pass_fds=[write])
    os.close(write)
    text = os.read(read, 99)
    # The shell keeps a copy of its script's descriptors only; nothing of the supervisor's may be there.
    extra = set(answer.stdout.split()) - {"0", "1", "2", str(write)}
    return "" if text == b"through\n" and not extra else f"{text!r}, besides: {extra} {answer.stderr}"


attempt("inherited descriptors reach the program, and no others", descriptors_pass)


def pipe_ends():
    """A pipe that the program closes is closed: the supervisor holds no copy."""
    started = time.monotonic()
    front = subprocess.Popen([SOCKEYE, "run", "--", "sh", "-c", "echo x; exec >&-; exec 2>&-; sleep 2"],
                             stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    front.stdout.read()
    took = time.monotonic() - started
    front.wait(5)
    return "" if took < 1.5 else f"the end came after {took:.1f} s only"


attempt("standard output ends when the program closes it", pipe_ends)


def surroundings():
    code = "import os; print(os.getcwd(), oct(os.umask(0)), os.environ['OF_MINE'], os.getpgrp() == os.getpgid(os.getppid()))"
    with tempfile.TemporaryDirectory() as place:
        answer = subprocess.run([SOCKEYE, "run", "--", sys.executable, "-c", code], capture_output=True, text=True, cwd=place,
                                env={**os.environ, "OF_MINE": "a b"}, umask=0o027)
        return "" if answer.stdout.startswith(f"{os.path.realpath(place)} 0o27 a b ") else answer.stdout + answer.stderr


attempt("directory, umask and environment are the caller's", surroundings)


def limits_pass():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (123, hard))
    answer = run("sh", "-c", "ulimit -Sn; ulimit -Hn", preexec_fn=low)
    shown = "unlimited" if hard == resource.RLIM_INFINITY else str(hard)
    return "" if answer.stdout.split() == ["123", shown] else answer.stdout + answer.stderr


attempt("resource limits are the caller's", limits_pass)


def internet_stdio_warns():
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    answer = subprocess.run([SOCKEYE, "run", "--", "true"], stdin=client, capture_output=True, text=True, timeout=20)
    lines = answer.stderr.splitlines()
    return "" if answer.returncode == 0 and len(lines) == 1 and "descriptor 0" in lines[0] else f"says: {answer.stderr!r}"


attempt("an Internet socket as standard input warns", internet_stdio_warns)
attempt("otherwise nothing is said", lambda: run("true").stderr)


def new_privileges(command):
    answer = subprocess.run([*command, SOCKEYE, "run", "--", "grep", "NoNewPrivs", "/proc/self/status"], text=True,
                            capture_output=True, stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]}, cwd="/")
    return answer.stdout.split()[-1:] or [answer.stderr]


if IS_ROOT:
    attempt("no_new_privs: not for root", lambda: "" if new_privileges([]) == ["0"] else new_privileges([]))
    attempt("no_new_privs: for nobody", lambda: "" if new_privileges(NOBODY) == ["1"] else new_privileges(NOBODY))
else:
    attempt("no_new_privs: for ourselves", lambda: "" if new_privileges([]) == ["1"] else new_privileges([]))


def cost():
    times = {"ours": [], "plain": []}
    for _ in range(11 if QUICK else 41):
        for kind, command in (("plain", ["true"]), ("ours", [SOCKEYE, "run", "--", "true"])):
            started = time.perf_counter()
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
            times[kind].append((time.perf_counter() - started) * 1000)
            if done.returncode:
                return f"{command} failed: {done.stderr.decode()}"
    over = statistics.median(times["ours"]) - statistics.median(times["plain"])
    return "" if over <= RUN_COSTS_MAX_MS else f"{over:.1f} ms, at most {RUN_COSTS_MAX_MS}"


attempt("`sockeye run true` costs at most 15 ms", cost)


def short_of_descriptors():
    """Four programs with room for their own ends fill the supervisor's table: they get EMFILE or ENFILE; what
    they have goes on working, and once they have closed it, all works as before."""
    low = ["bash", "-c", 'ulimit -n 200; exec "$@"', "low", SOCKEYE, "run", "--"]
    answer = subprocess.run([*low, sys.executable, os.path.join(HERE, "scarce.py")], capture_output=True, text=True,
                            timeout=60, stdin=subprocess.DEVNULL)
    lines = [set(line.split()) for line in answer.stdout.splitlines()]
    full = {"EMFILE", "ENFILE"}
    fine = len(lines) == 5 and lines[1] & full and lines[1] <= full | {"none"}
    fine = fine and lines[2:] == [{"work"}, {"closed"}, {"well"}]
    return "" if fine else f"{answer.stdout} {answer.stderr[:300]}"


attempt("out of descriptors: an error, then all well", short_of_descriptors)


def daemon_keeps_the_host():
    """The first program ends while its daemon lives on: the front returns, the host stays until it is gone."""
    code = ("import os, socket, sys, time\n"
            "s = socket.create_server(('127.0.0.1', 80))\n"
            "if os.fork(): os._exit(5)\n"
            "os.setsid()\n"
            "if os.fork(): os._exit(0)\n"
            "null = os.open('/dev/null', os.O_RDWR)\n"
            "for n in range(3): os.dup2(null, n)\n"
            "while True:\n"
            "    c, _ = s.accept(); text = c.recv(9); c.sendall(text); c.close()\n"
            "    if text == b'end': break\n")
    ask = ("import socket, sys; c = socket.create_connection(('127.0.0.1', 80)); c.sendall(sys.argv[1].encode()); "
           "print(c.recv(9).decode())")
    name = f"daemon{os.getpid()}"
    front = run(sys.executable, "-c", code, options=["--name", name])
    if front.returncode != 5:
        return f"the front's status is {front.returncode}: {front.stderr}"
    rows = bare("ss", name, "-l").stdout
    if ":80 " not in rows or "python3" not in rows:
        return f"ss does not show the daemon's listener: {rows}"
    for word in ("hello", "end"):
        answer = bare("exec", name, "--", sys.executable, "-c", ask, word)
        if answer.stdout.strip() != word:
            return f"exec: {answer.stdout} {answer.stderr[-200:]}"
    gone = until(lambda: name not in bare("ls").stdout, 3)
    return "" if gone else "the host is still listed after its daemon ended"


attempt("a daemon keeps its host", daemon_keeps_the_host)
