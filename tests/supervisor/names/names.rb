require 'socket'

ARGV.each do |name|
  Addrinfo.getaddrinfo(name, nil, nil, :STREAM).uniq(&:ip_address).each do |address|
    back = begin
      address.getnameinfo(Socket::NI_NAMEREQD)[0]
    rescue SocketError
      'nobody'
    end
    puts "#{name}: #{address.ip_address}, which is #{back}"
  end
rescue SocketError
  puts "#{name}: not found"
end
