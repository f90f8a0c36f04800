package s3client

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Lister is what Page needs of the client of S3.
type Lister interface {
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
}

// Page lists up to 1,000 objects. It sets NextContinuationToken only if there are more.
func Page(ctx context.Context, client Lister, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	// A key may have characters that XML does not allow.
	in.EncodingType = types.EncodingTypeUrl
	out, err := Repeat(ctx, func() (*s3.ListObjectsV2Output, error) {
		out, err := client.ListObjectsV2(ctx, in)
		switch {
		case err != nil:
			return nil, err
		case out.KeyCount == nil:
			return nil, errors.New("the answer counts no keys, so it is not S3's")
		case aws.ToBool(out.IsTruncated) && (aws.ToString(out.NextContinuationToken) == "" || len(out.Contents) == 0):
			return nil, errors.New("the answer says that there is more, and not how to get it")
		}
		return out, nil
	})
	if err != nil {
		return nil, err
	}
	if !aws.ToBool(out.IsTruncated) {
		out.NextContinuationToken = nil
	}
	if out.EncodingType != types.EncodingTypeUrl {
		return out, nil
	}
	for i, object := range out.Contents {
		key, err := url.QueryUnescape(aws.ToString(object.Key))
		if err != nil {
			return nil, fmt.Errorf("decode the key %.100q: %w", aws.ToString(object.Key), err)
		}
		out.Contents[i].Key = &key
	}
	return out, nil
}
