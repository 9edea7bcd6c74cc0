// An echo server with a task for every client. Usage: Server.exe ADDRESS PORT
using System;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;

static class Server
{
    static async Task Serve(TcpClient client)
    {
        using (client)
        using (NetworkStream stream = client.GetStream())
            await stream.CopyToAsync(stream);
    }

    static async Task Run(IPAddress address, int port)
    {
        var listener = new TcpListener(address, port);
        listener.Start();
        Console.Error.WriteLine("ready");
        while (true)
        {
            TcpClient client = await listener.AcceptTcpClientAsync();
            Task ignored = Serve(client);
        }
    }

    static void Main(string[] args)
    {
        Run(IPAddress.Parse(args[0]), int.Parse(args[1])).Wait();
    }
}
