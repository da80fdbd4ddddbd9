package dev.assay.client;

import dev.assay.v1.File;
import dev.assay.v1.ModelVersion;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Where the files of one version shall be, and nothing else. */
final class Destination {
    final Path target;
    private final Connection connection;
    private final ModelVersion version;
    private final List<File> files;
    private final int filesAtOnce;

    /** {@code files} are those of the version, sorted by path. */
    Destination(Connection connection, Path target, ModelVersion version, List<File> files, int filesAtOnce) {
        this.connection = connection;
        this.target = target;
        this.version = version;
        this.files = files;
        this.filesAtOnce = filesAtOnce;
    }

    /** Whether exactly the version is there; false for nothing, or for an empty directory. */
    boolean holdsEverything() {
        if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        if (!Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
            throw occupied("it is not a directory", null);
        }
        if (isEmpty()) {
            return false;
        }
        List<LocalFile> found = found();
        List<String> names = found.stream().map(file -> file.path).collect(Collectors.toList());
        if (!names.equals(files.stream().map(File::getPath).collect(Collectors.toList()))) {
            throw occupied("it holds other files", null);
        }
        Meter silent = Meter.silent();
        Parallel.each(connection.executor, filesAtOnce, found, (number, file) -> {
            file.hash(silent);
            if (!file.described().getDigest().equals(files.get(number).getDigest())) {
                throw occupied(file.path + " has another content", null);
            }
        });
        return true;
    }

    /** Gives files their final name; true if somebody else put the same there first. */
    boolean put(Path content) {
        try {
            syncTree(content);
        } catch (IOException error) {
            throw LocalFailures.of("write", content, error);
        }
        try {
            // Refused by the system unless there is nothing, or an empty directory.
            Files.move(content, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException error) {
            if (holdsEverything()) {
                return true;
            }
            throw occupied("it cannot be replaced (" + error.getClass().getSimpleName() + "); if something is mounted there, "
                    + "name a directory inside it", error);
        }
        try {
            sync(target.getParent());
        } catch (IOException error) {
            throw LocalFailures.of("write", target.getParent(), error);
        }
        return false;
    }

    private boolean isEmpty() {
        try (Stream<Path> entries = Files.list(target)) {
            return entries.findAny().isEmpty();
        } catch (IOException error) {
            throw LocalFailures.of("read", target, error);
        }
    }

    private List<LocalFile> found() {
        try {
            return LocalFiles.find(target, List.of());
        } catch (UnsafeFile other) {
            throw occupied(other.getMessage(), other);
        }
    }

    private TargetExists occupied(String why, Throwable cause) {
        return new TargetExists(Failure.of("%s exists and does not hold exactly %s: %s. Choose another directory, or remove "
                + "it first.", target, Names.shortName(version.getName()), why).because(cause));
    }

    /** Makes the names in a directory and below durable. */
    private static void syncTree(Path top) throws IOException {
        List<Path> directories;
        try (Stream<Path> all = Files.walk(top)) {
            directories = all.filter(Files::isDirectory).collect(Collectors.toList());
        }
        for (Path directory : directories) {
            sync(directory);
        }
    }

    private static void sync(Path directory) throws IOException {
        if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            try (FileChannel handle = FileChannel.open(directory, StandardOpenOption.READ)) {
                handle.force(true);
            }
        }
    }
}
