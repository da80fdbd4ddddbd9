package dev.assay.client;

import com.google.protobuf.ByteString;
import dev.assay.v1.ArtifactServiceGrpc;
import dev.assay.v1.BeginUploadRequest;
import dev.assay.v1.Bump;
import dev.assay.v1.CommitUploadRequest;
import dev.assay.v1.Comparison;
import dev.assay.v1.CreateDraftRequest;
import dev.assay.v1.Event;
import dev.assay.v1.Gate;
import dev.assay.v1.GetVersionRequest;
import dev.assay.v1.ListVersionsRequest;
import dev.assay.v1.Model;
import dev.assay.v1.ModelVersion;
import dev.assay.v1.Rule;
import dev.assay.v1.SetGateRequest;
import dev.assay.v1.Threshold;
import dev.assay.v1.Upload;
import dev.assay.v1.WatchResponse;
import dev.assay.v1.WriteUploadRequest;
import dev.assay.v1.WriteUploadResponse;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The steps of {@code tests/clients/scenario.md} in Java; {@link ScenarioRunner} does them. */
final class Scenario implements AutoCloseable {
    private static final int LARGE_BYTES = 6 << 20;
    private static final String MODEL = "main/scenario-java";
    private static final String FUTURE = "main/future";
    private static final String OLDER = "older than this client";

    private final Path directory = Path.of(System.getenv("SCENARIO_DIRECTORY"));
    private final AssayClient admin = client("SCENARIO_TARGET", "admin");
    private final AssayClient future = client("SCENARIO_FUTURE_TARGET", "admin");
    private final CompletableFuture<Seen> silence = CompletableFuture.supplyAsync(this::watchSilence, task -> {
        Thread thread = new Thread(task, "silence");
        thread.setDaemon(true);
        thread.start();
    });

    /** What a step saw. */
    static final class Seen {
        final String status;
        final String reason;
        final String shows;

        Seen(String status, String reason, String shows) {
            this.status = status;
            this.reason = reason.isEmpty() ? "-" : reason;
            this.shows = shows.replaceAll("\\s+", " ");
        }
    }

    Map<String, Callable<Seen>> steps() {
        Map<String, Callable<Seen>> steps = new LinkedHashMap<>();
        steps.put("connect", () -> ok(admin.whoAmI().getPrincipal()));
        steps.put("wrong-role", this::wrongRole);
        steps.put("push", this::push);
        steps.put("resume-cut", this::pushLarge);
        steps.put("resume-killed", this::pushLarge);
        steps.put("wrong-digest", this::wrongDigest);
        steps.put("unknown-reference", () -> refused(() -> admin.resolve(MODEL + "@nobody"), error -> ""));
        steps.put("alias-won", () ->
                ok("version " + admin.setAlias(MODEL + "@champion", 1, 0, "").getAlias().getVersionNumber()));
        steps.put("alias-lost", () -> refused(
                () -> admin.setAlias(MODEL + "@champion", 1, 7, ""),
                error -> "version " + ((AliasMoved) error).currentVersionNumber()));
        steps.put("gate-closed", this::gateClosed);
        steps.put("pull", this::pull);
        steps.put("range", () ->
                ok(new String(admin.readRange(MODEL + "/1", "model.bin", 1, 3), StandardCharsets.UTF_8)));
        steps.put("range-past-end", () -> refused(() -> admin.readRange(MODEL + "/1", "model.bin", 1, 5), error -> ""));
        steps.put("pages", this::pages);
        steps.put("watch-restart", this::watchRestart);
        steps.put("unknown-fields", this::unknownFields);
        steps.put("unknown-reason", () -> refused(
                () -> future.publish(FUTURE + "/7"),
                error -> error.getClass() == NotPossibleNow.class ? "not possible now" : error.toString()));
        steps.put("unknown-rpc", () -> refused(
                () -> future.checkGate(FUTURE + "/7", "publish"),
                error -> error.getMessage().contains(OLDER) ? OLDER : error.getMessage()));
        steps.put("keepalive", silence::get);
        return steps;
    }

    private static AssayClient client(String target, String role) {
        Path pki = Path.of(System.getenv("SCENARIO_PKI"));
        Tls tls = Tls.fromFiles(pki.resolve("ca.pem"), pki.resolve(role + ".pem"), pki.resolve(role + ".key"));
        return AssayClient.builder(System.getenv(target)).tls(tls).build();
    }

    private static Seen ok(String shows) {
        return new Seen("OK", "", shows);
    }

    /** What a call that must fail failed with. */
    private static Seen refused(Callable<?> call, Function<AssayException, String> show) throws Exception {
        try {
            call.call();
        } catch (AssayException error) {
            return new Seen(error.statusCode().name(), error.reason(), show.apply(error));
        }
        return ok("was not refused");
    }

    private Path small() throws IOException {
        Path small = Files.createDirectories(directory.resolve("small"));
        Files.writeString(small.resolve("model.bin"), "first");
        Files.writeString(small.resolve("config.json"), "{}");
        return small;
    }

    private Seen wrongRole() throws Exception {
        Path source = small();
        try (AssayClient consumer = client("SCENARIO_TARGET", "consumer")) {
            return refused(
                    () -> consumer.push("main/shared", source),
                    error -> error.metadata().containsKey("roles") ? "names the roles that would do" : "no roles");
        }
    }

    private Seen push() throws IOException {
        ModelVersion version = admin.push(MODEL, small(), PushOptions.create()
                        .newModel(Model.getDefaultInstance())
                        .publish(Bump.BUMP_MAJOR))
                .version();
        return ok("version " + version.getNumber() + ", " + version.getFileCount() + " files, " + version.getSemver());
    }

    private Seen pushLarge() throws Exception {
        byte[] content = new byte[LARGE_BYTES];
        new Random().nextBytes(content);
        Path source = Files.write(directory.resolve("large.bin"), content);
        String name = admin.push(MODEL, source).version().getName();
        ModelVersion version = admin.registry()
                .getVersion(GetVersionRequest.newBuilder().setName(name).build())
                .getVersion();
        String word = version.getFiles(0).getDigest().equals(digest(content)) ? "whole" : "broken";
        return ok("version " + version.getNumber() + ", " + word);
    }

    /** Speaks below the verbs: they never send a digest of other bytes. */
    private Seen wrongDigest() throws Exception {
        String draft = admin.registry()
                .createDraft(CreateDraftRequest.newBuilder().setParent(Names.modelName(MODEL)).build())
                .getDraft()
                .getName();
        Upload upload = Upload.newBuilder()
                .setName(draft + "/uploads/0192f0c1-0000-7000-8000-000000000001")
                .setPath("model.bin")
                .setSizeBytes(5)
                .build();
        long epoch = admin.artifacts()
                .beginUpload(BeginUploadRequest.newBuilder().setUpload(upload).build())
                .getUpload()
                .getEpoch();
        write(WriteUploadRequest.newBuilder()
                .setUpload(upload.getName())
                .setEpoch(epoch)
                .setData(ByteString.copyFromUtf8("other"))
                .build());
        CommitUploadRequest commit = CommitUploadRequest.newBuilder()
                .setName(upload.getName())
                .setDigest(digest("these".getBytes(StandardCharsets.UTF_8)))
                .setSizeBytes(5)
                .build();
        return refused(() -> {
            try {
                return admin.artifacts().commitUpload(commit);
            } catch (StatusRuntimeException error) {
                throw admin.explain(error);
            }
        }, error -> "");
    }

    private void write(WriteUploadRequest message) throws Exception {
        CompletableFuture<Void> done = new CompletableFuture<>();
        StreamObserver<WriteUploadRequest> stream = admin.stub(ArtifactServiceGrpc::newStub)
                .writeUpload(new StreamObserver<>() {
                    @Override
                    public void onNext(WriteUploadResponse answer) {}

                    @Override
                    public void onError(Throwable error) {
                        done.completeExceptionally(error);
                    }

                    @Override
                    public void onCompleted() {
                        done.complete(null);
                    }
                });
        stream.onNext(message);
        stream.onCompleted();
        done.get();
    }

    private Seen gateClosed() throws Exception {
        Threshold threshold = Threshold.newBuilder()
                .setMetric("accuracy")
                .setComparison(Comparison.COMPARISON_AT_LEAST)
                .setBound(0.9)
                .build();
        Gate gate = Gate.newBuilder()
                .setName(Names.gateName(MODEL, "publish"))
                .addRules(Rule.newBuilder().setRuleId("accurate").setThreshold(threshold))
                .build();
        admin.evaluations().setGate(SetGateRequest.newBuilder().setGate(gate).build());
        String word = admin.checkGate(MODEL + "/2", "publish").getOpen() ? "open" : "closed";
        return refused(
                () -> admin.publish(MODEL + "/2", PublishOptions.create().bump(Bump.BUMP_MAJOR)),
                error -> error.violations().get(0).subject().replaceFirst(".*#", "") + ", " + word);
    }

    private Seen pull() throws IOException {
        Pulled pulled = admin.pull(MODEL + "@champion", directory.resolve("pulled"));
        boolean isSame = true;
        for (String name : List.of("model.bin", "config.json")) {
            byte[] wanted = Files.readAllBytes(small().resolve(name));
            isSame &= Arrays.equals(wanted, Files.readAllBytes(pulled.directory().resolve(name)));
        }
        return ok("version " + pulled.version().getNumber() + ", " + pulled.version().getFilesCount() + " files, "
                + (isSame ? "the same" : "other bytes"));
    }

    private Seen pages() {
        ListVersionsRequest request = ListVersionsRequest.newBuilder()
                .setParent(Names.modelName(MODEL))
                .setPageSize(1)
                .build();
        return ok(admin.listVersions(request).stream()
                .map(version -> Long.toString(version.getNumber()))
                .collect(Collectors.joining(", ")));
    }

    private Seen watchRestart() throws IOException {
        long revision = admin.setAlias(MODEL + "@watched-1", 1, 0, "").getRevision();
        List<String> names = new ArrayList<>();
        try (Watch watch = admin.watch(WatchOptions.create().scope(MODEL).startRevision(revision))) {
            while (names.size() < 2) {
                for (Event event : watch.next().getEventsList()) {
                    names.add(event.getName().replaceFirst(".*/", ""));
                }
                if (names.size() == 1) {
                    ScenarioRunner.meet("watching");
                    admin.setAlias(MODEL + "@watched-2", 1, 0, "");
                }
            }
        }
        return ok(String.join(", ", names));
    }

    private Seen unknownFields() {
        ModelVersion version = future.resolve(FUTURE + "@champion").getVersion();
        return ok("version " + version.getNumber() + ", state " + version.getStateValue());
    }

    private Seen watchSilence() {
        List<String> interruptions = new ArrayList<>();
        WatchOptions options = WatchOptions.create()
                .scope("main")
                .onInterruption(interruption -> interruptions.add(interruption.getMessage()));
        try (Watch watch = future.watch(options)) {
            WatchResponse answer = watch.next();
            String word = interruptions.isEmpty() ? "not interrupted" : interruptions.toString();
            return ok("revision " + answer.getRevision() + ", " + word);
        }
    }

    private static String digest(byte[] content) throws Exception {
        StringBuilder hex = new StringBuilder("sha256:");
        for (byte part : MessageDigest.getInstance("SHA-256").digest(content)) {
            hex.append(String.format("%02x", part));
        }
        return hex.toString();
    }

    @Override
    public void close() {
        admin.close();
        future.close();
    }
}
