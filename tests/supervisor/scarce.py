"""A program for the test of scarce descriptors: four children, each with connections to itself, fill the
supervisor's table together. Prints a line for each step, with a word of each child."""

import errno
import faulthandler
import socket
import subprocess
import sys


def one(listener):
    """A connection to ourselves; what others left in the queue is passed over."""
    client = socket.create_connection(listener.getsockname())
    while True:
        accepted, peer = listener.accept()
        if peer == client.getsockname():
            return client, accepted
        accepted.close()


def use(pair):
    for sender, receiver in (pair, pair[::-1]):
        sender.sendall(b"x")
        assert receiver.recv(2) == b"x"


def step(word):
    print(word, flush=True)
    input()


def child():
    faulthandler.dump_traceback_later(10, exit=True)
    listener, pairs, failure = socket.create_server(("127.0.0.1", 0)), [], "none"
    step("ready")
    try:
        while len(pairs) < 80:
            pairs.append(one(listener))
    except OSError as error:
        failure = errno.errorcode[error.errno]
    step(failure)
    for pair in pairs:
        use(pair)
    step("work")
    for client, accepted in pairs:
        client.close()
        accepted.close()
    step("closed")
    for pair in [one(listener) for _ in range(10)]:
        use(pair)
    step("well")


def main():
    command = [sys.executable, __file__, "child"]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for _ in range(5):
        print(*[c.stdout.readline().strip() or "ended" for c in children], flush=True)
        for c in children:
            try:
                c.stdin.write("\n")
                c.stdin.flush()
            except BrokenPipeError:
                pass


child() if sys.argv[1:] else main()
