package dev.assay.client;

import java.util.function.Consumer;

/** What is watched, and from where. */
public final class WatchOptions {
    String scope = "";
    long startRevision;
    boolean initialState;
    boolean bookmarks;
    Consumer<AssayException> onInterruption = failure -> {};

    private WatchOptions() {}

    /**
     * Starts with everything that you may read, from now on.
     *
     * @return options to change
     */
    public static WatchOptions create() {
        return new WatchOptions();
    }

    /**
     * Limits the events.
     *
     * @param name {@code vision}, {@code vision/digits}, or the name of any resource
     * @return these options
     */
    public WatchOptions scope(String name) {
        scope = Required.of(name, "name");
        return this;
    }

    /**
     * Says which revision is the first wanted. To resume: the last one that was dealt with, plus one.
     *
     * @param revision the revision; 0 for everything from now on
     * @return these options
     */
    public WatchOptions startRevision(long revision) {
        startRevision = revision;
        return this;
    }

    /**
     * Begins with what is current, instead of at a revision: answers whose revision is 0 and whose events are
     * EVENT_TYPE_INITIAL, then one with {@code initial_state_complete} and the revision at which all of that was true, then
     * what happens after it.
     *
     * @return these options
     */
    public WatchOptions initialState() {
        initialState = true;
        return this;
    }

    /**
     * Also gives answers without events, which only tell how far it is; they come at least every 30 seconds.
     *
     * @return these options
     */
    public WatchOptions bookmarks() {
        bookmarks = true;
        return this;
    }

    /**
     * Asks to be told why the stream broke, each time before it is resumed.
     *
     * @param listener who is told
     * @return these options
     */
    public WatchOptions onInterruption(Consumer<AssayException> listener) {
        onInterruption = Required.of(listener, "listener");
        return this;
    }
}
