package dev.assay.client;

import dev.assay.v1.AccessServiceGrpc;
import dev.assay.v1.Alias;
import dev.assay.v1.AliasMove;
import dev.assay.v1.AuditEntry;
import dev.assay.v1.AuditServiceGrpc;
import dev.assay.v1.Draft;
import dev.assay.v1.Evaluation;
import dev.assay.v1.EvaluationServiceGrpc;
import dev.assay.v1.Gate;
import dev.assay.v1.ListAliasMovesRequest;
import dev.assay.v1.ListAliasMovesResponse;
import dev.assay.v1.ListAliasesRequest;
import dev.assay.v1.ListAliasesResponse;
import dev.assay.v1.ListDraftsRequest;
import dev.assay.v1.ListDraftsResponse;
import dev.assay.v1.ListEntriesRequest;
import dev.assay.v1.ListEntriesResponse;
import dev.assay.v1.ListEvaluationsRequest;
import dev.assay.v1.ListEvaluationsResponse;
import dev.assay.v1.ListGatesRequest;
import dev.assay.v1.ListGatesResponse;
import dev.assay.v1.ListModelsRequest;
import dev.assay.v1.ListModelsResponse;
import dev.assay.v1.ListNamespacesRequest;
import dev.assay.v1.ListNamespacesResponse;
import dev.assay.v1.ListRoleBindingsRequest;
import dev.assay.v1.ListRoleBindingsResponse;
import dev.assay.v1.ListVersionsRequest;
import dev.assay.v1.ListVersionsResponse;
import dev.assay.v1.Model;
import dev.assay.v1.ModelVersion;
import dev.assay.v1.Namespace;
import dev.assay.v1.RegistryServiceGrpc;
import dev.assay.v1.RoleBinding;

/** The verbs that list. None of them calls the server before the list is read. */
abstract class ListVerbs {
    final Connection connection;

    ListVerbs(Connection connection) {
        this.connection = connection;
    }

    /** The resource name of a version; what is not a number is resolved by the server. */
    abstract String versionName(String reference);

    /**
     * Lists the namespaces that you may read, by name.
     *
     * @return the namespaces
     */
    public Listing<Namespace> listNamespaces() {
        return Listing.of(
                connection,
                AccessServiceGrpc.getListNamespacesMethod(),
                ListNamespacesRequest.getDefaultInstance(),
                ListNamespacesResponse::getNamespacesList);
    }

    /**
     * Lists the models of a namespace by name.
     *
     * @param namespace such as {@code vision}, or {@code namespaces/-} for all that you may read
     * @return the models
     */
    public Listing<Model> listModels(String namespace) {
        return listModels(ListModelsRequest.newBuilder()
                .setParent(Names.namespaceName(namespace))
                .build());
    }

    /**
     * Lists models as a request says.
     *
     * @param request for example with {@code show_deleted}, or with {@code as_of}, the revision at which it is to be true
     * @return the models
     */
    public Listing<Model> listModels(ListModelsRequest request) {
        return Listing.of(
                connection, RegistryServiceGrpc.getListModelsMethod(), request, ListModelsResponse::getModelsList);
    }

    /**
     * Lists the open drafts of a model that you may see, newest first.
     *
     * @param model such as {@code vision/digits}
     * @return the drafts, without files and cards
     */
    public Listing<Draft> listDrafts(String model) {
        return Listing.of(
                connection,
                RegistryServiceGrpc.getListDraftsMethod(),
                ListDraftsRequest.newBuilder().setParent(Names.modelName(model)).build(),
                ListDraftsResponse::getDraftsList);
    }

    /**
     * Lists the versions of a model, newest first.
     *
     * @param model such as {@code vision/digits}
     * @return the versions, without files and cards
     */
    public Listing<ModelVersion> listVersions(String model) {
        return listVersions(
                ListVersionsRequest.newBuilder().setParent(Names.modelName(model)).build());
    }

    /**
     * Lists versions as a request says.
     *
     * @param request for example with {@code states}, or with {@code as_of}, the revision at which it is to be true
     * @return the versions, without files and cards
     */
    public Listing<ModelVersion> listVersions(ListVersionsRequest request) {
        return Listing.of(
                connection, RegistryServiceGrpc.getListVersionsMethod(), request, ListVersionsResponse::getVersionsList);
    }

    /**
     * Lists the aliases of a model by name.
     *
     * @param model such as {@code vision/digits}
     * @return the aliases
     */
    public Listing<Alias> listAliases(String model) {
        return listAliases(ListAliasesRequest.newBuilder()
                .setParent(Names.modelName(model))
                .build());
    }

    /**
     * Lists aliases as a request says.
     *
     * @param request for example with {@code as_of}, the revision at which it is to be true
     * @return the aliases
     */
    public Listing<Alias> listAliases(ListAliasesRequest request) {
        return Listing.of(
                connection, RegistryServiceGrpc.getListAliasesMethod(), request, ListAliasesResponse::getAliasesList);
    }

    /**
     * Lists the history of an alias, newest first, also after it was deleted.
     *
     * @param alias such as {@code vision/digits@champion}
     * @return its moves
     */
    public Listing<AliasMove> listAliasMoves(String alias) {
        return Listing.of(
                connection,
                RegistryServiceGrpc.getListAliasMovesMethod(),
                ListAliasMovesRequest.newBuilder()
                        .setParent(Names.aliasName(alias))
                        .build(),
                ListAliasMovesResponse::getMovesList);
    }

    /**
     * Lists the evaluations of a version, newest first.
     *
     * @param version such as {@code vision/digits/7}, or what resolves to a version
     * @return the evaluations
     */
    public Listing<Evaluation> listEvaluations(String version) {
        return listEvaluations(ListEvaluationsRequest.newBuilder()
                .setParent(versionName(Required.of(version, "version")))
                .build());
    }

    /**
     * Lists evaluations as a request says.
     *
     * @param request for example with {@code as_of}, the revision at which it is to be true
     * @return the evaluations
     */
    public Listing<Evaluation> listEvaluations(ListEvaluationsRequest request) {
        return Listing.of(
                connection, EvaluationServiceGrpc.getListEvaluationsMethod(), request, ListEvaluationsResponse::getEvaluationsList);
    }

    /**
     * Lists the gates of a namespace or of a model, for a model together with those of its namespace.
     *
     * @param scope such as {@code vision} or {@code vision/digits}
     * @return the gates
     */
    public Listing<Gate> listGates(String scope) {
        return listGates(ListGatesRequest.newBuilder()
                .setParent(Names.scopeName(scope))
                .build());
    }

    /**
     * Lists gates as a request says.
     *
     * @param request for example with {@code as_of}, the revision at which it is to be true
     * @return the gates
     */
    public Listing<Gate> listGates(ListGatesRequest request) {
        return Listing.of(
                connection, EvaluationServiceGrpc.getListGatesMethod(), request, ListGatesResponse::getGatesList);
    }

    /**
     * Lists the bindings of exactly one scope.
     *
     * @param scope such as {@code vision} or {@code vision/digits}; empty for everywhere
     * @return the bindings
     */
    public Listing<RoleBinding> listRoleBindings(String scope) {
        return listRoleBindings(ListRoleBindingsRequest.newBuilder()
                .setParent(Names.scopeName(scope))
                .build());
    }

    /**
     * Lists bindings as a request says.
     *
     * @param request for example with {@code as_of}, the revision at which it is to be true
     * @return the bindings
     */
    public Listing<RoleBinding> listRoleBindings(ListRoleBindingsRequest request) {
        return Listing.of(
                connection, AccessServiceGrpc.getListRoleBindingsMethod(), request, ListRoleBindingsResponse::getRoleBindingsList);
    }

    /**
     * Lists the audit trail as a request says, newest first.
     *
     * @param request whose calls, on what, with what outcome; empty for all that you may read
     * @return the entries
     */
    public Listing<AuditEntry> listAuditEntries(ListEntriesRequest request) {
        return Listing.of(
                connection, AuditServiceGrpc.getListEntriesMethod(), request, ListEntriesResponse::getEntriesList);
    }
}
