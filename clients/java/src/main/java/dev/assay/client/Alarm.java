package dev.assay.client;

import io.grpc.Context;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Cancels the calls made in its context when nothing moved for too long. */
final class Alarm implements AutoCloseable {
    private final ScheduledExecutorService timer;
    private final Context.CancellableContext scope = Context.current().withCancellation();
    private volatile long limitNanos;
    private volatile long movedNanos = System.nanoTime();
    private volatile boolean hasRung;
    private volatile ScheduledFuture<?> next;

    Alarm(ScheduledExecutorService timer, Duration limit) {
        this.timer = timer;
        limitNanos = limit.toNanos();
        schedule(limitNanos);
    }

    /** Something moved. */
    void renew() {
        movedNanos = System.nanoTime();
    }

    /** From now on there is another limit. */
    void renew(Duration limit) {
        limitNanos = limit.toNanos();
        renew();
    }

    boolean hasRung() {
        return hasRung;
    }

    /** The context of the calls that it guards. */
    Context scope() {
        return scope;
    }

    <T> T guard(Callable<T> work) {
        try {
            return scope.call(work);
        } catch (RuntimeException failure) {
            throw failure;
        } catch (Exception impossible) {
            throw new IllegalStateException("Guarded work declares no checked exceptions", impossible);
        }
    }

    private void check() {
        long left = limitNanos - (System.nanoTime() - movedNanos);
        if (left > 0) {
            schedule(left);
        } else {
            hasRung = true;
            scope.cancel(null);
        }
    }

    private void schedule(long nanos) {
        try {
            next = timer.schedule(this::check, nanos, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException closed) {
            scope.cancel(closed);
        }
    }

    @Override
    public void close() {
        ScheduledFuture<?> pending = next;
        if (pending != null) {
            pending.cancel(false);
        }
        scope.cancel(null);
    }
}
