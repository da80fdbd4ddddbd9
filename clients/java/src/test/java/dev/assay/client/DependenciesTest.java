package dev.assay.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/** DEPENDENCIES.md says what a user of the artifact gets: {@code -Dassay.dependencies.write=true} writes it anew. */
class DependenciesTest {
    private static final Path PROJECT = Path.of(System.getProperty("assay.project.directory", "."));
    private static final Path PAGE = PROJECT.resolve("DEPENDENCIES.md");
    private static final Pattern COORDINATES = Pattern.compile("([\\w.-]+):([\\w.-]+):jar:([\\w.-]+):(?:compile|runtime)");
    private static final Map<String, String> SPDX = Map.of(
            "Apache 2.0", "Apache-2.0",
            "Apache-2.0", "Apache-2.0",
            "The Apache Software License, Version 2.0", "Apache-2.0",
            "Apache License, Version 2.0", "Apache-2.0",
            "The Apache License, Version 2.0", "Apache-2.0",
            "BSD-3-Clause", "BSD-3-Clause",
            "MIT", "MIT",
            "MIT license", "MIT",
            "The MIT License", "MIT");

    @Test
    void thePageListsEveryDependencyWithItsLicence() throws Exception {
        String tree = Files.readString(PROJECT.resolve("target/dependency-tree.txt")).strip();
        String page = page(tree, licences(tree));

        if (Boolean.getBoolean("assay.dependencies.write")) {
            Files.writeString(PAGE, page);
        }

        assertEquals(page, Files.readString(PAGE), "Run mvn verify -Dassay.dependencies.write=true");
    }

    @Test
    void nothingIsAskedForButGrpcAndProtobuf() throws IOException {
        List<String> direct = Files.readString(PROJECT.resolve("target/dependency-tree.txt"))
                .lines()
                .filter(line -> line.startsWith("+- ") || line.startsWith("\\- "))
                .map(line -> line.substring(3).split(":")[1])
                .collect(Collectors.toList());

        assertEquals(List.of("grpc-protobuf", "grpc-stub", "protobuf-java", "grpc-netty-shaded"), direct);
    }

    private static String page(String tree, Map<String, String> licences) {
        String rows = licences.entrySet().stream()
                .map(entry -> "| `" + entry.getKey() + "` | " + entry.getValue() + " |")
                .collect(Collectors.joining("\n"));
        return "# What comes with the Java client\n\n"
                + "A user of `dev.assay:assay-client` gets these, all at pinned versions. The transport\n"
                + "(`grpc-netty-shaded`) is a runtime dependency whose classes are renamed: it meets no other Netty.\n\n"
                + "```\n" + tree + "\n```\n\n| Artifact | Licence |\n|---|---|\n" + rows + "\n\n"
                + "This page is checked by a test; `mvn verify -Dassay.dependencies.write=true` writes it anew.\n";
    }

    /** By coordinates, from the description that came with each artifact, or from its parents. */
    private static Map<String, String> licences(String tree) throws Exception {
        Map<String, String> licences = new TreeMap<>();
        Matcher found = COORDINATES.matcher(tree);
        while (found.find()) {
            String pinned = found.group(1) + ":" + found.group(2) + ":" + found.group(3);
            licences.put(pinned, licence(repository(), found.group(1), found.group(2), found.group(3)));
        }
        return licences;
    }

    /** The local repository, seen from one of the artifacts in it. */
    private static Path repository() {
        for (String entry : System.getProperty("java.class.path").split(java.io.File.pathSeparator)) {
            Path jar = Path.of(entry);
            if (jar.getFileName().toString().startsWith("grpc-stub-")) {
                return jar.resolve("../../../../..").normalize();
            }
        }
        throw new IllegalStateException("grpc-stub is not on the class path.");
    }

    private static String licence(Path repository, String group, String artifact, String version) throws Exception {
        Path description = repository.resolve(group.replace('.', '/'))
                .resolve(artifact)
                .resolve(version)
                .resolve(artifact + "-" + version + ".pom");
        Document document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(description.toFile());
        Element project = document.getDocumentElement();
        Element licenses = child(project, "licenses");
        if (licenses != null) {
            String name = child(child(licenses, "license"), "name").getTextContent().strip();
            assertTrue(SPDX.containsKey(name), () -> artifact + " has an unknown licence: " + name);
            return SPDX.get(name);
        }
        Element parent = child(project, "parent");
        assertTrue(parent != null, () -> artifact + " names no licence");
        return licence(repository, text(parent, "groupId"), text(parent, "artifactId"), text(parent, "version"));
    }

    private static String text(Element element, String name) {
        return child(element, name).getTextContent().strip();
    }

    private static Element child(Element element, String name) {
        NodeList nodes = element.getChildNodes();
        for (int index = 0; index < nodes.getLength(); index++) {
            Node node = nodes.item(index);
            if (node.getNodeName().equals(name)) {
                return (Element) node;
            }
        }
        return null;
    }
}
