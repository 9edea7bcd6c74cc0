// A line client. Usage: Client.exe ADDRESS PORT
using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;

static class Client
{
    static int Main(string[] args)
    {
        IPAddress address = IPAddress.Parse(args[0]);
        var utf8 = new UTF8Encoding(false);
        using (var client = new TcpClient(address.AddressFamily))
        {
            client.Connect(address, int.Parse(args[1]));
            var writer = new StreamWriter(client.GetStream(), utf8) { AutoFlush = true, NewLine = "\n" };
            var reader = new StreamReader(client.GetStream(), utf8);
            var input = new StreamReader(Console.OpenStandardInput(), utf8);
            var output = new StreamWriter(Console.OpenStandardOutput(), utf8) { AutoFlush = true, NewLine = "\n" };
            string line;
            while ((line = input.ReadLine()) != null)
            {
                writer.WriteLine(line);
                output.WriteLine(reader.ReadLine());
            }
            client.Client.Shutdown(SocketShutdown.Send);
            return reader.ReadLine() == null ? 0 : 1;
        }
    }
}
