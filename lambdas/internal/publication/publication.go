// Package publication publishes a build to a blog's bucket: only what has changed, in an
// order in which no page misses a file, and so that a publication that breaks off anywhere
// is completed by the next one.
package publication

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"blog-deploy-pipeline/lambdas/internal/release"
)

// S3 has the methods of the S3 client that this package calls.
type S3 interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	DeleteObjects(context.Context, *s3.DeleteObjectsInput, ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
}

// Releases remembers what was published. A [release.Store] does.
type Releases interface {
	Load(ctx context.Context) (release.State, error)
	Head(ctx context.Context, id string) (*release.Listed, error)
	Update(ctx context.Context, change func(*release.State) error) (release.State, error)
	UpdateFrom(ctx context.Context, before release.State, change func(*release.State) error) (release.State, error)
	Manifest(ctx context.Context, id string) (*release.Manifest, error)
	PutManifest(ctx context.Context, manifest *release.Manifest) error
	KeepBuild(ctx context.Context, id, fromBucket, fromKey string) error
	Build(id string) (bucket, key string)
}

// Publisher publishes the builds of one blog.
type Publisher struct {
	S3       S3
	Releases Releases
	Settings Settings
	// Again says what to do after a failure, such as "retry this stage".
	Again string
}

// Request is a build that is to be published.
type Request struct {
	// Job identifies the publication: it is the id of the first job of its action. The
	// same job may be requested again at any time, also while it is at work.
	Job string
	// Execution is the id of the pipeline's execution, and Revision that of the commit.
	Execution, Revision string
	// Bucket and Key name the build's archive.
	Bucket, Key string
	// Restores is the id of a release that is published again. Then the build is the
	// release's, the Revision, too, and By is who asks for it.
	Restores, By string
	// Current is the release that the bucket must still have when the job begins; "" for any.
	Current string
	// AllowDeletions is true if any number of files may be removed.
	AllowDeletions bool
}

// Result is how far a publication is. Its counts are those of the whole job.
type Result struct {
	// Busy is until when another publication has the lease. It is zero if this one had
	// it; otherwise nothing was done.
	Busy time.Time
	// Again is true if the time of this call was not enough. The next one goes on.
	Again bool

	// Release is the id of the release that the bucket has. IsNew is true if this
	// publication has made it.
	Release                 string
	IsNew                   bool
	Put, Unchanged, Removed int
	// Retired counts all files that stay for a while, also those that left the blog before.
	Retired int
	// Bytes is the size of the files that were put.
	Bytes int64
	// Reasons counts the files that were put by why they were.
	Reasons map[Reason]int
	// Foreign has the keys in the bucket that are not the blog's. They stay.
	Foreign []string
	// Restores is the id of the release whose build Release has published again; "" for a
	// build of the pipeline.
	Restores string
	// Notes are sentences for the owner.
	Notes []string
}

// Reason is why a file is put.
type Reason string

// The reasons.
const (
	New        Reason = "new"
	Content    Reason = "content"
	Headers    Reason = "headers"
	Missing    Reason = "missing in the bucket"
	Edited     Reason = "edited in the bucket"
	Unfinished Reason = "unfinished run"
)
