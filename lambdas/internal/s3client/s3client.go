// Package s3client has the client of S3 of the functions, and says what S3's errors mean
// for the owner of a blog.
package s3client

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"blog-deploy-pipeline/lambdas/internal/awsenv"
)

// New returns a client with the settings of [awsenv.ForObjects]. A bucket is a part of the
// host's name, as S3 recommends, but for a custom endpoint, whose host has one name.
func New(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(awsenv.ForObjects(cfg), func(o *s3.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil
	})
}

// WithSHA256 makes a PutObject be signed with the SHA-256 of its content, which S3 then
// checks and keeps with the object. Without it the SDK does not sign the content if the
// connection is encrypted. The content may be a stream.
func WithSHA256(in *s3.PutObjectInput, sum [sha256.Size]byte) func(*s3.Options) {
	in.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(sum[:]))
	set := middleware.InitializeMiddlewareFunc("PayloadSHA256",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(v4.SetPayloadHash(ctx, hex.EncodeToString(sum[:])), in)
		})
	return s3.WithAPIOptions(func(stack *middleware.Stack) error { return stack.Initialize.Add(set, middleware.After) })
}
