package dev.assay.client;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What goes wrong with files of this machine. */
final class LocalFailures {
    /** Java has no type for a full disk: these are the words of Linux, macOS and Windows. */
    private static final List<String> FULL = List.of(
            "No space left on device", "Disk quota exceeded", "Disc quota exceeded", "There is not enough space on the disk");

    /** What the JDK says by a class alone. */
    private static final Map<Class<?>, String> KNOWN = Map.of(
            NoSuchFileException.class, "there is no such file or directory. Check the path",
            AccessDeniedException.class, "this program may not. Check who may",
            NotDirectoryException.class, "it is not a directory. Check the path",
            FileAlreadyExistsException.class, "something is there already. Put that right",
            DirectoryNotEmptyException.class, "it is not empty. Put that right");

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
        return new LocalFileFailure(Failure.of("Cannot %s %s: %s", doing, path, why(error)).because(error));
    }

    /** What is wrong, and what to do about it. */
    static String why(IOException error) {
        String known = KNOWN.get(error.getClass());
        if (known != null) {
            return known + ", and call again.";
        }
        String given = error instanceof FileSystemException ? ((FileSystemException) error).getReason() : error.getMessage();
        return (given == null ? error.getClass().getSimpleName() : given) + ". Put that right, and call again.";
    }

    static LocalDiskFull full(Path path, String why, Throwable error) {
        return new LocalDiskFull(Failure.of("No space is left for %s (%s). Make room, or choose another disk, and call "
                + "again.", path, why).because(error));
    }

    static UnsafeFile unsafe(Path path, String why) {
        return new UnsafeFile(Failure.of("%s cannot be pushed: %s.", path, why));
    }
}
