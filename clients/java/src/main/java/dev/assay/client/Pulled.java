package dev.assay.client;

import dev.assay.v1.ModelVersion;
import java.nio.file.Path;
import java.util.List;

/** A version on this machine, verified. */
public final class Pulled {
    private final ModelVersion version;
    private final Path directory;
    private final boolean existed;
    private final List<String> warnings;

    Pulled(ModelVersion version, Path directory, boolean existed, List<String> warnings) {
        this.version = version;
        this.directory = directory;
        this.existed = existed;
        this.warnings = List.copyOf(warnings);
    }

    /**
     * Gives what the reference stood for.
     *
     * @return the version with its files
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
     * Tells where the files are.
     *
     * @return an absolute path
     */
    public Path directory() {
        return directory;
    }

    /**
     * Tells whether exactly these files were there already; each was read and compared.
     *
     * @return whether nothing was fetched
     */
    public boolean existed() {
        return existed;
    }

    /**
     * Gives what a caller should know, such as that the version is deprecated.
     *
     * @return sentences; usually none
     */
    public List<String> warnings() {
        return warnings;
    }

    @Override
    public String toString() {
        return reference() + " in " + directory;
    }
}
