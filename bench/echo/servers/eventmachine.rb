# The same echo over EventMachine: lines of any length, as its LineProtocol gives them, one write for each.
require 'eventmachine'
require 'socket'

module Echo
  include EventMachine::Protocols::LineProtocol

  def post_init
    set_sock_opt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
  end

  def receive_line(line)
    send_data("+#{line}\r\n")
  end
end

EventMachine.epoll
EventMachine.run do
  server = EventMachine.start_server('127.0.0.1', 0, Echo)
  port, = Socket.unpack_sockaddr_in(EventMachine.get_sockname(server))
  $stdout.puts(port)
  $stdout.flush
end
