package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestDeployFailsAsS3Says(t *testing.T) {
	s := startServer(t)
	createBucket(t, s, "blog")
	page := artifact(t, file{name: "index.html", content: "hello"})
	owner, err := s.credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stranger := awss3.New(awss3.Options{BaseEndpoint: aws.String(s.Endpoint()), Region: "us-east-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(owner.AccessKeyID, "guess", "")})
	tests := []struct {
		name   string
		client *awss3.Client
		config map[string]string
		want   string
	}{
		{"no such bucket", s.Client(), config("BucketName", "nowhere"), "NoSuchBucket: The specified bucket does not exist"},
		{"wrong secret", stranger, config(), "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			result, err := Deploy(t.Context(), test.client, Action{Configuration: test.config}, page)
			if failure := (*Error)(nil); !errors.As(err, &failure) || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("Deploy: got %v, want %s", err, test.want)
			}
			if err == nil || !strings.Contains(err.Error(), "(upload index.html to "+test.config["BucketName"]+")") {
				t.Errorf("Deploy: got %v, want an error that names file and bucket", err)
			}
			if result.Objects != 0 {
				t.Errorf("result: got %+v, want nothing uploaded", result)
			}
		})
	}
	wantListing(t, s)
}

func TestDeployAsksBeforeEachUpload(t *testing.T) {
	s := startServer(t)
	createBucket(t, s, "blog")
	denied := errors.New("User: DeployRole is not authorized to perform: s3:PutObject because no identity-based policy allows the s3:PutObject action")
	site := artifact(t, file{name: "a.html", content: "a"}, file{name: "secret/b.html", content: "b"})
	result, err := Deploy(t.Context(), s.Client(), Action{Configuration: config(), Authorize: func(_, resource string) error {
		if strings.HasPrefix(resource, "arn:aws:s3:::blog/secret/") {
			return denied
		}
		return nil
	}}, site)
	if !errors.Is(err, denied) || err.Error() != "AccessDenied: "+denied.Error() {
		t.Errorf("Deploy: got %v, want AccessDenied and the reason", err)
	}
	for _, line := range listing(t, s, "blog") {
		if strings.HasPrefix(line, "secret/") {
			t.Errorf("uploaded without permission: %s", line)
		}
	}
	if result.Objects > 1 {
		t.Errorf("result: got %+v, want one object at most", result)
	}
}

func TestDeployStopsAtTheFirstFailure(t *testing.T) {
	var files []file
	for i := range 100 {
		files = append(files, file{name: fmt.Sprintf("%d.html", i)})
	}
	asked := 0
	_, err := Deploy(t.Context(), nil, Action{Configuration: config(), Authorize: func(string, string) error {
		asked++
		return errors.New("denied")
	}}, artifact(t, files...))
	if err == nil || asked > 2*uploadsAtOnce {
		t.Errorf("Deploy: got %v after %d questions, want an error and no further calls", err, asked)
	}
}

func TestDeployOfNoArtifact(t *testing.T) {
	notZip := filepath.Join(t.TempDir(), "artifact.zip")
	if err := os.WriteFile(notZip, []byte("not a zip file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{notZip, "no/such/artifact.zip"} {
		if _, err := Deploy(t.Context(), nil, Action{Configuration: config()}, path); err == nil || !strings.Contains(err.Error(), "read artifact: ") {
			t.Errorf("Deploy of %s: got %v, want an error about the artifact", path, err)
		}
	}
	result, err := Deploy(t.Context(), nil, Action{Configuration: config()}, artifact(t))
	if err != nil || result.Objects != 0 {
		t.Errorf("Deploy of an empty artifact: got %+v, %v; want nothing and no error", result, err)
	}
}

func TestDeployStopsWithItsContext(t *testing.T) {
	var files []file
	for i := range 50 {
		files = append(files, file{name: fmt.Sprintf("%d.html", i)})
	}
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	uploads := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if uploads++; uploads == 3 {
			cancel()
		}
	}))
	defer server.Close()
	client := awss3.New(awss3.Options{BaseEndpoint: aws.String(server.URL), Region: "us-east-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", "")})
	if _, err := Deploy(ctx, client, Action{Configuration: config()}, artifact(t, files...)); !errors.Is(err, context.Canceled) {
		t.Errorf("Deploy: got %v, want %v", err, context.Canceled)
	}
	mu.Lock()
	defer mu.Unlock()
	if uploads > 3+uploadsAtOnce {
		t.Errorf("uploads: got %d, want none begun after the end of the context", uploads)
	}

	// A context that is already done stops Deploy, too, although no upload fails.
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := Deploy(ended, client, Action{Configuration: config()}, artifact(t, files...)); !errors.Is(err, context.Canceled) {
		t.Errorf("Deploy in an ended context: got %v, want %v", err, context.Canceled)
	}
}
