package dev.assay.client;

import dev.assay.v1.ModelVersion;

/** The version that a push made, or {@link AssayClient#createVersion}. */
public final class Pushed {
    private final ModelVersion version;
    private final boolean existed;
    private final long sentBytes;
    private final long revision;

    Pushed(ModelVersion version, boolean existed, long sentBytes, long revision) {
        this.version = version;
        this.existed = existed;
        this.sentBytes = sentBytes;
        this.revision = revision;
    }

    /**
     * Gives the sealed version.
     *
     * @return the version; its files may be left out
     */
    public ModelVersion version() {
        return version;
    }

    /**
     * Names the version as people write it.
     *
     * @return such as {@code vision/digits/7}, which every verb takes
     */
    public String reference() {
        return Names.shortName(version.getName());
    }

    /**
     * Tells whether the model had a version with the same files and facts already.
     *
     * @return whether it is that one
     */
    public boolean existed() {
        return existed;
    }

    /**
     * Tells how much was sent: less than the files have where the server knew some already.
     *
     * @return in bytes
     */
    public long sentBytes() {
        return sentBytes;
    }

    /**
     * Gives the revision of the change.
     *
     * @return the revision; 0 where an earlier push had sealed the version, and the newest where it
     *     was found there in one call, as by {@link AssayClient#createVersion}
     */
    public long revision() {
        return revision;
    }

    @Override
    public String toString() {
        return reference();
    }
}
