package dev.assay.client;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * A list that is fetched page after page as it is read. It starts anew each time it is iterated over; iterating throws
 * {@link AssayException}.
 *
 * @param <T> what is listed
 */
public final class Listing<T> implements Iterable<T> {
    /** Few round trips, and far from the 4 MiB that a message may have. */
    private static final int PAGE_SIZE = 200;

    private final Function<String, Page<T>> fetch;

    private Listing(Function<String, Page<T>> fetch) {
        this.fetch = fetch;
    }

    /** The list that a method gives for a request, whose page size is kept where it has one. */
    static <Q extends Message, A extends Message, T> Listing<T> of(
            Connection connection, MethodDescriptor<Q, A> method, Q request, Function<A, List<T>> items) {
        Required.of(request, "request");
        FieldDescriptor size = request.getDescriptorForType().findFieldByName("page_size");
        FieldDescriptor token = request.getDescriptorForType().findFieldByName("page_token");
        Message.Builder asked = request.toBuilder();
        if (request.getField(size).equals(0)) {
            asked.setField(size, PAGE_SIZE);
        }
        return new Listing<>(from -> {
            @SuppressWarnings("unchecked") // A builder builds what it was made from.
            Q page = (Q) asked.clone().setField(token, from).build();
            A answer = connection.call(method, page);
            FieldDescriptor next = answer.getDescriptorForType().findFieldByName("next_page_token");
            return new Page<>(items.apply(answer).iterator(), (String) answer.getField(next));
        });
    }

    @Override
    public Iterator<T> iterator() {
        return new Pages();
    }

    /**
     * Gives the same as a stream.
     *
     * @return a sequential stream, which fetches as it is consumed
     */
    public Stream<T> stream() {
        return StreamSupport.stream(spliterator(), false);
    }

    private static final class Page<T> {
        final Iterator<T> items;
        final String next;

        Page(Iterator<T> items, String next) {
            this.items = items;
            this.next = next;
        }
    }

    private final class Pages implements Iterator<T> {
        private Page<T> page;

        @Override
        public boolean hasNext() {
            if (page == null) {
                page = fetch.apply("");
            }
            while (!page.items.hasNext() && !page.next.isEmpty()) {
                page = fetch.apply(page.next);
            }
            return page.items.hasNext();
        }

        @Override
        public T next() {
            if (!hasNext()) {
                throw new NoSuchElementException("The list has no more items.");
            }
            return page.items.next();
        }
    }
}
