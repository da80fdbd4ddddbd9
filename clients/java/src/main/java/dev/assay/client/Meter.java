package dev.assay.client;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/** Adds up progress and tells the caller, by one thread at a time. */
final class Meter {
    private final Step step;
    private final Consumer<Progress> listener;
    private final long size;
    private final Map<String, Long> files = new HashMap<>();
    private long total;

    Meter(Step step, Consumer<Progress> listener, long size) {
        this.step = step;
        this.listener = listener;
        this.size = size;
    }

    static Meter silent() {
        return new Meter(Step.HASHING, progress -> {}, 0);
    }

    /** So many bytes of a file are there. */
    synchronized void set(String path, long bytes, long fileSize) {
        long before = files.getOrDefault(path, 0L);
        if (bytes == before && bytes != fileSize) {
            return;
        }
        files.put(path, bytes);
        total += bytes - before;
        listener.accept(new Progress(step, path, new long[] {bytes, fileSize}, new long[] {total, size}));
    }

    /** So many more bytes of a file are there. */
    synchronized void add(String path, long bytes, long fileSize) {
        set(path, files.getOrDefault(path, 0L) + bytes, fileSize);
    }
}
