package awsenv

import (
	"testing"

	"blog-deploy-pipeline/lambdas/internal/failure"
)

func TestAdvice(t *testing.T) {
	for _, tt := range []struct {
		code string
		kind failure.Kind
		want string
	}{
		{NoCode, failure.Other, "Something between the function and AWS may have answered: look for a proxy, a firewall or a VPC endpoint's policy, and for AWS_ENDPOINT_URL in the function's environment; then do it again"},
		{"ExpiredToken", failure.Permission, "If the error stays, deploy the stack again. For now, do it again"},
		{"SignatureDoesNotMatch", failure.Permission, "If the error stays, deploy the stack again. For now, do it again"},
		{"NobodyKnows", failure.Other, "Look the error up in the book; then do it again"},
	} {
		if kind, got := Advice(tt.code, "the book", "do it again"); kind != tt.kind || got != tt.want {
			t.Errorf("%s: %v, %q, want %v, %q", tt.code, kind, got, tt.kind, tt.want)
		}
	}
}
