package dev.assay.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What lies between a client and a server, and cuts their connections when it is told to. */
final class Cutter implements AutoCloseable {
    private final ServerSocket door;
    private final int port;
    private final List<Socket> open = new CopyOnWriteArrayList<>();

    /** Stands before a server on this machine. */
    Cutter(String target) throws IOException {
        port = Integer.parseInt(target.substring(target.lastIndexOf(':') + 1));
        door = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    String target() {
        return "localhost:" + door.getLocalPort();
    }

    /** Ends every connection, without a word. */
    void cut() {
        open.forEach(Cutter::close);
        open.clear();
    }

    private void accept() {
        while (!door.isClosed()) {
            try {
                Socket near = door.accept();
                Socket far = new Socket(InetAddress.getLoopbackAddress(), port);
                open.addAll(List.of(near, far));
                start(() -> pump(near, far));
                start(() -> pump(far, near));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private static void pump(Socket source, Socket sink) {
        try (InputStream input = source.getInputStream()) {
            input.transferTo(sink.getOutputStream());
        } catch (IOException cut) {
            close(source);
        }
        close(sink);
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "cutter");
        thread.setDaemon(true);
        thread.start();
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    @Override
    public void close() throws IOException {
        door.close();
        cut();
    }
}
