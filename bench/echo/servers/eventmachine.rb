# The same echo over EventMachine: lines as its BufferedTokenizer gives them, one write for each.
# (Its LineProtocol gives a line again with every packet that follows.)
require 'eventmachine'
require 'socket'

class Echo < EventMachine::Connection
  def post_init
    set_sock_opt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
    @lines = BufferedTokenizer.new("\n")
  end

  def receive_data(data)
    @lines.extract(data).each { |line| send_data("+#{line.chomp}\r\n") }
  end
end

EventMachine.epoll
EventMachine.run do
  server = EventMachine.start_server('127.0.0.1', 0, Echo)
  port, = Socket.unpack_sockaddr_in(EventMachine.get_sockname(server))
  $stdout.puts(port)
  $stdout.flush
end
