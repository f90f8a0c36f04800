package publication

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/lambdas/internal/s3client"
)

const (
	// listed is how many keys of a manifest one request is for. S3 lists up to 1,000 keys,
	// so that there may be some others between them.
	listed = 900
	// lists is how many requests for keys are made at the same time.
	lists = 8
)

// listing lists what is in the blog's folder.
type listing struct {
	S3
	settings Settings

	mu sync.Mutex
	// objects are the ETags by key, and modified is when each object was put.
	objects  map[string]string
	modified map[string]time.Time
}

// first lists the first keys. It returns the last one of them if there may be more.
func (l *listing) first(ctx context.Context) (last string, err error) {
	last, token, err := l.page(ctx, &s3.ListObjectsV2Input{}, "")
	if token == nil {
		return "", err
	}
	return last, err
}

// rest lists the keys after one. S3 lists them one page after the other, which takes long
// for a large blog. So it is asked at the same time for what comes after several keys that
// a manifest knows.
func (l *listing) rest(ctx context.Context, after string, manifest *release.Manifest) error {
	starts := []string{after}
	if manifest != nil {
		keys := slices.Sorted(maps.Keys(manifest.Files))
		at, known := slices.BinarySearch(keys, after)
		if known {
			at++
		}
		for at += listed; at < len(keys); at += listed {
			starts = append(starts, keys[at-1])
		}
	}
	pages, ctx := errgroup.WithContext(ctx)
	pages.SetLimit(lists)
	for i, start := range starts {
		end := "" // none
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		pages.Go(func() error {
			in := &s3.ListObjectsV2Input{StartAfter: &start}
			for {
				_, token, err := l.page(ctx, in, end)
				if err != nil || token == nil {
					return err
				}
				in.ContinuationToken = token
			}
		})
	}
	return pages.Wait()
}

// page lists up to 1,000 keys. It returns the last one, and the token for more unless that
// key is after end.
func (l *listing) page(ctx context.Context, in *s3.ListObjectsV2Input, end string) (last string, token *string, err error) {
	prefix := l.settings.prefix()
	in.Bucket = &l.settings.Bucket
	if prefix != "" {
		in.Prefix = &prefix
	}
	out, err := s3client.Page(ctx, l, in)
	if err != nil {
		return "", nil, siteErrorf("list s3://%s/%s: %w", l.settings.Bucket, prefix, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, object := range out.Contents {
		last = aws.ToString(object.Key)
		l.objects[last], l.modified[last] = aws.ToString(object.ETag), aws.ToTime(object.LastModified)
	}
	if end == "" || last < end {
		token = out.NextContinuationToken
	}
	return last, token, nil
}
