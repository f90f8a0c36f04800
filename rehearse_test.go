package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/pipeline"
)

// rehearsedBlog is a blog whose pages stay in CloudFront until its pipeline clears them.
const rehearsedBlog = `{
	Name:       "blog",
	Source:     stacks.GitHubToken{Owner: "me", Repo: "blog", SecretName: "github"},
	Deploy:     stacks.Deploy{Bucket: "the-blog", CacheControl: "public, max-age=0, s-maxage=31536000"},
	Invalidate: stacks.Invalidate{DistributionID: "E2QWRUHAPOMQZL"},
}`

// rehearsedSite is a blog whose bucket and distribution are made, too, with every default.
const rehearsedSite = `{
	Name: "served", Region: "ap-northeast-1",
	Source: stacks.GitHubToken{Owner: "me", Repo: "blog", SecretName: "github"},
	Site: &stacks.Site{
		Domain: "served.example.com", RedirectFrom: []string{"www.served.example.com"},
		HostedZone: stacks.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "example.com"},
	},
}`

// rehearsal is the command behind `make rehearse`, and a blog to rehearse with it.
type rehearsal struct {
	t                    *testing.T
	command, app, source string
	state, tmp           string
}

func newRehearsal(t *testing.T) rehearsal {
	t.Helper()
	c := sharedCheckout(t)
	dir := t.TempDir()
	r := rehearsal{
		t: t, command: filepath.Join(dir, "rehearse"), app: c.synthesised(),
		source: filepath.Join(dir, "a blog"), state: filepath.Join(dir, "state"), tmp: filepath.Join(dir, "tmp"),
	}
	copyTree(t, filepath.Join("dist", "rehearse"), r.command) // By its name its children are found.
	copyTree(t, filepath.Join("examples", "blog"), r.source)
	if err := os.Mkdir(r.tmp, 0o755); err != nil {
		t.Fatal(err)
	}
	return r
}

// prepare makes the command ready to start, in a process group of its own as a shell would.
func (r rehearsal) prepare(args ...string) *exec.Cmd {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	r.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, r.command, append([]string{"-app", r.app, "-source", r.source}, args...)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+r.tmp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(os.Interrupt) }, time.Minute
	return cmd
}

// start starts the command for its JSON.
func (r rehearsal) start(args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	r.t.Helper()
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	cmd = r.prepare(append([]string{"-json"}, args...)...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	return cmd, stdout, stderr
}

// run runs the command to its end.
func (r rehearsal) run(args ...string) pipeline.Result {
	r.t.Helper()
	cmd, stdout, stderr := r.start(args...)
	if err := cmd.Wait(); err != nil {
		r.t.Fatalf("rehearse: %v\n%s", err, stderr)
	}
	var result pipeline.Result
	if err := json.Unmarshal(stdout.Bytes(), &result); err != nil {
		r.t.Fatalf("%v in\n%s", err, stdout)
	}
	r.left()
	return result
}

// serve runs the command until its site is served, which it is until stop, or the end of the test.
func (r rehearsal) serve(args ...string) (result pipeline.Result, stop func()) {
	r.t.Helper()
	cmd := r.prepare(append([]string{"-json", "-serve"}, args...)...)
	cmd.SysProcAttr = nil // Who stops the tests with Ctrl-C stops it, too; by itself it never ends.
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt) // It may have ended.
		more, _ := io.ReadAll(stdout)
		if err := cmd.Wait(); result.Status == pipeline.Succeeded && (err != nil || len(bytes.TrimSpace(more)) > 0) {
			r.t.Errorf("who ends what has succeeded gets %v, and once more %.200q", err, more)
		}
		r.left()
	})
	r.t.Cleanup(stop)
	if err := json.NewDecoder(stdout).Decode(&result); err != nil { // It comes as soon as the site is served.
		stop() // Before its output is read.
		r.t.Fatalf("%v\n%s", err, &stderr)
	}
	if result.Served == nil {
		stop()
		r.t.Fatalf("it ends as %s, and serves nothing\n%s", result.Status, &stderr)
	}
	if result.Status != pipeline.Succeeded {
		r.t.Errorf("it ends as %s: %v", result.Status, reasons(result))
	}
	return result, stop
}

// reasons are why a rehearsal's actions failed.
func reasons(result pipeline.Result) (reasons []string) {
	for _, stage := range result.Stages {
		for _, action := range stage.Actions {
			if action.Reason != "" {
				reasons = append(reasons, action.Reason)
			}
		}
	}
	return reasons
}

// left fails the test if a rehearsal has left anything.
func (r rehearsal) left() {
	r.t.Helper()
	if entries, err := os.ReadDir(r.tmp); err != nil || len(entries) > 0 {
		r.t.Errorf("temporary files are left: %v, %v", entries, err)
	}
	out, err := exec.CommandContext(context.Background(), "ps", "-axo", "pid=,args=").Output()
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, r.tmp) || strings.Contains(line, r.command) {
			r.t.Errorf("still running: %.200s", line)
		}
	}
}

// object is what a rehearsal keeps of an object in the bucket.
type object struct {
	ContentType, CacheControl string
	content                   string
}

func (r rehearsal) bucket(name string) map[string]object {
	r.t.Helper()
	archive, err := zip.OpenReader(filepath.Join(r.state, name+".zip"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer closeIt(r.t, archive)
	objects := map[string]object{}
	for _, file := range archive.File {
		var o object
		if err := json.Unmarshal([]byte(file.Comment), &o); err != nil {
			r.t.Fatal(err)
		}
		in, err := file.Open()
		if err != nil {
			r.t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			r.t.Fatal(err)
		}
		o.content = string(content)
		objects[file.Name] = o
	}
	return objects
}

// editions are what readers got of a page: before Deploy, after it, after Invalidate.
func editions(r pipeline.Result, path string) []pipeline.Edition {
	var got []pipeline.Edition
	for _, v := range r.Visits {
		if v.Path == path {
			got = append(got, v.Edition)
		}
	}
	return got
}

// TestRehearse publishes the example blog twice, with the commands, the functions and the S3 server
// that an owner's rehearsal has.
func TestRehearse(t *testing.T) {
	t.Parallel()
	r := newRehearsal(t)

	first := r.run("-state", r.state)
	if first.Status != pipeline.Succeeded || !first.Site.First || first.Site.Uploaded < 50 || first.Site.New != first.Site.Uploaded {
		t.Errorf("first: %s, %+v", first.Status, first.Site)
	}
	before := r.bucket("the-blog")
	if len(before) != first.Site.Uploaded {
		t.Errorf("first: the bucket has %d objects, want the %d uploaded", len(before), first.Site.Uploaded)
	}
	const post = "posts/はじめに/index.html"
	for name, contentType := range map[string]string{"index.html": "text/html", "404.html": "text/html", "index.xml": "application/xml", "sitemap.xml": "application/xml", post: "text/html"} {
		o, ok := before[name]
		if !ok || !strings.Contains(o.ContentType, contentType[strings.Index(contentType, "/"):]) || o.CacheControl != "public, max-age=0, s-maxage=31536000" || o.content == "" {
			t.Errorf("first: %s (there: %t) is %q with %q", name, ok, o.ContentType, o.CacheControl)
		}
	}
	var size int64
	for _, o := range before {
		size += int64(len(o.content))
	}
	if size != first.Site.Bytes {
		t.Errorf("first: the bucket has %d bytes, want the %d uploaded", size, first.Site.Bytes)
	}
	if got, want := editions(first, "/"), []pipeline.Edition{pipeline.Old, pipeline.Old, pipeline.New}; !slices.Equal(got, want) {
		t.Errorf("first: readers of the home page get %v, want %v", got, want)
	}

	source := filepath.Join(r.source, "content", "posts", "hajimeni", "index.md")
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(source, append(text, "\n書き足した一行。\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	second := r.run("-state", r.state)
	if second.Status != pipeline.Succeeded || second.Site.First || second.Site.Uploaded != first.Site.Uploaded || second.Site.New != 0 || second.Site.Changed == 0 || second.Site.Changed > 10 {
		t.Errorf("second: %s, %+v", second.Status, second.Site)
	}
	after := r.bucket("the-blog")
	if !strings.Contains(after[post].content, "書き足した一行。") || strings.Contains(before[post].content, "書き足した一行。") {
		t.Error("second: the post is not the edited one")
	}
	var changed int
	for name, o := range after {
		if before[name].content != o.content {
			changed++
		}
	}
	if changed != second.Site.Changed {
		t.Errorf("second: %d objects have changed, want the %d that it tells", changed, second.Site.Changed)
	}
	for path, want := range map[string][]pipeline.Edition{
		"/posts/はじめに/": {pipeline.Old, pipeline.Old, pipeline.New},
		"/":            {pipeline.Same, pipeline.Same, pipeline.Same},
	} {
		if got := editions(second, path); !slices.Equal(got, want) {
			t.Errorf("second: readers of %s get %v, want %v", path, got, want)
		}
	}
	if len(second.Invalidations) != 1 || second.Invalidations[0].Distribution != "E2QWRUHAPOMQZL" || second.Invalidations[0].Status != "Completed" || !slices.Equal(second.Invalidations[0].Paths, []string{"/*"}) {
		t.Errorf("second: invalidations are %+v", second.Invalidations)
	}

	for _, stop := range []time.Duration{time.Second, 3 * time.Second} {
		cmd, _, stderr := r.start("-state", r.state)
		time.Sleep(stop)
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil { // As Ctrl-C: the whole group.
			t.Fatal(err)
		}
		_ = cmd.Wait() // The exit status says it.
		if got := cmd.ProcessState.ExitCode(); got != 130 {
			t.Errorf("after Ctrl-C at %v it exits with %d, want 130\n%s", stop, got, stderr)
		}
		r.left()
	}
	if kept := r.bucket("the-blog"); kept[post] != after[post] || len(kept) != len(after) {
		t.Error("a stopped rehearsal has changed the bucket that is kept")
	}
}

// TestRehearseSite publishes the example blog to a site that the blog's own stacks make, and looks at it.
func TestRehearseSite(t *testing.T) {
	t.Parallel()
	r := newRehearsal(t)
	result, stop := r.serve("-blog", "served", "-state", r.state)
	leaveSite(t, result.Served.URL)
	lookAtSite(t, result.Served.URL)
	stop()

	for _, v := range result.Visits {
		if v.URL != "https://served.example.com"+v.Path {
			t.Errorf("a reader of %s visits %s", v.Path, v.URL)
		}
	}
	if got, want := editions(result, "/"), []pipeline.Edition{pipeline.Old, pipeline.Old, pipeline.New}; !slices.Equal(got, want) {
		t.Errorf("readers of the home page get %v, want %v", got, want)
	}
	if made := result.Invalidations; len(made) != 1 || made[0].Status != "Completed" || !slices.Equal(made[0].Paths, []string{"/*"}) {
		t.Errorf("invalidations are %+v", made)
	}
	if notes := strings.Join(result.Notes, "\n"); strings.Contains(notes, "assumed") || !strings.Contains(notes, "not rehearsed: DNS, the certificate") {
		t.Errorf("notes are %q", result.Notes)
	}
	if objects := r.bucket(result.Site.Bucket); len(objects) != result.Site.Uploaded || objects["404.html"].content == "" {
		t.Errorf("the bucket %s has %d objects, want the %d uploaded", result.Site.Bucket, len(objects), result.Site.Uploaded)
	}
}

// lookAtSite asks a site that is served for what its distribution, its function and its header policies make.
func lookAtSite(t *testing.T, site string) {
	t.Helper()
	const askEveryTime = "public, max-age=0, must-revalidate"
	style := namedInHomePage(t, site, `/[\w/]+\.[0-9a-f]{64}\.css`)
	for _, tt := range []struct {
		path   string
		status int
		header map[string]string // parts of it
	}{
		{"/", http.StatusOK, map[string]string{"Content-Type": "text/html", "Cache-Control": askEveryTime, "Content-Security-Policy": "object-src 'none'; base-uri", "X-Cache": "Hit from cloudfront"}},
		{"/posts/%E3%81%AF%E3%81%98%E3%82%81%E3%81%AB/?a=b", http.StatusOK, map[string]string{"Content-Type": "text/html", "X-Content-Type-Options": "nosniff"}},
		{"/posts/%E3%81%AF%E3%81%98%E3%82%81%E3%81%AB?a=b", http.StatusMovedPermanently, map[string]string{"Location": "/posts/%E3%81%AF%E3%81%98%E3%82%81%E3%81%AB/?a=b", "X-Cache": "FunctionGeneratedResponse from cloudfront"}},
		{"/index.xml", http.StatusOK, map[string]string{"Content-Type": "xml", "Cache-Control": "max-age=600"}},
		{"/nowhere/", http.StatusNotFound, map[string]string{"Content-Type": "text/html", "X-Cache": "Error from cloudfront"}},
		{style, http.StatusOK, map[string]string{"Content-Type": "text/css", "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}},
		{"/not-yet" + style, http.StatusNotFound, map[string]string{"Cache-Control": askEveryTime, "X-Content-Type-Options": "nosniff", "X-Cache": "Error from cloudfront"}},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Errorf("GET %s: %v", tt.path, err)
			continue
		}
		_ = response.Body.Close() // Only the header counts.
		if response.StatusCode != tt.status {
			t.Errorf("GET %s: got %s, want %d", tt.path, response.Status, tt.status)
		}
		for name, want := range tt.header {
			if got := response.Header.Get(name); !strings.Contains(got, want) {
				t.Errorf("GET %s: %s is %q, want %q in it", tt.path, name, got, want)
			}
		}
	}
}

// namedInHomePage returns the first of the addresses in a site's home page that match a pattern.
func namedInHomePage(t *testing.T, site, pattern string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	found := regexp.MustCompile(pattern).Find(page)
	if err != nil || found == nil {
		t.Errorf("the home page has no %s: %v", pattern, err)
	}
	return string(found)
}

// leaveSite is a browser that leaves in the middle of an answer: of the signal that comes of it, SIGPIPE,
// a rehearsal must not end.
func leaveSite(t *testing.T, address string) {
	t.Helper()
	for range 5 {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(address, "http://"))
		if err != nil {
			t.Errorf("it is no longer served: %v", err)
			return
		}
		if _, err := io.WriteString(conn, strings.Repeat("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 100)); err != nil {
			t.Error(err)
		}
		closeIt(t, conn)
		time.Sleep(50 * time.Millisecond) // For it to notice.
	}
}

// Who pipes a rehearsal into head leaves before its end.
func TestRehearseWithoutAReader(t *testing.T) {
	t.Parallel()
	r := newRehearsal(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := r.prepare("-v")
	cmd.Stdout = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	closeIt(t, write)
	if _, err := read.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	closeIt(t, read)
	_ = cmd.Wait() // The exit status says it.
	if got := cmd.ProcessState.ExitCode(); got != 130 {
		t.Errorf("it exits with %d, want 130: %s", got, cmd.ProcessState)
	}
	r.left()
}

// TestRehearseUsage has what a command line can be wrong about.
func TestRehearseUsage(t *testing.T) {
	t.Parallel()
	r := newRehearsal(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-blog", "nobody"}, `no blog "nobody"`},
		{[]string{"-blog", "a", "-service", "b"}, "name one of them"},
		{[]string{"-service", "b"}, `no service "b"`},
		{[]string{"-fault", "cloudfront=flood"}, `fault "cloudfront=flood" is not known`},
		{[]string{"-app", "nowhere"}, "make synth"},
		{[]string{"more"}, `"more" is no flag`},
	} {
		cmd, stdout, stderr := r.start(tt.args...)
		_ = cmd.Wait() // The exit status says it.
		var result pipeline.Result
		if err := json.Unmarshal(stdout.Bytes(), &result); err != nil || !strings.Contains(result.Error, tt.want) {
			t.Errorf("%v prints %v, %s, want the error %q in JSON", tt.args, err, stdout, tt.want)
		}
		if got := cmd.ProcessState.ExitCode(); got != 2 || !strings.Contains(stderr.String(), tt.want) {
			t.Errorf("%v exits with %d, want 2 and %q\n%s", tt.args, got, tt.want, stderr)
		}
	}
}
