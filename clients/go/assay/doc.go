// Package assay speaks to an Assay model registry: it pushes models, records what was measured,
// publishes, resolves, pulls and watches.
//
// A [Client] is one connection for a whole program; it may be used by many goroutines at once. It has
// a few verbs of its own and gives access to all of the API through generated stubs
// ([Client.Registry], [Client.Artifacts] and so on). Whichever way a call goes:
//
//   - A context without a deadline gets one: see [WithDeadlines].
//   - A call that may be repeated is repeated when the server is UNAVAILABLE, four times at most.
//     What may be repeated is read from the contract; a stream of bytes never is: [Client.Push]
//     asks where it stands and goes on from there.
//   - A change gets a request id, so that a repetition is the same change.
//   - An error is an [*Error] with a sentence for people and a catalogued reason for programs.
//
// Versions are named the short way, vision/digits/7, or as resource names,
// namespaces/vision/models/digits/versions/7. Where a version is only read, every reference will do:
// vision/digits@champion, @1.4.2, @^1.4, @latest, @greatest, @sha256:….
package assay
