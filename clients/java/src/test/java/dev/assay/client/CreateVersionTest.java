package dev.assay.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.assay.v1.Bump;
import dev.assay.v1.CreateVersionRequest;
import dev.assay.v1.ErrorReason;
import dev.assay.v1.Facts;
import dev.assay.v1.File;
import dev.assay.v1.Model;
import dev.assay.v1.ModelVersion;
import dev.assay.v1.Runtime;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A version of content that the registry has already: one call, or a draft after all. */
class CreateVersionTest {
    private static final byte[] CONTENT = {1, 2, 3, 4};
    private static final StatusRuntimeException CLOSED =
            Refusals.refusal(Status.Code.FAILED_PRECONDITION, "GATE_CLOSED", "The gate is closed.");
    private final FakeRegistry registry = new FakeRegistry();
    private Served served;
    private AssayClient client;

    @TempDir
    Path directory;

    @BeforeEach
    void serve() throws IOException {
        served = Served.withTls(registry.services());
        client = served.client().build();
        Files.write(directory.resolve("a.bin"), CONTENT);
    }

    @AfterEach
    void end() {
        client.close();
        served.close();
    }

    @Test
    void knownFilesBecomeAVersionInOneCall() {
        known();
        Facts facts = Facts.newBuilder().setRuntime(Runtime.newBuilder().setLanguage("python")).build();
        List<File> files = registry.version.getFilesList();

        ModelVersion wanted = ModelVersion.newBuilder()
                .addAllFiles(files)
                .setFacts(facts)
                .setDescription("once more")
                .setCard("# Digits")
                .putTags("team", "ocr")
                .putTags("stage", "try")
                .build();

        Pushed made = client.createVersion(
                "vision/digits",
                wanted.toBuilder().setNumber(99).build(), // which the server sets
                CreateVersionOptions.create().publish(Bump.BUMP_MINOR));

        assertEquals(List.of("CreateVersion"), calls());
        assertEquals("vision/digits/2", made.reference());
        assertFalse(made.existed());
        assertEquals(8, made.revision());
        assertEquals(0, made.sentBytes());
        assertEquals(FakeRegistry.MODEL, asked().getParent());
        assertEquals(wanted, asked().getVersion());
        assertTrue(asked().getPublish());
        assertEquals(Bump.BUMP_MINOR, asked().getBump());
    }

    @Test
    void theSameOnceMoreIsTheVersionThatIsThere() throws Exception {
        known();
        CreateVersionOptions published = CreateVersionOptions.create().publish("2.0.0");

        Pushed made = client.createVersion("vision/digits", registry.version, CreateVersionOptions.create());
        Pushed later = client.createVersionAsync("vision/digits", registry.version, published).get(60, TimeUnit.SECONDS);

        assertTrue(made.existed());
        assertEquals("vision/digits/1", made.reference());
        assertEquals("vision/digits/1", later.reference());
        assertEquals("2.0.0", ((CreateVersionRequest) served.callsOf("CreateVersion").get(1).request).getSemver());
    }

    @Test
    void aRepetitionHasARequestIdThatKeepsItOneVersion() {
        known();
        served.failNext("CreateVersion", Status.UNAVAILABLE);

        client.createVersion("vision/digits", registry.version, CreateVersionOptions.create());

        assertEquals(2, served.callsOf("CreateVersion").size());
        CreateVersionRequest repeated = (CreateVersionRequest) served.callsOf("CreateVersion").get(1).request;
        assertEquals(36, repeated.getRequestId().length());
    }

    @Test
    void filesThatNobodyHasAreRefusedAndNothingIsMade() {
        ModelVersion wanted = ModelVersion.newBuilder().addFiles(FakeRegistry.file("a.bin", CONTENT)).build();

        NotPossibleNow missing = assertThrows(
                NotPossibleNow.class,
                () -> client.createVersion("vision/digits", wanted, CreateVersionOptions.create()));

        assertTrue(missing.hasReason(ErrorReason.ERROR_REASON_FILES_MISSING));
        assertEquals(List.of("CreateVersion"), calls());
        assertEquals(ModelVersion.getDefaultInstance(), registry.version);
    }

    @Test
    void aClosedGateIsTypedAndNothingIsMade() {
        known();
        ModelVersion before = registry.version;
        served.failNext("CreateVersion", CLOSED, CLOSED);

        assertThrows(
                GateClosed.class,
                () -> client.createVersion("vision/digits", before, CreateVersionOptions.create().publish()));
        assertThrows(
                GateClosed.class, () -> client.push("vision/digits", directory, PushOptions.create().publish()));

        assertEquals(List.of("CreateVersion", "CreateVersion"), calls());
        assertEquals(before, registry.version);
    }

    @Test
    void aPushOfKnownContentIsOneCallAndProgressReachesTheWhole() {
        known();
        List<Progress> told = new ArrayList<>();

        Pushed pushed = client.push("vision/digits", directory, PushOptions.create()
                .description("the same")
                .card("# Digits")
                .tag("team", "ocr")
                .publish("1.2.0")
                .onProgress(told::add));

        assertEquals(List.of("CreateVersion"), calls());
        assertTrue(pushed.existed());
        assertEquals(0, pushed.sentBytes());
        assertEquals(8, pushed.revision());
        assertEquals(registry.version.getManifestDigest(), asked().getManifestDigest());
        assertEquals("the same", asked().getVersion().getDescription());
        assertEquals("# Digits", asked().getVersion().getCard());
        assertEquals(Map.of("team", "ocr"), asked().getVersion().getTagsMap());
        assertTrue(asked().getPublish());
        assertEquals("1.2.0", asked().getSemver());
        Progress last = told.get(told.size() - 1);
        assertEquals(Step.SENDING, last.step());
        assertEquals(CONTENT.length, last.totalBytes());
        assertEquals(CONTENT.length, last.totalSize());
    }

    @Test
    void aPushOfUnknownContentFillsADraft() {
        Pushed pushed = client.push("vision/digits", directory);

        assertEquals(List.of("CreateVersion", "CreateDraft"), calls().subList(0, 2));
        assertEquals(CONTENT.length, pushed.sentBytes());
    }

    @Test
    void anOlderServerAndAnAbsentModelLeadToADraft() {
        served.failNext("CreateVersion", Status.UNIMPLEMENTED);
        assertEquals(CONTENT.length, client.push("vision/digits", directory).sentBytes());
        served.calls.clear();
        StatusRuntimeException absent = Refusals.refusal(Status.Code.NOT_FOUND, "RESOURCE_NOT_FOUND", "No model.");
        served.failNext("CreateVersion", absent);
        served.failNext("CreateDraft", absent);
        served.failNext("CreateModel", Status.ALREADY_EXISTS);

        client.push("vision/digits", directory, PushOptions.create().newModel(Model.getDefaultInstance()));

        assertEquals(List.of("CreateVersion", "CreateDraft", "CreateModel", "CreateDraft"), calls().subList(0, 4));
    }

    @Test
    void whatIsLargeOrHasADraftIsNotAskedFor() throws IOException {
        client.push("vision/digits", directory);
        served.calls.clear();

        client.push("vision/digits", directory, PushOptions.create().draft(registry.draft.getName()));
        try (RandomAccessFile large = new RandomAccessFile(directory.resolve("b.bin").toFile(), "rw")) {
            large.setLength(Push.AT_ONCE_BYTES_MAX);
        }
        served.failNext("CreateDraft", Status.PERMISSION_DENIED);
        assertThrows(PermissionDenied.class, () -> client.push("vision/digits", directory));

        assertEquals(List.of("GetDraft", "GetVersion", "CreateDraft"), calls());
    }

    /** The registry has a version of what is in the directory. */
    private void known() {
        registry.files.put("a.bin", CONTENT);
        registry.publish();
    }

    private List<String> calls() {
        return served.calls.stream().map(Object::toString).collect(Collectors.toList());
    }

    private CreateVersionRequest asked() {
        return (CreateVersionRequest) served.callsOf("CreateVersion").get(0).request;
    }
}
