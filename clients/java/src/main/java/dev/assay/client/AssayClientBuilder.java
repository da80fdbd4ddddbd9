package dev.assay.client;

import io.grpc.ManagedChannelBuilder;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Says how to connect; see {@link AssayClient#builder}. */
public final class AssayClientBuilder {
    private static final Pattern LOOPBACK =
            Pattern.compile("(?:localhost|127(?:\\.[0-9]{1,3}){3}|\\[::1\\])(?::[0-9]+)?|unix:.*");
    private static final Pattern PORT = Pattern.compile(".*:[0-9]{1,5}");

    final String target;
    Tls tls;
    Duration readDeadline = Duration.ofSeconds(10);
    Duration writeDeadline = Duration.ofSeconds(30);
    Duration patience = Duration.ofMinutes(2);
    Duration silence = Duration.ofSeconds(60);
    long pieceBytes = 64L << 20;
    int connections = 4;
    Consumer<ManagedChannelBuilder<?>> adjust = builder -> {};
    private boolean isPlaintext;

    AssayClientBuilder(String target) {
        this.target = Required.of(target, "target");
    }

    /**
     * Connects with TLS, both sides showing certificates.
     *
     * @param certificates who you are and whom you trust
     * @return this builder
     */
    public AssayClientBuilder tls(Tls certificates) {
        tls = Required.of(certificates, "certificates");
        isPlaintext = false;
        return this;
    }

    /**
     * Connects without TLS, which is allowed on this machine only.
     *
     * @return this builder
     */
    public AssayClientBuilder plaintextLoopback() {
        tls = null;
        isPlaintext = true;
        return this;
    }

    /**
     * Sets how long a single call that changes nothing may take, all its repetitions together; 10 s unless set. Streams
     * have no deadline. A deadline of the current {@link io.grpc.Context} comes first.
     *
     * @param limit how long
     * @return this builder
     */
    public AssayClientBuilder readDeadline(Duration limit) {
        readDeadline = Required.of(limit, "limit");
        return this;
    }

    /**
     * Sets how long a single call that changes something may take, all its repetitions together; 30 s unless set.
     *
     * @param limit how long
     * @return this builder
     */
    public AssayClientBuilder writeDeadline(Duration limit) {
        writeDeadline = Required.of(limit, "limit");
        return this;
    }

    /**
     * Sets how long push, pull and reading a range go on trying while no byte moves, counted from the first failure since one did; 2
     * minutes unless set.
     *
     * @param limit how long
     * @return this builder
     */
    public AssayClientBuilder patience(Duration limit) {
        patience = Required.of(limit, "limit");
        return this;
    }

    /**
     * Sets over how many connections bytes are spread; 4 unless set. They are made as they are needed.
     *
     * @param count at least 1
     * @return this builder
     */
    public AssayClientBuilder connections(int count) {
        connections = Math.max(1, count);
        return this;
    }

    /**
     * Changes the gRPC channels before they are built, for example to add interceptors. It runs once for each,
     * also for those that are made when the certificates were renewed.
     *
     * @param adjustment what to change
     * @return this builder
     */
    public AssayClientBuilder channels(Consumer<ManagedChannelBuilder<?>> adjustment) {
        adjust = Required.of(adjustment, "adjustment");
        return this;
    }

    /**
     * Makes the client. It reads the certificates but does not connect: the first call does. Call {@link
     * AssayClient#whoAmI} to find out at once whether address and certificates are right.
     *
     * @return the client; close it at the end
     * @throws CertificateUnusable if certificates cannot be read or do not fit together
     * @throws InsecureTarget if neither certificates were given nor plaintext on this machine was asked for
     * @throws InvalidInput if the target is not an address
     */
    public AssayClient build() {
        boolean isAddress = PORT.matcher(target).matches() || target.startsWith("unix:");
        if (!isAddress || target.isBlank() || target.contains("://")) {
            throw new InvalidInput(Failure.invalid("\"%s\" is not an address. Write it like registry.example.com:8443, without "
                    + "a scheme.", target));
        }
        if (tls == null && !(isPlaintext && isLoopback())) {
            throw new InsecureTarget(Failure.of(isPlaintext
                    ? target + " is not on this machine, and without TLS everybody on the way could read and change what "
                            + "is sent. Give certificates: tls(Tls.fromFiles(…))."
                    : "The client of " + target + " has no certificates. Give them: tls(Tls.fromFiles(…)); or, for a server "
                            + "on this machine only, say plaintextLoopback()."));
        }
        return new AssayClient(new Connection(this));
    }

    private boolean isLoopback() {
        Matcher matcher = LOOPBACK.matcher(target);
        return matcher.matches();
    }
}
