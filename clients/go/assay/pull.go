package assay

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// rangesAtOnce is how many ranges arrive at the same time unless the caller says otherwise.
const rangesAtOnce = 4

// PullOptions say how to pull.
type PullOptions struct {
	// RangesAtOnce is how many streams bring bytes at the same time; 4 when 0.
	RangesAtOnce int
	// Progress, if set, is told how far the pull is, often, by one goroutine at a time.
	Progress func(Progress)
}

// Pulled is what a pull brought.
type Pulled struct {
	// Version is what the reference stood for.
	Version *assayv1.ModelVersion
	// Dir is where its files are.
	Dir string
	// Existed is true where exactly these files were there already; each was read and compared.
	Existed bool
	// Warnings are what a caller should know, such as that the version is deprecated.
	Warnings []string
}

// Pull brings the files of a version into the directory dir, which must not exist, be empty, or hold
// exactly that version; anything else is refused with [ErrTargetExists].
//
// Every file is verified against its SHA-256 and the list of files against the manifest digest, and only
// then does the directory get its name: there is never half a version under it. Files arrive in parallel
// ranges beside it, in a hidden directory .{name}.{digest}.part, where a pull that was interrupted, even
// by the end of the program, goes on when it is called again.
func (c *Client) Pull(ctx context.Context, reference, dir string, options PullOptions) (*Pulled, error) {
	resolved, err := c.Resolve(ctx, reference)
	if err != nil {
		return nil, err
	}
	version := resolved.GetVersion()
	if len(version.GetFiles()) == 0 {
		answer, err := c.Registry().GetVersion(ctx, &assayv1.GetVersionRequest{Name: version.GetName()})
		if err != nil {
			return nil, err
		}
		version = answer.GetVersion()
	}
	if err := checkManifest(version, reference); err != nil {
		return nil, err
	}
	target, err := filepath.Abs(dir)
	if err != nil {
		return nil, localFailure("find", dir, err)
	}
	pull := newPull(c, version, target, options)
	existed, err := pull.run(ctx)
	if err != nil {
		return nil, c.failureIn(ctx, method{isRead: true}, err)
	}
	return &Pulled{version, target, existed, resolved.GetWarnings()}, nil
}

// checkManifest trusts the server neither with paths nor with digests: both are checked before a byte.
func checkManifest(version *assayv1.ModelVersion, reference string) error {
	paths := make([]string, 0, len(version.GetFiles()))
	for _, file := range version.GetFiles() {
		paths = append(paths, file.GetPath())
		if problem := pathProblem(file.GetPath()); problem != "" {
			return mismatch("The server lists a path for %s that cannot be: %s.", version.GetName(), problem)
		}
	}
	if problem := distinctProblem(paths); problem != "" {
		return mismatch("The server lists paths for %s that collide: %s.", version.GetName(), problem)
	}
	actual := ManifestDigest(version.GetFiles())
	if actual != version.GetManifestDigest() {
		return mismatch("The list of files of %s has the digest %s, but the server claims %s. Do not use this version.",
			version.GetName(), actual, version.GetManifestDigest())
	}
	if _, wanted, found := strings.Cut(reference, "@"+digestPrefix); found && digestPrefix+wanted != actual {
		return mismatch("The server answered %s with %s, whose digest is %s.", reference, version.GetName(), actual)
	}
	return nil
}

// ReadRange gives length bytes of a file of a version from offset on, or all to the end when length is 0.
// Every message is verified against its checksum, and the server verifies each range before it sends it. After a
// break it goes on from what has arrived, until nothing moved for as long as the client's patience.
func (c *Client) ReadRange(ctx context.Context, reference, path string, offset, length int64) ([]byte, error) {
	name, err := c.VersionName(ctx, reference)
	if err != nil {
		return nil, err
	}
	var content []byte
	patience := newPatience(c.patience)
	for {
		before := int64(len(content))
		stream := &incoming{c.Artifacts(), &assayv1.ReadArtifactRequest{
			Name: name, Path: path, Offset: offset + before, Length: max(length-before, 0),
		}}
		err := stream.receive(ctx, func(data []byte) error {
			content = append(content, data...)
			return nil
		})
		got := int64(len(content))
		// Of a file whose size is not known the last byte may have come just before the break.
		wasAtEnd := length == 0 && before > 0 && HasReason(err, assayv1.ErrorReason_ERROR_REASON_RANGE_PAST_END)
		switch {
		case length > 0 && got > length, err == nil && got < length:
			return nil, mismatch("The server sent %d of the %d bytes asked of %s.", got, length, path)
		case err == nil, wasAtEnd, length > 0 && got == length:
			return content, nil
		case ctx.Err() != nil, !isWorthContinuing(err) && !errors.Is(err, errDamaged), c.wasNeverThere(err):
			return nil, err
		}
		if got > before {
			patience.renew()
		}
		if !patience.pause(ctx, retryAfter(err)) {
			return nil, err
		}
	}
}

// wasNeverThere tells a wrong address, which waiting does not mend, from a break.
func (c *Client) wasNeverThere(err error) bool {
	return errors.Is(err, ErrUnreachable) && !c.hasAnswered.Load()
}

func describeVersion(version *assayv1.ModelVersion) string {
	return fmt.Sprintf("%s (%s)", ShortName(version.GetName()), version.GetManifestDigest())
}
