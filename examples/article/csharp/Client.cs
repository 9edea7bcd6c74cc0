// The article's C# client: a stream socket made from the end point's family, connected, and then a loop
// that sends 256 bytes and receives into 1024. Usage: Client.exe [PORT]
using System;
using System.Net;
using System.Net.Sockets;
using System.Text;

static class Client
{
    static void Main(string[] args)
    {
        int port = args.Length > 0 ? int.Parse(args[0]) : 9999;
        var server = new IPEndPoint(IPAddress.Parse("127.0.0.1"), port);
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(server);
        Console.WriteLine("connected: {0}", socket.Connected);

        if (socket.Connected)
        {
            var received = new byte[1024];
            for (int round = 1; ; round++)
            {
                var message = new byte[256];
                Encoding.ASCII.GetBytes("round " + round).CopyTo(message, 0);
                socket.Send(message, message.Length, SocketFlags.None);
                int count = socket.Receive(received, received.Length, SocketFlags.None);
                if (count == 0) break;
                Console.WriteLine("received: {0}", Encoding.ASCII.GetString(received, 0, count));
            }
        }
        Console.WriteLine("the server ended the loop");
        socket.Close();
    }
}
