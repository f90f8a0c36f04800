package e2e

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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

	"blog-deploy-pipeline/rehearse/rehearsal"
)

// rehearser is the program behind `make rehearse`, with a blog to rehearse.
type rehearser struct {
	t                    *testing.T
	command, app, source string
	state, tmp           string
	// asked is called when a rehearsal that serves its site asks whether to go on. It goes on when asked returns.
	asked func(at rehearsal.Served)
}

func newRehearser(t *testing.T) rehearser {
	t.Helper()
	c := sharedCheckout(t)
	dir := t.TempDir()
	r := rehearser{
		t: t, command: filepath.Join(dir, "rehearse"), app: c.synthesised(),
		source: filepath.Join(dir, "a blog"), state: filepath.Join(dir, "state"), tmp: filepath.Join(dir, "tmp"),
	}
	copyTree(t, filepath.Join("dist", "rehearse"), r.command) // This name tells its processes from others.
	copyTree(t, filepath.Join("examples", "blog"), r.source)
	if err := os.Mkdir(r.tmp, 0o755); err != nil {
		t.Fatal(err)
	}
	return r
}

// prepare returns the command, ready to start, in a process group of its own as in a shell.
func (r rehearser) prepare(args ...string) *exec.Cmd {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	r.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, r.command, append([]string{"-app", r.app, "-source", r.source}, args...)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+r.tmp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(os.Interrupt) }, time.Minute
	return cmd
}

// start starts the command with the option -json.
func (r rehearser) start(args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	r.t.Helper()
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	cmd = r.prepare(append([]string{"-json"}, args...)...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	return cmd, stdout, stderr
}

// run runs the command until it ends, and returns its result.
func (r rehearser) run(args ...string) rehearsal.Result {
	r.t.Helper()
	cmd, stdout, stderr := r.start(args...)
	if err := cmd.Wait(); err != nil {
		r.t.Fatalf("rehearse: %v\n%s", err, stderr)
	}
	var result rehearsal.Result
	if err := json.Unmarshal(stdout.Bytes(), &result); err != nil {
		r.t.Fatalf("%v in\n%s", err, stdout)
	}
	r.left()
	return result
}

// serve runs the command until it serves its site. It serves the site until stop is called or the test ends.
func (r rehearser) serve(args ...string) (result rehearsal.Result, stop func()) {
	r.t.Helper()
	cmd := r.prepare(append([]string{"-json", "-serve"}, args...)...)
	cmd.SysProcAttr = nil // Ctrl-C, which stops the tests, must stop the command, too: it never ends by itself.
	var stderr bytes.Buffer
	said, err := cmd.StderrPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	serving := make(chan rehearsal.Served, 2) // It is served while it asks, and at its end.
	go func() {
		defer close(serving)
		for lines := bufio.NewScanner(io.TeeReader(said, &stderr)); lines.Scan(); {
			var at rehearsal.Served
			if n, _ := fmt.Sscanf(lines.Text(), "Serving %s %s", &at.URL, &at.SecureURL); n > 0 {
				serving <- at
			}
		}
		_, _ = io.Copy(&stderr, said) // A line was too long.
	}()
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt) // The command may have ended.
		more, _ := io.ReadAll(stdout)
		for range serving { // All of stderr is read before Wait closes it.
		}
		if err := cmd.Wait(); result.Status == rehearsal.Succeeded && (err != nil || len(bytes.TrimSpace(more)) > 0) {
			r.t.Errorf("after Ctrl-C, a rehearsal that succeeded ends with %v and prints %.200q", err, more)
		}
		r.left()
	})
	r.t.Cleanup(stop)
	if r.asked != nil {
		if at, ok := <-serving; ok {
			r.asked(at)
			_, _ = io.WriteString(stdin, "\n") // The command may have ended, as its result says.
		}
	}
	if err := json.NewDecoder(stdout).Decode(&result); err != nil { // The result comes as soon as the site is served.
		stop() // Its output is complete then.
		r.t.Fatalf("%v\n%s", err, &stderr)
	}
	if result.Served == nil {
		stop()
		r.t.Fatalf("the rehearsal ends as %s and serves nothing\n%s", result.Status, &stderr)
	}
	if result.Status != rehearsal.Succeeded {
		r.t.Errorf("the rehearsal ends as %s: %v", result.Status, reasons(result))
	}
	return result, stop
}

// reasons returns why a rehearsal's actions failed.
func reasons(result rehearsal.Result) (reasons []string) {
	for _, stage := range result.Stages {
		for _, action := range stage.Actions {
			if action.Reason != "" {
				reasons = append(reasons, action.Reason)
			}
		}
	}
	return reasons
}

// left fails the test if a rehearsal left a file or a process.
func (r rehearser) left() {
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

// object is an object in the bucket, as a rehearsal keeps it.
type object struct {
	ContentType, CacheControl string
	content                   string
}

func (r rehearser) bucket(name string) map[string]object {
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

// editions returns which versions of a page readers got: before Deploy, after Deploy, after Invalidate.
func editions(r rehearsal.Result, path string) []rehearsal.Edition {
	var got []rehearsal.Edition
	for _, v := range r.Visits {
		if v.Path == path {
			got = append(got, v.Edition)
		}
	}
	return got
}

// TestRehearse publishes the example blog twice, with the same commands, functions and S3 server as an owner's
// rehearsal.
func TestRehearse(t *testing.T) {
	t.Parallel()
	r := newRehearser(t)

	first := r.run("-state", r.state)
	if first.Status != rehearsal.Succeeded || !first.Site.First || first.Site.Uploaded < 50 || first.Site.New != first.Site.Uploaded {
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
	if got, want := editions(first, "/"), []rehearsal.Edition{rehearsal.Old, rehearsal.Old, rehearsal.New}; !slices.Equal(got, want) {
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
	if site := second.Site; second.Status != rehearsal.Succeeded || site.First || site.New != 0 || site.Changed == 0 || site.Changed > 10 || site.Uploaded != site.Changed || site.Unchanged != first.Site.Uploaded-site.Changed || site.Left != 0 {
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
		t.Errorf("second: %d objects have changed, want the %d that the result reports", changed, second.Site.Changed)
	}
	for path, want := range map[string][]rehearsal.Edition{
		"/posts/はじめに/": {rehearsal.Old, rehearsal.Old, rehearsal.New},
		"/":            {rehearsal.Same, rehearsal.Same, rehearsal.Same},
	} {
		if got := editions(second, path); !slices.Equal(got, want) {
			t.Errorf("second: readers of %s get %v, want %v", path, got, want)
		}
	}
	if made := second.Invalidations; len(made) != 1 || made[0].Distribution != "E2QWRUHAPOMQZL" || made[0].Status != "Completed" || !slices.Contains(made[0].Paths, "/posts/%E3%81%AF%E3%81%98%E3%82%81%E3%81%AB/") {
		t.Errorf("second: invalidations are %+v", made)
	}
	if crawl, copies := second.Crawl, second.Copies; crawl == nil || crawl.Views == 0 || copies == nil || copies.Held != first.Site.Uploaded || copies.Needless > 0 {
		t.Errorf("second: the crawling reader saw %+v, and the edge's copies are %+v, want %d, none of them cleared needlessly", crawl, copies, first.Site.Uploaded)
	}

	third := r.run("-state", r.state, "-rollback")
	if got, want := editions(third, "/"), []rehearsal.Edition{rehearsal.Same, rehearsal.Same, rehearsal.Same, rehearsal.Broken, rehearsal.Same}; third.Status != rehearsal.Succeeded || !slices.Equal(got, want) {
		t.Errorf("third: %s, readers of the home page get %v, want %v: %v", third.Status, got, want, reasons(third))
	}
	if taken := third.Rollback; taken == nil || taken.From <= taken.To || len(taken.Releases) != 4 { // The first line has the names of the columns.
		t.Errorf("third: the rollback is %+v, want one of three releases", taken)
	}
	for name, o := range r.bucket("the-blog") {
		if after[name].content != o.content {
			t.Errorf("third: %s is not as it was before the mistake", name)
		}
	}

	for _, stop := range []time.Duration{time.Second, 3 * time.Second} {
		cmd, _, stderr := r.start("-state", r.state)
		time.Sleep(stop)
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil { // Ctrl-C reaches the whole group.
			t.Fatal(err)
		}
		_ = cmd.Wait() // The exit status is compared below.
		if got := cmd.ProcessState.ExitCode(); got != 130 {
			t.Errorf("after Ctrl-C at %v the rehearsal exits with %d, want 130\n%s", stop, got, stderr)
		}
		r.left()
	}
	if kept := r.bucket("the-blog"); kept[post] != after[post] || len(kept) != len(after) {
		t.Error("a stopped rehearsal has changed the bucket that is kept")
	}
}

// TestRehearseSite publishes the example blog to the site that the blog's own stacks make, and visits the site.
func TestRehearseSite(t *testing.T) {
	t.Parallel()
	r := newRehearser(t)
	result, stop := r.serve("-blog", "served", "-state", r.state)
	hangUp(t, result.Served.URL)
	visitSite(t, result.Served.URL)
	stop()

	for _, v := range result.Visits {
		if v.URL != "https://served.example.com"+v.Path {
			t.Errorf("a reader of %s visits %s", v.Path, v.URL)
		}
	}
	if got, want := editions(result, "/"), []rehearsal.Edition{rehearsal.Old, rehearsal.Old, rehearsal.New}; !slices.Equal(got, want) {
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

// visitSite checks what a served site answers because of its distribution, its function and its header policies.
func visitSite(t *testing.T, site string) {
	t.Helper()
	const askEveryTime = "public, max-age=0, must-revalidate"
	style := addressInHomePage(t, site, `/[\w/]+\.[0-9a-f]{64}\.css`)
	for _, tt := range []struct {
		path   string
		status int
		header map[string]string // part of each value
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
		_ = response.Body.Close() // Only the header is compared.
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

// addressInHomePage returns the first address in a site's home page that matches a pattern.
func addressInHomePage(t *testing.T, site, pattern string) string {
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

// hangUp closes connections in the middle of an answer, as a browser may. The signal SIGPIPE that follows must not end
// the rehearsal.
func hangUp(t *testing.T, address string) {
	t.Helper()
	for range 5 {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(address, "http://"))
		if err != nil {
			t.Errorf("the site is no longer served: %v", err)
			return
		}
		if _, err := io.WriteString(conn, strings.Repeat("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 100)); err != nil {
			t.Error(err)
		}
		closeIt(t, conn)
		time.Sleep(50 * time.Millisecond) // The rehearsal notices.
	}
}

// TestRehearseIntoClosedPipe checks a rehearsal whose output is piped into a program like head, which ends first.
func TestRehearseIntoClosedPipe(t *testing.T) {
	t.Parallel()
	r := newRehearser(t)
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
	_ = cmd.Wait() // The exit status is compared below.
	if got := cmd.ProcessState.ExitCode(); got != 130 {
		t.Errorf("the rehearsal exits with %d, want 130: %s", got, cmd.ProcessState)
	}
	r.left()
}

// TestRehearseUsage checks what a rehearsal says to a wrong command line.
func TestRehearseUsage(t *testing.T) {
	t.Parallel()
	r := newRehearser(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-blog", "nobody"}, `no blog "nobody"`},
		{[]string{"-blog", "a", "-service", "b"}, "name one of them"},
		{[]string{"-service", "b"}, `no service "b"`},
		{[]string{"-blog", "example", "-rollback"}, "example keeps no releases to go back to"},
		{[]string{"-fault", "cloudfront=flood"}, `fault "cloudfront=flood" is not known`},
		{[]string{"-app", "nowhere"}, "make synth"},
		{[]string{"more"}, `"more" is not a flag`},
	} {
		cmd, stdout, stderr := r.start(tt.args...)
		_ = cmd.Wait() // The exit status is compared below.
		var result rehearsal.Result
		if err := json.Unmarshal(stdout.Bytes(), &result); err != nil || !strings.Contains(result.Error, tt.want) {
			t.Errorf("%v prints %v, %s, want the error %q in JSON", tt.args, err, stdout, tt.want)
		}
		if got := cmd.ProcessState.ExitCode(); got != 2 || !strings.Contains(stderr.String(), tt.want) {
			t.Errorf("%v exits with %d, want 2 and %q\n%s", tt.args, got, tt.want, stderr)
		}
	}
}
