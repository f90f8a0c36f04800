// Package objecttest has an Amazon S3 in memory for tests, in the process and without a
// network. It is as strict as S3 about what packages release, archive and publication ask
// for. Package rehearse/s3 has an S3 for compiled functions.
package objecttest

import (
	"crypto/md5" //nolint:gosec // S3's ETags
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// S3 has buckets with objects, for any number of clients. As in S3, a read sees every
// write before it.
type S3 struct {
	// OwnETags is true if an ETag is no hash of the content, as in a bucket that KMS
	// encrypts.
	OwnETags bool
	// Page is the most keys that one answer lists; 0 for S3's 1,000.
	Page int

	mu      sync.Mutex
	buckets map[string]map[string]Object
	puts    int
}

// Object is an object of a bucket.
type Object struct {
	Content  []byte
	ETag     string // with its quotes
	Modified time.Time
	// SHA256 is the checksum with which the object was put, "" for none.
	SHA256 string
	ContentType, CacheControl, ContentLanguage, ContentDisposition,
	ContentEncoding string
	Metadata map[string]string
}

// New returns an S3 with empty buckets.
func New(buckets ...string) *S3 {
	s := &S3{buckets: map[string]map[string]Object{}}
	for _, name := range buckets {
		s.buckets[name] = map[string]Object{}
	}
	return s
}

// Objects returns the objects of a bucket by their keys.
func (s *S3) Objects(bucket string) map[string]Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.buckets[bucket])
}

// Keys returns the keys of a bucket, sorted.
func (s *S3) Keys(bucket string) []string { return slices.Sorted(maps.Keys(s.Objects(bucket))) }

// Object returns an object.
func (s *S3) Object(bucket, key string) (Object, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	object, ok := s.buckets[bucket][key]
	return object, ok
}

// Set puts an object as another tool does.
func (s *S3) Set(bucket, key string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(bucket, key, Object{Content: content, ContentType: "application/octet-stream"})
}

// Delete removes an object as another tool does.
func (s *S3) Delete(bucket, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.buckets[bucket], key)
}

// put stores an object and returns its ETag. The caller has s.mu.
func (s *S3) put(bucket, key string, object Object) string {
	s.puts++
	sum := md5.Sum(object.Content) //nolint:gosec // S3's ETags
	if s.OwnETags {
		sum = md5.Sum(fmt.Appendf(sum[:], " %d", s.puts)) //nolint:gosec // no secret
	}
	object.ETag = `"` + hex.EncodeToString(sum[:]) + `"`
	object.Modified = time.Now()
	object.Metadata = maps.Clone(object.Metadata)
	s.buckets[bucket][key] = object
	return object.ETag
}

// after returns up to n keys of a bucket that begin with prefix and come after a key, and
// whether there are more.
func (s *S3) after(bucket, prefix, key string, n int) (keys []string, more bool) {
	for k := range s.buckets[bucket] {
		if k > key && strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys[:min(n, len(keys))], len(keys) > n
}
