package dev.assay.client;

import dev.assay.v1.ErrorReason;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.ManagedChannelBuilder;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/** Channels to one server, and what the calls on them have in common. */
final class Connection implements AutoCloseable {
    /** Servers hang up on those who ping more often. */
    private static final long KEEPALIVE_S = 60;

    private static final long KEEPALIVE_TIMEOUT_S = 20;
    private static final long CLOSE_S = 5;
    private static final String CHANGE_MAY_HAVE_HAPPENED =
            "A change may have happened all the same: look before you repeat it";

    private static final Set<String> WORTH_CONTINUING = Set.of(
            "CHECKSUM_MISMATCH", "UPLOAD_OFFSET_WRONG", "TOO_MANY_UPLOADS", "TOO_MANY_CALLS", "CONFLICT");

    final String target;
    final Duration patience;
    /** How long a stream of bytes may stand still before it is opened anew. */
    final Duration silence;
    /** How much of a file comes in one range. */
    final long pieceBytes;
    final ExecutorService executor;
    final ScheduledExecutorService timer;

    private final CallRules rules;
    private final Diagnosis diagnosis;
    private final RenewedChannel main;
    private final List<RenewedChannel> carriers = new ArrayList<>();

    Connection(AssayClientBuilder wanted) {
        target = wanted.target;
        patience = wanted.patience;
        silence = wanted.silence;
        pieceBytes = wanted.pieceBytes;
        rules = new CallRules(wanted.readDeadline, wanted.writeDeadline);
        diagnosis = new Diagnosis(target, wanted.tls);
        executor = Executors.newCachedThreadPool(threads("assay-client"));
        ScheduledThreadPoolExecutor alarms = new ScheduledThreadPoolExecutor(1, threads("assay-client-alarms"));
        alarms.setRemoveOnCancelPolicy(true);
        timer = alarms;
        main = renewed(wanted, builder -> builder.defaultServiceConfig(Retries.serviceConfig()).enableRetry());
        for (int number = 0; number < wanted.connections; number++) {
            // Streams of bytes are resumed here, from what is known to be there: gRPC must not replay them.
            carriers.add(renewed(wanted, ManagedChannelBuilder::disableRetry));
        }
    }

    private RenewedChannel renewed(AssayClientBuilder wanted, UnaryOperator<ManagedChannelBuilder<?>> adjust) {
        return new RenewedChannel(
                wanted.tls, credentials -> adjust.apply(newChannel(wanted, credentials)).build(), timer);
    }

    private ManagedChannelBuilder<?> newChannel(AssayClientBuilder wanted, ChannelCredentials credentials) {
        ManagedChannelBuilder<?> builder;
        try {
            builder = Grpc.newChannelBuilder(target, credentials);
        } catch (IllegalArgumentException error) {
            throw new CertificateUnusable(
                    Failure.of("gRPC does not take the certificates: %s.", error.getMessage()).because(error));
        }
        builder.keepAliveTime(KEEPALIVE_S, TimeUnit.SECONDS)
                .keepAliveTimeout(KEEPALIVE_TIMEOUT_S, TimeUnit.SECONDS)
                .keepAliveWithoutCalls(false)
                // What may be repeated is ours to say: no look-up of a service config in DNS.
                .disableServiceConfigLookUp()
                .userAgent("assay-java")
                .intercept(rules);
        if (wanted.tls != null && !wanted.tls.serverName().isEmpty()) {
            builder.overrideAuthority(wanted.tls.serverName());
        }
        wanted.adjust.accept(builder);
        return builder;
    }

    /** For single calls and watches. */
    Channel channel() {
        return main;
    }

    /** For bytes; each number leads to one of several connections, which connect when they are first used. */
    Channel carrier(int number) {
        return carriers.get(Math.floorMod(number, carriers.size()));
    }

    <Q, A> A call(MethodDescriptor<Q, A> method, Q request) {
        return call(method, request, Duration.ZERO);
    }

    /** One answer. Repeats what gRPC's own retries do not know to be worth repeating. */
    <Q, A> A call(MethodDescriptor<Q, A> method, Q request, Duration extra) {
        Q asked = CallRules.withRequestId(request);
        CallOptions options = CallRules.remembering(rules.withDeadline(method, CallOptions.DEFAULT, extra));
        Patience pauses = new Patience(patience);
        for (int attempt = 1; ; ) {
            try {
                return ClientCalls.blockingUnaryCall(main, method, options, asked);
            } catch (StatusRuntimeException error) {
                AssayException failure = explain(error, Context.current(), Retries.isRead(method));
                // A share comes back by itself: that is waited for as long as the deadline allows.
                boolean isShareUsedUp = failure.hasReason(ErrorReason.ERROR_REASON_TOO_MANY_CALLS);
                attempt += isShareUsedUp ? 0 : 1;
                Duration pause = pauses.next().plus(failure.retryAfter());
                boolean isLast = attempt > Retries.ATTEMPTS_MAX
                        || !Retries.isRepeatable(method)
                        || !CallRules.isTimeFor(pause, options);
                if (isLast || !(isShareUsedUp || isWorthRepeating(failure))) {
                    throw failure;
                }
                Cancellation.sleep(pause);
            }
        }
    }

    /** A lost race that says so, or a call that a stopping server cancelled, or that was cut in other words. */
    private static boolean isWorthRepeating(AssayException failure) {
        boolean wasCut = failure instanceof Unavailable && failure.statusCode() != Status.Code.UNAVAILABLE;
        return wasCut || failure.hasReason(ErrorReason.ERROR_REASON_CONFLICT);
    }

    /** What a status means. */
    AssayException explain(StatusRuntimeException error) {
        return explain(error, Context.current(), false);
    }

    /** What a status means that a call in this context ended with; a read has changed nothing, whatever happened. */
    AssayException explain(StatusRuntimeException error, Context context, boolean isRead) {
        Failure failure = Statuses.read(error);
        if (!failure.reason.isEmpty()) {
            return Statuses.exception(failure);
        }
        switch (failure.code) {
            case CANCELLED:
                return wasGivenUp(context)
                        ? Cancellation.exception(error)
                        : Statuses.exception(failure.reworded(warned(failure.message, error)));
            case DEADLINE_EXCEEDED:
                return Statuses.exception(failure.reworded(whyLate(error, isRead)));
            case UNIMPLEMENTED:
                return Statuses.exception(failure.reworded(String.format("The server at %s does not know this method "
                        + "(%s): it is older than this client, or not an Assay server.", target, failure.message)));
            case UNAVAILABLE:
                return main.isShutdown() ? Cancellation.exception(error) : unreachable(failure, error);
            case INTERNAL:
            case UNKNOWN:
                return wasCut(failure.message) ? unreachable(failure, error) : Statuses.exception(failure);
            default:
                return Statuses.exception(failure);
        }
    }

    /** Whether a transfer that failed so may go on from where it was. */
    boolean isWorthContinuing(AssayException failure) {
        return failure instanceof Unavailable
                || failure instanceof DeadlinePassed
                || wasRenewed(failure)
                || WORTH_CONTINUING.contains(failure.reason());
    }

    /** Whether a certificate expired that has a successor in its files by now. */
    boolean wasRenewed(AssayException failure) {
        return failure instanceof CertificateExpired && diagnosis.isCertificateValid();
    }

    private boolean wasGivenUp(Context context) {
        return context.isCancelled() || Thread.currentThread().isInterrupted() || main.isShutdown();
    }

    private Unreachable unreachable(Failure failure, StatusRuntimeException error) {
        return new Unreachable(failure.reworded(warned(diagnosis.whyUnreachable(error), error)));
    }

    /** The answer may be what was lost: to try again may be to change twice. */
    private static String warned(String words, StatusRuntimeException error) {
        return CallRules.mayHaveHappened(error)
                ? String.format("%s %s.", words.replaceFirst(" Try again\\.$", ""), CHANGE_MAY_HAVE_HAPPENED).strip()
                : words;
    }

    /** Whether a stream or its connection broke, which gRPC may report as INTERNAL or UNKNOWN. */
    private static boolean wasCut(String message) {
        return message.contains("RST_STREAM") || message.contains("http2 exception") || message.contains("channel closed");
    }

    private String whyLate(StatusRuntimeException error, boolean isRead) {
        String message = String.valueOf(error.getStatus().getDescription());
        boolean wasTheContext = message.contains("context timed out");
        if (!wasTheContext && !message.contains("remote_addr")) {
            return warned(String.format("There was no connection to %s before the deadline passed. Check the address; a "
                    + "firewall may drop the packets. (%s)", target, message), error);
        }
        String remedy = isRead
                ? "Nothing was changed: ask again"
                : CHANGE_MAY_HAVE_HAPPENED;
        return String.format("%s did not answer before the deadline passed. %s, or give it more time.", target, remedy);
    }

    @Override
    public void close() {
        List<RenewedChannel> all = new ArrayList<>(carriers);
        all.add(main);
        all.forEach(RenewedChannel::shutdownNow);
        executor.shutdownNow();
        timer.shutdownNow();
        try {
            for (RenewedChannel channel : all) {
                channel.awaitTermination(CLOSE_S);
            }
        } catch (InterruptedException hurry) {
            Thread.currentThread().interrupt();
        }
    }

    private static ThreadFactory threads(String name) {
        AtomicInteger count = new AtomicInteger();
        return work -> {
            Thread thread = new Thread(work, name + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }
}
