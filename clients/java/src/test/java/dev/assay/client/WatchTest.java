package dev.assay.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import com.google.rpc.RetryInfo;
import dev.assay.v1.Event;
import dev.assay.v1.ModelVersion;
import dev.assay.v1.WatchRequest;
import dev.assay.v1.WatchResponse;
import dev.assay.v1.WatchServiceGrpc;
import io.grpc.BindableService;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Watching and listing. The fake registry stands at revision 10. */
class WatchTest {
    private final FakeRegistry registry = new FakeRegistry();
    private final Watched watched = new Watched();
    private Served served;
    private AssayClient client;

    @BeforeEach
    void serve() {
        List<BindableService> services = new ArrayList<>(Arrays.asList(registry.services()));
        services.add(watched);
        served = Served.withTls(services.toArray(new BindableService[0]));
        client = served.client().build();
    }

    @AfterEach
    void end() {
        client.close();
        served.close();
    }

    @Test
    void changesComeInOrderAndBookmarksAreLeftOut() {
        watched.add(11, 1).add(12, 0).add(13, 2);

        try (Watch watch = client.watch("vision/digits")) {
            assertEquals(11, watch.next().getRevision());
            assertEquals(2, watch.next().getEventsCount());
            assertEquals(14, watch.nextRevision());
        }
        WatchRequest request = (WatchRequest) served.callsOf("Watch").get(0).request;
        assertEquals("namespaces/vision/models/digits", request.getNamePrefix());
        assertEquals(11, request.getStartRevision());
    }

    @Test
    void bookmarksComeWhenAskedFor() {
        watched.add(11, 0);

        try (Watch watch = client.watch(WatchOptions.create().bookmarks())) {
            assertEquals(0, watch.next().getEventsCount());
        }
    }

    @Test
    void aBreakIsResumedAtTheNextRevision() {
        watched.add(5, 1).add(6, 1).add(7, 1).add(8, 1);
        watched.breakAfter = 2;
        List<AssayException> interruptions = new ArrayList<>();

        try (Watch watch =
                client.watch(WatchOptions.create().startRevision(5).onInterruption(interruptions::add))) {
            for (long revision = 5; revision <= 8; revision++) {
                assertEquals(revision, watch.next().getRevision());
            }
        }
        assertEquals(
                List.of(5L, 7L),
                served.callsOf("Watch").stream()
                        .map(call -> ((WatchRequest) call.request).getStartRevision())
                        .collect(Collectors.toList()));
        assertInstanceOf(Unreachable.class, interruptions.get(0));
    }

    @Test
    void anInitialStateThatBreaksGoesOnBehindItsLastPart() {
        watched.stateParts = 3;
        watched.breakAfter = 2;
        watched.add(11, 1);
        List<Long> revisions = new ArrayList<>();
        List<Long> next = new ArrayList<>();

        try (Watch watch = client.watch(WatchOptions.create().initialState())) {
            while (revisions.size() < 5) {
                revisions.add(watch.next().getRevision());
                next.add(watch.nextRevision());
            }
        }
        assertEquals(List.of(0L, 0L, 0L, 10L, 11L), revisions);
        assertEquals(List.of(0L, 0L, 0L, 11L, 12L), next);
        assertEquals(
                List.of("", "2"),
                served.callsOf("Watch").stream()
                        .map(call -> ((WatchRequest) call.request).getInitialStateToken())
                        .collect(Collectors.toList()));
    }

    @Test
    void aRestartOfTheServerIsSurvived() {
        watched.add(11, 1);

        try (Watch watch = client.watch("")) {
            assertEquals(11, watch.next().getRevision());
            served.restart();
            watched.add(12, 1);
            assertEquals(12, watch.next().getRevision());
        }
    }

    @Test
    void aStreamThatEndsWithoutAWordIsResumed() {
        watched.add(11, 1).add(12, 1);
        watched.endAfter = 1;

        try (Watch watch = client.watch("")) {
            assertEquals(11, watch.next().getRevision());
            assertEquals(12, watch.next().getRevision());
        }
    }

    @Test
    void whoUsedUpItsShareComesBackWhenTold() {
        watched.add(11, 1);
        RetryInfo later = RetryInfo.newBuilder()
                .setRetryDelay(Duration.newBuilder().setNanos(400_000_000))
                .build();
        served.failNext(
                "Watch",
                Refusals.refusal(Status.Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", "Come back later.", later),
                Refusals.refusal(Status.Code.RESOURCE_EXHAUSTED, "TOO_MANY_UPLOADS", "Come back later.", later));
        long begun = System.nanoTime();

        try (Watch watch = client.watch("")) {
            assertEquals(11, watch.next().getRevision());
        }

        assertEquals(3, served.callsOf("Watch").size());
        assertTrue(System.nanoTime() - begun >= 800_000_000);
    }

    @Test
    void aFullStoreEndsTheWatch() {
        served.failNext("Watch", Refusals.refusal(Status.Code.RESOURCE_EXHAUSTED, "STORAGE_FULL", "It is full."));

        try (Watch watch = client.watch("")) {
            assertThrows(Exhausted.class, watch::hasNext);
        }
    }

    @Test
    void aHistoryThatIsGoneIsTold() {
        served.failNext(
                "Watch",
                Refusals.refusal(
                        Status.Code.OUT_OF_RANGE,
                        "REVISION_COMPACTED",
                        "The history before 41 is gone.",
                        java.util.Map.of("oldest_revision", "41")));

        try (Watch watch = client.watch(WatchOptions.create().startRevision(3))) {
            assertEquals(41, assertThrows(RevisionCompacted.class, watch::hasNext).oldestRevision());
        }
    }

    @Test
    void aServerThatNeverWasIsToldAtOnce() {
        served.close();

        assertThrows(Unreachable.class, () -> client.watch(""));
    }

    @Test
    void closingEndsTheWait() throws Exception {
        Watch watch = client.watch("");
        CompletableFuture<Boolean> waiting = CompletableFuture.supplyAsync(watch::hasNext);

        watch.close();

        assertFalse(waiting.get(10, TimeUnit.SECONDS));
        assertThrows(NoSuchElementException.class, watch::next);
        watch.close();
    }

    @Test
    void closingTheClientEndsTheWatch() throws Exception {
        Watch watch = client.watch("");
        CompletableFuture<Boolean> waiting = CompletableFuture.supplyAsync(watch::hasNext);
        client.close();

        Throwable failure = assertThrows(
                        java.util.concurrent.ExecutionException.class, () -> waiting.get(10, TimeUnit.SECONDS))
                .getCause();

        assertInstanceOf(CallCancelled.class, failure);
    }

    @Test
    void aWatchWhoseDeadlinePassesChangedNothing() throws Exception {
        for (boolean isWaiting : List.of(true, false)) {
            ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
            try (Context.CancellableContext context =
                    Context.current().withDeadlineAfter(500, TimeUnit.MILLISECONDS, timer)) {
                Watch watch = context.call(() -> client.watch(""));
                if (!isWaiting) {
                    TimeUnit.MILLISECONDS.sleep(600);
                }

                DeadlinePassed end = assertThrows(DeadlinePassed.class, watch::hasNext);

                ConnectionTest.assertContains(end, "The watch ended: the deadline of its context passed.");
                assertEquals(Status.Code.DEADLINE_EXCEEDED, end.statusCode());
            } finally {
                timer.shutdownNow();
            }
        }
    }

    @Test
    void aWatchThatIsClosedWhileItComesBackHasNoMore() throws Exception {
        CountDownLatch isBroken = new CountDownLatch(1);
        Watch watch = client.watch(WatchOptions.create().onInterruption(failure -> isBroken.countDown()));
        CompletableFuture<Boolean> waiting = CompletableFuture.supplyAsync(watch::hasNext);
        served.close();
        assertTrue(isBroken.await(10, TimeUnit.SECONDS));

        watch.close();

        assertFalse(waiting.get(10, TimeUnit.SECONDS));
    }

    @Test
    void listsHideTheirPages() {
        Listing<ModelVersion> versions = client.listVersions("vision/digits");
        assertTrue(served.callsOf("ListVersions").isEmpty());

        assertEquals(
                List.of(1L, 2L, 3L), versions.stream().map(ModelVersion::getNumber).collect(Collectors.toList()));
        assertEquals(3, served.callsOf("ListVersions").size());
    }

    @Test
    void aListIsFetchedAsItIsRead() {
        Iterator<ModelVersion> versions = client.listVersions("vision/digits").iterator();

        assertEquals(1, versions.next().getNumber());
        assertEquals(1, served.callsOf("ListVersions").size());
        assertEquals(2, versions.next().getNumber());
        assertEquals(3, versions.next().getNumber());
        assertThrows(NoSuchElementException.class, versions::next);
    }

    /** Sends what was added, from the revision that was asked for, and then keeps the stream open. */
    private static final class Watched extends WatchServiceGrpc.WatchServiceImplBase {
        private final ConcurrentSkipListMap<Long, WatchResponse> answers = new ConcurrentSkipListMap<>();
        volatile int stateParts;
        volatile int breakAfter = Integer.MAX_VALUE;
        volatile int endAfter = Integer.MAX_VALUE;

        Watched add(long revision, int events) {
            WatchResponse.Builder answer = WatchResponse.newBuilder().setRevision(revision);
            for (int count = 0; count < events; count++) {
                answer.addEvents(Event.getDefaultInstance());
            }
            answers.put(revision, answer.build());
            return this;
        }

        @Override
        public void watch(WatchRequest request, StreamObserver<WatchResponse> observer) {
            int sent = 0;
            if (request.getSendInitialState()) {
                String token = request.getInitialStateToken();
                for (int part = token.isEmpty() ? 1 : Integer.parseInt(token) + 1; part <= stateParts; part++) {
                    observer.onNext(WatchResponse.newBuilder()
                            .addEvents(Event.getDefaultInstance())
                            .setInitialStateToken(String.valueOf(part))
                            .build());
                    if (part == breakAfter) {
                        breakAfter = Integer.MAX_VALUE;
                        observer.onError(Status.UNAVAILABLE.withDescription("too slow").asRuntimeException());
                        return;
                    }
                }
                observer.onNext(WatchResponse.newBuilder()
                        .setRevision(10)
                        .setInitialStateComplete(true)
                        .build());
            }
            for (WatchResponse answer : answers.tailMap(request.getStartRevision()).values()) {
                observer.onNext(answer);
                sent++;
                if (sent == breakAfter) {
                    breakAfter = Integer.MAX_VALUE;
                    observer.onError(Status.UNAVAILABLE.withDescription("restarting").asRuntimeException());
                    return;
                }
                if (sent == endAfter) {
                    endAfter = Integer.MAX_VALUE;
                    observer.onCompleted();
                    return;
                }
            }
        }
    }
}
