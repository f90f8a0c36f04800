package publication

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"blog-deploy-pipeline/lambdas/internal/archive"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// look reads what a plan depends on.
func (p Publisher) look(ctx context.Context, req Request, state release.State) (situation, *archive.Archive, error) {
	s := situation{settings: p.Settings, state: state, now: time.Now()}
	var build *archive.Archive
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		s.manifest, err = p.Releases.Manifest(ctx, state.Current)
		return err
	})
	reads.Go(func() (err error) {
		s.objects, err = p.list(ctx)
		return err
	})
	reads.Go(func() (err error) {
		build, err = archive.Open(ctx, &archive.S3Object{Client: p.S3, Bucket: req.Bucket, Key: req.Key})
		if err != nil {
			err = fmt.Errorf("open the build s3://%s/%s: %w", req.Bucket, req.Key, err)
		}
		return err
	})
	if err := reads.Wait(); err != nil {
		return situation{}, nil, err
	}
	s.files = build.Files()
	return s, build, nil
}

// list returns the ETags of what is in the blog's folder, by key.
func (p Publisher) list(ctx context.Context) (map[string]string, error) {
	objects := map[string]string{}
	in := &s3.ListObjectsV2Input{
		Bucket: &p.Settings.Bucket,
		// Another tool's key may have characters that XML does not allow.
		EncodingType: types.EncodingTypeUrl,
	}
	if prefix := p.Settings.prefix(); prefix != "" {
		in.Prefix = &prefix
	}
	for {
		out, err := repeat(ctx, func() (*s3.ListObjectsV2Output, error) {
			out, err := p.S3.ListObjectsV2(ctx, in)
			if err == nil && out.KeyCount == nil {
				err = errors.New("the answer counts no keys, so it is not S3's")
			}
			return out, err
		})
		if err != nil {
			return nil, siteErrorf("list s3://%s/%s: %w", p.Settings.Bucket, p.Settings.prefix(), err)
		}
		for _, object := range out.Contents {
			key := aws.ToString(object.Key)
			if out.EncodingType == types.EncodingTypeUrl {
				if key, err = url.QueryUnescape(key); err != nil {
					return nil, siteErrorf("list s3://%s: %w", p.Settings.Bucket, err)
				}
			}
			objects[key] = aws.ToString(object.ETag)
		}
		if !aws.ToBool(out.IsTruncated) {
			return objects, nil
		}
		if aws.ToString(out.NextContinuationToken) == "" {
			return nil, siteErrorf("list s3://%s: S3 says that there is more, and not how to get it", p.Settings.Bucket)
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}

// hashes returns the SHA-256 of files, by name.
func hashes(ctx context.Context, build *archive.Archive, names []string) (map[string]string, error) {
	var mu sync.Mutex
	sums := map[string]string{}
	err := build.Read(ctx, names, nil, func(_ context.Context, file archive.File, content io.ReadSeeker) error {
		sum, err := hash(content)
		mu.Lock()
		defer mu.Unlock()
		sums[file.Name] = hex.EncodeToString(sum[:])
		return err
	})
	return sums, err
}

// hash returns the SHA-256 of a content.
func hash(content io.Reader) ([sha256.Size]byte, error) {
	h := sha256.New()
	_, err := io.Copy(h, content)
	return [sha256.Size]byte(h.Sum(nil)), err
}
