package dev.assay.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.assay.v1.AliasMove;
import dev.assay.v1.Bump;
import dev.assay.v1.Comparison;
import dev.assay.v1.DatasetReference;
import dev.assay.v1.DeleteVersionRequest;
import dev.assay.v1.Evaluation;
import dev.assay.v1.EventType;
import dev.assay.v1.Facts;
import dev.assay.v1.File;
import dev.assay.v1.Gate;
import dev.assay.v1.GetModelRequest;
import dev.assay.v1.ListAliasesRequest;
import dev.assay.v1.ListEvaluationsRequest;
import dev.assay.v1.ListGatesRequest;
import dev.assay.v1.ListRoleBindingsRequest;
import dev.assay.v1.Model;
import dev.assay.v1.ModelVersion;
import dev.assay.v1.Rule;
import dev.assay.v1.SetGateRequest;
import dev.assay.v1.Threshold;
import dev.assay.v1.Trust;
import dev.assay.v1.VersionState;
import dev.assay.v1.WatchResponse;
import dev.assay.v1.YankVersionRequest;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The verbs against a real server: they mean what the fakes of the other tests believe. */
class LiveTest {
    private static final int MIB = 1 << 20;
    private static final String DIGEST = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    private DevServer server;
    private AssayClient client;
    private String model;

    @TempDir
    Path directory;

    @BeforeEach
    void connect() throws IOException {
        server = DevServer.find();
        client = server.as("admin");
        model = "main/java-" + Long.toString(System.nanoTime(), 36);
    }

    @AfterEach
    void close() {
        if (client != null) {
            client.close();
        }
    }

    @Test
    void theLifeOfAVersion() throws Exception {
        byte[] weights = trained(5 * MIB + 3);
        Pushed pushed = client.push(model, directory.resolve("trained"), creating());
        assertEquals(model + "/1", pushed.reference());
        assertEquals(5 * MIB + 3 + config().length(), pushed.sentBytes());

        setGate(0.95);
        GateClosed unmeasured = assertThrows(GateClosed.class, () -> client.publish(pushed.reference()));
        assertEquals(1, unmeasured.findings().size());
        assertFalse(client.checkGate(pushed.reference(), "publish").getOpen());

        try (AssayClient evaluator = server.as("evaluator")) {
            assertEquals(Trust.TRUST_TRUSTED, evaluator.evaluate(pushed.reference(), measured(0.97)).getTrust());
        }
        assertTrue(client.checkGate(pushed.reference(), "publish").getOpen());
        ModelVersion published =
                client.publish(pushed.reference(), PublishOptions.create().bump(Bump.BUMP_MINOR)).getVersion();
        assertEquals("1.0.0", published.getSemver());

        client.setAlias(model + "@champion", 1, 0, "the first");
        AliasMoved moved = assertThrows(AliasMoved.class, () -> client.setAlias(model + "@champion", 1, 7, ""));
        assertEquals(1, moved.currentVersionNumber());
        assertEquals(
                List.of("the first"),
                client.listAliasMoves(model + "@champion").stream().map(AliasMove::getReason).collect(Collectors.toList()));

        CompletableFuture<Pulled> pull =
                client.pullAsync(model + "@champion", directory.resolve("served"), PullOptions.create());
        Pulled pulled = pull.get(60, TimeUnit.SECONDS);
        assertEquals(published.getManifestDigest(), pulled.version().getManifestDigest());
        assertArrayEquals(weights, Files.readAllBytes(pulled.directory().resolve("weights/model.safetensors")));
        assertTrue(client.pull(model + "@^1", directory.resolve("served")).existed());
        assertArrayEquals(
                java.util.Arrays.copyOfRange(weights, MIB - 1, MIB + 4),
                client.readRange(model + "/1", "weights/model.safetensors", MIB - 1, 5));
        assertThrows(OutOfRange.class, () -> client.readRange(model + "/1", "config.json", 1, 500));
    }

    @Test
    void theSameContentIsOneVersion() throws Exception {
        trained(MIB);
        Pushed first = client.push(model, directory.resolve("trained"), creating());

        Pushed again = client.push(model, directory.resolve("trained"), creating());
        Pushed described = client.push(model, directory.resolve("trained"), creating().description("other words"));

        assertTrue(again.existed());
        assertEquals(first.reference(), again.reference());
        assertEquals(0, again.sentBytes());
        assertTrue(described.existed());
        assertEquals(0, described.sentBytes());
        assertEquals(1, client.listVersions(model).stream().count());
    }

    @Test
    void pushesOfTheSameAtOnceAllSucceed() throws Exception {
        for (int count : new int[] {2, 10}) {
            String together = model + "-" + count;
            trained(12 * MIB + count);
            Files.write(directory.resolve("trained/weights/more.bin"), new byte[100 * count]);
            List<CompletableFuture<Pushed>> pushes = IntStream.range(0, count)
                    .mapToObj(each -> client.pushAsync(together, directory.resolve("trained"), creating().publish()))
                    .collect(Collectors.toList());
            for (CompletableFuture<Pushed> push : pushes) {
                assertEquals(together + "/1", push.get(110, TimeUnit.SECONDS).reference());
                assertEquals(VersionState.VERSION_STATE_READY, push.get().version().getState());
            }
            assertEquals(1, client.listVersions(together).stream().count());
        }
    }

    @Test
    void whatWasDeletedOrYankedIsNotPublishedByPushing() throws Exception {
        for (int size : new int[] {1000, 65 * MIB}) {
            trained(size);
            String deleted = client.push(model + "-d" + size, directory.resolve("trained"), creating()).version().getName();
            client.registry().deleteVersion(DeleteVersionRequest.newBuilder().setName(deleted).setReason("test").build());
            assertRefused(deleted, creating());
            assertRefused(deleted, creating().publish());

            String yanked = client.push(model + "-y" + size, directory.resolve("trained"), creating().publish())
                    .version()
                    .getName();
            client.registry().yankVersion(YankVersionRequest.newBuilder().setName(yanked).setReason("test").build());
            assertRefused(yanked, creating().publish());
        }
    }

    private void assertRefused(String version, PushOptions options) {
        String pushedTo = Names.shortName(version).substring(0, Names.shortName(version).lastIndexOf('/'));
        NotPossibleNow refusal = assertThrows(
                NotPossibleNow.class, () -> client.push(pushedTo, directory.resolve("trained"), options));
        assertEquals("TRANSITION_ILLEGAL", refusal.reason());
    }

    @Test
    void aVersionIsMadeOfWhatIsThereInOneCall() throws Exception {
        trained(MIB);
        client.push(model, directory.resolve("trained"), creating());
        ModelVersion first = client.resolve(model + "/1").getVersion();
        ModelVersion other = ModelVersion.newBuilder()
                .addAllFiles(first.getFilesList())
                .setCard("# Retrained")
                .setFacts(Facts.newBuilder().putHyperparameters("seed", "2"))
                .build();

        Pushed made = client.createVersion(model, other, CreateVersionOptions.create().publish("2.0.0"));
        Pushed again = client.createVersion(model, other, CreateVersionOptions.create());

        assertEquals(model + "/2", made.reference());
        assertEquals("2.0.0", made.version().getSemver());
        assertEquals(first.getManifestDigest(), made.version().getManifestDigest());
        assertFalse(made.existed());
        assertEquals(0, made.sentBytes());
        assertTrue(made.revision() > 0);
        assertTrue(again.existed());
        assertEquals(made.reference(), again.reference());
        ModelVersion lacking = other.toBuilder()
                .addFiles(File.newBuilder().setPath("new.bin").setSizeBytes(1).setDigest(DIGEST))
                .build();
        NotPossibleNow missing = assertThrows(
                NotPossibleNow.class, () -> client.createVersion(model, lacking, CreateVersionOptions.create()));
        assertEquals("FILES_MISSING", missing.reason());
        assertEquals(1, missing.violations().size());
    }

    @Test
    void aBrokenPushGoesOnInAnotherClient() throws Exception {
        trained(24 * MIB);
        try (AssayClient first = AssayClient.builder(server.target)
                .tls(server.tls("admin"))
                .patience(Duration.ZERO)
                .build()) {
            CompletableFuture<Pushed> push = first.pushAsync(
                    model, directory.resolve("trained"), creating().onProgress(progress -> {
                        if (progress.step() == Step.SENDING && progress.totalBytes() > 12 * MIB) {
                            new Thread(first::close).start();
                        }
                    }));
            assertThrows(java.util.concurrent.ExecutionException.class, () -> push.get(60, TimeUnit.SECONDS));
        }

        Pushed pushed = client.push(model, directory.resolve("trained"), creating());

        assertEquals(model + "/1", pushed.reference());
        assertEquals(1, client.listVersions(model).stream().count());
    }

    @Test
    void refusalsHaveTheirReasons() throws Exception {
        trained(10);
        NotFound noModel = assertThrows(NotFound.class, () -> client.push(model, directory.resolve("trained")));
        assertEquals("RESOURCE_NOT_FOUND", noModel.reason());
        assertEquals(Status.Code.NOT_FOUND, noModel.statusCode());
        client.push(model, directory.resolve("trained"), creating());
        assertEquals("NOTHING_RESOLVES", assertThrows(NotFound.class, () -> client.resolve(model + "@latest")).reason());
        assertEquals(
                "REFERENCE_INVALID", assertThrows(InvalidInput.class, () -> client.resolve(model + "@@")).reason());

        try (AssayClient consumer = server.as("consumer")) {
            PermissionDenied denied = assertThrows(
                    PermissionDenied.class,
                    () -> consumer.push(model, directory.resolve("trained"), PushOptions.create().card("mine")));
            assertEquals("PERMISSION_MISSING", denied.reason());
            assertFalse(denied.permission().isEmpty());
        }
    }

    @Test
    void aWrongAuthorityIsTold() {
        Authority other = new Authority("Some other authority");
        Authority.Leaf stranger = other.issueClient("spiffe://assay.local/dev/admin");
        Tls untrusting = Tls.fromBytes(other.certificate, stranger.certificate, stranger.key);

        try (AssayClient lost = AssayClient.builder(server.target).tls(untrusting).build()) {
            ConnectionTest.assertContains(
                    assertThrows(Unreachable.class, lost::whoAmI), "is not from the authority in");
        }
    }

    @Test
    void aStrangerIsTold() throws IOException {
        Authority.Leaf stranger = new Authority("Some other authority").issueClient("spiffe://assay.local/dev/admin");
        Tls untrusted = Tls.fromBytes(Files.readAllBytes(server.pki().resolve("ca.pem")), stranger.certificate, stranger.key);

        try (AssayClient lost = AssayClient.builder(server.target).tls(untrusted).build()) {
            ConnectionTest.assertContains(
                    assertThrows(Unreachable.class, lost::whoAmI), "not accept the certificate the given PEM bytes");
        }
    }

    @Test
    void changesAreSeenAsTheyHappen() {
        try (Watch watch = client.watch(model)) {
            client.registry()
                    .createModel(dev.assay.v1.CreateModelRequest.newBuilder()
                            .setParent("namespaces/main")
                            .setModelId(model.substring("main/".length()))
                            .build());

            WatchResponse change = watch.next();

            assertEquals("CreateModel", change.getEvents(0).getAction());
            assertEquals(Names.modelName(model), change.getEvents(0).getName());
        }
    }

    @Test
    void whatIsCurrentComesFirstAndThenWhatHappens() throws Exception {
        trained(10);
        Pushed pushed = client.push(model, directory.resolve("trained"), creating());
        Set<String> names = new HashSet<>();
        long complete = 0;

        try (Watch watch = client.watch(WatchOptions.create().scope(model).initialState())) {
            while (complete == 0) {
                WatchResponse part = watch.next();
                part.getEventsList().forEach(event -> {
                    assertEquals(EventType.EVENT_TYPE_INITIAL, event.getType());
                    names.add(event.getName());
                });
                complete = part.getInitialStateComplete() ? part.getRevision() : 0;
            }
            assertTrue(names.containsAll(Set.of(Names.modelName(model), pushed.version().getName())), names::toString);
            assertEquals(complete + 1, watch.nextRevision());

            long revision = client.publish(pushed.reference()).getRevision();
            WatchResponse change = watch.next();

            assertEquals(revision, change.getRevision());
            assertEquals("PublishVersion", change.getEvents(0).getAction());
        }
    }

    @Test
    void aListIsGivenAsItWasAtARevision() throws Exception {
        trained(10);
        String name = Names.modelName(model);
        long without = client.push(model, directory.resolve("trained"), creating().publish()).revision();
        long with = client.setAlias(model + "@champion", 1, 0, "the first").getRevision();
        setGate(0.9);
        client.evaluate(model + "/1", measured(0.97));

        assertEquals(0, client.listAliases(aliases(without)).stream().count());
        assertEquals(1, client.listAliases(aliases(with)).stream().count());
        ListGatesRequest gates = ListGatesRequest.newBuilder().setParent(name).setAsOf(with).build();
        assertEquals(0, client.listGates(gates).stream().count());
        assertEquals(1, client.listGates(model).stream().count());
        ListEvaluationsRequest evaluations = ListEvaluationsRequest.newBuilder()
                .setParent(name + "/versions/1")
                .setAsOf(with)
                .build();
        assertEquals(0, client.listEvaluations(evaluations).stream().count());
        assertEquals(1, client.listEvaluations(model + "/1").stream().count());
        ListRoleBindingsRequest bindings = ListRoleBindingsRequest.newBuilder().setAsOf(with).build();
        assertEquals(
                client.listRoleBindings("").stream().collect(Collectors.toList()),
                client.listRoleBindings(bindings).stream().collect(Collectors.toList()));
    }

    private ListAliasesRequest aliases(long asOf) {
        return ListAliasesRequest.newBuilder().setParent(Names.modelName(model)).setAsOf(asOf).build();
    }

    @Test
    void aPublishedVersionIsListed() throws Exception {
        trained(10);
        Pushed pushed = client.push(model, directory.resolve("trained"), creating().publish(Bump.BUMP_MAJOR));

        assertEquals(VersionState.VERSION_STATE_READY, pushed.version().getState());
        assertEquals(
                List.of(pushed.version().getNumber()),
                client.listVersions(model).stream().map(ModelVersion::getNumber).collect(Collectors.toList()));
        assertEquals(pushed.version().getName(), client.resolveAsync(model + "@latest").get(30, TimeUnit.SECONDS)
                .getVersion().getName());
        Model model = client.registry()
                .getModel(GetModelRequest.newBuilder().setName(Names.modelName(this.model)).build())
                .getModel();
        assertEquals("image-classification", model.getTask());
    }

    private static PushOptions creating() {
        return PushOptions.create().newModel(Model.newBuilder().setTask("image-classification").build());
    }

    private void setGate(double accuracy) {
        Threshold threshold = Threshold.newBuilder()
                .setMetric("accuracy")
                .setComparison(Comparison.COMPARISON_AT_LEAST)
                .setBound(accuracy)
                .build();
        client.evaluations()
                .setGate(SetGateRequest.newBuilder()
                        .setGate(Gate.newBuilder()
                                .setName(Names.gateName(model, "publish"))
                                .addRules(Rule.newBuilder().setRuleId("accurate").setThreshold(threshold)))
                        .build());
    }

    private static Evaluation measured(double accuracy) {
        return Evaluation.newBuilder()
                .setDataset(DatasetReference.newBuilder().setUri("dvc://digits/test").setDigest(DIGEST))
                .setSampleCount(360)
                .addMetrics(Metrics.higherIsBetter("accuracy", accuracy, "ratio"))
                .addMetrics(Metrics.lowerIsBetter("latency_p99", 4.2, "ms"))
                .build();
    }

    private byte[] trained(int size) throws IOException {
        byte[] weights = new byte[size];
        new Random().nextBytes(weights);
        Files.createDirectories(directory.resolve("trained/weights"));
        Files.write(directory.resolve("trained/weights/model.safetensors"), weights);
        // Of this test alone: what another version has is not sent again.
        Files.writeString(directory.resolve("trained/config.json"), config());
        return weights;
    }

    private String config() {
        return "{\"model\": \"" + model + "\"}";
    }
}
