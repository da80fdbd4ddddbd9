package assay

import (
	"fmt"
	"regexp"
	"strings"
)

const (
	pathBytesMax = 1024
	pathDepthMax = 16
)

// The grammar of paths is that of File.path in the contract; devices are names that Windows opens as
// such in every folder and with every extension.
var (
	pathComponent = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	windowsDevice = regexp.MustCompile(`(?i)^(con|prn|aux|nul|(com|lpt)[0-9])$`)
)

// pathProblem says why a path may not stand in a manifest; empty when it may. It is asked before a push,
// and of every path that a server names before a pull writes there.
func pathProblem(path string) string {
	if path == "" || len(path) > pathBytesMax {
		return fmt.Sprintf("a path has 1 to %d bytes", pathBytesMax)
	}
	components := strings.Split(path, "/")
	if len(components) > pathDepthMax {
		return fmt.Sprintf("a path has at most %d components", pathDepthMax)
	}
	for _, component := range components {
		if !pathComponent.MatchString(component) {
			return fmt.Sprintf("in %q a component has other characters than letters, digits, points, _ and -, or does "+
				"not begin with a letter, digit or _", path)
		}
		if strings.HasSuffix(component, ".") {
			return fmt.Sprintf("in %q a component ends in a point, which Windows drops", path)
		}
		if stem, _, _ := strings.Cut(component, "."); windowsDevice.MatchString(stem) {
			return fmt.Sprintf("in %q, %s is a device on Windows", path, component)
		}
	}
	return ""
}

// distinctProblem says which paths cannot exist beside each other on every machine; empty when all can.
func distinctProblem(paths []string) string {
	seen := make(map[string]string, len(paths))
	for _, path := range paths {
		folded := strings.ToLower(path)
		if other, taken := seen[folded]; taken {
			return fmt.Sprintf("%q and %q are the same where upper and lower case are not told apart", other, path)
		}
		seen[folded] = path
	}
	for folded, path := range seen {
		for at := strings.LastIndexByte(folded, '/'); at >= 0; at = strings.LastIndexByte(folded[:at], '/') {
			if other, taken := seen[folded[:at]]; taken {
				return fmt.Sprintf("%q is both a file and the folder of %q", other, path)
			}
		}
	}
	return ""
}
