package assay

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

const (
	manifestForm     = "assay.manifest.v1"
	digestPrefix     = "sha256:"
	mediaTypeDefault = "application/octet-stream"
)

// ManifestDigest computes the digest that names the content of a version: SHA-256 of the canonical JSON
// (RFC 8785) of its files, sorted by path. A pull compares it with what the server says, so that the
// list of files is verified and not only each file.
func ManifestDigest(files []*assayv1.File) string {
	// Members stand in the order of their names, as RFC 8785 wants them.
	type entry struct {
		MediaType string `json:"media_type"`
		Path      string `json:"path"`
		Role      string `json:"role"`
		SHA256    string `json:"sha256"`
		SizeBytes int64  `json:"size_bytes"`
	}
	entries := make([]entry, 0, len(files))
	for _, file := range files {
		mediaType := file.GetMediaType()
		if mediaType == "" {
			mediaType = mediaTypeDefault
		}
		entries = append(entries, entry{
			mediaType, file.GetPath(), file.GetRole(), strings.TrimPrefix(file.GetDigest(), digestPrefix), file.GetSizeBytes(),
		})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.Path, b.Path) })
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(map[string]any{"files": entries, "form": manifestForm}); err != nil {
		panic(err) // Only strings and numbers are in it.
	}
	sum := sha256.Sum256(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
	return digestPrefix + hex.EncodeToString(sum[:])
}
