package dev.assay.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Context;
import io.grpc.Status;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a person reads who cannot connect. */
class ConnectionTest {
    private final FakeRegistry registry = new FakeRegistry();

    @TempDir
    Path directory;

    @Test
    void certificatesFromFilesConnect() throws IOException {
        Path ca = Files.write(directory.resolve("ca.crt"), Served.AUTHORITY.certificate);
        Path certificate = Files.write(directory.resolve("me.crt"), Served.CLIENT.certificate);
        Path key = Files.write(directory.resolve("me.key"), Served.CLIENT.key);

        try (Served served = Served.withTls(registry.services());
                AssayClient client =
                        AssayClient.builder(served.target()).tls(Tls.fromFiles(ca, certificate, key)).build()) {
            assertEquals("trainer", client.whoAmI().getPrincipal());
        }
    }

    @Test
    void certificatesAreRenewedWithoutARestart() throws IOException {
        Path ca = Files.write(directory.resolve("ca.crt"), Served.AUTHORITY.certificate);
        Path certificate = Files.write(directory.resolve("me.crt"), Served.CLIENT.certificate);
        Path key = Files.write(directory.resolve("me.key"), Served.CLIENT.key);
        Authority.Leaf renewed = Served.AUTHORITY.issueClient("spiffe://example.com/trainer");

        try (Served served = Served.withTls(registry.services());
                AssayClient client =
                        AssayClient.builder(served.target()).tls(Tls.fromFiles(ca, certificate, key)).build()) {
            client.whoAmI();
            String before = served.serialNumber;
            Files.write(certificate, renewed.certificate);
            served.restart();
            client.whoAmI();
            assertEquals(before, served.serialNumber, "Half a renewal is not used.");

            Files.write(key, renewed.key);
            served.restart();
            client.whoAmI();
            assertNotEquals(before, served.serialNumber);
        }
    }

    @Test
    void nobodyListening() throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }

        Unreachable failure = unreachable("localhost:" + port, Served.tls());

        assertEquals("Nothing listens at localhost:" + port + ". Is the server running there?", failure.getMessage());
        assertEquals(Status.Code.UNAVAILABLE, failure.statusCode());
    }

    @Test
    void aNameThatCannotBeResolved() {
        Unreachable failure = unreachable("nobody.invalid:1", Served.tls());

        assertContains(failure, "cannot be resolved");
    }

    @Test
    void aServerOfAnotherAuthority() {
        Authority other = new Authority("Some other authority");

        try (Served served = Served.withTls(registry.services())) {
            Tls wrong = Tls.fromBytes(other.certificate, Served.CLIENT.certificate, Served.CLIENT.key);

            assertContains(unreachable(served.target(), wrong), "is not from the authority in the given PEM bytes");
        }
    }

    @Test
    void aClientOfAnotherAuthority() {
        Authority.Leaf stranger = new Authority("Some other authority").issueClient("spiffe://example.com/stranger");

        try (Served served = Served.withTls(registry.services())) {
            Tls wrong = Tls.fromBytes(Served.AUTHORITY.certificate, stranger.certificate, stranger.key);

            assertContains(unreachable(served.target(), wrong), "not accept the certificate the given PEM bytes");
        }
    }

    @Test
    void anExpiredClient() {
        Authority.Leaf expired = Served.AUTHORITY.issueExpired("spiffe://example.com/trainer");

        try (Served served = Served.withTls(registry.services())) {
            Tls wrong = Tls.fromBytes(Served.AUTHORITY.certificate, expired.certificate, expired.key);

            assertContains(unreachable(served.target(), wrong), "Your certificate the given PEM bytes expired at ");
        }
    }

    @Test
    void anExpiredServer() {
        try (Served served = Served.withTls(Served.AUTHORITY.issueExpired("localhost"), registry.services())) {
            assertContains(unreachable(served.target(), Served.tls()), "has expired; it must be renewed there");
        }
    }

    @Test
    void aServerOfAnotherNameNeedsItsName() {
        try (Served served = Served.withTls(Served.AUTHORITY.issueServer("registry.example.com"), registry.services())) {
            assertContains(unreachable(served.target(), Served.tls()), "is for another name");

            Tls named = Served.tls().serverName("registry.example.com");
            try (AssayClient client = AssayClient.builder(served.target()).tls(named).build()) {
                assertEquals("trainer", client.whoAmI().getPrincipal());
            }
        }
    }

    @Test
    void aPlaintextPort() {
        try (Served served = Served.plaintext(registry.services())) {
            assertContains(unreachable(served.target(), Served.tls()), "does not speak TLS: it is a plaintext port");
        }
    }

    @Test
    void aTlsPortWithoutTls() {
        try (Served served = Served.withTls(registry.services())) {
            assertContains(unreachable(served.target(), null), "it is probably a TLS port");
        }
    }

    @Test
    void plaintextOnThisMachine() {
        try (Served served = Served.plaintext(registry.services());
                AssayClient client = AssayClient.builder(served.target()).plaintextLoopback().build()) {
            assertEquals("trainer", client.whoAmI().getPrincipal());
        }
    }

    @Test
    void plaintextElsewhereIsRefused() {
        AssayClientBuilder elsewhere = AssayClient.builder("registry.example.com:8443");

        assertContains(assertThrows(InsecureTarget.class, elsewhere::build), "has no certificates");
        assertContains(
                assertThrows(InsecureTarget.class, elsewhere.plaintextLoopback()::build), "is not on this machine");
        assertThrows(InsecureTarget.class, AssayClient.builder("127.0.0.1.example.com:1").plaintextLoopback()::build);
    }

    @Test
    void anAddressWithoutAPortIsRefused() {
        assertContains(
                assertThrows(InvalidInput.class, AssayClient.builder("https://registry").tls(Served.tls())::build),
                "is not an address");
    }

    @Test
    void certificatesThatCannotBeUsedAreNamed() throws IOException {
        Path missing = directory.resolve("absent.crt");
        Authority.Leaf other = Served.AUTHORITY.issueClient("spiffe://example.com/other");

        assertContains(unusable(Tls.fromFiles(missing, missing, missing)), missing + ", given as the authority's");
        assertContains(
                unusable(Tls.fromBytes(Served.CLIENT.key, Served.CLIENT.certificate, Served.CLIENT.key)),
                "is not a PEM certificate");
        assertContains(
                unusable(Tls.fromBytes(
                        Served.AUTHORITY.certificate, Served.CLIENT.certificate, Served.CLIENT.certificate)),
                "openssl pkcs8");
        assertContains(
                unusable(Tls.fromBytes(Served.AUTHORITY.certificate, Served.CLIENT.certificate, other.key)),
                "is the key of another certificate than the given PEM bytes");
    }

    @Test
    void aPassedDeadline() {
        registry.isSilent = true;

        try (Served served = Served.withTls(registry.services());
                AssayClient client =
                        served.client().readDeadline(Duration.ofMillis(200)).build()) {
            DeadlinePassed failure = assertThrows(DeadlinePassed.class, client::whoAmI);

            assertContains(failure, served.target() + " did not answer before the deadline passed. Nothing was changed: ask");
            assertEquals(Status.Code.DEADLINE_EXCEEDED, failure.statusCode());
            AssayException unknown = client.explain(Status.DEADLINE_EXCEEDED
                    .withDescription("deadline exceeded, [remote_addr=/127.0.0.1:1]")
                    .asRuntimeException());
            assertContains(unknown, "A change may have happened all the same: look before you repeat it");
        }
    }

    @Test
    void aDeadlineOfTheContextComesFirst() {
        registry.isSilent = true;
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);

        try (Served served = Served.withTls(registry.services());
                AssayClient client = served.client().build();
                Context.CancellableContext context =
                        Context.current().withDeadlineAfter(200, TimeUnit.MILLISECONDS, timer)) {
            context.run(() -> assertContains(
                    assertThrows(DeadlinePassed.class, client::whoAmI), "did not answer before the deadline passed."));
        } finally {
            timer.shutdownNow();
        }
    }

    @Test
    void anInterruptedThreadGivesUpAndStaysInterrupted() {
        registry.isSilent = true;

        try (Served served = Served.withTls(registry.services());
                AssayClient client = served.client().build()) {
            Thread.currentThread().interrupt();

            assertThrows(CallCancelled.class, client::whoAmI);
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void aClosedClientSaysSo() {
        try (Served served = Served.withTls(registry.services())) {
            AssayClient client = served.client().build();
            client.close();

            assertThrows(CallCancelled.class, client::whoAmI);
            CallCancelled closed =
                    assertThrows(CallCancelled.class, () -> client.pull("vision/digits/1", directory));
            assertEquals(Status.Code.CANCELLED, closed.statusCode());
            client.close();
        }
    }

    @Test
    void theCauseIsKept() {
        try (Served served = Served.plaintext(registry.services())) {
            Unreachable failure = unreachable(served.target(), Served.tls());

            assertSame(Status.Code.UNAVAILABLE, Status.fromThrowable(failure.getCause()).getCode());
        }
    }

    private static Unreachable unreachable(String target, Tls tls) {
        AssayClientBuilder builder = AssayClient.builder(target);
        try (AssayClient client = (tls == null ? builder.plaintextLoopback() : builder.tls(tls)).build()) {
            return assertThrows(Unreachable.class, client::whoAmI);
        }
    }

    private static CertificateUnusable unusable(Tls tls) {
        return assertThrows(CertificateUnusable.class, AssayClient.builder("localhost:1").tls(tls)::build);
    }

    static void assertContains(AssayException failure, String words) {
        assertTrue(failure.getMessage().contains(words), failure::getMessage);
    }
}
