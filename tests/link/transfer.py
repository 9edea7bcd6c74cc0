# A megabyte over one connection, checked; prints what TCP says of it: retransmissions (TCP_INFO's total_retrans).
import socket
import struct
import threading

DATA = bytes(n * n % 251 for n in range(1_000_000))
got = bytearray()


def serve(server):
    accepted, _ = server.accept()
    while block := accepted.recv(65536):
        got.extend(block)
    accepted.sendall(b"!")
    accepted.close()


server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
thread = threading.Thread(target=serve, args=(server,))
thread.start()
client = socket.create_connection(server.getsockname())
client.sendall(DATA)
client.shutdown(socket.SHUT_WR)
assert client.recv(1) == b"!"
thread.join()
assert bytes(got) == DATA
info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
print("retransmissions", struct.unpack_from("I", info, 100)[0])
