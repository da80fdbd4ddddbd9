package dev.assay.client;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How long to go on trying while nothing moves, counted from the first failure since something did: a stream that breaks
 * after an hour has all of it left. Waits double, and are spread so that callers part.
 */
final class Patience {
    private static final long FIRST_MS = 100;
    private static final long LONGEST_MS = 5_000;

    private final Duration limit;
    private long sinceNanos;
    private boolean hasFailed;
    private long nextMs;

    Patience(Duration limit) {
        this.limit = limit;
        renew();
    }

    /** Something moved: the time starts anew. */
    void renew() {
        hasFailed = false;
        nextMs = FIRST_MS;
    }

    /** Waits before the next try, as long as the server asked for; false, at once, when patience is gone. */
    boolean pause(Duration asked) {
        Duration pause = next();
        return await(asked.compareTo(pause) > 0 ? asked : pause);
    }

    /** Waits so long; false, at once, when patience is gone. */
    boolean await(Duration pause) {
        if (!hasFailed) {
            hasFailed = true;
            sinceNanos = System.nanoTime();
        }
        Duration spent = Duration.ofNanos(System.nanoTime() - sinceNanos);
        if (spent.plus(pause).compareTo(limit) > 0) {
            return false;
        }
        Cancellation.sleep(pause);
        return true;
    }

    /** The next wait, where somebody else decides whether there is one. */
    Duration next() {
        long pauseMs = ThreadLocalRandom.current().nextLong(nextMs / 2, nextMs + 1);
        nextMs = Math.min(2 * nextMs, LONGEST_MS);
        return Duration.ofMillis(pauseMs);
    }
}
