package dev.assay.client;

import io.grpc.Context;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Work is given up by cancelling the gRPC context that it runs in, or by interrupting its thread. */
final class Cancellation {
    private static final Duration FOREVER = Duration.ofDays(365);

    private Cancellation() {}

    /** Ends work that was given up. */
    static void check() {
        if (isDemanded()) {
            throw exception(null);
        }
    }

    static boolean isDemanded() {
        return Context.current().isCancelled() || Thread.currentThread().isInterrupted();
    }

    static CallCancelled exception(Throwable cause) {
        return new CallCancelled(
                Failure.of("The call was given up: its thread was interrupted, its future cancelled, or its client closed.")
                        .code(Status.Code.CANCELLED)
                        .because(cause));
    }

    /** What an interrupted wait throws; the thread stays interrupted. */
    static CallCancelled interrupted(InterruptedException cause) {
        Thread.currentThread().interrupt();
        return exception(cause);
    }

    /** Waits, unless the work is given up first. */
    static void sleep(Duration pause) {
        await(new CountDownLatch(1), pause);
    }

    /** Waits for as long as it takes, unless the work is given up first. */
    static void await(CountDownLatch latch) {
        await(latch, FOREVER);
    }

    /** Opens the latch itself when the work is given up. */
    private static void await(CountDownLatch latch, Duration limit) {
        Context.CancellationListener listener = context -> latch.countDown();
        Context context = Context.current();
        context.addListener(listener, Runnable::run);
        try {
            latch.await(limit.toNanos(), TimeUnit.NANOSECONDS);
            check();
        } catch (InterruptedException cause) {
            throw interrupted(cause);
        } finally {
            context.removeListener(listener);
        }
    }
}
