// The article's Java server: a ServerSocket on a port, one accept, one read into 1024 bytes, the number of
// bytes that came, close. Usage: java Server [PORT]
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

public final class Server {
    public static void main(String[] args) throws IOException {
        int port = args.length > 0 ? Integer.parseInt(args[0]) : 2000;
        ServerSocket listener = new ServerSocket(port);
        System.err.println("ready");

        Socket client = listener.accept();
        InputStream stream = client.getInputStream();
        byte[] buffer = new byte[1024];
        int length = stream.read(buffer);
        System.out.println(length + " bytes: " + new String(buffer, 0, length, StandardCharsets.UTF_8));
        client.close();
        listener.close();
    }
}
