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

	"golang.org/x/sync/errgroup"

	"blog-deploy-pipeline/rehearse/s3"
)

// metadata holds what an object has besides its content. In the archive of a bucket it is the comment of the object's file.
type metadata struct {
	ContentType        string            `json:",omitempty"`
	CacheControl       string            `json:",omitempty"`
	ContentLanguage    string            `json:",omitempty"`
	ContentDisposition string            `json:",omitempty"`
	Metadata           map[string]string `json:",omitempty"`
}

// keptBuckets are the buckets that a pipeline publishes to, and those that remember what it has published. A folder keeps them from one rehearsal to the next.
type keptBuckets struct {
	s3    *s3.Server
	names []string
	dir   string // the folder; "" for none
	temp  string // a folder for temporary work
}

func (k keptBuckets) file(bucket string) string { return filepath.Join(k.dir, bucket+".zip") }

// load creates the buckets, with the objects that the last rehearsal left in them.
func (k keptBuckets) load(ctx context.Context) error {
	for _, bucket := range k.names {
		if err := k.s3.CreateBucket(ctx, bucket); err != nil {
			return err
		}
		if k.dir == "" {
			continue
		}
		if err := k.loadBucket(ctx, bucket); err != nil {
			return fmt.Errorf("restore the bucket from %s (remove it to begin with an empty one): %w", k.file(bucket), err)
		}
	}
	return nil
}

func (k keptBuckets) loadBucket(ctx context.Context, bucket string) error {
	archive, err := zip.OpenReader(k.file(bucket))
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
			return k.s3.PutObject(ctx, bucket, s3.Object{
				Key: file.Name, LastModified: file.Modified, ContentType: kept.ContentType, CacheControl: kept.CacheControl,
				ContentLanguage: kept.ContentLanguage, ContentDisposition: kept.ContentDisposition, Metadata: kept.Metadata,
				Size: int64(file.UncompressedSize64), //nolint:gosec // No object has 8 EiB.
			}, content)
		})
	}
	return puts.Wait()
}

// save keeps the buckets for the next rehearsal. It keeps nothing of a rehearsal that was stopped.
func (k keptBuckets) save(ctx context.Context) error {
	if k.dir == "" || ctx.Err() != nil {
		return nil //nolint:nilerr // It was stopped, as the result says.
	}
	if err := os.MkdirAll(k.dir, 0o750); err != nil {
		return fmt.Errorf("keep the bucket: %w", err)
	}
	for _, bucket := range k.names {
		err := k.saveBucket(ctx, bucket)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // It was stopped, as the result says.
		}
		if err != nil {
			return fmt.Errorf("keep the bucket %s: %w", bucket, err)
		}
	}
	return nil
}

func (k keptBuckets) saveBucket(ctx context.Context, bucket string) (err error) {
	objects, err := k.s3.Objects(ctx, bucket)
	if err != nil {
		return err
	}
	// A rehearsal that is stopped meanwhile leaves the archive of the one before.
	whole := filepath.Join(k.temp, "kept.zip")
	if err := k.archiveBucket(ctx, bucket, objects, whole); err != nil {
		return err
	}
	in, err := os.Open(whole)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close(), os.Remove(whole)) }()
	file, err := os.CreateTemp(k.dir, ".bucket-*")
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
	return os.Rename(file.Name(), k.file(bucket))
}

// archiveBucket writes the objects of a bucket to an archive.
func (k keptBuckets) archiveBucket(ctx context.Context, bucket string, objects []s3.Object, to string) (err error) {
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	archive := zip.NewWriter(file)
	for _, object := range objects {
		comment, err := json.Marshal(metadata{object.ContentType, object.CacheControl, object.ContentLanguage, object.ContentDisposition, object.Metadata})
		if err != nil {
			return err
		}
		w, err := archive.CreateHeader(&zip.FileHeader{Name: object.Key, Method: zip.Deflate, Modified: object.LastModified, Comment: string(comment)})
		if err != nil {
			return err
		}
		if err := k.copyObject(ctx, w, bucket, object.Key); err != nil {
			return err
		}
	}
	return archive.Close()
}

func (k keptBuckets) copyObject(ctx context.Context, w io.Writer, bucket, key string) error {
	_, content, err := k.s3.Open(ctx, bucket, key)
	if err != nil {
		return err
	}
	defer content.Close()
	_, err = io.Copy(w, content)
	return err
}
