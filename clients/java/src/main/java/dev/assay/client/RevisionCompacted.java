package dev.assay.client;

/** The history before this revision is gone: read the state anew, and watch from there. */
public final class RevisionCompacted extends OutOfRange {
    private static final long serialVersionUID = 1L;

    RevisionCompacted(Failure failure) {
        super(failure);
    }

    /**
     * Tells how far back a watch can start.
     *
     * @return the oldest revision that the server keeps
     */
    public long oldestRevision() {
        return number("oldest_revision");
    }
}
