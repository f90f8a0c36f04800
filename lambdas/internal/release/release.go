// Package release remembers what a blog's pipeline has published. A bucket of the blog's
// stack has the state, a manifest of each release, and a copy of each build.
package release
