"""The C library from Python, by ctypes: a datagram from one host of a lab to another."""

import ctypes
import os
import socket
import struct
import sys

library = ctypes.CDLL(os.environ.get("SOCKEYE_LIBRARY", "libsockeye.so"), use_errno=True)
for name in ("sockeye_lab_new", "sockeye_lab_find"):
    getattr(library, name).restype = ctypes.c_void_p
library.sockeye_lab_new.argtypes = [ctypes.c_uint64]
library.sockeye_lab_find.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
library.sockeye_lab_host.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
library.sockeye_lab_link.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
library.sockeye_lab_start.argtypes = [ctypes.c_void_p]
library.sockeye_use.argtypes = [ctypes.c_void_p]


def done(answer):
    if answer == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


def address(host, port):
    """struct sockaddr_in."""
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton(host))


lab = library.sockeye_lab_new(1)
done(library.sockeye_lab_host(lab, b"a", b"10.1.0.1"))
done(library.sockeye_lab_host(lab, b"b", b"10.1.0.2"))
done(library.sockeye_lab_link(lab, b"a", b"b", None))
done(library.sockeye_lab_start(lab))

library.sockeye_use(library.sockeye_lab_find(lab, b"b"))
receiver = done(library.sockeye_socket(socket.AF_INET, socket.SOCK_DGRAM, 0))
done(library.sockeye_bind(receiver, address("10.1.0.2", 53), 16))

library.sockeye_use(library.sockeye_lab_find(lab, b"a"))
sender = done(library.sockeye_socket(socket.AF_INET, socket.SOCK_DGRAM, 0))
done(library.sockeye_sendto(sender, b"hello", 5, 0, address("10.1.0.2", 53), 16))

buffer, source = ctypes.create_string_buffer(100), ctypes.create_string_buffer(16)
length = ctypes.c_uint32(16)
n = done(library.sockeye_recvfrom(receiver, buffer, 100, 0, source, ctypes.byref(length)))
print(buffer.raw[:n].decode(), "from", socket.inet_ntoa(source.raw[4:8]))
sys.exit(buffer.raw[:n] != b"hello" or source.raw[4:8] != socket.inet_aton("10.1.0.1"))
