# An echo server for many clients in one thread, with IO.select. Usage: server.rb ADDRESS PORT
require 'socket'

listener = TCPServer.new(ARGV[0], Integer(ARGV[1]))
clients = []
warn 'ready'

loop do
  ready, = IO.select([listener, *clients])
  ready.each do |io|
    if io == listener
      clients << listener.accept
    else
      begin
        io.write(io.readpartial(4096))
      rescue EOFError, SystemCallError
        clients.delete(io)
        io.close
      end
    end
  end
end
