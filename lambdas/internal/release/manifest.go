package release

import "time"

// Manifest lists the files of one release. A manifest is never changed.
type Manifest struct {
	// ID is the release's id, such as "20261127-013000-1a2b3c4d": the time in UTC at
	// which it was begun, and a hash of its job. IDs sort by time.
	ID string `json:"id"`
	// Number is that of the publication (see State).
	Number int64 `json:"number"`
	// Time is when the release was committed.
	Time time.Time `json:"time"`
	// Execution is the id of the pipeline's execution, and Revision that of the commit;
	// each "" if unknown.
	Execution string `json:"execution,omitempty"`
	Revision  string `json:"revision,omitempty"`
	// Restores is the id of the release whose build was published again, and By who asked
	// for that; each "" for a build of the pipeline.
	Restores string `json:"restores,omitempty"`
	By       string `json:"by,omitempty"`
	// Job is the job that published it.
	Job string `json:"job,omitempty"`
	// Unfinished is true if the job ran out of time and goes on with another release: the
	// bucket has some files of the build before it.
	Unfinished bool `json:"unfinished,omitempty"`
	// Put, Removed and Bytes count what the job did, and Reasons the files that it put by
	// why it did. Retired counts the objects that stay for a while.
	Put     int            `json:"put"`
	Removed int            `json:"removed"`
	Retired int            `json:"retired,omitempty"`
	Bytes   int64          `json:"bytes"`
	Reasons map[string]int `json:"reasons,omitempty"`
	// Notes are sentences for the owner.
	Notes []string `json:"notes,omitempty"`
	// Site is the bucket with the files, and the folder in it, such as "my-bucket/blog/".
	// The manifest says nothing about another one.
	Site string `json:"site"`
	// Files has the blog's files by their keys in the site bucket. They come last, so that
	// the rest can be read without them.
	Files map[string]File `json:"files"`
}

// File is an object of the site bucket as a release has it.
type File struct {
	// Size, Packed and CRC32 are those of the file in the build's archive.
	Size   int64  `json:"size"`
	Packed int64  `json:"packed"`
	CRC32  uint32 `json:"crc32"`
	// SHA256 is that of the content, in hexadecimal.
	SHA256 string `json:"sha256"`
	// ETag is what S3 answered when the object was put, with its quotes.
	ETag    string  `json:"etag"`
	Headers Headers `json:"headers"`
	// Tag is the object's cache tag.
	Tag string `json:"tag,omitempty"`
	// Replaced is the cache tag of the object that this release has replaced. It is "" for
	// a file that the release has not put, and if edge locations may have another object.
	Replaced string `json:"replaced,omitempty"`
}

// Headers are the headers and the metadata with which an object is stored.
type Headers struct {
	ContentType        string            `json:"type,omitempty"`
	CacheControl       string            `json:"cacheControl,omitempty"`
	ContentLanguage    string            `json:"language,omitempty"`
	ContentDisposition string            `json:"disposition,omitempty"`
	Metadata           map[string]string `json:"metadata,omitempty"`
}
