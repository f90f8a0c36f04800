package invalidation

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
)

// A refusal is a failure of the right kind with advice; other errors may pass.
func TestRefused(t *testing.T) {
	reset := &smithyhttp.RequestSendError{Err: &net.OpError{Op: "read", Err: syscall.ECONNRESET}}
	tests := []struct {
		err  error
		want failure.Kind // of the failure
		wait bool         // no failure: waiting may help
	}{
		{err: nil, wait: true},
		{err: reset, wait: true},
		{err: context.DeadlineExceeded, wait: true},
		{err: &smithy.CanceledError{Err: context.Canceled}, wait: true},
		{err: &smithy.DeserializationError{Err: errors.New("EOF")}, wait: true},
		{err: errIncompleteAnswer, wait: true},
		{err: invalidationtest.APIError(400, "Throttling", ""), wait: true},
		{err: invalidationtest.APIError(400, "ThrottlingException", ""), wait: true},
		{err: invalidationtest.APIError(429, "TooManyRequestsException", ""), wait: true},
		{err: invalidationtest.APIError(500, "InternalError", ""), wait: true},
		{err: invalidationtest.APIError(503, "SlowDown", ""), wait: true},
		{err: invalidationtest.APIError(507, "Whatever", ""), wait: true},
		{err: invalidationtest.APIError(400, "TooManyInvalidationsInProgress", ""), wait: true},
		{err: invalidationtest.APIError(404, "NoSuchInvalidation", ""), wait: true},
		{err: invalidationtest.APIError(404, "NoSuchDistribution", ""), want: failure.Configuration},
		{err: invalidationtest.APIError(404, "EntityNotFound", ""), want: failure.Configuration},
		{err: invalidationtest.APIError(400, "InvalidArgument", "Your request contains one or more invalid invalidation paths."), want: failure.Configuration},
		{err: invalidationtest.APIError(413, "BatchTooLarge", ""), want: failure.Configuration},
		{err: invalidationtest.APIError(400, "InconsistentQuantities", ""), want: failure.Configuration},
		{err: invalidationtest.APIError(400, "MissingBody", ""), want: failure.Configuration},
		{err: invalidationtest.APIError(403, "AccessDenied", ""), want: failure.Permission},
		{err: invalidationtest.APIError(403, "SignatureDoesNotMatch", "It does not match.\n\nThe Canonical String was\nx-amz-security-token:IQoJb3JpZ2luX2Vj"), want: failure.Permission},
		{err: invalidationtest.APIError(403, "ExpiredToken", ""), want: failure.Permission},
		{err: invalidationtest.APIError(403, "InvalidClientTokenId", ""), want: failure.Permission},
		{err: invalidationtest.APIError(429, "UnknownError", "HTTP 429 Too Many Requests"), wait: true},
		{err: invalidationtest.APIError(408, "UnknownError", "HTTP 408 Request Timeout"), wait: true},
		{err: invalidationtest.APIError(502, "UnknownError", "HTTP 502 Bad Gateway"), wait: true},
		{err: invalidationtest.APIError(407, "UnknownError", "HTTP 407 Proxy Authentication Required"), want: failure.Other},
		{err: invalidationtest.APIError(400, "InvalidationBatchAlreadyExists", ""), want: failure.Other},
		{err: invalidationtest.APIError(400, "InvalidArgument", "Your request contains a caller reference that was used for a previous invalidation batch for the same distribution."), want: failure.Other},
		{err: invalidationtest.APIError(418, "Teapot", ""), want: failure.Other},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.err), func(t *testing.T) {
			got := refused(tt.err, words)
			if (got == nil) != tt.wait {
				t.Fatalf("refused: %v, want a failure: %v", got, !tt.wait)
			}
			if got == nil {
				return
			}
			if got.Kind != tt.want {
				t.Errorf("kind is %v, want %v", got.Kind, tt.want)
			}
			if !errors.Is(got, tt.err) {
				t.Errorf("failure does not wrap CloudFront's error")
			}
			if strings.Contains(got.Message, "\n") || strings.Contains(got.Message, "UnknownError") {
				t.Errorf("message is %q, want one line, without the SDK's words", got.Message)
			}
			// A person must read what to do, not only what happened.
			if advice := got.Message[strings.LastIndex(got.Message, ". ")+1:]; len(advice) < 20 {
				t.Errorf("message %q has no advice", got.Message)
			}
		})
	}
}

// If the function assumes a role, a message says which permission is missing, and where.
func TestRefusedWithRole(t *testing.T) {
	const role = "arn:aws:iam::210987654321:role/edge/clear-cache"
	ofSTS := func(status int, code, message string) error {
		return &smithy.OperationError{ServiceID: "CloudFront", OperationName: "CreateInvalidation", Err: fmt.Errorf("get identity: %w",
			&smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRole", Err: errors.Unwrap(invalidationtest.APIError(status, code, message))})}
	}
	denied := "User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized to perform: sts:AssumeRole on resource: " + role
	tests := []struct {
		name string
		err  error
		want failure.Kind
		text string // "" if waiting may help
	}{
		{"role that does not exist, or does not trust", ofSTS(403, "AccessDenied", denied), failure.Permission,
			"STS refused: AccessDenied: " + denied + ". There must be a role " + role + ", with the trust policy that is the stack's output " + contract.OutputRoleTrust + " (again, if the stack was created again); then retry this stage"},
		{"unknown error of STS", ofSTS(403, "RegionDisabledException", "STS is not activated in this region"), failure.Other,
			"STS refused: RegionDisabledException: STS is not activated in this region. Look the error up in the API reference of AWS STS, from which the function has the credentials of the role " + role + "; then retry this stage"},
		{"STS throttles", ofSTS(400, "Throttling", "Rate exceeded"), 0, ""},
		{"STS breaks", ofSTS(500, "InternalFailure", ""), 0, ""},
		{"role without the permission", invalidationtest.APIError(403, "AccessDenied", "no"), failure.Permission,
			"CloudFront refused: AccessDenied: no. The role " + role + " must allow cloudfront:CreateInvalidation and cloudfront:GetInvalidation on this distribution, as the stack's output " + contract.OutputRolePermissions + " does; then retry this stage"},
		{"distribution of another account", invalidationtest.APIError(404, "NoSuchDistribution", "no"), failure.Configuration,
			"CloudFront refused: NoSuchDistribution: no. Check the distribution's setting, and that it is a distribution of the account 210987654321, whose role the function assumes"},
	}
	i := Invalidator{Settings: Settings{RoleARN: role}, Words: Words{Distribution: "the distribution's setting", Again: "retry this stage"}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := refused(tt.err, i.words())
			if tt.text == "" {
				if got != nil {
					t.Errorf("got %q, want no failure", got.Message)
				}
				return
			}
			if got == nil || got.Kind != tt.want || got.Message != tt.text {
				t.Errorf("got %+v, want %v with %q", got, tt.want, tt.text)
			}
		})
	}

	now := time.Now()
	_, err := decide("", ofSTS(400, "Throttling", "Rate exceeded"), Progress{Started: now.Add(-time.Minute), Deadline: now}, i.Settings, i.words(), now)
	if want := "STS gave the function no credentials of the role " + role + " within 1m0s"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("at the deadline: %v, want %q", err, want)
	}
}
