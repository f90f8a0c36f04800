// Package invalidationtest has a CloudFront for tests of handlers and of package
// invalidation, in the process and without a network. Package rehearse/fakeaws has one for
// compiled functions.
package invalidationtest

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"blog-deploy-pipeline/lambdas/contract"
)

// ID is the id of every invalidation that the functions below make.
const ID = "I2J0I21PCUYOIK"

// The two states of an invalidation.
const (
	InProgress = "InProgress"
	Completed  = "Completed"
)

// CloudFront answers with what its functions return. It is safe for concurrent use if
// they are.
type CloudFront struct {
	Create func(*cloudfront.CreateInvalidationInput) (*types.Invalidation, error)
	Get    func(*cloudfront.GetInvalidationInput) (*types.Invalidation, error)

	// Hang makes every call wait until its context ends, as if no answer came.
	Hang bool

	mu      sync.Mutex
	created []*cloudfront.CreateInvalidationInput
}

// Created returns every request to create an invalidation, refused ones included.
func (f *CloudFront) Created() []*cloudfront.CreateInvalidationInput {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*cloudfront.CreateInvalidationInput(nil), f.created...)
}

// CreateInvalidation implements the client's method.
func (f *CloudFront) CreateInvalidation(ctx context.Context, in *cloudfront.CreateInvalidationInput, _ ...func(*cloudfront.Options)) (*cloudfront.CreateInvalidationOutput, error) {
	f.mu.Lock()
	f.created = append(f.created, in)
	f.mu.Unlock()
	if f.Hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	inv, err := f.Create(in)
	return &cloudfront.CreateInvalidationOutput{Invalidation: inv}, err
}

// GetInvalidation implements the client's method.
func (f *CloudFront) GetInvalidation(ctx context.Context, in *cloudfront.GetInvalidationInput, _ ...func(*cloudfront.Options)) (*cloudfront.GetInvalidationOutput, error) {
	if f.Hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	inv, err := f.Get(in)
	return &cloudfront.GetInvalidationOutput{Invalidation: inv}, err
}

// Answers returns a CloudFront that answers every call with the result of one function.
func Answers(answer func() (*types.Invalidation, error)) *CloudFront {
	return &CloudFront{
		Create: func(*cloudfront.CreateInvalidationInput) (*types.Invalidation, error) { return answer() },
		Get:    func(*cloudfront.GetInvalidationInput) (*types.Invalidation, error) { return answer() },
	}
}

// Says returns a CloudFront in which every invalidation has the status.
func Says(status string) *CloudFront {
	return Answers(func() (*types.Invalidation, error) { return Invalidation(ID, status), nil })
}

// Refuses returns a CloudFront that answers every call with err.
func Refuses(err error) *CloudFront {
	return Answers(func() (*types.Invalidation, error) { return nil, err })
}

// Panics returns a CloudFront in whose client every call panics.
func Panics(cause any) *CloudFront {
	return Answers(func() (*types.Invalidation, error) { panic(cause) })
}

// CompletesAfter returns a CloudFront whose one invalidation is completed d after
// it was created, or after it was first asked for.
func CompletesAfter(d time.Duration) *CloudFront {
	created := sync.OnceValue(time.Now)
	return Answers(func() (*types.Invalidation, error) {
		if time.Since(created()) < d {
			return Invalidation(ID, InProgress), nil
		}
		return Invalidation(ID, Completed), nil
	})
}

// Each returns a CloudFront that answers for each distribution as the CloudFront under
// its id does. Other distributions do not exist.
func Each(distributions map[string]*CloudFront) *CloudFront {
	find := func(id *string) *CloudFront {
		if one := distributions[aws.ToString(id)]; one != nil {
			return one
		}
		return Refuses(APIError(http.StatusNotFound, "NoSuchDistribution", "The specified distribution does not exist."))
	}
	return &CloudFront{
		Create: func(in *cloudfront.CreateInvalidationInput) (*types.Invalidation, error) {
			return find(in.DistributionId).Create(in)
		},
		Get: func(in *cloudfront.GetInvalidationInput) (*types.Invalidation, error) {
			return find(in.DistributionId).Get(in)
		},
	}
}

// Invalidation returns an answer of CloudFront's.
func Invalidation(id, status string) *types.Invalidation {
	return &types.Invalidation{Id: aws.String(id), Status: aws.String(status)}
}

// APIError returns an error as the client does.
func APIError(status int, code, message string) error {
	return &smithy.OperationError{ServiceID: "CloudFront", OperationName: "CreateInvalidation", Err: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
		Err:      &smithy.GenericAPIError{Code: code, Message: message},
	}}
}

// Counted returns what the lines of a log count, as the metrics failed and late and
// whether there is one of the seconds, such as "0 0 true", and the level of the line that
// counts. Both are "" if no line counts. It is an error of the test if several do.
func Counted(t testing.TB, lines []map[string]any) (counted, level string) {
	t.Helper()
	for _, line := range lines {
		if line["_aws"] == nil {
			continue
		}
		if counted != "" {
			t.Errorf("counted twice: %v", line)
		}
		counted = fmt.Sprint(line[contract.MetricFailed], " ", line[contract.MetricLate], " ", line[contract.MetricSeconds] != nil)
		level = fmt.Sprint(line["level"])
	}
	return counted, level
}
