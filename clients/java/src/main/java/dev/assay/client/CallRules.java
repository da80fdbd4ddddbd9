package dev.assay.client;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientStreamTracer;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What every call goes through, also one of a raw stub: a deadline where none was set, and a request id. */
final class CallRules implements ClientInterceptor {
    /** In the trailers of a change that failed after it was sent. */
    private static final Metadata.Key<String> MAY_HAVE_HAPPENED =
            Metadata.Key.of("assay-may-have-happened", Metadata.ASCII_STRING_MARSHALLER);

    private static final CallOptions.Key<Sent> SENT = CallOptions.Key.create("assay-sent");

    /** What a deadline in nanoseconds has room for, and more than anybody waits. */
    private static final Duration DEADLINE_MAX = Duration.ofDays(365 * 100);

    private final Duration readDeadline;
    private final Duration writeDeadline;

    CallRules(Duration readDeadline, Duration writeDeadline) {
        this.readDeadline = readDeadline;
        this.writeDeadline = writeDeadline;
    }

    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
        CallOptions bounded = withDeadline(method, options, Duration.ZERO);
        if (Retries.isRead(method) || Retries.isTransfer(method)) {
            return new Identified<>(next.newCall(method, bounded));
        }
        Sent before = options.getOption(SENT);
        Sent sent = before == null ? new Sent() : before;
        return new Identified<>(next.newCall(method, bounded.withStreamTracerFactory(sent))) {
            @Override
            public void start(Listener<A> listener, Metadata headers) {
                super.start(sent.marking(listener), headers);
            }
        };
    }

    /** Streams have none; {@code extra} is for work of the server in proportion to a size. */
    CallOptions withDeadline(MethodDescriptor<?, ?> method, CallOptions options, Duration extra) {
        boolean isBounded = options.getDeadline() != null || Context.current().getDeadline() != null;
        if (isBounded || method.getType() != MethodDescriptor.MethodType.UNARY) {
            return options;
        }
        Duration limit = Retries.isRead(method) ? readDeadline : writeDeadline;
        Duration bounded = limit.compareTo(DEADLINE_MAX) < 0 ? limit : DEADLINE_MAX;
        return options.withDeadline(Deadline.after(bounded.plus(extra).toNanos(), TimeUnit.NANOSECONDS));
    }

    /** Options of a call that may be repeated with them: what was sent once stays known. */
    static CallOptions remembering(CallOptions options) {
        return options.withOption(SENT, new Sent());
    }

    /** Whether a call that failed so may have changed something all the same. */
    static boolean mayHaveHappened(StatusRuntimeException error) {
        return error.getTrailers() != null && error.getTrailers().containsKey(MAY_HAVE_HAPPENED);
    }

    /** Whether a call with these options, in this context, may go on after a pause. */
    static boolean isTimeFor(Duration pause, CallOptions options) {
        return Stream.of(Optional.ofNullable(options.getDeadline()), Optional.ofNullable(Context.current().getDeadline()))
                .flatMap(Optional::stream)
                .allMatch(deadline -> deadline.timeRemaining(TimeUnit.MILLISECONDS) > pause.toMillis());
    }

    /** The message with its {@code request_id} filled, where it has such a field and it is empty. */
    static <Q> Q withRequestId(Q request) {
        if (!(request instanceof Message)) {
            return request;
        }
        Message message = (Message) request;
        FieldDescriptor field = message.getDescriptorForType().findFieldByName("request_id");
        if (field == null || !"".equals(message.getField(field))) {
            return request;
        }
        @SuppressWarnings("unchecked") // A builder builds what it was made from.
        Q filled = (Q) message.toBuilder().setField(field, Ids.random()).build();
        return filled;
    }

    /** A call whose messages have request ids. */
    private static class Identified<Q, A> extends SimpleForwardingClientCall<Q, A> {
        Identified(ClientCall<Q, A> call) {
            super(call);
        }

        @Override
        public void sendMessage(Q message) {
            super.sendMessage(withRequestId(message));
        }
    }

    /** Notices whether a call, or a repetition of it, found a connection: then the server may have carried it out. */
    private static final class Sent extends ClientStreamTracer.Factory {
        private volatile boolean wasSent;

        @Override
        public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
            return new ClientStreamTracer() {
                @Override
                public void outboundMessageSent(int number, long wireSize, long size) {
                    wasSent = true;
                }
            };
        }

        <A> ClientCall.Listener<A> marking(ClientCall.Listener<A> listener) {
            return new SimpleForwardingClientCallListener<>(listener) {
                @Override
                public void onClose(Status status, Metadata trailers) {
                    if (wasSent && !status.isOk()) {
                        trailers.put(MAY_HAVE_HAPPENED, "");
                    }
                    super.onClose(status, trailers);
                }
            };
        }
    }
}
