package assay

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"google.golang.org/grpc/codes"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// Ids and numbers have the grammar of the server, so that a wrong name is told before a call.
var (
	shortModel   = regexp.MustCompile(`^([a-z][a-z0-9-]{0,62})/([a-z][a-z0-9-]{0,62})$`)
	shortVersion = regexp.MustCompile(`^([a-z][a-z0-9-]{0,62})/([a-z][a-z0-9-]{0,62})/([1-9][0-9]{0,8})$`)
	shortAlias   = regexp.MustCompile(`^([a-z][a-z0-9-]{0,62})/([a-z][a-z0-9-]{0,62})@([a-z][a-z0-9-]{0,62})$`)
	longVersion  = regexp.MustCompile(`^namespaces/[^/]+/models/[^/]+/versions/[^/]+$`)
)

// ModelName gives the resource name of a model: "vision/digits" becomes
// "namespaces/vision/models/digits", and a resource name stays as it is.
func ModelName(model string) (string, error) {
	if parts := shortModel.FindStringSubmatch(model); parts != nil {
		return fmt.Sprintf("namespaces/%s/models/%s", parts[1], parts[2]), nil
	}
	if parts := strings.Split(model, "/"); len(parts) == 4 && parts[0] == "namespaces" && parts[2] == "models" {
		return model, nil
	}
	return "", invalidName(model, "a model", "vision/digits")
}

// AliasName gives the resource name of an alias: "vision/digits@champion" becomes
// "namespaces/vision/models/digits/aliases/champion", and a resource name stays as it is.
func AliasName(alias string) (string, error) {
	if parts := shortAlias.FindStringSubmatch(alias); parts != nil {
		return fmt.Sprintf("namespaces/%s/models/%s/aliases/%s", parts[1], parts[2], parts[3]), nil
	}
	if parts := strings.Split(alias, "/"); len(parts) == 6 && parts[0] == "namespaces" && parts[4] == "aliases" {
		return alias, nil
	}
	return "", invalidName(alias, "an alias", "vision/digits@champion")
}

// splitModel gives the name of the namespace and the id of a model.
func splitModel(name string) (namespace, id string, err error) {
	namespace, id, found := strings.Cut(name, "/models/")
	if !found {
		return "", "", invalidName(name, "a model", "vision/digits")
	}
	return namespace, id, nil
}

// VersionName gives the resource name of a version. A number is translated here; any other reference,
// such as "vision/digits@champion", is resolved by the server.
func (c *Client) VersionName(ctx context.Context, reference string) (string, error) {
	if parts := shortVersion.FindStringSubmatch(reference); parts != nil {
		return fmt.Sprintf("namespaces/%s/models/%s/versions/%s", parts[1], parts[2], parts[3]), nil
	}
	if longVersion.MatchString(reference) {
		return reference, nil
	}
	answer, err := c.Resolve(ctx, reference)
	if err != nil {
		return "", err
	}
	return answer.GetVersion().GetName(), nil
}

// ShortName gives the resource name of a namespace, model, version or alias as people write it:
// "vision/digits/7". Other names, such as those of drafts and evaluations, stay as they are.
func ShortName(name string) string {
	parts := strings.Split(name, "/")
	switch {
	case len(parts) == 2 && parts[0] == "namespaces":
		return parts[1]
	case len(parts) == 4 && parts[2] == "models":
		return parts[1] + "/" + parts[3]
	case len(parts) == 6 && parts[4] == "versions":
		return parts[1] + "/" + parts[3] + "/" + parts[5]
	case len(parts) == 6 && parts[4] == "aliases":
		return parts[1] + "/" + parts[3] + "@" + parts[5]
	}
	return name
}

func invalidName(text, what, example string) *Error {
	return &Error{
		Message: fmt.Sprintf("%q is not the name of %s. Write it like %s, where an id has a-z, 0-9 and - and begins "+
			"with a letter.", text, what, example),
		Code:  codes.InvalidArgument,
		kinds: []error{ErrInvalidInput},
	}
}

// Resolve finds the version that a reference stands for, such as "vision/digits@champion". The answer
// also holds warnings, for example that the version is deprecated.
func (c *Client) Resolve(ctx context.Context, reference string) (*assayv1.ResolveVersionResponse, error) {
	return c.Registry().ResolveVersion(ctx, &assayv1.ResolveVersionRequest{Reference: reference})
}
