package assay

import (
	"crypto/rand"
	"crypto/sha1"
	"fmt"
)

// newID makes a random UUID (RFC 9562 §5.4).
func newID() string {
	var id [16]byte
	rand.Read(id[:]) // Never fails, by its documentation.
	return formatUUID(id, 4)
}

// namespaceURL is the namespace of names that are addresses (RFC 9562 §6.6).
var namespaceURL = [16]byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}

// derivedID makes a UUID from a name (RFC 9562 §5.5), so that another process, or the same one after a
// restart, comes to the same. SHA-1 is what that format demands; nothing is protected by it.
func derivedID(name string) string {
	sum := sha1.Sum(append(namespaceURL[:], name...))
	return formatUUID([16]byte(sum[:16]), 5)
}

func formatUUID(id [16]byte, version byte) string {
	id[6] = id[6]&0x0f | version<<4
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
