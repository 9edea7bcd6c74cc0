# An echo server with a thread for every client. Usage: threaded.rb ADDRESS PORT
require 'socket'

listener = TCPServer.new(ARGV[0], Integer(ARGV[1]))
warn 'ready'

loop do
  Thread.start(listener.accept) do |client|
    while (line = client.gets)
      client.write(line)
    end
  ensure
    client.close
  end
end
