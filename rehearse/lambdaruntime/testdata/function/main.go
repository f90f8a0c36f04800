// Command function is a Lambda function for the tests of package lambdaruntime. Its event says what it must do.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string
	Text string
}

type answer struct {
	Text        string
	Invocations int // of this process
	PID         int
	RequestID   string
	ARN         string
	RemainingMS int64
	Env         []string
	Dir         string
}

// typedError has a type name of its own, which aws-lambda-go reports as the error's type.
type typedError struct{}

func (typedError) Error() string { return "typed" }

var invocations int

func main() {
	switch os.Getenv("INIT") {
	case "exit":
		fmt.Println("init: giving up")
		os.Exit(3)
	case "error":
		reportInitError()
		os.Exit(1)
	}
	lambda.Start(handle)
}

// reportInitError reports an initialisation error, for which aws-lambda-go has no function.
func reportInitError() {
	url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
	resp, err := http.Post(url, "application/json", strings.NewReader(`{"errorType":"Function.Broken","errorMessage":"no configuration"}`))
	if err != nil {
		panic(err)
	}
	_ = resp.Body.Close()
}

func handle(ctx context.Context, e event) (any, error) {
	invocations++
	switch e.Do {
	case "print":
		fmt.Println("stdout: " + e.Text)
		fmt.Fprintln(os.Stderr, "stderr: "+e.Text)
	case "error":
		return nil, errors.New(e.Text)
	case "typed error":
		return nil, typedError{}
	case "error twice":
		if invocations <= 2 {
			return nil, errors.New("not yet")
		}
	case "panic":
		panic(e.Text)
	case "exit":
		os.Exit(7)
	case "exit cleanly":
		os.Exit(0)
	case "sleep":
		d, err := time.ParseDuration(e.Text)
		if err != nil {
			return nil, err
		}
		time.Sleep(d)
	case "start a child and hang", "start a child and exit":
		child := exec.Command("sleep", "60")
		if err := child.Start(); err != nil {
			return nil, err
		}
		fmt.Printf("child %d\n", child.Process.Pid)
		if e.Do == "start a child and exit" {
			os.Exit(0)
		}
		time.Sleep(time.Minute)
	case "large":
		return strings.Repeat("x", 6<<20+101-len(`""`)), nil
	case "protocol":
		return probe(ctx)
	}
	deadline, _ := ctx.Deadline()
	lc, _ := lambdacontext.FromContext(ctx)
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	return answer{
		Text:        e.Text,
		Invocations: invocations,
		PID:         os.Getpid(),
		RequestID:   lc.AwsRequestID,
		ARN:         lc.InvokedFunctionArn,
		RemainingMS: time.Until(deadline).Milliseconds(),
		Env:         os.Environ(),
		Dir:         dir,
	}, nil
}

// probe breaks the Runtime API's rules from within an invocation and returns the answers.
func probe(ctx context.Context) ([]string, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime"
	var answers []string
	ask := func(method, path string) error {
		req, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader("{}"))
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		var refusal struct {
			ErrorType string `json:"errorType"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&refusal); err != nil {
			refusal.ErrorType = "no JSON"
		}
		answers = append(answers, fmt.Sprintf("%s %d %s", strings.ReplaceAll(path, lc.AwsRequestID, "ID"), resp.StatusCode, refusal.ErrorType))
		return nil
	}
	for _, call := range [][2]string{
		{"GET", "/invocation/next"},
		{"POST", "/invocation/another/response"},
		{"POST", "/invocation/another/error"},
		{"POST", "/invocation/" + lc.AwsRequestID + "/unknown"},
		{"POST", "/invocation/" + lc.AwsRequestID + "/response"},
		{"POST", "/invocation/" + lc.AwsRequestID + "/response"},
		{"POST", "/invocation/" + lc.AwsRequestID + "/error"},
	} {
		if err := ask(call[0], call[1]); err != nil {
			return nil, err
		}
	}
	// The invocation already has an answer, so aws-lambda-go cannot send this one. The test reads the log.
	for _, answer := range answers {
		fmt.Println(answer)
	}
	return answers, nil
}
