# A hundred messages and answers, each of one segment, over one connection; prints nothing.
import socket
import threading


def exactly(sock, count):
    data = b""
    while len(data) < count:
        data += sock.recv(count - len(data))
    return data


def serve(server):
    accepted, _ = server.accept()
    for _ in range(100):
        accepted.sendall(exactly(accepted, 100).upper())
    accepted.recv(1)
    accepted.close()


server = socket.socket()
server.bind(("127.0.0.1", 9000))
server.listen()
threading.Thread(target=serve, args=(server,)).start()
client = socket.create_connection(("127.0.0.1", 9000))
for number in range(100):
    client.sendall(b"%99d\n" % number)
    assert exactly(client, 100) == b"%99d\n" % number
client.close()
