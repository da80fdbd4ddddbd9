package dev.assay.client;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.List;

/** What goes wrong with files of this machine. */
final class LocalFailures {
    /** Java has no type for a full disk: these are the words of Linux, macOS and Windows. */
    private static final List<String> FULL = List.of(
            "No space left on device", "Disk quota exceeded", "Disc quota exceeded", "There is not enough space on the disk");

    private LocalFailures() {}

    /** Explains what happened while {@code doing} something with a path. */
    static AssayException of(String doing, Path path, IOException error) {
        if (error instanceof ClosedByInterruptException) {
            return Cancellation.exception(error);
        }
        String text = String.valueOf(error.getMessage());
        if (FULL.stream().anyMatch(text::contains)) {
            return full(path, text, error);
        }
        String reason = error instanceof FileSystemException ? ((FileSystemException) error).getReason() : text;
        String what = reason == null ? error.getClass().getSimpleName() : reason;
        return new LocalFileFailure(Failure.of("Cannot %s %s: %s. Put that right, and call again.", doing, path, what)
                .because(error));
    }

    static LocalDiskFull full(Path path, String why, Throwable error) {
        return new LocalDiskFull(Failure.of("No space is left for %s (%s). Make room, or choose another disk, and call "
                + "again.", path, why).because(error));
    }

    static UnsafeFile unsafe(Path path, String why) {
        return new UnsafeFile(Failure.of("%s cannot be pushed: %s.", path, why));
    }
}
