#!/usr/bin/env python3
"""Asks the running kernel which two sockets may have one port, and prints the table that tests/bind_rules.rs
compares with. Rows: what the first socket is; columns: what the second is; a letter: what the second's bind (and
listen, TCP) said: `.` both go, `b` bind says EADDRINUSE, `l` listen does, `?` anything else."""
import errno
import socket

ADDRESSES = ["0.0.0.0", "127.0.0.1", "127.0.0.2", "::", "::/only", "::1", "::ffff:127.0.0.1"]
FLAGS = ["", "a", "p", "ap"]
KINDS = [(a, f) for a in ADDRESSES for f in FLAGS]


def make(kind, address, flags):
    address, _, only = address.partition("/")
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    if ":" in address:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1 if only else 0)
    if "a" in flags:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if "p" in flags:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return s, address


def second(kind, port, address, flags):
    s, address = make(kind, address, flags)
    with s:
        try:
            s.bind((address, port))
        except OSError as e:
            return "b" if e.errno == errno.EADDRINUSE else "?"
        if kind == socket.SOCK_STREAM:
            try:
                s.listen(1)
            except OSError as e:
                return "l" if e.errno == errno.EADDRINUSE else "?"
        return "."


def main():
    for name, kind, listen in [
        ("tcp bound", socket.SOCK_STREAM, False),
        ("tcp listening", socket.SOCK_STREAM, True),
        ("udp", socket.SOCK_DGRAM, False),
    ]:
        print(name)
        for row, (address, flags) in enumerate(KINDS):
            port = 20000 + row
            first, bare = make(kind, address, flags)
            with first:
                first.bind((bare, port))
                if listen:
                    first.listen(1)
                print("".join(second(kind, port, *other) for other in KINDS))


main()
