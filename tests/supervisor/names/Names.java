import java.net.InetAddress;
import java.net.UnknownHostException;

class Names {
    public static void main(String[] names) {
        for (String name : names) {
            try {
                for (InetAddress found : InetAddress.getAllByName(name)) {
                    InetAddress bare = InetAddress.getByAddress(found.getAddress());
                    System.out.println(name + ": " + found.getHostAddress() + ", which is " + bare.getHostName());
                }
            } catch (UnknownHostException e) {
                System.out.println(name + ": not found");
            }
        }
    }
}
