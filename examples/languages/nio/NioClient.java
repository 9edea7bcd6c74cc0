// A line client that connects, writes and reads through a Selector. Usage: java NioClient ADDRESS PORT
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

public final class NioClient {
    private static final ByteBuffer BUFFER = ByteBuffer.allocate(4096);

    public static void main(String[] args) throws IOException {
        Selector selector = Selector.open();
        SocketChannel channel = SocketChannel.open();
        channel.configureBlocking(false);
        SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT);
        if (!channel.connect(new InetSocketAddress(args[0], Integer.parseInt(args[1])))) selector.select();
        channel.finishConnect();
        key.interestOps(SelectionKey.OP_READ);

        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = input.readLine()) != null; ) {
            ByteBuffer message = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
            while (message.hasRemaining()) channel.write(message);
            System.out.write(answer(selector, channel));
            System.out.flush();
        }
        channel.shutdownOutput();
        System.exit(answer(selector, channel).length == 0 ? 0 : 1);
    }

    /** The bytes up to the next end of line, or up to the end of the stream. */
    private static byte[] answer(Selector selector, SocketChannel channel) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (true) {
            selector.select();
            selector.selectedKeys().clear();
            BUFFER.clear();
            int count = channel.read(BUFFER);
            if (count < 0) return line.toByteArray();
            line.write(BUFFER.array(), 0, count);
            if (count > 0 && BUFFER.get(count - 1) == '\n') return line.toByteArray();
        }
    }
}
