# A threaded server and ten clients in Python.
timeout 20 python3 - <<'END'
import socket, socketserver, threading

class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile: self.wfile.write(line)

server = socketserver.ThreadingTCPServer(("127.0.0.1", 80), Echo)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
for n in range(10):
    with socket.create_connection(("localhost", 80)) as client:
        client.sendall(f"{n}\n".encode())
        assert client.recv(9) == f"{n}\n".encode()
server.shutdown()
END
