package edge_test

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/s3"
)

func TestMain(m *testing.M) {
	s3.Main()
	os.Exit(m.Run())
}

// This test has a reader's view of two deployments. It uses a real S3 server, CodePipeline's upload, CloudFront's
// invalidations and the edge, in virtual time.
func TestReaderSeesTheNewPageAfterTheInvalidation(t *testing.T) {
	server, err := s3.Start(context.Background(), s3.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := server.CreateBucket(t.Context(), "blog"); err != nil {
		t.Fatal(err)
	}

	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	cloud := fakeaws.New(fakeaws.Options{Now: clock})
	cloud.AddDistribution(fakeaws.Distribution{ID: "E1", CompleteAfter: 20 * time.Second})
	api := httptest.NewServer(cloud)
	defer api.Close()
	user := cloud.Issue("arn:aws:iam::123456789012:user/reader", 0)
	cloudFront := cloudfront.New(cloudfront.Options{BaseEndpoint: aws.String(api.URL), Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider(user.AccessKeyID, user.SecretAccessKey, user.SessionToken)})

	notFound := edge.ErrorResponse{PagePath: "/404.html", Status: http.StatusNotFound}
	assumed := edge.Assumed("E1")
	assumed.Errors = map[int]edge.ErrorResponse{http.StatusForbidden: notFound, http.StatusNotFound: notFound}
	distribution, err := edge.New(edge.Options{Distribution: assumed, Origin: server.Origin("blog"), Invalidations: cloud, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(distribution)
	defer site.Close()

	deploy := func(files map[string]string) {
		t.Helper()
		action := s3.Action{Configuration: map[string]string{"BucketName": "blog", "Extract": "true", "CacheControl": "public, max-age=0, s-maxage=31536000, must-revalidate"}}
		if _, err := s3.Deploy(t.Context(), server.Client(), action, zipped(t, files)); err != nil {
			t.Fatal(err)
		}
	}
	read := func(when, path string, status int, content, cache string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := response.Header.Get("X-Cache"); response.StatusCode != status || string(body) != content || got != cache+" from cloudfront" {
			t.Errorf("%s, GET %s: got %s %q, X-Cache %q; want %d %q, %s", when, path, response.Status, body, got, status, content, cache)
		}
		contentType := "text/html"
		if status == http.StatusForbidden {
			contentType = "application/xml" // S3's own error
		}
		if got := response.Header.Get("Content-Type"); got != contentType {
			t.Errorf("%s, GET %s: Content-Type: got %q, want %s", when, path, got, contentType)
		}
	}
	const post = "/posts/%E6%97%A5%E6%9C%AC%E8%AA%9E/"

	read("nothing published", "/", 403, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", "Error")
	now = now.Add(10 * time.Second)
	deploy(map[string]string{"index.html": "old home", "posts/日本語/index.html": "old post", "404.html": "nothing here"})
	read("first publication", "/", 200, "old home", "Miss")
	read("first publication", post, 200, "old post", "Miss")
	read("first publication", "/none/", 404, "nothing here", "Error")

	deploy(map[string]string{"index.html": "new home", "posts/日本語/index.html": "new post", "404.html": "nothing here"})
	now = now.Add(24 * time.Hour)
	read("after Deploy", "/", 200, "old home", "Hit")
	read("after Deploy", post, 200, "old post", "Hit")

	_, err = cloudFront.CreateInvalidation(t.Context(), &cloudfront.CreateInvalidationInput{DistributionId: aws.String("E1"), InvalidationBatch: &types.InvalidationBatch{
		CallerReference: aws.String("job-1"), Paths: &types.Paths{Quantity: aws.Int32(1), Items: []string{"/*"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(19 * time.Second)
	read("invalidation in progress", "/", 200, "old home", "Hit")
	now = now.Add(time.Second)
	read("invalidation completed", "/", 200, "new home", "Miss")
	read("invalidation completed", post, 200, "new post", "Miss")
	read("and after", "/", 200, "new home", "Hit")
	now = now.Add(365 * 24 * time.Hour)
	read("a year later", "/", 200, "new home", "RefreshHit")
}

func zipped(t *testing.T, files map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "artifact.zip")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(out)
	for name, content := range files {
		entry, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(entry, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}
