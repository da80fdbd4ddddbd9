package dev.assay.client;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * The directory that a pull fills, beside its target and closed to others. It is named after the content, so that what an
 * interrupted pull left is found, and never mixed up. Only one pull at a time has it.
 */
final class Nursery implements AutoCloseable {
    private static final Set<PosixFilePermission> OURS_ONLY = PosixFilePermissions.fromString("rwx------");

    /** A range of its own stream, and what a resumed pull may have to fetch again. */
    final long pieceBytes;

    private final Path directory;
    private final FileChannel lock;

    /** Opens the nursery of a target, made if need be; {@code content} names what will be in it. */
    Nursery(Path target, String content, long pieceBytes) {
        this.pieceBytes = pieceBytes;
        // Its own ending for each language: their locks do not see each other.
        directory = target.resolveSibling("." + target.getFileName() + "." + content + ".part-java");
        try {
            Files.createDirectories(target.getParent());
            makeOrCheck();
            lock = FileChannel.open(directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (IOException error) {
            throw LocalFailures.of("make", directory, error);
        }
        take(target);
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
        boolean isPosix = directory.getFileSystem().supportedFileAttributeViews().contains("posix");
        FileAttribute<?>[] closed =
                isPosix ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OURS_ONLY)} : new FileAttribute<?>[0];
        try {
            Files.createDirectory(directory, closed);
        } catch (FileAlreadyExistsException present) {
            if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS) || (isPosix && !isOurs())) {
                throw new TargetExists(Failure.of("%s is in the way and belongs to somebody else, or is open to others. Remove "
                        + "it, or choose another directory.", directory).because(present));
            }
        }
    }

    /** Whether nobody else may write to it. Where nobody else can be the owner, the permissions alone decide. */
    private boolean isOurs() throws IOException {
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

    private void take(Path target) {
        FileLock taken = null;
        try {
            taken = lock.tryLock();
        } catch (OverlappingFileLockException ours) {
            // Another thread of this program has it, which is told as below.
            taken = null;
        } catch (IOException error) {
            throw LocalFailures.of("lock", directory, error);
        }
        if (taken == null || !Files.exists(directory.resolve("lock"), LinkOption.NOFOLLOW_LINKS)) {
            // In the second case the other one has just ended, and took the directory along.
            closeLock();
            throw new TargetBusy(Failure.of("Another pull of the same content to %s is under way. Wait for it, or choose "
                    + "another directory.", target));
        }
    }

    /** Where the files are gathered; it becomes the target. */
    Path files() {
        return directory.resolve("files");
    }

    Path journal(int number) {
        return directory.resolve("pieces").resolve(Integer.toString(number));
    }

    /** Removes all of it: what is left has no worth, or stands in the way of making room. */
    void remove() {
        try {
            removeTree(directory);
        } catch (IOException error) {
            throw LocalFailures.of("remove", directory, error);
        }
    }

    private static void removeTree(Path top) throws IOException {
        Files.walkFileTree(top, new SimpleFileVisitor<>() {
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
        closeLock();
    }

    private void closeLock() {
        try {
            lock.close();
        } catch (IOException error) {
            throw LocalFailures.of("unlock", directory, error);
        }
    }
}
