package assay_test

import (
	"strings"
	"testing"

	"github.com/assay-registry/assay/clients/go/assay"
	assayv1 "github.com/assay-registry/assay/clients/go/assay/v1"
)

// The vectors are those of the server's own tests, which were written by hand from the description.
func TestTheDigestOfAManifestIsTheOneInItsDescription(t *testing.T) {
	hello := &assayv1.File{
		Path: "a.txt", SizeBytes: 6, MediaType: "text/plain",
		Digest: "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
	}

	digest := assay.ManifestDigest([]*assayv1.File{hello})

	if want := "sha256:4bc3165fa1188a6769695faa74686eac1c9c72e9c687b6b81788e89f31efef85"; digest != want {
		t.Errorf("got %s, want %s", digest, want)
	}
}

func TestTheOrderOfFilesDoesNotMatterButEverythingElseDoes(t *testing.T) {
	a := &assayv1.File{Path: "a&b", SizeBytes: 1, Digest: "sha256:01", MediaType: "application/vnd.x&y", Role: "weights"}
	b := &assayv1.File{Path: "b", SizeBytes: 2, Digest: "sha256:02"}
	digest := assay.ManifestDigest([]*assayv1.File{a, b})

	if assay.ManifestDigest([]*assayv1.File{b, a}) != digest {
		t.Error("the order matters")
	}
	for name, change := range map[string]func(){
		"path": func() { b.Path = "c" }, "size": func() { b.SizeBytes++ }, "digest": func() { b.Digest = "sha256:03" },
		"media type": func() { b.MediaType = "text/plain" }, "role": func() { b.Role = "config" },
	} {
		before := assay.ManifestDigest([]*assayv1.File{a, b})
		change()
		if assay.ManifestDigest([]*assayv1.File{a, b}) == before {
			t.Errorf("the %s does not matter", name)
		}
	}
}

func TestPathsThatOneMachineCouldMisreadAreRefused(t *testing.T) {
	for _, path := range []string{
		"", "/a", "a/", "a//b", "..", "a/../b", ".a", "a.", "a b", "a\\b", "C:", "con", "Aux.txt", "x/LPT1.bin", "ä", "a\x00",
		"-a", strings.Repeat("a", 129), strings.Repeat("a/", 16) + "a",
	} {
		if assay.PathProblemForTest(path) == "" {
			t.Errorf("%q is allowed", path)
		}
	}
	for _, path := range []string{"a", "a/b-c_d.e", "0", "_x", "console.txt", strings.Repeat("a/", 15) + "a"} {
		if problem := assay.PathProblemForTest(path); problem != "" {
			t.Errorf("%q: %s", path, problem)
		}
	}
}

func TestNamesAreTranslatedBothWays(t *testing.T) {
	for short, long := range map[string]string{
		"vision/digits":          "namespaces/vision/models/digits",
		"vision/digits@champion": "namespaces/vision/models/digits/aliases/champion",
	} {
		got, err := assay.ModelName(short)
		if strings.Contains(short, "@") {
			got, err = assay.AliasName(short)
		}
		if err != nil || got != long || assay.ShortName(long) != short {
			t.Errorf("%s became %s, %v, and %s", short, got, err, assay.ShortName(long))
		}
	}
	if assay.ShortName("namespaces/vision/models/digits/versions/7") != "vision/digits/7" {
		t.Error("a version has another short name")
	}
	if assay.ShortName("namespaces/vision") != "vision" {
		t.Error("a namespace has another short name")
	}
	evaluation := "namespaces/vision/models/digits/versions/7/evaluations/0192"
	if assay.ShortName(evaluation) != evaluation {
		t.Errorf("an evaluation is %s", assay.ShortName(evaluation))
	}
}
