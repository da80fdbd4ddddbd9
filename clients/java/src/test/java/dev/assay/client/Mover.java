package dev.assay.client;

import dev.assay.v1.Bump;
import dev.assay.v1.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** Pushes or pulls one file: {@code push|pull TARGET PKI FROM TO}. {@code benchmarks/bench_transfer.py} runs it. */
public final class Mover {
    private Mover() {}

    /** Moves it, says how many seconds that took, and waits: the memory is read before the end. */
    public static void main(String[] arguments) throws IOException {
        Path pki = Path.of(arguments[2]);
        Tls tls = Tls.fromFiles(pki.resolve("ca.pem"), pki.resolve("admin.pem"), pki.resolve("admin.key"));
        String from = arguments[3];
        String to = arguments[4];
        try (AssayClient client = AssayClient.builder(arguments[1]).tls(tls).build()) {
            long begun = System.nanoTime();
            if (arguments[0].equals("push")) {
                client.push(to, Path.of(from), PushOptions.create()
                        .newModel(Model.getDefaultInstance())
                        .publish(Bump.BUMP_PATCH));
            } else {
                client.pull(from, Path.of(to));
            }
            System.out.printf(Locale.ROOT, "moved %.3f%n", (System.nanoTime() - begun) / 1e9);
            System.in.read();
        }
    }
}
