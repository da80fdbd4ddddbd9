package dev.assay.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.assay.v1.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Certificates are renewed under a client that goes on, against a real server. */
class RotationTest {
    private static final String ADMIN = "spiffe://assay.local/dev/admin";
    private static final Duration SOON = Duration.ofSeconds(4);
    private DevServer server;
    private Tls tls;

    @TempDir
    Path directory;

    @BeforeEach
    void find() throws IOException {
        server = DevServer.find();
        tls = Tls.fromFiles(
                server.pki().resolve("ca.pem"), directory.resolve("me.pem"), directory.resolve("me.key"));
    }

    @Test
    void whoeverTheFilesNameNowIsWhoTheServerSees() throws Exception {
        become("admin");
        try (Cutter cutter = new Cutter(server.target);
                AssayClient client = AssayClient.builder(cutter.target()).tls(tls).build()) {
            assertEquals("admin", principal(client));
            cutter.cut(); // so that there is a session that could be resumed
            assertEquals("admin", principal(client));

            become("engineer");
            cutter.cut();

            assertEquals("engineer", principal(client));
            assertEquals("engineer", principal(client));
        }
    }

    @Test
    void noBreakIsNeededToBecomeAnother() throws Exception {
        become("admin");
        try (AssayClient client = AssayClient.builder(server.target).tls(tls).build()) {
            assertEquals("admin", principal(client));

            become("engineer");

            assertEquals("engineer", principal(client));
        }
    }

    @Test
    void aSuccessorInTimeIsAllThatAnExpiringCertificateNeeds() throws Exception {
        Authority authority = Authority.of(server.pki().resolve("ca.pem"), server.pki().resolve("ca.key"));
        write(authority.issueClient(ADMIN, SOON));
        try (AssayClient client = AssayClient.builder(server.target).tls(tls).build();
                AssayClient other = server.as("admin");
                Watch watch = client.watch(WatchOptions.create().scope("main"))) {
            assertEquals("admin", principal(client));
            CompletableFuture<String> seen = CompletableFuture.supplyAsync(() -> watch.next().getEvents(0).getName());
            write(authority.issueClient(ADMIN, Duration.ofHours(1)));
            TimeUnit.MILLISECONDS.sleep(SOON.plusSeconds(2).toMillis());

            assertEquals("admin", principal(client));
            Path file = Files.writeString(directory.resolve("config.json"), "{}");
            String model = "main/java-" + Long.toString(System.nanoTime(), 36);
            other.push(model, file, PushOptions.create().newModel(Model.newBuilder().setTask("test").build()));
            assertTrue(seen.get(30, TimeUnit.SECONDS).startsWith(Names.modelName(model)));
        }
    }

    @Test
    void anExpiredCertificateIsToldAndItsSuccessorTaken() throws Exception {
        Authority authority = Authority.of(server.pki().resolve("ca.pem"), server.pki().resolve("ca.key"));
        write(authority.issueClient(ADMIN, Duration.ofSeconds(2)));
        try (AssayClient client = AssayClient.builder(server.target).tls(tls).build()) {
            assertEquals("admin", principal(client));
            TimeUnit.SECONDS.sleep(3);
            assertThrows(CertificateExpired.class, client::whoAmI);

            write(authority.issueClient(ADMIN, Duration.ofHours(1)));

            assertEquals("admin", principal(client));
        }
    }

    private static String principal(AssayClient client) {
        String principal = client.whoAmI().getPrincipal();
        return principal.substring(principal.lastIndexOf('/') + 1);
    }

    private void become(String role) throws IOException {
        write(new Authority.Leaf(
                Files.readAllBytes(server.pki().resolve(role + ".pem")),
                Files.readAllBytes(server.pki().resolve(role + ".key"))));
    }

    private void write(Authority.Leaf leaf) throws IOException {
        Files.write(directory.resolve("me.pem"), leaf.certificate);
        Files.write(directory.resolve("me.key"), leaf.key);
    }
}
