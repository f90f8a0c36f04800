package s3

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"blog-deploy-pipeline/lambdas/contract"
)

func TestOriginReadsAsADistribution(t *testing.T) {
	s := startServer(t)
	createBucket(t, s, "blog")
	for _, key := range []string{"index.html", "posts/日本語/index.html", "c++/a b&c'(1)!.html", "100%.html", "~me/x=1;y:@.html"} {
		_, err := s.Client().PutObject(t.Context(), &awss3.PutObjectInput{
			Bucket: aws.String("blog"), Key: aws.String(key), Body: strings.NewReader(key),
			ContentType: aws.String("text/html"), CacheControl: aws.String("max-age=60"), Metadata: map[string]string{contract.MetadataCacheTag: "posts"},
		})
		if err != nil {
			t.Fatalf("PutObject %s: %v", key, err)
		}
	}
	blog := s.Origin("blog")
	get := func(t *testing.T, origin http.RoundTripper, path string, header http.Header) (status int, _ http.Header, body string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://edge"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header = header
		response, err := origin.RoundTrip(request)
		if err != nil {
			t.Fatalf("RoundTrip %s: %v", path, err)
		}
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Header, string(content)
	}

	const ok, denied = http.StatusOK, http.StatusForbidden
	tests := []struct {
		name, path string
		status     int
		want       string // in the body
	}{
		{"object", "/index.html", ok, "index.html"},
		{"query string", "/index.html?x=1", ok, "index.html"},
		{"encoded", "/posts/%E6%97%A5%E6%9C%AC%E8%AA%9E/index.html", ok, "posts/日本語/index.html"},
		{"encoded in lower case", "/posts/%e6%97%a5%e6%9c%ac%e8%aa%9e/index.html", ok, "posts/日本語/index.html"},
		{"special characters", "/c%2B%2B/a%20b&c'(1)!.html", ok, "c++/a b&c'(1)!.html"},
		{"plus is a space", "/c%2B%2B/a+b&c'(1)!.html", ok, "c++/a b&c'(1)!.html"},
		{"percent", "/100%25.html", ok, "100%.html"},
		{"reserved characters", "/~me/x=1;y:@.html", ok, "~me/x=1;y:@.html"},
		{"encoded slash", "/posts%2F%E6%97%A5%E6%9C%AC%E8%AA%9E/index.html", ok, "posts/日本語/index.html"},
		{"plus that is none", "/c++/a%20b&c'(1)!.html", denied, "AccessDenied"},
		{"missing", "/missing.html", denied, "<Code>AccessDenied</Code><Message>Access Denied</Message>"},
		{"other case", "/Index.html", denied, "AccessDenied"},
		{"root", "/", denied, "AccessDenied"},
		{"folder", "/posts", denied, "AccessDenied"},
		{"folder with slash", "/posts/", denied, "AccessDenied"},
		{"object with slash", "/index.html/", denied, "AccessDenied"},
		{"below an object", "/index.html/x", denied, "AccessDenied"},
		{"double slash", "/posts//index.html", denied, "AccessDenied"},
		{"out of the bucket", "/../blog/index.html", denied, "AccessDenied"},
		{"out of the bucket, encoded", "/%2e%2e/blog/index.html", denied, "AccessDenied"},
		{"out of the bucket, all encoded", "/%2e%2e%2fblog%2findex.html", denied, "AccessDenied"},
		{"zero byte", "/index.html%00", denied, "AccessDenied"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, header, body := get(t, blog, test.path, nil)
			if status != test.status || !strings.Contains(body, test.want) {
				t.Errorf("GET %s: got %d %q, want %d %q", test.path, status, body, test.status, test.want)
			}
			if got := header.Get("Server"); got != "AmazonS3" {
				t.Errorf("Server: got %q, want AmazonS3", got)
			}
		})
	}

	for _, test := range []struct {
		name, path string
		access     Access
		status     int
		want       string
	}{
		{"object, of who lists too", "/index.html", Access{Read: true, List: true}, ok, "index.html"},
		{"missing, of who lists", "/missing.html", Access{Read: true, List: true}, http.StatusNotFound, "<Code>NoSuchKey</Code>"},
		{"folder, of who lists", "/posts/", Access{Read: true, List: true}, http.StatusNotFound, "NoSuchKey"},
		{"double slash, of who lists", "/posts//index.html", Access{Read: true, List: true}, http.StatusNotFound, "NoSuchKey"},
		{"two slashes are an object's name", "//", Access{Read: true, List: true}, http.StatusNotFound, "NoSuchKey"},
		{"root, of who lists", "/", Access{Read: true, List: true}, ok, "<Key>100%.html</Key>"},
		{"object, of who only lists", "/index.html", Access{List: true}, denied, "AccessDenied"},
		{"missing, of who only lists", "/missing.html", Access{List: true}, http.StatusNotFound, "NoSuchKey"},
		{"object, of who may nothing", "/index.html", Access{}, denied, "AccessDenied"},
		{"missing, of who may nothing", "/missing.html", Access{}, denied, "AccessDenied"},
		{"root, of who may nothing", "/", Access{}, denied, "AccessDenied"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, _, body := get(t, s.OriginWith("blog", test.access), test.path, nil)
			if status != test.status || !strings.Contains(body, test.want) {
				t.Errorf("GET %s: got %d %q, want %d %q", test.path, status, body, test.status, test.want)
			}
		})
	}

	_, header, _ := get(t, blog, "/index.html", nil)
	for name, want := range map[string]string{
		"Content-Type": "text/html", "Cache-Control": "max-age=60", "Content-Length": "10",
		"Etag": etag("index.html"), "X-Amz-Meta-Cache-Tag": "posts", "X-Amz-Request-Id": "", "Date": "",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if header.Get("Last-Modified") == "" {
		t.Error("Last-Modified is missing")
	}

	status, header, body := get(t, blog, "/index.html", http.Header{"If-None-Match": {etag("index.html")}})
	if status != http.StatusNotModified || body != "" || header.Get("Etag") != etag("index.html") || header.Get("Content-Type") != "" {
		t.Errorf("with the object's ETag: got %d %q, %v; want 304 and the ETag", status, body, header)
	}
	status, _, body = get(t, blog, "/index.html", http.Header{"If-None-Match": {etag("older")}, "Range": {"bytes=0-1"}})
	if status != ok || body != "index.html" {
		t.Errorf("with another ETag: got %d %q, want all of it", status, body)
	}
	if status, _, body = get(t, s.Origin("nowhere"), "/index.html", nil); status != http.StatusNotFound || !strings.Contains(body, "NoSuchBucket") {
		t.Errorf("missing bucket: got %d %q, want 404 NoSuchBucket", status, body)
	}
}

func TestOriginOfAnEndedServer(t *testing.T) {
	s := startServer(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://edge/index.html", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.Origin("blog").RoundTrip(request)
	if err == nil {
		_ = response.Body.Close()
		t.Errorf("RoundTrip: got %s, want an error", response.Status)
	}
}
