// The partner of Client.cs: gathers each message of 256 bytes, answers it, and after five rounds takes one
// more message and ends its direction instead of answering. Usage: Server.exe [PORT]
using System;
using System.Net;
using System.Net.Sockets;
using System.Text;

static class Server
{
    static string ReadMessage(Socket client)
    {
        var message = new byte[256];
        int have = 0;
        while (have < message.Length)
        {
            int count = client.Receive(message, have, message.Length - have, SocketFlags.None);
            if (count == 0) return null;
            have += count;
        }
        return Encoding.ASCII.GetString(message).TrimEnd('\0');
    }

    static void Main(string[] args)
    {
        int port = args.Length > 0 ? int.Parse(args[0]) : 9999;
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Any, port));
        listener.Listen(5);
        Console.Error.WriteLine("ready");

        Socket client = listener.Accept();
        for (int round = 1; round <= 5; round++)
        {
            string text = ReadMessage(client);
            Console.WriteLine("message: {0}", text);
            client.Send(Encoding.ASCII.GetBytes("yes, " + text));
        }
        ReadMessage(client);
        client.Shutdown(SocketShutdown.Both);
        client.Close();
        listener.Close();
        Console.WriteLine("done");
    }
}
