package publication

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"blog-deploy-pipeline/lambdas/internal/archive"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// look reads what a plan depends on.
func (p Publisher) look(ctx context.Context, req Request, state release.State) (situation, *archive.Archive, error) {
	s := situation{settings: p.Settings, state: state, now: time.Now()}
	l := &listing{S3: p.S3, settings: p.Settings, objects: map[string]string{}, modified: map[string]time.Time{}}
	var build *archive.Archive
	var last string
	reads, readsCtx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		s.manifest, err = p.Releases.Manifest(readsCtx, state.Current)
		return err
	})
	reads.Go(func() (err error) {
		last, err = l.first(readsCtx)
		return err
	})
	reads.Go(func() (err error) {
		build, err = archive.Open(readsCtx, &archive.S3Object{Client: p.S3, Bucket: req.Bucket, Key: req.Key})
		if req.Restores != "" && errors.As(err, new(*types.NoSuchKey)) {
			return notKept(req)
		}
		if bad := (*archive.Invalid)(nil); errors.As(err, &bad) {
			return &failure.Failure{Kind: failure.Configuration, Message: "nothing was published: " + bad.Error(), Err: err}
		}
		if err != nil {
			err = fmt.Errorf("open the build s3://%s/%s: %w", req.Bucket, req.Key, err)
		}
		return err
	})
	err := reads.Wait()
	if err == nil && last != "" {
		err = l.rest(ctx, last, s.manifest)
	}
	if err != nil {
		return situation{}, nil, err
	}
	s.objects, s.modified, s.files = l.objects, l.modified, build.Files()
	return s, build, nil
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
