package dev.assay.client;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What every call goes through, also one of a raw stub: a deadline where none was set, and a request id. */
final class CallRules implements ClientInterceptor {
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
        return new SimpleForwardingClientCall<>(next.newCall(method, bounded)) {
            @Override
            public void sendMessage(Q message) {
                super.sendMessage(withRequestId(message));
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
}
