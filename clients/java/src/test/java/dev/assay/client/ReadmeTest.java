package dev.assay.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The code that users copy is compiled, and run where there is a server; the tables are whole. */
class ReadmeTest {
    private static final Path PROJECT = Path.of(System.getProperty("assay.project.directory", "."));
    private static final Pattern BLOCK = Pattern.compile("(?ms)^```java\n(.*?)^```$");
    private static final Pattern CLASS = Pattern.compile("public (?:final )?class (\\w+)");
    private static final String HEAD = "import dev.assay.client.*;\nimport dev.assay.v1.*;\nimport io.grpc.*;\n"
            + "import java.nio.file.Path;\n\npublic class %s {\n"
            + "public static void run(AssayClient client) throws Exception {\n%s}\n}\n";

    @TempDir
    Path directory;

    @Test
    void everyBlockCompilesForJava11() throws IOException {
        List<String> blocks = blocks();

        assertTrue(blocks.size() >= 7, () -> "There are " + blocks.size());
        compile(sources(blocks));
    }

    @Test
    void theExampleCompilesForJava11() throws IOException {
        compile(List.of(PROJECT.resolve("examples/quickstart/src/main/java/Quickstart.java")));
    }

    @Test
    void everyBlockRunsOneAfterTheOther() throws Exception {
        DevServer server = DevServer.find();
        Path model = Files.createDirectories(directory.resolve("model"));
        Files.writeString(model.resolve("model.onnx"), "what a trainer made");
        String name = "main/readme-" + Long.toString(System.nanoTime(), 36);
        List<String> blocks = blocks().stream()
                .map(block -> block.replace("localhost:8443", server.target)
                        .replace(".assay/dev/pki", server.pki().toString())
                        .replace("main/digits", name)
                        .replace("\"./", "\"" + directory + "/"))
                .collect(Collectors.toList());

        try (URLClassLoader classes = compile(sources(blocks));
                AssayClient client = server.as("admin")) {
            classes.loadClass("Connect").getMethod("main", String[].class).invoke(null, (Object) new String[0]);
            for (int number = 1; number < blocks.size(); number++) {
                classes.loadClass("Fragment" + number).getMethod("run", AssayClient.class).invoke(null, client);
            }
        }

        assertTrue(Files.exists(directory.resolve("served/model.onnx")));
    }

    @Test
    void theExampleRuns() throws Exception {
        DevServer server = DevServer.find();
        String[] arguments = {
            server.target, server.pki().toString(), "main/example-" + Long.toString(System.nanoTime(), 36)
        };

        try (URLClassLoader classes =
                compile(List.of(PROJECT.resolve("examples/quickstart/src/main/java/Quickstart.java")))) {
            classes.loadClass("Quickstart").getMethod("main", String[].class).invoke(null, (Object) arguments);
        }
    }

    @Test
    void theTableOfErrorsNamesEveryClass() throws Exception {
        String readme = Files.readString(PROJECT.resolve("README.md"));
        String table = readme.substring(readme.indexOf("## Errors"), readme.indexOf("## Deadlines"));
        Set<String> named = new TreeSet<>();
        Matcher names = Pattern.compile("`([A-Z]\\w+)`").matcher(
                table.lines().filter(line -> line.startsWith("| `")).map(line -> line.split("\\|")[1]).collect(Collectors.joining()));
        while (names.find()) {
            named.add(names.group(1));
        }

        assertEquals(publicExceptions(), named);
    }

    private static Set<String> publicExceptions() throws IOException {
        Set<String> found = new TreeSet<>();
        try (Stream<Path> sources = Files.list(PROJECT.resolve("src/main/java/dev/assay/client"))) {
            for (Path source : sources.collect(Collectors.toList())) {
                String name = source.getFileName().toString().replace(".java", "");
                if (!name.equals("package-info") && isException(name)) {
                    found.add(name);
                }
            }
        }
        found.remove("AssayException");
        return found;
    }

    private static boolean isException(String name) {
        try {
            Class<?> type = Class.forName("dev.assay.client." + name);
            return AssayException.class.isAssignableFrom(type) && Modifier.isPublic(type.getModifiers());
        } catch (ClassNotFoundException error) {
            throw new IllegalStateException(error);
        }
    }

    private static List<String> blocks() throws IOException {
        List<String> blocks = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(Files.readString(PROJECT.resolve("README.md")));
        while (matcher.find()) {
            blocks.add(matcher.group(1));
        }
        return blocks;
    }

    private List<Path> sources(List<String> blocks) throws IOException {
        List<Path> sources = new ArrayList<>();
        for (int number = 0; number < blocks.size(); number++) {
            Matcher whole = CLASS.matcher(blocks.get(number));
            String name = whole.find() ? whole.group(1) : "Fragment" + number;
            String text = name.startsWith("Fragment") ? String.format(HEAD, name, blocks.get(number)) : blocks.get(number);
            sources.add(Files.writeString(directory.resolve(name + ".java"), text));
        }
        return sources;
    }

    private URLClassLoader compile(List<Path> sources) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        Path classes = Files.createDirectories(directory.resolve("classes"));
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            List<String> options = List.of(
                    "--release", "11", "-Xlint:all,-options", "-Werror", "-d", classes.toString(), "-cp", System.getProperty("java.class.path"));
            boolean isRight = compiler.getTask(
                            said, manager, null, options, null, manager.getJavaFileObjectsFromPaths(sources))
                    .call();
            assertTrue(isRight, said::toString);
        }
        return new URLClassLoader(new URL[] {classes.toUri().toURL()}, getClass().getClassLoader());
    }
}
