package dev.assay.client;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A live {@code assay-server dev}, found by its directory in the system property {@code assay.dev.directory}. */
final class DevServer {
    private static final Pattern TARGET = Pattern.compile("(?m)^target = \"([^\"]+)\"$");

    final Path directory;
    final String target;

    private DevServer(Path directory) throws IOException {
        this.directory = directory;
        Matcher found = TARGET.matcher(Files.readString(directory.resolve("contexts.toml")));
        if (!found.find()) {
            throw new IOException(directory + " is not the directory of a development server.");
        }
        target = found.group(1);
    }

    /** The server; without one, the test is skipped by name. */
    static DevServer find() throws IOException {
        String given = System.getProperty("assay.dev.directory", "");
        assumeTrue(!given.isEmpty(), "There is no server: start assay-server dev, and give -Dassay.dev.directory.");
        return new DevServer(Path.of(given));
    }

    Path pki() {
        return directory.resolve("pki");
    }

    AssayClient as(String role) {
        return AssayClient.builder(target).tls(tls(role)).build();
    }

    Tls tls(String role) {
        return Tls.fromFiles(pki().resolve("ca.pem"), pki().resolve(role + ".pem"), pki().resolve(role + ".key"));
    }
}
