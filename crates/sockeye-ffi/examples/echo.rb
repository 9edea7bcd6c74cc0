# The C library from Ruby, by Fiddle: a stream from one host of a lab to another, without blocking.
require 'fiddle/import'
require 'socket'

module Sockeye
  extend Fiddle::Importer
  dlload ENV.fetch('SOCKEYE_LIBRARY', 'libsockeye.so')
  extern 'void *sockeye_lab_new(unsigned long long)'
  extern 'int sockeye_lab_host(void *, char *, char *)'
  extern 'int sockeye_lab_link(void *, char *, char *, void *)'
  extern 'int sockeye_lab_start(void *)'
  extern 'void *sockeye_lab_find(void *, char *)'
  extern 'int sockeye_use(void *)'
  extern 'int sockeye_socket(int, int, int)'
  extern 'int sockeye_bind(int, char *, unsigned int)'
  extern 'int sockeye_listen(int, int)'
  extern 'int sockeye_connect(int, char *, unsigned int)'
  extern 'int sockeye_accept(int, void *, void *)'
  extern 'ssize_t sockeye_send(int, char *, size_t, int)'
  extern 'ssize_t sockeye_recv(int, void *, size_t, int)'
  extern 'int sockeye_close(int)'
end

def done(answer)
  raise "call failed: errno #{Fiddle.last_error}" if answer == -1
  answer
end

lab = Sockeye.sockeye_lab_new(1)
done Sockeye.sockeye_lab_host(lab, 'server', '10.1.0.1')
done Sockeye.sockeye_lab_host(lab, 'client', '10.1.0.2')
done Sockeye.sockeye_lab_link(lab, 'server', 'client', nil)
done Sockeye.sockeye_lab_start(lab)
address = Socket.sockaddr_in(80, '10.1.0.1')

Sockeye.sockeye_use(Sockeye.sockeye_lab_find(lab, 'server'))
listener = done Sockeye.sockeye_socket(Socket::AF_INET, Socket::SOCK_STREAM, 0)
done Sockeye.sockeye_bind(listener, address, address.bytesize)
done Sockeye.sockeye_listen(listener, 1)

Sockeye.sockeye_use(Sockeye.sockeye_lab_find(lab, 'client'))
client = done Sockeye.sockeye_socket(Socket::AF_INET, Socket::SOCK_STREAM, 0)
done Sockeye.sockeye_connect(client, address, address.bytesize)
server = done Sockeye.sockeye_accept(listener, nil, nil)
done Sockeye.sockeye_send(client, 'hello', 5, 0)
buffer = Fiddle::Pointer.malloc(100, Fiddle::RUBY_FREE)
n = done Sockeye.sockeye_recv(server, buffer, 100, 0)
puts buffer[0, n]
exit buffer[0, n] == 'hello' ? 0 : 1
