package pipeline

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"blog-deploy-pipeline/rehearse/s3"
)

// metadata is what a kept object has besides its content: the comment of its file in the archive.
type metadata struct {
	ContentType  string `json:",omitempty"`
	CacheControl string `json:",omitempty"`
}

// buckets are those that the pipeline deploys to.
func (r *rehearsal) buckets() []string {
	var names []string
	seen := map[string]bool{}
	for _, stage := range r.plan.Stages {
		for _, a := range stage.Actions {
			if name := a.Configuration["BucketName"]; a.Provider == providerS3 && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

func (r *rehearsal) kept(bucket string) string { return filepath.Join(r.State, bucket+".zip") }

// load makes the buckets, with what the last rehearsal left in them.
func (r *rehearsal) load(ctx context.Context) error {
	for _, bucket := range r.buckets() {
		if err := r.s3.CreateBucket(ctx, bucket); err != nil {
			return err
		}
		if r.State == "" {
			continue
		}
		if err := r.loadBucket(ctx, bucket); err != nil {
			return fmt.Errorf("restore the bucket from %s (remove it to begin with an empty one): %w", r.kept(bucket), err)
		}
	}
	return nil
}

func (r *rehearsal) loadBucket(ctx context.Context, bucket string) error {
	archive, err := zip.OpenReader(r.kept(bucket))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }() // It was only read.
	puts, ctx := errgroup.WithContext(ctx)
	puts.SetLimit(8)
	for _, file := range archive.File {
		puts.Go(func() error {
			var kept metadata
			if err := json.Unmarshal([]byte(file.Comment), &kept); err != nil {
				return fmt.Errorf("%s: %w", file.Name, err)
			}
			content, err := file.Open()
			if err != nil {
				return fmt.Errorf("%s: %w", file.Name, err)
			}
			defer content.Close()
			return r.put(ctx, bucket, s3.Object{
				Key: file.Name, ContentType: kept.ContentType, CacheControl: kept.CacheControl,
				Size: int64(file.UncompressedSize64), //nolint:gosec // No object has 8 EiB.
			}, content)
		})
	}
	return puts.Wait()
}

// put uploads an object past the pipeline.
func (r *rehearsal) put(ctx context.Context, bucket string, object s3.Object, content io.Reader) error {
	input := &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(object.Key)}
	if object.ContentType != "" {
		input.ContentType = aws.String(object.ContentType)
	}
	if object.CacheControl != "" {
		input.CacheControl = aws.String(object.CacheControl)
	}
	if err := s3.Put(ctx, r.s3.Client(), input, content, object.Size); err != nil {
		return fmt.Errorf("put %s into %s: %w", object.Key, bucket, err)
	}
	return nil
}

// save keeps the buckets for the next rehearsal; what a stopped one has left of them is not kept.
func (r *rehearsal) save(ctx context.Context) error {
	if r.State == "" || ctx.Err() != nil {
		return nil //nolint:nilerr // It was stopped, which is told otherwise.
	}
	if err := os.MkdirAll(r.State, 0o750); err != nil {
		return fmt.Errorf("keep the bucket: %w", err)
	}
	for _, bucket := range r.buckets() {
		err := r.saveBucket(ctx, bucket)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // It was stopped, which is told otherwise.
		}
		if err != nil {
			return fmt.Errorf("keep the bucket %s: %w", bucket, err)
		}
	}
	return nil
}

func (r *rehearsal) saveBucket(ctx context.Context, bucket string) (err error) {
	objects, err := r.s3.Objects(ctx, bucket)
	if err != nil {
		return err
	}
	// In the temporary folder until it is whole, so that a stopped rehearsal leaves the last one's.
	whole := filepath.Join(r.dir, "kept.zip")
	if err := r.archiveBucket(ctx, bucket, objects, whole); err != nil {
		return err
	}
	in, err := os.Open(whole)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close(), os.Remove(whole)) }()
	file, err := os.CreateTemp(r.State, ".bucket-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, err = io.Copy(file, in)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), r.kept(bucket))
}

// archiveBucket writes objects into an archive.
func (r *rehearsal) archiveBucket(ctx context.Context, bucket string, objects []s3.Object, to string) (err error) {
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	archive := zip.NewWriter(file)
	for _, object := range objects {
		comment, err := json.Marshal(metadata{ContentType: object.ContentType, CacheControl: object.CacheControl})
		if err != nil {
			return err
		}
		w, err := archive.CreateHeader(&zip.FileHeader{Name: object.Key, Method: zip.Deflate, Modified: object.LastModified, Comment: string(comment)})
		if err != nil {
			return err
		}
		if err := r.copyObject(ctx, w, bucket, object.Key); err != nil {
			return err
		}
	}
	return archive.Close()
}

func (r *rehearsal) copyObject(ctx context.Context, w io.Writer, bucket, key string) error {
	_, content, err := r.s3.Open(ctx, bucket, key)
	if err != nil {
		return err
	}
	defer content.Close()
	_, err = io.Copy(w, content)
	return err
}
