package dev.assay.client;

import io.grpc.BindableService;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Deadline;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsServerCredentials;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.cert.X509Certificate;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/** A real gRPC server in this process, which writes down its calls and fails where it is told to. */
final class Served implements AutoCloseable {
    static final Authority AUTHORITY = new Authority("Assay test authority");
    static final Authority.Leaf SERVER = AUTHORITY.issueServer("localhost");
    static final Authority.Leaf CLIENT = AUTHORITY.issueClient("spiffe://example.com/trainer");

    final List<Call> calls = new CopyOnWriteArrayList<>();
    private final Map<String, Deque<StatusRuntimeException>> failures = new ConcurrentHashMap<>();
    private final ServerCredentials credentials;
    private final BindableService[] services;
    private Server server;
    /** Of the certificate that the last caller showed; empty without TLS. */
    volatile String serialNumber = "";

    private Served(ServerCredentials credentials, BindableService... services) {
        this.credentials = credentials;
        this.services = services;
        start(0);
    }

    static Served withTls(BindableService... services) {
        return withTls(SERVER, services);
    }

    /** A server that shows this certificate, and demands one of the test authority. */
    static Served withTls(Authority.Leaf leaf, BindableService... services) {
        try {
            return new Served(
                    TlsServerCredentials.newBuilder()
                            .keyManager(new ByteArrayInputStream(leaf.certificate), new ByteArrayInputStream(leaf.key))
                            .trustManager(new ByteArrayInputStream(AUTHORITY.certificate))
                            .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                            .build(),
                    services);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    static Served plaintext(BindableService... services) {
        return new Served(InsecureServerCredentials.create(), services);
    }

    static Tls tls() {
        return Tls.fromBytes(AUTHORITY.certificate, CLIENT.certificate, CLIENT.key);
    }

    /** A client that gives up soon. */
    AssayClientBuilder client() {
        return AssayClient.builder(target()).tls(tls()).patience(java.time.Duration.ofSeconds(5));
    }

    String target() {
        return "localhost:" + server.getPort();
    }

    /** Makes the next call of a method fail so; several of them one after the other. */
    void failNext(String method, StatusRuntimeException... errors) {
        failures.computeIfAbsent(method, name -> new ConcurrentLinkedDeque<>()).addAll(List.of(errors));
    }

    void failNext(String method, Status status) {
        failNext(method, status.asRuntimeException());
    }

    List<Call> callsOf(String method) {
        return calls.stream().filter(call -> call.method.equals(method)).collect(Collectors.toList());
    }

    /** Ends, and starts anew at the same port. */
    void restart() {
        int port = server.getPort();
        stop();
        start(port);
    }

    void stop() {
        server.shutdownNow();
        try {
            server.awaitTermination(10, TimeUnit.SECONDS);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }

    private void start(int port) {
        ServerBuilder<?> builder = Grpc.newServerBuilderForPort(port, credentials).intercept(new Recorder());
        List.of(services).forEach(builder::addService);
        try {
            server = builder.build().start();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static String serialNumber(SSLSession session) {
        try {
            return session == null ? "" : ((X509Certificate) session.getPeerCertificates()[0]).getSerialNumber().toString();
        } catch (SSLPeerUnverifiedException anonymous) {
            return "";
        }
    }

    @Override
    public void close() {
        stop();
    }

    /** What was asked, and how much time there was for it. */
    static final class Call {
        final String method;
        final Deadline deadline;
        volatile Object request;

        Call(String method, Deadline deadline) {
            this.method = method;
            this.deadline = deadline;
        }

        @Override
        public String toString() {
            return method;
        }
    }

    private final class Recorder implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            String method = call.getMethodDescriptor().getBareMethodName();
            Call recorded = new Call(method, Context.current().getDeadline());
            calls.add(recorded);
            serialNumber = serialNumber(call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION));
            Deque<StatusRuntimeException> planned = failures.getOrDefault(method, new ArrayDeque<>());
            StatusRuntimeException failure = planned.poll();
            if (failure != null) {
                Metadata trailers = failure.getTrailers();
                call.close(failure.getStatus(), trailers == null ? new Metadata() : trailers);
                return new ServerCall.Listener<>() {};
            }
            return new SimpleForwardingServerCallListener<>(Contexts.interceptCall(Context.current(), call, headers, next)) {
                @Override
                public void onMessage(Q message) {
                    recorded.request = message;
                    super.onMessage(message);
                }
            };
        }
    }
}
