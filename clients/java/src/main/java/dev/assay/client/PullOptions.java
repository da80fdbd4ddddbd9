package dev.assay.client;

import java.util.function.Consumer;

/** How a version is pulled. */
public final class PullOptions {
    int rangesAtOnce = 4;
    Consumer<Progress> onProgress = progress -> {};

    private PullOptions() {}

    /**
     * Starts with the defaults.
     *
     * @return options to change
     */
    public static PullOptions create() {
        return new PullOptions();
    }

    /**
     * Says how many streams bring bytes at the same time.
     *
     * @param count at least 1; 4 unless set
     * @return these options
     */
    public PullOptions rangesAtOnce(int count) {
        rangesAtOnce = Math.max(1, count);
        return this;
    }

    /**
     * Asks to be told how far the pull is: often, and by one thread at a time, which is one of the client's.
     *
     * @param listener who is told
     * @return these options
     */
    public PullOptions onProgress(Consumer<Progress> listener) {
        onProgress = Required.of(listener, "listener");
        return this;
    }
}
