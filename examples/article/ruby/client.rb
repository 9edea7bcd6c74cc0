# The partner of server.rb: three visitors at once, each of whom reads its greeting to the end.
# Usage: client.rb [PORT]
require 'socket'

port = Integer(ARGV.fetch(0, '2048'))
visitors = Array.new(3) { TCPSocket.new('127.0.0.1', port) }
visitors.each_with_index do |visitor, number|
  puts "visitor #{number}: #{visitor.read.inspect}"
  visitor.close
end
