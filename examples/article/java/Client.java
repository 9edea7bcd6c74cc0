// The partner of Server.java: sends one text and waits for the server's close. Usage: java Client [PORT]
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

public final class Client {
    public static void main(String[] args) throws IOException {
        int port = args.length > 0 ? Integer.parseInt(args[0]) : 2000;
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.getOutputStream().write("a line from Java – grüße".getBytes(StandardCharsets.UTF_8));
            System.out.println("read after the server's close: " + socket.getInputStream().read());
        }
    }
}
