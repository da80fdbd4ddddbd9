package assay

import (
	"context"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// pageSizeDefault means few round trips, and stays far from the 4 MiB that a message may have.
const pageSizeDefault = 200

// listRequest is what every List request has.
type listRequest interface {
	proto.Message
	GetPageSize() int32
}

// listAnswer is what every List answer has.
type listAnswer interface {
	GetNextPageToken() string
}

// pages gives every item of a list, page after page, each fetched when the one before is used up. The
// last pair holds the error, if there was one.
func pages[Request listRequest, Answer listAnswer, Item any](
	ctx context.Context, request Request, list func(context.Context, Request, ...grpc.CallOption) (Answer, error),
	items func(Answer) []Item,
) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		asked := request.ProtoReflect().New().Interface().(Request) // A clone of nil could not be filled.
		proto.Merge(asked, request)
		fields := asked.ProtoReflect().Descriptor().Fields()
		if asked.GetPageSize() == 0 {
			asked.ProtoReflect().Set(fields.ByName("page_size"), protoreflect.ValueOf(int32(pageSizeDefault)))
		}
		for {
			answer, err := list(ctx, asked)
			if err != nil {
				var none Item
				yield(none, err)
				return
			}
			for _, item := range items(answer) {
				if !yield(item, nil) {
					return
				}
			}
			if answer.GetNextPageToken() == "" {
				return
			}
			asked.ProtoReflect().Set(fields.ByName("page_token"), protoreflect.ValueOf(answer.GetNextPageToken()))
		}
	}
}

// ListNamespaces gives the namespaces that you may read, by name. Like all lists it fetches page after
// page as it is read, ends with an error where there is one, and starts anew when it is ranged over again.
func (c *Client) ListNamespaces(ctx context.Context, request *assayv1.ListNamespacesRequest) iter.Seq2[*assayv1.Namespace, error] {
	return pages(ctx, request, c.Access().ListNamespaces, (*assayv1.ListNamespacesResponse).GetNamespaces)
}

// ListModels gives the models of a namespace by name.
func (c *Client) ListModels(ctx context.Context, request *assayv1.ListModelsRequest) iter.Seq2[*assayv1.Model, error] {
	return pages(ctx, request, c.Registry().ListModels, (*assayv1.ListModelsResponse).GetModels)
}

// ListDrafts gives the open drafts of a model that you may see, newest first.
func (c *Client) ListDrafts(ctx context.Context, request *assayv1.ListDraftsRequest) iter.Seq2[*assayv1.Draft, error] {
	return pages(ctx, request, c.Registry().ListDrafts, (*assayv1.ListDraftsResponse).GetDrafts)
}

// ListVersions gives the versions of a model, newest first, without files and cards.
func (c *Client) ListVersions(ctx context.Context, request *assayv1.ListVersionsRequest) iter.Seq2[*assayv1.ModelVersion, error] {
	return pages(ctx, request, c.Registry().ListVersions, (*assayv1.ListVersionsResponse).GetVersions)
}

// ListAliases gives the aliases of a model by name.
func (c *Client) ListAliases(ctx context.Context, request *assayv1.ListAliasesRequest) iter.Seq2[*assayv1.Alias, error] {
	return pages(ctx, request, c.Registry().ListAliases, (*assayv1.ListAliasesResponse).GetAliases)
}

// ListAliasMoves gives the history of an alias, newest first, also after it was deleted.
func (c *Client) ListAliasMoves(ctx context.Context, request *assayv1.ListAliasMovesRequest) iter.Seq2[*assayv1.AliasMove, error] {
	return pages(ctx, request, c.Registry().ListAliasMoves, (*assayv1.ListAliasMovesResponse).GetMoves)
}

// ListEvaluations gives the evaluations of a version, newest first.
func (c *Client) ListEvaluations(ctx context.Context, request *assayv1.ListEvaluationsRequest) iter.Seq2[*assayv1.Evaluation, error] {
	return pages(ctx, request, c.Evaluations().ListEvaluations, (*assayv1.ListEvaluationsResponse).GetEvaluations)
}

// ListGates gives the gates of a namespace or of a model, for a model together with those of its namespace.
func (c *Client) ListGates(ctx context.Context, request *assayv1.ListGatesRequest) iter.Seq2[*assayv1.Gate, error] {
	return pages(ctx, request, c.Evaluations().ListGates, (*assayv1.ListGatesResponse).GetGates)
}

// ListRoleBindings gives the bindings of exactly one scope.
func (c *Client) ListRoleBindings(ctx context.Context, request *assayv1.ListRoleBindingsRequest) iter.Seq2[*assayv1.RoleBinding, error] {
	return pages(ctx, request, c.Access().ListRoleBindings, (*assayv1.ListRoleBindingsResponse).GetRoleBindings)
}

// ListAuditEntries gives the audit trail, newest first.
func (c *Client) ListAuditEntries(ctx context.Context, request *assayv1.ListEntriesRequest) iter.Seq2[*assayv1.AuditEntry, error] {
	return pages(ctx, request, c.Audit().ListEntries, (*assayv1.ListEntriesResponse).GetEntries)
}
