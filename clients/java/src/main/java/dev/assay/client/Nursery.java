package dev.assay.client;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The directory that a pull fills, beside its target and closed to others. It is named after the content, so that what an
 * interrupted pull left is found, and never mixed up. Only one pull at a time has it.
 */
final class Nursery implements AutoCloseable {
    private static final Set<PosixFilePermission> OURS_ONLY = PosixFilePermissions.fromString("rwx------");

    /** Its own for each language: their locks do not see each other. */
    private static final String ENDING = ".part-java";

    /** A range of its own stream, and what a resumed pull may have to fetch again. */
    final long pieceBytes;

    private final Path target;
    private final Path directory;
    private final DirectoryLock lock;

    /** Opens the nursery of a target, made if need be; {@code content} names what will be in it. */
    Nursery(Path target, String content, long pieceBytes) {
        this.target = target;
        this.pieceBytes = pieceBytes;
        try {
            Files.createDirectories(target.getParent());
            directory = target.getParent().toRealPath().resolve("." + target.getFileName() + "." + content + ENDING);
            makeOrCheck();
            lock = DirectoryLock.tryOn(directory);
        } catch (IOException error) {
            throw LocalFailures.of("write beside", target, error);
        }
        if (lock == null) {
            throw new TargetBusy(Failure.of("Another pull of the same content to %s is under way. Wait for it, or choose "
                    + "another directory.", target));
        }
        try {
            Files.createDirectories(files());
            Files.createDirectories(directory.resolve("pieces"));
        } catch (IOException error) {
            close();
            throw LocalFailures.of("make", directory, error);
        }
    }

    /** One that is there already must be ours: in a directory that all may write to, it could hold links to our files. */
    private void makeOrCheck() throws IOException {
        FileAttribute<?>[] closed = isPosix(directory)
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OURS_ONLY)}
                : new FileAttribute<?>[0];
        try {
            Files.createDirectory(directory, closed);
        } catch (FileAlreadyExistsException present) {
            if (!isOurs(directory)) {
                throw new TargetExists(Failure.of("%s is in the way and belongs to somebody else, or is open to others. Remove "
                        + "it, or choose another directory.", directory).because(present));
            }
        }
    }

    private static boolean isPosix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    /** Whether it is a directory, and nobody else may write to it. */
    private static boolean isOurs(Path directory) throws IOException {
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS) || !isPosix(directory)) {
            return Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS);
        }
        PosixFileAttributes status =
                Files.readAttributes(directory, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        Path probe = Files.createTempFile("assay-", ".owner");
        try {
            return status.permissions().equals(OURS_ONLY)
                    && status.owner().equals(Files.getOwner(probe, LinkOption.NOFOLLOW_LINKS));
        } finally {
            Files.delete(probe);
        }
    }

    /** Where the files are gathered; it becomes the target. */
    Path files() {
        return directory.resolve("files");
    }

    Path journal(int number) {
        return directory.resolve("pieces").resolve(Integer.toString(number));
    }

    /** Whether any piece is there to go on from. */
    boolean isWorthKeeping() {
        try (DirectoryStream<Path> journals = Files.newDirectoryStream(directory.resolve("pieces"))) {
            for (Path journal : journals) {
                if (Files.size(journal) > 0) {
                    return true;
                }
            }
            return false;
        } catch (IOException unreadable) {
            return false; // Nobody goes on from what cannot be read.
        }
    }

    /** Removes what pulls of other versions to the same target left, unless they go on. */
    void removeOthers() {
        String name = "\\." + Pattern.quote(target.getFileName().toString()) + "\\.[0-9a-f]{16}" + Pattern.quote(ENDING);
        Pattern names = Pattern.compile(name + "(\\.gone-\\w+)*");
        for (Path other : beside(names)) {
            try (DirectoryLock taken = isOurs(other) ? DirectoryLock.tryOn(other) : null) {
                if (taken != null) {
                    removeWhole(other);
                }
            } catch (IOException ignored) {
                // Nothing rests on it, and the next pull tries again.
                continue;
            }
        }
    }

    private List<Path> beside(Pattern names) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(
                directory.getParent(), path -> names.matcher(path.getFileName().toString()).matches())) {
            entries.forEach(found::add);
        } catch (IOException error) {
            throw LocalFailures.of("read", directory.getParent(), error);
        }
        found.remove(directory);
        return found;
    }

    /** Removes all of it, after something else went wrong, which is what a caller is told. */
    void removeAfter(Throwable failure) {
        try {
            remove();
        } catch (AssayException besides) {
            failure.addSuppressed(besides);
        }
    }

    /** Removes all of it. */
    void remove() {
        try {
            removeWhole(directory);
        } catch (IOException error) {
            throw LocalFailures.of("remove", directory, error);
        }
    }

    /** Takes a directory out of the way at once, and then apart: nobody finds half of it. */
    private static void removeWhole(Path top) throws IOException {
        Path gone = top.resolveSibling(top.getFileName() + ".gone-" + Ids.random().substring(0, 8));
        try {
            Files.move(top, gone);
        } catch (IOException open) {
            gone = top; // Some systems move nothing that has open files.
        }
        Files.walkFileTree(gone, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes status) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, IOException problem) throws IOException {
                Files.delete(directory);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    @Override
    public void close() {
        lock.close();
    }
}
