package dev.assay.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.assay.v1.File;
import io.grpc.Status;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Names, paths and digests: the same known answers as on the server. */
class NamesTest {
    private static final String HEX = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    private static final File HELLO = File.newBuilder()
            .setPath("a.txt")
            .setSizeBytes(6)
            .setDigest("sha256:" + HEX)
            .setMediaType("text/plain")
            .build();

    @Test
    void theDigestOfAManifestIsTheOneOfTheServersDescription() {
        assertEquals(
                "sha256:4bc3165fa1188a6769695faa74686eac1c9c72e9c687b6b81788e89f31efef85",
                Manifests.digest(List.of(HELLO)));
    }

    @Test
    void theOrderOfFilesDoesNotMatterAndEverythingElseDoes() {
        File other = HELLO.toBuilder().setPath("B").build();

        assertEquals(Manifests.digest(List.of(HELLO, other)), Manifests.digest(List.of(other, HELLO)));
        for (File changed : List.of(
                HELLO.toBuilder().setPath("b.txt").build(),
                HELLO.toBuilder().setSizeBytes(7).build(),
                HELLO.toBuilder().setDigest("sha256:" + "0".repeat(64)).build(),
                HELLO.toBuilder().setMediaType("text/csv").build(),
                HELLO.toBuilder().setRole("config").build())) {
            assertTrue(!Manifests.digest(List.of(changed)).equals(Manifests.digest(List.of(HELLO))));
        }
    }

    @Test
    void derivedIdsAreThoseOfTheOtherClients() {
        // python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, "drafts/1/a.txt/sha256:00"))'
        assertEquals("326c5821-07c8-569d-82d2-c6aa9f8e524e", Ids.derived("drafts/1/a.txt/sha256:00"));
    }

    @ParameterizedTest
    @CsvSource({
        "weights/model.safetensors, application/octet-stream, weights",
        "MODEL.ONNX, application/onnx, weights",
        "tokenizer.json, application/json, tokenizer",
        "config.json, application/json, config",
        "README.md, text/markdown, ''",
        "LICENSE, application/octet-stream, ''"
    })
    void mediaTypeAndRoleAreGuessedAsTheOtherClientsGuess(String path, String mediaType, String role) {
        assertEquals(mediaType, FileKinds.mediaType(path));
        assertEquals(role, FileKinds.role(path));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "weights/model.safetensors", "_x/A-1.b_c", "CONsole", "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p"})
    void pathsThatEveryMachineCanKeep(String path) {
        assertEquals("", FilePaths.problem(path));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", "/a", "a/", "a//b", "../a", "a/../b", "./a", ".hidden", "a/.git", "a b", "ä", "a\\b", "c:", "a.", "con",
                "NUL.txt", "a/com1.bin", "a\n", "-a", "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q"
            })
    void pathsThatSomeMachineWouldMisread(String path) {
        assertTrue(!FilePaths.problem(path).isEmpty());
    }

    @Test
    void pathsThatCannotStandSideBySide() {
        assertEquals("", FilePaths.collision(List.of("a", "b/a", "ab", "a.b")));
        assertTrue(FilePaths.collision(List.of("a/x", "A/X")).contains("differ by upper and lower case"));
        assertTrue(FilePaths.collision(List.of("a/b/c", "A")).contains("is a file and also a folder"));
    }

    @Test
    void shortNamesStandForResourceNames() {
        assertEquals("namespaces/vision", Names.namespaceName("vision"));
        assertEquals("namespaces/vision/models/digits", Names.modelName("vision/digits"));
        assertEquals("namespaces/vision/models/digits", Names.modelName("namespaces/vision/models/digits"));
        assertEquals("namespaces/vision/models/digits/versions/7", Names.versionName("vision/digits/7"));
        assertNull(Names.versionName("vision/digits@champion"));
        assertEquals("namespaces/vision/models/digits/aliases/champion", Names.aliasName("vision/digits@champion"));
        assertEquals("namespaces/vision/gates/publish", Names.gateName("vision", "publish"));
        assertEquals("", Names.scopeName(""));
        assertEquals("vision/digits/7", Names.shortName("namespaces/vision/models/digits/versions/7"));
        assertEquals("vision/digits@champion", Names.shortName("namespaces/vision/models/digits/aliases/champion"));
        assertEquals("vision/digits", Names.shortName("namespaces/vision/models/digits"));
        assertEquals("vision", Names.shortName("namespaces/vision"));
        String evaluation = "namespaces/vision/models/digits/versions/7/evaluations/0192";
        assertEquals(evaluation, Names.shortName(evaluation));
        assertEquals("else", Names.shortName("else"));
    }

    @Test
    void aWrongNameIsToldBeforeACall() {
        InvalidInput wrong = assertThrows(InvalidInput.class, () -> Names.modelName("digits"));
        assertEquals(Status.Code.INVALID_ARGUMENT, wrong.statusCode());
        assertThrows(InvalidInput.class, () -> Names.aliasName("vision/digits@7up"));
        assertThrows(InvalidInput.class, () -> Names.namespaceName("Vision"));
        InvalidInput everywhere = assertThrows(InvalidInput.class, () -> Names.gateName("", "publish"));

        assertEquals(Status.Code.INVALID_ARGUMENT, everywhere.statusCode());
    }
}
