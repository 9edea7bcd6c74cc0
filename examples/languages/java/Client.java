// A line client. Usage: java Client ADDRESS PORT
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

public final class Client {
    public static void main(String[] args) throws IOException {
        var utf8 = StandardCharsets.UTF_8;
        var input = new BufferedReader(new InputStreamReader(System.in, utf8));
        var output = new PrintStream(System.out, true, utf8);
        try (Socket socket = new Socket(args[0], Integer.parseInt(args[1]))) {
            var to = socket.getOutputStream();
            var from = new BufferedReader(new InputStreamReader(socket.getInputStream(), utf8));
            for (String line; (line = input.readLine()) != null; ) {
                to.write((line + "\n").getBytes(utf8));
                output.print(from.readLine() + "\n");
            }
            socket.shutdownOutput();
            output.flush();
            System.exit(from.read() == -1 ? 0 : 1);
        }
    }
}
