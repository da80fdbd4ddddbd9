package dev.assay.client;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;

/** The files at a place that may be pushed: every other kind is refused before anything moves. */
final class LocalFiles {
    private LocalFiles() {}

    /** The file itself, or every file below the directory, sorted by path. Links are never followed. */
    static List<LocalFile> find(Path root, List<String> exclude) {
        if (root.toString().isEmpty()) {
            throw new InvalidInput(Failure.invalid("The path of what is to be pushed is empty. Name a file or a directory; the "
                    + "working directory is \".\"."));
        }
        List<PathMatcher> matchers = exclude.stream().map(LocalFiles::matcher).collect(Collectors.toList());
        try {
            BasicFileAttributes status =
                    Files.readAttributes(root, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            List<LocalFile> files = status.isDirectory()
                    ? walk(root, matchers)
                    : List.of(LocalFile.of(root, String.valueOf(root.getFileName()), status));
            if (files.isEmpty()) {
                throw LocalFailures.unsafe(root, "it holds no files");
            }
            String collision = FilePaths.collision(files.stream().map(file -> file.path).collect(Collectors.toList()));
            if (!collision.isEmpty()) {
                throw LocalFailures.unsafe(root, collision);
            }
            return files;
        } catch (IOException error) {
            throw LocalFailures.of("read", root, error);
        }
    }

    private static PathMatcher matcher(String pattern) {
        try {
            return FileSystems.getDefault().getPathMatcher("glob:" + pattern);
        } catch (PatternSyntaxException error) {
            throw new InvalidInput(Failure.invalid("\"%s\", given to exclude, is not a pattern: %s. *, ?, [abc] and {a,b} mean "
                            + "something; write \\ before what shall mean itself.", pattern, error.getDescription())
                    .because(error));
        }
    }

    private static List<LocalFile> walk(Path root, List<PathMatcher> matchers) throws IOException {
        List<LocalFile> files = new ArrayList<>();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes status) {
                boolean isWanted = directory.equals(root) || !isExcluded(root.relativize(directory), matchers);
                return isWanted ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
            }

            @Override
            public FileVisitResult visitFile(Path source, BasicFileAttributes status) {
                Path inside = root.relativize(source);
                if (!isExcluded(inside, matchers)) {
                    files.add(LocalFile.of(source, withSlashes(inside), status));
                }
                return FileVisitResult.CONTINUE;
            }
        });
        files.sort(Comparator.comparing(file -> file.path));
        return files;
    }

    private static boolean isExcluded(Path inside, List<PathMatcher> matchers) {
        return matchers.stream().anyMatch(matcher -> matcher.matches(inside) || matcher.matches(inside.getFileName()));
    }

    private static String withSlashes(Path path) {
        return path.toString().replace(path.getFileSystem().getSeparator(), "/");
    }
}
