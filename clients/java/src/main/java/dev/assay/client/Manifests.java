package dev.assay.client;

import dev.assay.v1.File;
import dev.assay.v1.ModelVersion;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The digest that names the content of a version.
 *
 * <p>It is SHA-256 of this JSON in the form of RFC 8785, with the files sorted by path:
 *
 * <pre>{@code
 * {"files":[{"media_type":"…","path":"…","role":"…","sha256":"<hex>","size_bytes":6}],"form":"assay.manifest.v1"}
 * }</pre>
 */
public final class Manifests {
    static final String MEDIA_TYPE_DEFAULT = "application/octet-stream";

    private Manifests() {}

    /**
     * Computes the digest that names the content of a version. A pull compares it with what the server says, so that the
     * list of files is verified and not only each file.
     *
     * @param files the files, in any order
     * @return {@code sha256:} and 64 hex digits
     */
    public static String digest(Collection<File> files) {
        Required.of(files, "files");
        List<File> sorted = new ArrayList<>(files);
        // Paths are ASCII, where all orders agree.
        sorted.sort(Comparator.comparing(File::getPath));
        String text = sorted.stream().map(Manifests::json).collect(Collectors.joining(",", "{\"files\":[", "],"))
                + "\"form\":\"assay.manifest.v1\"}";
        MessageDigest digest = Digests.sha256();
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        return Digests.named(digest);
    }

    /** Checks what a server says of a version: it is not trusted with paths or digests. */
    static void check(ModelVersion version) {
        List<String> paths = new ArrayList<>();
        for (File file : version.getFilesList()) {
            String problem = FilePaths.problem(file.getPath());
            if (!problem.isEmpty()) {
                throw new ContentMismatch(Failure.of("%s lists the path \"%s\", which is not allowed: %s.",
                        Names.shortName(version.getName()), file.getPath(), problem));
            }
            paths.add(file.getPath());
        }
        String collision = FilePaths.collision(paths);
        if (!collision.isEmpty()) {
            throw new ContentMismatch(
                    Failure.of("%s lists paths that collide: %s.", Names.shortName(version.getName()), collision));
        }
        String digest = digest(version.getFilesList());
        if (!digest.equals(version.getManifestDigest())) {
            throw new ContentMismatch(Failure.of("The list of files of %s has the digest %s, but the server claims %s. Do not "
                    + "use this version.", Names.shortName(version.getName()), digest, version.getManifestDigest()));
        }
    }

    /** Members stand in the order of their names, as RFC 8785 wants them. */
    private static String json(File file) {
        String mediaType = file.getMediaType().isEmpty() ? MEDIA_TYPE_DEFAULT : file.getMediaType();
        String hex = file.getDigest().startsWith(Digests.PREFIX)
                ? file.getDigest().substring(Digests.PREFIX.length())
                : file.getDigest();
        return "{\"media_type\":" + quoted(mediaType) + ",\"path\":" + quoted(file.getPath()) + ",\"role\":"
                + quoted(file.getRole()) + ",\"sha256\":" + quoted(hex) + ",\"size_bytes\":" + file.getSizeBytes() + "}";
    }

    /** A JSON string as RFC 8785 §3.2.2.2 writes it. */
    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int index = 0; index < text.length(); index++) {
            char character = text.charAt(index);
            int named = "\b\t\n\f\r\"\\".indexOf(character);
            if (named >= 0) {
                quoted.append('\\').append("btnfr\"\\".charAt(named));
            } else if (character < ' ') {
                quoted.append(String.format("\\u%04x", (int) character));
            } else {
                quoted.append(character);
            }
        }
        return quoted.append('"').toString();
    }
}
