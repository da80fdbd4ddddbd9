package dev.assay.client;

import io.grpc.Context;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Does work for several things at once. */
final class Parallel {
    private Parallel() {}

    /** What is done for one thing, which has a place in its list. */
    interface Work<T> {
        void on(int number, T item);
    }

    /**
     * Does the work for each item, for at most {@code limit} of them at once. The first failure cancels the rest, and is
     * thrown when all have ended.
     */
    static <T> void each(ExecutorService executor, int limit, List<T> items, Work<T> work) {
        if (items.size() == 1) {
            work.on(0, items.get(0));
            return;
        }
        Context.CancellableContext scope = Context.current().withCancellation();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        AtomicInteger next = new AtomicInteger();
        Runnable worker = scope.wrap(() -> {
            try {
                for (int number = next.getAndIncrement(); number < items.size(); number = next.getAndIncrement()) {
                    Cancellation.check();
                    work.on(number, items.get(number));
                }
            } catch (Throwable problem) {
                failure.compareAndSet(null, problem);
                scope.cancel(problem);
            }
        });
        try {
            join(start(executor, Math.min(limit, items.size()), worker), scope);
        } finally {
            scope.cancel(null);
        }
        rethrow(failure.get());
    }

    static void rethrow(Throwable failure) {
        if (failure instanceof Error) {
            throw (Error) failure;
        }
        if (failure != null) {
            throw (RuntimeException) failure; // Work declares no checked exceptions.
        }
    }

    private static List<Future<?>> start(ExecutorService executor, int count, Runnable worker) {
        List<Future<?>> workers = new ArrayList<>();
        try {
            for (int number = 0; number < count; number++) {
                workers.add(executor.submit(worker));
            }
        } catch (RejectedExecutionException closed) {
            throw Cancellation.exception(closed);
        }
        return workers;
    }

    /** Waits for all workers, also after an interruption: nobody writes to files that the caller believes at rest. */
    private static void join(List<Future<?>> workers, Context.CancellableContext scope) {
        InterruptedException interruption = null;
        for (Future<?> worker : workers) {
            for (boolean isDone = false; !isDone; ) {
                try {
                    worker.get();
                    isDone = true;
                } catch (InterruptedException cause) {
                    interruption = cause;
                    scope.cancel(cause);
                } catch (ExecutionException | CancellationException ended) {
                    isDone = true; // Workers keep their own failures; a closing client ends them.
                }
            }
        }
        if (interruption != null) {
            throw Cancellation.interrupted(interruption);
        }
    }
}
