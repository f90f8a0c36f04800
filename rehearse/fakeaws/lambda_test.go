package fakeaws_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

const functionARN = "arn:aws:lambda:" + region + ":123456789012:function:"

// lambda returns a client with the world's credentials that does not retry.
func (w *world) lambda() *lambda.Client {
	return lambda.New(lambda.Options{
		Region: region, BaseEndpoint: &w.url, Retryer: aws.NopRetryer{},
		HTTPClient:  &http.Client{Transport: ownBody{&http.Transport{DisableKeepAlives: true}}},
		Credentials: credentials.NewStaticCredentialsProvider(w.credentials.AccessKeyID, w.credentials.SecretAccessKey, w.credentials.SessionToken),
	})
}

func TestInvokeAnswersAsLambda(t *testing.T) {
	echo := func(_ context.Context, event []byte) ([]byte, bool) { return event, false }
	large := func(context.Context, []byte) ([]byte, bool) { return bytes.Repeat([]byte("1"), 6<<20+101), false }
	payload := func(payload string) lambda.InvokeInput {
		return lambda.InvokeInput{FunctionName: aws.String("publish"), Payload: []byte(payload)}
	}
	tests := []struct {
		name      string
		in        lambda.InvokeInput
		function  fakeaws.Function
		denied    bool
		want      string // of the payload
		wantError string // X-Amz-Function-Error
		wantCode  string
	}{
		{name: "an event", in: payload(`{"a":1}`), function: echo, want: `{"a":1}`},
		{name: "by its ARN", in: lambda.InvokeInput{FunctionName: aws.String(functionARN + "publish"), InvocationType: lambdatypes.InvocationTypeRequestResponse}, function: echo, want: "{}"},
		{name: "a failure", in: payload("1"), function: func(context.Context, []byte) ([]byte, bool) { return []byte(`{"errorType":"panic"}`), true }, want: `{"errorType":"panic"}`, wantError: "Unhandled"},
		{name: "too large an answer", in: payload("1"), function: large, want: "Function.ResponseSizeTooLarge", wantError: "Unhandled"},
		{name: "no such function", in: lambda.InvokeInput{FunctionName: aws.String("other")}, function: echo, wantCode: "404 ResourceNotFoundException"},
		{name: "of another account", in: lambda.InvokeInput{FunctionName: aws.String("arn:aws:lambda:eu-west-1:210987654321:function:publish")}, function: echo, wantCode: "404 ResourceNotFoundException"},
		{name: "no name", in: lambda.InvokeInput{FunctionName: aws.String("a b")}, function: echo, wantCode: "400 ValidationException"},
		{name: "too large an event", in: payload(`"` + strings.Repeat("a", 6<<20) + `"`), function: echo, wantCode: "413 RequestTooLargeException"},
		{name: "no JSON", in: payload("{"), function: echo, wantCode: "400 InvalidRequestContentException"},
		{name: "asynchronous", in: lambda.InvokeInput{FunctionName: aws.String("publish"), InvocationType: lambdatypes.InvocationTypeEvent}, function: echo, wantCode: "400 InvalidParameterValueException"},
		{name: "an alias", in: lambda.InvokeInput{FunctionName: aws.String("publish"), Qualifier: aws.String("live")}, function: echo, wantCode: "400 InvalidParameterValueException"},
		{name: "with the log", in: lambda.InvokeInput{FunctionName: aws.String("publish"), LogType: lambdatypes.LogTypeTail}, function: echo, wantCode: "400 InvalidParameterValueException"},
		{name: "denied", in: payload("1"), function: echo, denied: true, wantCode: "403 AccessDeniedException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{Authorize: func(fakeaws.Call) error {
				if tt.denied {
					return errors.New("no identity-based policy allows the action")
				}
				return nil
			}})
			w.cloud.AddFunction("publish", tt.function)
			out, err := w.lambda().Invoke(t.Context(), &tt.in)
			if got := code(err); got != tt.wantCode {
				t.Fatalf("got %q (%v), want %q", got, err, tt.wantCode)
			}
			if call := w.cloud.Calls()[0]; call.Action != "lambda:InvokeFunction" || !strings.HasPrefix(call.Resource, functionARN) && tt.want != "" {
				t.Errorf("call is %+v", call)
			}
			if err != nil {
				return
			}
			if got := aws.ToString(out.FunctionError); got != tt.wantError || !strings.Contains(string(out.Payload), tt.want) || out.StatusCode != http.StatusOK {
				t.Errorf("got %d %q %.100s, want %q %s", out.StatusCode, got, out.Payload, tt.wantError, tt.want)
			}
		})
	}
}

// TestInvokeFaults checks the refusals that only a fault provokes.
func TestInvokeFaults(t *testing.T) {
	for kind, want := range map[fakeaws.FaultKind]string{
		fakeaws.Throttle: "429 TooManyRequestsException", fakeaws.ServerError: "500 ServiceException",
		fakeaws.AccessDenied: "403 AccessDeniedException", fakeaws.BadSignature: "403 InvalidSignatureException",
	} {
		invoked := false
		w := newWorld(t, fakeaws.Options{Fault: func(fakeaws.Call) fakeaws.Fault { return fakeaws.Fault{Kind: kind} }})
		w.cloud.AddFunction("publish", func(context.Context, []byte) ([]byte, bool) { invoked = true; return []byte("1"), false })
		if _, err := w.lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("publish")}); code(err) != want || invoked {
			t.Errorf("%v: got %v (invoked: %v), want %s", kind, err, invoked, want)
		}
	}
}
