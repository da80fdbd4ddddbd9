package dev.assay.client;

/** How far a transfer is. Each step counts its bytes anew. */
public final class Progress {
    private final Step step;
    private final String path;
    private final long fileBytes;
    private final long fileSize;
    private final long totalBytes;
    private final long totalSize;

    Progress(Step step, String path, long[] file, long[] total) {
        this.step = step;
        this.path = path;
        fileBytes = file[0];
        fileSize = file[1];
        totalBytes = total[0];
        totalSize = total[1];
    }

    /**
     * Tells what is being done.
     *
     * @return the step
     */
    public Step step() {
        return step;
    }

    /**
     * Names the file that moved.
     *
     * @return its path in the version
     */
    public String path() {
        return path;
    }

    /**
     * Tells how much of that file is there, including what was there before.
     *
     * @return in bytes
     */
    public long fileBytes() {
        return fileBytes;
    }

    /**
     * Tells the size of that file.
     *
     * @return in bytes
     */
    public long fileSize() {
        return fileSize;
    }

    /**
     * Tells how much of all files is there.
     *
     * @return in bytes
     */
    public long totalBytes() {
        return totalBytes;
    }

    /**
     * Tells the size of all files.
     *
     * @return in bytes
     */
    public long totalSize() {
        return totalSize;
    }

    @Override
    public String toString() {
        return step + " " + path + " " + fileBytes + "/" + fileSize + " of " + totalBytes + "/" + totalSize + " bytes";
    }
}
