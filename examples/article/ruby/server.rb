# The article's Ruby server: a thread for every client, which greets it and closes. Usage: server.rb [PORT]
require 'socket'

listener = TCPServer.new(Integer(ARGV.fetch(0, '2048')))
warn 'ready'

loop do
  Thread.start(listener.accept) do |visitor|
    visitor.puts 'Hello!'
    visitor.close
  end
end
