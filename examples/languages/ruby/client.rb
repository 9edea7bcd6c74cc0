# A line client. Usage: client.rb ADDRESS PORT
require 'socket'

TCPSocket.open(ARGV[0], Integer(ARGV[1])) do |server|
  $stdin.each_line do |line|
    server.write(line)
    $stdout.write(server.gets)
  end
  server.close_write
  exit 1 unless server.read.empty?
end
