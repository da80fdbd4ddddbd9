package dev.assay.client;

import dev.assay.v1.Bump;
import dev.assay.v1.Draft;
import dev.assay.v1.Facts;
import dev.assay.v1.Model;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * What is sealed with the files of a push, and how they are sent.
 *
 * <pre>{@code
 * PushOptions.create().description("retrained on May").tag("team", "ocr").onProgress(System.out::println)
 * }</pre>
 */
public final class PushOptions {
    final Draft.Builder content = Draft.newBuilder();
    final List<String> exclude = new ArrayList<>();
    boolean publish;
    Bump bump = Bump.BUMP_UNSPECIFIED;
    String semver = "";
    Model newModel;
    UnaryOperator<String> mediaTypeOf = path -> "";
    UnaryOperator<String> roleOf = path -> "";
    String draft = "";
    int filesAtOnce = 4;
    Consumer<Progress> onProgress = progress -> {};

    private PushOptions() {}

    /**
     * Starts with nothing but the files.
     *
     * @return options to change
     */
    public static PushOptions create() {
        return new PushOptions();
    }

    /**
     * Says what callers and gates need to know: signature, runtime, format, lineage.
     *
     * @param facts the facts
     * @return these options
     */
    public PushOptions facts(Facts facts) {
        content.setFacts(Required.of(facts, "facts"));
        return this;
    }

    /**
     * Says what is special about this version.
     *
     * @param text the description
     * @return these options
     */
    public PushOptions description(String text) {
        content.setDescription(Required.of(text, "text"));
        return this;
    }

    /**
     * Adds a model card.
     *
     * @param markdown the card
     * @return these options
     */
    public PushOptions card(String markdown) {
        content.setCard(Required.of(markdown, "markdown"));
        return this;
    }

    /**
     * Adds a tag to find the version by.
     *
     * @param key its key
     * @param value its value
     * @return these options
     */
    public PushOptions tag(String key, String value) {
        content.putTags(Required.of(key, "key"), Required.of(value, "value"));
        return this;
    }

    /**
     * Adds tags to find the version by.
     *
     * @param tags keys and values
     * @return these options
     */
    public PushOptions tags(Map<String, String> tags) {
        content.putAllTags(Required.all(tags, "tags"));
        return this;
    }

    /**
     * Makes the version READY in the same step. Where a gate is closed, nothing is sealed: push without it, then
     * evaluate, then publish.
     *
     * @return these options
     */
    public PushOptions publish() {
        publish = true;
        return this;
    }

    /**
     * Says which part of the semantic version grows, and publishes.
     *
     * @param part the part
     * @return these options
     */
    public PushOptions publish(Bump part) {
        bump = Required.of(part, "part");
        return publish();
    }

    /**
     * Says which semantic version it gets, and publishes.
     *
     * @param version such as {@code 2.0.0}
     * @return these options
     */
    public PushOptions publish(String version) {
        semver = Required.of(version, "version");
        return publish();
    }

    /**
     * Creates the model where there is none.
     *
     * @param model its content: display name, description, task, keywords and tags
     * @return these options
     */
    public PushOptions newModel(Model model) {
        newModel = Required.of(model, "model");
        return this;
    }

    /**
     * Leaves files and directories out.
     *
     * @param globs patterns of {@link java.nio.file.FileSystem#getPathMatcher}, held against name and relative path
     * @return these options
     */
    public PushOptions exclude(String... globs) {
        exclude.addAll(List.of(Required.all(globs, "globs")));
        return this;
    }

    /**
     * Says what files are, where their names do not tell.
     *
     * @param mediaTypes gives the media type for a path; empty keeps what its name tells
     * @param roles gives the role, such as {@code weights}; empty keeps what its name tells
     * @return these options
     */
    public PushOptions describe(UnaryOperator<String> mediaTypes, UnaryOperator<String> roles) {
        mediaTypeOf = Required.of(mediaTypes, "mediaTypes");
        roleOf = Required.of(roles, "roles");
        return this;
    }

    /**
     * Goes on with a draft. Without it, a push of the same files with the same options goes on with the draft of the last
     * one, for 7 days.
     *
     * @param name the resource name of the draft
     * @return these options
     */
    public PushOptions draft(String name) {
        draft = Required.of(name, "name");
        return this;
    }

    /**
     * Says how many files are sent at the same time.
     *
     * @param count at least 1; 4 unless set
     * @return these options
     */
    public PushOptions filesAtOnce(int count) {
        filesAtOnce = Math.max(1, count);
        return this;
    }

    /**
     * Asks to be told how far the push is: often, and by one thread at a time, which is one of the client's.
     *
     * @param listener who is told
     * @return these options
     */
    public PushOptions onProgress(Consumer<Progress> listener) {
        onProgress = Required.of(listener, "listener");
        return this;
    }
}
