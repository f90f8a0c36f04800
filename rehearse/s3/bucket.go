package s3

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

// Object is one object's metadata.
type Object struct {
	Key                                 string
	Size                                int64
	ContentType                         string
	CacheControl                        string // "" if the object has none; so are the next two
	ContentLanguage, ContentDisposition string
	Metadata                            map[string]string // that users define
	ETag                                string            // including its quotes
	LastModified                        time.Time
}

// CreateBucket creates a bucket.
func (s *Server) CreateBucket(ctx context.Context, bucket string) error {
	if _, err := s.client.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		return fmt.Errorf("create bucket %s: %w", bucket, err)
	}
	return nil
}

// Objects returns all objects of a bucket sorted by key. It makes a request for each object, because S3's listings do
// not contain all metadata.
func (s *Server) Objects(ctx context.Context, bucket string) ([]Object, error) {
	objects, err := s.List(ctx, bucket)
	if err != nil {
		return nil, err
	}
	for i := range objects {
		o := &objects[i]
		head, err := s.client.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String(o.Key)})
		if err != nil {
			return nil, fmt.Errorf("read metadata of %s/%s: %w", bucket, o.Key, err)
		}
		o.ContentType, o.CacheControl = aws.ToString(head.ContentType), aws.ToString(head.CacheControl)
		o.ContentLanguage, o.ContentDisposition, o.Metadata = aws.ToString(head.ContentLanguage), aws.ToString(head.ContentDisposition), head.Metadata
	}
	return objects, nil
}

// List returns all objects of a bucket sorted by key, with what S3's listings contain: key, size, ETag and time.
func (s *Server) List(ctx context.Context, bucket string) ([]Object, error) {
	var objects []Object
	pages := awss3.NewListObjectsV2Paginator(s.client, &awss3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list bucket %s: %w", bucket, err)
		}
		for _, listed := range page.Contents {
			objects = append(objects, Object{
				Key: aws.ToString(listed.Key), Size: aws.ToInt64(listed.Size), ETag: aws.ToString(listed.ETag), LastModified: aws.ToTime(listed.LastModified),
			})
		}
	}
	return objects, nil
}

// Object returns one object and its content.
func (s *Server) Object(ctx context.Context, bucket, key string) (Object, []byte, error) {
	object, body, err := s.Open(ctx, bucket, key)
	if err != nil {
		return Object{}, nil, err
	}
	defer body.Close()
	content, err := io.ReadAll(body)
	if err != nil {
		return Object{}, nil, fmt.Errorf("read object %s/%s: %w", bucket, key, err)
	}
	return object, content, nil
}

// PutObject uploads an object with the metadata that object has. If that has a LastModified, the object was in another
// server before, and keeps it.
func (s *Server) PutObject(ctx context.Context, bucket string, object Object, content io.Reader) error {
	input := &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(object.Key), Metadata: object.Metadata}
	for header, value := range map[**string]string{
		&input.ContentType: object.ContentType, &input.CacheControl: object.CacheControl,
		&input.ContentLanguage: object.ContentLanguage, &input.ContentDisposition: object.ContentDisposition,
	} {
		if value != "" {
			*header = aws.String(value)
		}
	}
	if err := put(ctx, s.client, input, content, object.Size); err != nil {
		return fmt.Errorf("put %s into %s: %w", object.Key, bucket, err)
	}
	if modified := object.LastModified; !modified.IsZero() {
		// For versitygw, that is the time of the file.
		if err := os.Chtimes(filepath.Join(s.root, bucket, filepath.FromSlash(object.Key)), modified, modified); err != nil {
			return fmt.Errorf("put %s into %s: %w", object.Key, bucket, err)
		}
	}
	return nil
}

// put uploads an object and streams its content, so that it never holds the whole content in memory.
func put(ctx context.Context, client *awss3.Client, input *awss3.PutObjectInput, content io.Reader, size int64) error {
	input.Body, input.ContentLength = content, aws.Int64(size)
	// The payload is not signed, because the client would have to read it twice.
	_, err := client.PutObject(ctx, input, awss3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware))
	return err
}

// Open returns one object and a reader of its content, which the caller must close.
func (s *Server) Open(ctx context.Context, bucket, key string) (Object, io.ReadCloser, error) {
	out, err := s.client.GetObject(ctx, &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		return Object{}, nil, fmt.Errorf("read object %s/%s: %w", bucket, key, err)
	}
	return Object{
		Key:          key,
		Size:         aws.ToInt64(out.ContentLength),
		ContentType:  aws.ToString(out.ContentType),
		CacheControl: aws.ToString(out.CacheControl),
		ETag:         aws.ToString(out.ETag),
		LastModified: aws.ToTime(out.LastModified),
	}, out.Body, nil
}
