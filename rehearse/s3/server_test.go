package s3

import (
	"context"
	"crypto/md5" //nolint:gosec // S3 makes ETags with it.
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

// startServer runs a server for one test, and checks that the server leaves no files and no processes.
func startServer(t *testing.T) *Server {
	t.Helper()
	dir := t.TempDir()
	// The test's context would end the server before the cleanup.
	s, err := Start(context.Background(), Options{Dir: dir})
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		wantEmpty(t, dir)
		wantSilence(t, s)
	})
	return s
}

func createBucket(t *testing.T, s *Server, bucket string) {
	t.Helper()
	if err := s.CreateBucket(t.Context(), bucket); err != nil {
		t.Fatalf("CreateBucket: %v", err)
	}
}

// etag returns the ETag that S3 gives an object that was uploaded in one part.
func etag(content string) string {
	return fmt.Sprintf("%q", fmt.Sprintf("%x", md5.Sum([]byte(content)))) //nolint:gosec // As S3 does.
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("left in the server's folder: %v, want nothing", left)
	}
}

func wantSilence(t *testing.T, s *Server) {
	t.Helper()
	if conn, err := net.Dial("tcp", s.address); err == nil { //nolint:noctx // Loopback refuses or accepts at once.
		_ = conn.Close()
		t.Errorf("%s still answers, want nobody there", s.address)
	}
}

// wantGone waits for the end of all processes of a group, at most 5 s.
func wantGone(t *testing.T, pid int) {
	t.Helper()
	for range 500 {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) || zombie(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d still runs, want it ended", pid)
}

// zombie reports whether a process has ended and has not been reaped. In a container nobody may ever reap an
// orphan.
func zombie(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestServerKeepsObjectsAndTheirMetadata(t *testing.T) {
	s := startServer(t)
	createBucket(t, s, "blog")
	put := func(key, contentType, cacheControl, content string) {
		t.Helper()
		input := &awss3.PutObjectInput{Bucket: aws.String("blog"), Key: aws.String(key), Body: strings.NewReader(content), ContentType: aws.String(contentType)}
		if cacheControl != "" {
			input.CacheControl = aws.String(cacheControl)
		}
		if _, err := s.Client().PutObject(t.Context(), input); err != nil {
			t.Fatalf("PutObject %s: %v", key, err)
		}
	}
	put("index.html", "text/html", "public, max-age=0, must-revalidate", "<h1>old")
	put("index.html", "text/html", "no-cache", "<h1>home")
	put("posts/日本語の記事/index.html", "text/html; charset=utf-8", "", "記事")
	put("tags/c++ & more.xml", "application/xml", "", "")

	objects, err := s.Objects(t.Context(), "blog")
	if err != nil {
		t.Fatalf("Objects: %v", err)
	}
	want := []Object{
		{Key: "index.html", Size: 8, ContentType: "text/html", CacheControl: "no-cache", ETag: etag("<h1>home")},
		{Key: "posts/日本語の記事/index.html", Size: 6, ContentType: "text/html; charset=utf-8", ETag: etag("記事")},
		{Key: "tags/c++ & more.xml", Size: 0, ContentType: "application/xml", ETag: etag("")},
	}
	if len(objects) != len(want) {
		t.Fatalf("Objects: got %d, want %d: %+v", len(objects), len(want), objects)
	}
	for i, got := range objects {
		if age := time.Since(got.LastModified); age < -time.Minute || age > time.Minute {
			t.Errorf("%s: LastModified: got %v, want about now", got.Key, got.LastModified)
		}
		got.LastModified = time.Time{}
		if !reflect.DeepEqual(got, want[i]) {
			t.Errorf("object %d:\n got %+v\nwant %+v", i, got, want[i])
		}
	}

	object, content, err := s.Object(t.Context(), "blog", "index.html")
	if err != nil {
		t.Fatalf("Object: %v", err)
	}
	if string(content) != "<h1>home" || object.CacheControl != "no-cache" || object.Size != 8 {
		t.Errorf("Object: got %q, %+v; want what was put last", content, object)
	}
	if _, _, err := s.Object(t.Context(), "blog", "missing"); err == nil || !strings.Contains(err.Error(), "read object blog/missing") {
		t.Errorf("missing object: got %v, want an error that names it", err)
	}
	if _, err := s.Objects(t.Context(), "nowhere"); err == nil || !strings.Contains(err.Error(), "list bucket nowhere") {
		t.Errorf("missing bucket: got %v, want an error that names it", err)
	}
	if got := s.Log(); !strings.Contains(got, "PUT") {
		t.Errorf("Log: got %q, want the requests", got)
	}
}

func TestServerRefusesStrangers(t *testing.T) {
	s := startServer(t)
	createBucket(t, s, "blog")
	for _, path := range []string{"/", "/blog", "/blog/index.html"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Endpoint()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("GET %s without a signature: got %s, want 403", path, response.Status)
		}
	}
	if host, _, _ := net.SplitHostPort(s.address); host != "127.0.0.1" {
		t.Errorf("listens on %s, want 127.0.0.1", host)
	}
}

func TestServerIgnoresTheUsersSettings(t *testing.T) {
	t.Setenv("VGW_READ_ONLY", "true")
	t.Setenv("AWS_PROFILE", "no-such-profile")
	s := startServer(t)
	createBucket(t, s, "blog")
}

func TestServerEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Start(ctx, Options{Dir: dir})
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	cancel()
	select {
	case <-s.exited:
	case <-time.After(10 * time.Second):
		t.Fatal("the server still runs 10 s after its context ended")
	}
	wantEmpty(t, dir)
	wantSilence(t, s)
	if err := s.Close(); err != nil {
		t.Errorf("Close: got %v, want nil: it ended as it should", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: got %v, want nil", err)
	}
}

func TestStartTriesAnotherPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	// The process that has the port answers every request.
	squatter := &httptest.Server{Listener: taken, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "OK") })}}
	squatter.Start()
	defer squatter.Close()
	dir := t.TempDir()
	var asked int
	s, err := Start(t.Context(), Options{Dir: dir, address: func() (string, error) {
		if asked++; asked < 3 {
			return taken.Addr().String(), nil
		}
		return freeAddress()
	}})
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	if asked != 3 {
		t.Errorf("ports picked: got %d, want 3", asked)
	}
	createBucket(t, s, "blog")
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	wantEmpty(t, dir)

	asked = 0
	_, err = Start(t.Context(), Options{Dir: dir, address: func() (string, error) {
		asked++
		return taken.Addr().String(), nil
	}})
	if !errors.Is(err, errPortTaken) || asked != maxStarts {
		t.Errorf("every port taken: got %v after %d, want %v after %d", err, asked, errPortTaken, maxStarts)
	}
	wantEmpty(t, dir)
}

// script returns the path of a script that stands for versitygw.
func script(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "versitygw")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+lines+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStartFailsClearly(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name string
		opts Options
		want string
	}{
		{"no folder", Options{}, `start versitygw: the folder "" for its files does not exist`},
		{"missing folder", Options{Dir: dir + "/none"}, `/none" for its files does not exist`},
		{"dies", Options{program: script(t, "echo starting; echo no licence >&2; exit 3"), Dir: dir}, "start versitygw: it ended by itself: exit status 3; its last line of output: no licence"},
		{"no such program", Options{program: "/no/such/program", Dir: dir}, "start versitygw: fork/exec /no/such/program"},
		{"ends in silence", Options{program: script(t, ""), Dir: dir}, "start versitygw: it ended by itself: exit status 0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := Start(t.Context(), test.opts)
			if err == nil {
				_ = s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Start: got error %v, want %q", err, test.want)
			}
			wantEmpty(t, dir)
		})
	}
}

func TestStartEndsWhatNeverAnswered(t *testing.T) {
	dir, pids := t.TempDir(), filepath.Join(t.TempDir(), "pids")
	hung := script(t, `sleep 1000 & echo $$ $! > "`+pids+`"; wait`)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for !strings.Contains(readFile(pids), "\n") && ctx.Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	if _, err := Start(ctx, Options{program: hung, Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("Start: got %v, want %v", err, context.Canceled)
	}
	wantEmpty(t, dir)
	for field := range strings.FieldsSeq(readFile(pids)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		wantGone(t, pid)
	}
}

func readFile(path string) string {
	content, _ := os.ReadFile(path)
	return string(content)
}

func TestCloseTellsOfACrash(t *testing.T) {
	dir := t.TempDir()
	s, err := Start(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	if err := syscall.Kill(s.pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-s.exited
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "close versitygw: it ended by itself") {
		t.Errorf("Close: got %v, want an error that says that it had ended", err)
	}
	wantEmpty(t, dir)
}
