package dev.assay.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A channel that is another one as soon as the files of the certificates are. To make new connections on the same channel
 * would not do: they resume the TLS session of an earlier one, in which the certificate is not shown again, so that the
 * server goes on seeing the old one.
 */
final class RenewedChannel extends Channel {
    /** Who took the old channel a moment ago has begun a call on it by then. */
    private static final long HANDOVER_S = 10;

    private final Tls tls;
    private final Function<ChannelCredentials, ManagedChannel> make;
    private final ScheduledExecutorService timer;
    // Guarded by `this`.
    private final List<ManagedChannel> open = new ArrayList<>();
    private volatile Made current;
    private volatile boolean isClosed;

    /** Without {@code tls} it is always the same, and plaintext. */
    RenewedChannel(Tls tls, Function<ChannelCredentials, ManagedChannel> make, ScheduledExecutorService timer) {
        this.tls = tls;
        this.make = make;
        this.timer = timer;
        renew(tls == null ? List.of() : tls.state());
    }

    /** A channel, and what the files were like when it was made. */
    private static final class Made {
        final List<Object> state;
        final ManagedChannel channel;

        Made(List<Object> state, ManagedChannel channel) {
            this.state = state;
            this.channel = channel;
        }
    }

    @Override
    public <Q, A> ClientCall<Q, A> newCall(MethodDescriptor<Q, A> method, CallOptions options) {
        if (tls != null && !current.state.equals(tls.state())) {
            tryToRenew();
        }
        return current.channel.newCall(method, options);
    }

    private synchronized void tryToRenew() {
        List<Object> state = tls.state();
        if (isClosed || current.state.equals(state)) {
            return;
        }
        try {
            renew(state);
        } catch (CertificateUnusable halfRenewed) {
            // A renewal writes one file after the other: the next call looks again.
            return;
        }
    }

    private synchronized void renew(List<Object> state) {
        ManagedChannel channel = make.apply(tls == null ? InsecureChannelCredentials.create() : tls.credentials());
        Made before = current;
        current = new Made(state, channel);
        open.removeIf(ManagedChannel::isTerminated);
        open.add(channel);
        if (before != null) {
            retire(before.channel);
        }
    }

    /** Calls that are under way come to their end. */
    private void retire(ManagedChannel channel) {
        try {
            timer.schedule(channel::shutdown, HANDOVER_S, TimeUnit.SECONDS);
        } catch (RejectedExecutionException closed) {
            channel.shutdown();
        }
    }

    @Override
    public String authority() {
        return current.channel.authority();
    }

    boolean isShutdown() {
        return isClosed;
    }

    /** Ends every call. */
    synchronized void shutdownNow() {
        isClosed = true;
        open.forEach(ManagedChannel::shutdownNow);
    }

    void awaitTermination(long limitS) throws InterruptedException {
        List<ManagedChannel> ending;
        synchronized (this) {
            ending = new ArrayList<>(open);
        }
        for (ManagedChannel channel : ending) {
            channel.awaitTermination(limitS, TimeUnit.SECONDS);
        }
    }
}
