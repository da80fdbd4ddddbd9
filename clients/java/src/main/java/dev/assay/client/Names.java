package dev.assay.client;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names as people write them, and the resource names that they stand for: {@code vision/digits} is a model, {@code
 * vision/digits/7} a version, {@code vision/digits@champion} an alias. Resource names are taken everywhere, as they are.
 */
public final class Names {
    private static final String ID = "[a-z][a-z0-9-]{0,62}";
    private static final Pattern NAMESPACE = Pattern.compile(ID);
    private static final Pattern MODEL = Pattern.compile("(" + ID + ")/(" + ID + ")");
    private static final Pattern VERSION = Pattern.compile("(" + ID + ")/(" + ID + ")/([1-9][0-9]{0,8})");
    private static final Pattern ALIAS = Pattern.compile("(" + ID + ")/(" + ID + ")@(" + ID + ")");
    private static final Pattern FULL_NAMESPACE = Pattern.compile("namespaces/[^/]+");
    private static final Pattern FULL_MODEL = Pattern.compile("namespaces/[^/]+/models/[^/]+");
    private static final Pattern FULL_VERSION = Pattern.compile("namespaces/([^/]+)/models/([^/]+)/versions/([^/]+)");
    private static final Pattern FULL_ALIAS = Pattern.compile("namespaces/([^/]+)/models/([^/]+)/aliases/([^/]+)");

    private Names() {}

    /**
     * Gives the resource name of a namespace.
     *
     * @param namespace such as {@code vision}
     * @return such as {@code namespaces/vision}
     * @throws InvalidInput if it is no namespace
     */
    public static String namespaceName(String namespace) {
        Required.of(namespace, "namespace");
        if (namespace.startsWith("namespaces/")) {
            return namespace;
        }
        if (!NAMESPACE.matcher(namespace).matches()) {
            throw invalid(namespace, "a namespace", "vision");
        }
        return "namespaces/" + namespace;
    }

    /**
     * Gives the resource name of a model.
     *
     * @param model such as {@code vision/digits}
     * @return such as {@code namespaces/vision/models/digits}
     * @throws InvalidInput if it is no model
     */
    public static String modelName(String model) {
        Required.of(model, "model");
        Matcher parts = MODEL.matcher(model);
        if (parts.matches()) {
            return "namespaces/" + parts.group(1) + "/models/" + parts.group(2);
        }
        if (FULL_MODEL.matcher(model).matches()) {
            return model;
        }
        throw invalid(model, "a model", "vision/digits");
    }

    /**
     * Gives the resource name of an alias.
     *
     * @param alias such as {@code vision/digits@champion}
     * @return such as {@code namespaces/vision/models/digits/aliases/champion}
     * @throws InvalidInput if it is no alias
     */
    public static String aliasName(String alias) {
        Required.of(alias, "alias");
        Matcher parts = ALIAS.matcher(alias);
        if (parts.matches()) {
            return "namespaces/" + parts.group(1) + "/models/" + parts.group(2) + "/aliases/" + parts.group(3);
        }
        if (FULL_ALIAS.matcher(alias).matches()) {
            return alias;
        }
        throw invalid(alias, "an alias", "vision/digits@champion");
    }

    /**
     * Gives the resource name of a namespace or a model.
     *
     * @param scope such as {@code vision} or {@code vision/digits}, any resource name, or empty for everything
     * @return the resource name; empty for everything
     * @throws InvalidInput if it is neither
     */
    public static String scopeName(String scope) {
        Required.of(scope, "scope");
        if (scope.isEmpty() || scope.startsWith("namespaces/")) {
            return scope;
        }
        return scope.contains("/") ? modelName(scope) : namespaceName(scope);
    }

    /**
     * Gives the resource name of a gate.
     *
     * @param scope the namespace or the model that it belongs to
     * @param gate {@code publish}, or {@code alias-} and an alias
     * @return such as {@code namespaces/vision/gates/publish}
     * @throws InvalidInput if the scope is neither
     */
    public static String gateName(String scope, String gate) {
        Required.of(scope, "scope");
        Required.of(gate, "gate");
        if (scope.isEmpty()) {
            throw new InvalidInput(Failure.invalid("A gate belongs to a namespace or a model: name one, like vision."));
        }
        return scopeName(scope) + "/gates/" + gate;
    }

    /**
     * Gives a name as people write it.
     *
     * @param name the resource name of a namespace, model, version or alias
     * @return such as {@code vision/digits/7}; other names, such as those of drafts and evaluations, stay as they are
     */
    public static String shortName(String name) {
        Required.of(name, "name");
        Matcher version = FULL_VERSION.matcher(name);
        if (version.matches()) {
            return version.group(1) + "/" + version.group(2) + "/" + version.group(3);
        }
        Matcher alias = FULL_ALIAS.matcher(name);
        if (alias.matches()) {
            return alias.group(1) + "/" + alias.group(2) + "@" + alias.group(3);
        }
        String[] parts = name.split("/", -1);
        if (FULL_MODEL.matcher(name).matches()) {
            return parts[1] + "/" + parts[3];
        }
        return FULL_NAMESPACE.matcher(name).matches() ? parts[1] : name;
    }

    /** The resource name of a version given by its number; null for what the server must resolve. */
    static String versionName(String reference) {
        Matcher parts = VERSION.matcher(reference);
        if (parts.matches()) {
            return "namespaces/" + parts.group(1) + "/models/" + parts.group(2) + "/versions/" + parts.group(3);
        }
        return FULL_VERSION.matcher(reference).matches() ? reference : null;
    }

    private static InvalidInput invalid(String text, String what, String example) {
        return new InvalidInput(Failure.invalid("\"%s\" is not the name of %s. Write it like %s, where an id has a-z, 0-9 and - "
                + "and begins with a letter.", text, what, example));
    }
}
