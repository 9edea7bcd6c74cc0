# A greeting and its answer over one connection, both ends in one thread: what happens, happens in one order.
import os
import socket
import time

server = socket.socket()
server.bind(("127.0.0.1", 7))
server.listen()
client = socket.socket()
client.connect(("127.0.0.1", 7))
time.sleep(0.05)
accepted, _ = server.accept()
client.send(b"Hello!")
assert accepted.recv(100) == b"Hello!"
accepted.send(b"Hello yourself!")
assert client.recv(100) == b"Hello yourself!"
client.close()
assert accepted.recv(100) == b""
accepted.close()
os._exit(0)
