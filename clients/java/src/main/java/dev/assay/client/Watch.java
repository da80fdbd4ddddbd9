package dev.assay.client;

import dev.assay.v1.AccessServiceGrpc;
import dev.assay.v1.ErrorReason;
import dev.assay.v1.ListNamespacesRequest;
import dev.assay.v1.WatchRequest;
import dev.assay.v1.WatchResponse;
import dev.assay.v1.WatchServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.TimeoutException;

/**
 * Committed changes in revision order: all events of a revision in one answer, none twice, none left out.
 *
 * <p>When the server goes away, falls silent, says that this caller's share is used up, or ends what an
 * expired certificate began that was renewed meanwhile, the stream is resumed after the
 * last revision, for as long as it is not closed. Any other failure is thrown by {@link #hasNext} and {@link #next} and
 * ends it: {@link RevisionCompacted} means that the history was gone; watch with the initial state.
 *
 * <p>One thread iterates; any thread may close, which ends a wait for the next answer.
 */
public final class Watch implements Iterator<WatchResponse>, AutoCloseable {
    /** Three times the longest pause of a healthy server: after that the connection is half dead. */
    private static final Duration BOOKMARKS_MISSED = Duration.ofSeconds(90);

    /** Who was connected once tries for ever: servers are restarted. */
    private static final Duration FOREVER = Duration.ofDays(365 * 100);

    private final Connection connection;
    private final WatchOptions options;
    private final Context.CancellableContext scope = Context.current().withCancellation();
    private final Patience patience = new Patience(FOREVER);
    private WatchRequest request;
    private Alarm alarm;
    private Iterator<WatchResponse> stream;
    private WatchResponse ready;

    Watch(Connection connection, WatchOptions options) {
        this.connection = connection;
        this.options = options;
        request = firstRequest();
    }

    /**
     * Turns "from now on" into a number, so that nothing is lost when the connection breaks before the first answer. It
     * also finds out whether the server is there at all: a watch that waits for one that never was would hide a wrong
     * address.
     */
    private WatchRequest firstRequest() {
        ListNamespacesRequest any = ListNamespacesRequest.newBuilder().setPageSize(1).build();
        long now = connection.call(AccessServiceGrpc.getListNamespacesMethod(), any).getRevision();
        boolean isFromNow = options.startRevision == 0 && !options.initialState;
        return WatchRequest.newBuilder()
                .setNamePrefix(Names.scopeName(options.scope))
                .setStartRevision(isFromNow ? now + 1 : options.startRevision)
                .setSendInitialState(options.initialState)
                .build();
    }

    /** What comes after an answer. */
    private WatchRequest behind(WatchResponse answer) {
        boolean isPart = !answer.getInitialStateToken().isEmpty();
        return request.toBuilder()
                .setSendInitialState(isPart)
                .setInitialStateToken(answer.getInitialStateToken())
                .setStartRevision(isPart ? 0 : answer.getRevision() + 1)
                .build();
    }

    /**
     * Tells from where to go on after a restart of the program.
     *
     * @return the revision behind the last answer that {@link #next} gave; 0 while the initial state is not complete
     */
    public long nextRevision() {
        if (ready == null) {
            return request.getStartRevision();
        }
        return ready.getInitialStateComplete() ? 0 : Math.min(request.getStartRevision(), ready.getRevision());
    }

    /**
     * Waits for the next answer.
     *
     * @return false when this watch was closed
     * @throws DeadlinePassed if that of the {@link io.grpc.Context} did in which the watch was begun
     * @throws AssayException if the watch cannot go on
     */
    @Override
    public boolean hasNext() {
        while (ready == null && !scope.isCancelled()) {
            try {
                receive();
            } catch (CallCancelled end) {
                if (!scope.isCancelled()) {
                    throw end;
                }
            } catch (DeadlinePassed end) {
                throw outOfTime(end);
            } catch (Unavailable | Exhausted | CertificateExpired interruption) {
                if (!isWorthResuming(interruption)) {
                    throw interruption;
                }
                resume(interruption);
            }
        }
        if (ready == null && scope.cancellationCause() instanceof TimeoutException) {
            throw outOfTime(scope.cancellationCause());
        }
        return ready != null;
    }

    /** A watch has no deadline but that of its context. */
    private static DeadlinePassed outOfTime(Throwable cause) {
        return new DeadlinePassed(Failure.of("The watch ended: the deadline of its context passed. To go on, watch from "
                + "nextRevision().").code(Status.Code.DEADLINE_EXCEEDED).because(cause));
    }

    /**
     * Gives the next answer, and waits for it if need be.
     *
     * @return the events of one revision
     * @throws NoSuchElementException when this watch was closed
     * @throws AssayException if the watch cannot go on
     */
    @Override
    public WatchResponse next() {
        if (!hasNext()) {
            throw new NoSuchElementException("This watch is closed.");
        }
        WatchResponse answer = ready;
        ready = null;
        return answer;
    }

    private void receive() {
        if (stream == null) {
            open();
        }
        try {
            if (!stream.hasNext()) {
                throw new Unavailable(Failure.of("%s ended the watch.", connection.target).code(Status.Code.UNAVAILABLE));
            }
            alarm.renew();
            WatchResponse answer = stream.next();
            patience.renew();
            request = behind(answer);
            if (answer.getEventsCount() > 0 || answer.getInitialStateComplete() || options.bookmarks) {
                ready = answer;
            }
        } catch (StatusRuntimeException error) {
            throw alarm.hasRung() ? silent(error) : connection.explain(error, scope, true);
        }
    }

    private void open() {
        WatchRequest wanted = request;
        Context before = scope.attach();
        try {
            alarm = new Alarm(connection.timer, BOOKMARKS_MISSED);
            stream = alarm.guard(() -> ClientCalls.blockingServerStreamingCall(
                    connection.channel(), WatchServiceGrpc.getWatchMethod(), CallOptions.DEFAULT, wanted));
        } finally {
            scope.detach(before);
        }
    }

    private boolean isWorthResuming(AssayException interruption) {
        return interruption instanceof Unavailable
                || connection.wasRenewed(interruption)
                || interruption.hasReason(ErrorReason.ERROR_REASON_TOO_MANY_CALLS)
                || interruption.hasReason(ErrorReason.ERROR_REASON_TOO_MANY_UPLOADS);
    }

    private void resume(AssayException interruption) {
        alarm.close();
        stream = null;
        options.onInterruption.accept(interruption);
        Context before = scope.attach();
        try {
            patience.pause(interruption.retryAfter());
        } catch (CallCancelled end) {
            if (!scope.isCancelled()) {
                throw end;
            }
        } finally {
            scope.detach(before);
        }
    }

    private Unreachable silent(StatusRuntimeException error) {
        return new Unreachable(Failure.of("%s was silent for %d s.", connection.target, BOOKMARKS_MISSED.toSeconds())
                .code(Status.Code.UNAVAILABLE)
                .because(error));
    }

    /** Ends the watch; a thread that waits for the next answer is told that there is none. */
    @Override
    public void close() {
        scope.cancel(null);
    }
}
