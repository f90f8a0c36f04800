package releases

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/s3"
)

// binaries returns the folder of the compiled functions, and server the S3 server. The first test that needs them makes
// them.
var (
	binaries func() (string, error)
	server   func() (*s3.Server, error)
)

func TestMain(m *testing.M) {
	s3.Main()
	os.Exit(test(m))
}

func test(m *testing.M) int {
	dir, err := os.MkdirTemp("", "releases")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // A folder that remains does no harm.
	ctx, end := context.WithCancel(context.Background())
	defer end()
	binaries = sync.OnceValues(func() (string, error) {
		for _, name := range []string{"publish", "invalidate"} {
			if err := lambdaruntime.Compile(ctx, "../../lambdas/"+name, filepath.Join(dir, name)); err != nil {
				return "", err
			}
		}
		return dir, nil
	})
	var running *s3.Server
	server = sync.OnceValues(func() (_ *s3.Server, err error) {
		running, err = s3.Start(ctx, s3.Options{Dir: dir})
		return running, err
	})
	code := m.Run()
	if running != nil {
		if err := running.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// site is the content of a blog's files by their names.
type site map[string]string

var (
	whole  = site{"index.html": "<h1>Home</h1>", "a/index.html": "<h1>A</h1>", "css/main.css": "h1{color:red}"}
	broken = site{"index.html": "<h1>Broken</h1>", "b/index.html": "<h1>B</h1>", "css/main.css": "h1{color:red}"}
	mended = site{"index.html": "<h1>Home, mended</h1>", "b/index.html": "<h1>B</h1>", "css/main.css": "h1{color:red}"}
)

// compiled is a blog's pipeline with the compiled functions.
type compiled struct {
	cloud               *fakeaws.Cloud
	s3                  *s3.Server
	bucket, builds      string
	publish, invalidate *lambdaruntime.Runtime
	fault               atomic.Pointer[func(fakeaws.Call) fakeaws.Fault]
	rollback            Rollback
	told                []string
}

// timeout is that of the functions. After a crash, publish waits for its end.
const (
	timeout      = 15 * time.Second
	distribution = "EDFDVBD6EXAMPLE"
)

func newCompiled(t *testing.T) *compiled {
	t.Helper()
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	w := &compiled{}
	if w.s3, err = server(); err != nil {
		t.Fatal(err)
	}
	bucket := func(kind string) string {
		name := kind + "-" + uuid.NewString()
		if err := w.s3.CreateBucket(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		return name
	}
	w.bucket, w.builds = bucket("site"), bucket("builds")
	edge := httptest.NewServer(edgeOf(w.s3.Origin(w.bucket)))
	t.Cleanup(edge.Close)
	env := map[string]string{
		contract.EnvSiteBucket: w.bucket, contract.EnvReleases: bucket("releases"),
		contract.EnvPollFor: "1s", contract.EnvPollEvery: "50ms", contract.EnvDeadline: "30s",
		contract.EnvVerify: "https://blog.example.com", contract.EnvVerifyAt: edge.Listener.Addr().String(),
	}
	w.cloud = fakeaws.New(fakeaws.Options{S3: w.s3.Unsigned(), Fault: func(c fakeaws.Call) fakeaws.Fault {
		if strikes := w.fault.Load(); strikes != nil {
			return (*strikes)(c)
		}
		return fakeaws.Fault{}
	}})
	w.cloud.AddDistribution(fakeaws.Distribution{ID: distribution, CompleteAfter: 100 * time.Millisecond})
	aws := httptest.NewServer(w.cloud)
	t.Cleanup(aws.Close)
	env["AWS_ENDPOINT_URL"] = aws.URL
	start := func(name string) *lambdaruntime.Runtime {
		of := maps.Clone(env)
		maps.Copy(of, w.cloud.Issue("arn:aws:sts::123456789012:assumed-role/my-blog/"+name, time.Hour).Env())
		runtime, err := lambdaruntime.Start(lambdaruntime.Function{
			Binary: filepath.Join(dir, name), Name: "my-blog-" + name, Env: of, Timeout: timeout,
			Retries: 2, RetryDelay: func(int) time.Duration { return 50 * time.Millisecond },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := runtime.Close(); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				t.Logf("%s logged\n%s", name, runtime.Logs())
			}
		})
		w.cloud.AddFunction("my-blog-"+name, func(ctx context.Context, event []byte) ([]byte, bool) {
			result, err := runtime.Invoke(ctx, event)
			return result.Payload, err != nil || result.Err != nil
		})
		return runtime
	}
	w.publish, w.invalidate = start("publish"), start("invalidate")
	if err := w.cloud.AddPipeline(fakeaws.Pipeline{Name: "my-blog", Stages: []fakeaws.PipelineStage{
		lambdaAction("Deploy", "my-blog-publish", publishParameters, "Site"), lambdaAction("Invalidate", "my-blog-invalidate", invalidateParameters),
	}}); err != nil {
		t.Fatal(err)
	}
	w.rollback = w.newRollback(aws.URL)
	return w
}

// edgeOf returns an edge location that reads everything from a bucket.
func edgeOf(bucket http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{
		Transport: bucket,
		Rewrite: func(r *httputil.ProxyRequest) {
			if strings.HasSuffix(r.Out.URL.Path, "/") {
				r.Out.URL.Path += "index.html"
			}
		},
		ModifyResponse: func(r *http.Response) error {
			r.Header.Set("X-Amz-Cf-Pop", "FRA56-P4")
			return nil
		},
	}
}

func (w *compiled) newRollback(url string) Rollback {
	key := w.cloud.Issue(me, time.Hour)
	config := aws.Config{Region: "us-east-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, key.SessionToken)}
	return Rollback{
		Blog: Blog{
			CodePipeline: codepipeline.NewFromConfig(config), Lambda: lambda.NewFromConfig(config), Name: "my-blog",
			Tell: func(line string) { w.told = append(w.told, line) }, Now: time.Now,
			Sleep: func(ctx context.Context, d time.Duration) error {
				select {
				case <-time.After(d):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			},
		},
		By:  me,
		Ask: func(context.Context, string) (bool, error) { return true, nil },
	}
}

// push publishes a build and clears the cache, as an execution of the pipeline does.
func (w *compiled) push(t *testing.T, s site, commit string) {
	t.Helper()
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, name := range slices.Sorted(maps.Keys(s)) {
		f, err := z.Create(name)
		if err == nil {
			_, err = f.Write([]byte(s[name]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	build := fakeaws.Artifact{Name: "Site", Bucket: w.builds, Key: commit + ".zip"}
	if err := w.s3.PutObject(t.Context(), w.builds, s3.Object{Key: build.Key, Size: int64(archive.Len())}, &archive); err != nil {
		t.Fatal(err)
	}
	w.act(t, w.publish, fakeaws.Action{FunctionName: "my-blog-publish", UserParameters: contract.JSON(contract.PublishParameters{PipelineName: "my-blog", Execution: "e-" + commit, Revision: commit}), Input: build})
	w.act(t, w.invalidate, fakeaws.Action{FunctionName: "my-blog-invalidate", UserParameters: invalidateParameters})
}

// act runs an action of the pipeline to its end.
func (w *compiled) act(t *testing.T, runtime *lambdaruntime.Runtime, action fakeaws.Action) {
	t.Helper()
	job, err := w.cloud.StartAction(action)
	for err == nil {
		runtime.InvokeAsync(t.Context(), job.Event())
		next := job.Next()
		if next == nil {
			break
		}
		job = next
	}
	if reports := job.Reports(); err != nil || len(reports) == 0 || !reports[len(reports)-1].Success {
		t.Fatalf("%s: %v, %+v\n%s", action.FunctionName, err, reports, runtime.Logs())
	}
}

// has checks that the bucket has a site and nothing else.
func (w *compiled) has(t *testing.T, want site) {
	t.Helper()
	objects, err := w.s3.List(t.Context(), w.bucket)
	if err != nil {
		t.Fatal(err)
	}
	got := site{}
	for _, object := range objects {
		_, content, err := w.s3.Object(t.Context(), w.bucket, object.Key)
		if err != nil {
			t.Fatal(err)
		}
		got[object.Key] = string(content)
	}
	if !maps.Equal(got, want) {
		t.Errorf("the bucket has %q, want %q", got, want)
	}
}

// clears reports whether an invalidation clears something in a folder.
func clears(of fakeaws.Invalidation, folder string) bool {
	return slices.ContainsFunc(of.Paths, func(path string) bool { return strings.HasPrefix(path, folder) })
}

// run rolls back, and returns what it has told.
func (w *compiled) run(ctx context.Context) (Result, string, error) {
	w.told = nil
	result, err := w.rollback.Run(ctx)
	return result, strings.Join(w.told, "\n"), err
}

func TestRollbackByTheFunctions(t *testing.T) {
	w := newCompiled(t)
	w.push(t, whole, "1abcdef0123456789")
	w.push(t, broken, "2abcdef0123456789")
	w.has(t, broken)

	result, told, err := w.run(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, told)
	}
	w.has(t, whole)
	if d := result.Difference; d.Put != 2 || d.Removed != 1 || result.Clearing.Items == 0 || result.To.Revision != "1abcdef0123456789" || result.From.Revision != "2abcdef0123456789" {
		t.Errorf("the result is %+v", result)
	}
	if all := w.cloud.Invalidations(distribution); len(all) != 3 || !clears(all[2], "/b/") || !strings.Contains(result.Proof, all[2].ID) || !strings.Contains(result.Proof, " 3 of 3 live at FRA56-P4, seen ") {
		t.Errorf("the invalidations are %+v, and the proof is %q", all, result.Proof)
	}
	w.told = nil
	if err := w.rollback.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list := strings.Join(w.told, "\n"); len(w.told) != 4 || !strings.Contains(w.told[1], "  rollback    live   files of "+result.To.ID+", by me: 1abcdef0") {
		t.Errorf("the list is\n%s", list)
	}

	// A second one does not go forth to what was taken back.
	if _, told, err = w.run(t.Context()); err == nil || !strings.Contains(err.Error(), "there is no earlier release") {
		t.Errorf("a second rollback: got %v\n%s", err, told)
	}
	w.rollback.To = "1abc"
	if _, told, err = w.run(t.Context()); err != nil || !strings.HasSuffix(told, "there is nothing to do") {
		t.Errorf("to what is live: got %v\n%s", err, told)
	}
	w.rollback.To = "2abc"
	if _, told, err = w.run(t.Context()); err != nil {
		t.Errorf("forth again: got %v\n%s", err, told)
	}
	w.has(t, broken)
	w.rollback.To = "1abc"
	agree := w.rollback.Ask
	w.rollback.Ask = func(ctx context.Context, question string) (bool, error) {
		w.push(t, mended, "3abcdef0123456789")
		return agree(ctx, question)
	}
	if _, told, err = w.run(t.Context()); err == nil || !strings.Contains(err.Error(), "Deploy: nothing was published: the bucket has the release ") {
		t.Errorf("beside a push: got %v\n%s", err, told)
	}
	w.has(t, mended)
	w.rollback.To = "9"
	if _, _, err = w.run(t.Context()); err == nil || !strings.Contains(err.Error(), `"9" is the beginning of`) {
		t.Errorf("to a release that is not there: got %v", err)
	}
}

// TestRollbackHeals has a function crash, or its caller leave, at each of some calls.
func TestRollbackHeals(t *testing.T) {
	put := func(bucket string) func(fakeaws.Call) bool {
		return func(c fakeaws.Call) bool { return c.Operation == "PutObject" && strings.Contains(c.Resource, bucket) }
	}
	for _, tt := range []struct {
		name string
		at   func(fakeaws.Call) bool
	}{
		{"the first note", put(":::releases-")},
		{"the first file", put(":::site-")},
		{"the removal", func(c fakeaws.Call) bool { return strings.HasPrefix(c.Operation, "DeleteObject") }},
		{"the manifest", put("/" + contract.ReleaseManifests)},
		{"the invalidation", func(c fakeaws.Call) bool { return c.Action == "cloudfront:CreateInvalidation" }},
	} {
		for _, how := range []string{"crash before", "crash after", "Ctrl-C"} {
			t.Run(tt.name+"/"+how, func(t *testing.T) {
				t.Parallel()
				w := newCompiled(t)
				w.push(t, whole, "1abcdef0123456789")
				w.push(t, broken, "2abcdef0123456789")
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				var struck atomic.Bool
				strikes := func(c fakeaws.Call) fakeaws.Fault {
					if !tt.at(c) || !struck.CompareAndSwap(false, true) {
						return fakeaws.Fault{}
					}
					kill := func() { w.publish.Kill(); w.invalidate.Kill() }
					switch how {
					case "crash before":
						return fakeaws.Fault{Kind: fakeaws.Before, Do: kill}
					case "crash after":
						return fakeaws.Fault{Kind: fakeaws.After, Do: kill}
					}
					leave()
					return fakeaws.Fault{}
				}
				w.fault.Store(&strikes)
				result, told, err := w.run(ctx)
				if !struck.Load() {
					t.Fatalf("the function has not made the call: %v\n%s", err, told)
				}
				if how == "Ctrl-C" {
					if !errors.Is(err, context.Canceled) || !strings.Contains(told, "make rollback BLOG=my-blog TO=") {
						t.Fatalf("got %v\n%s", err, told)
					}
					if tt.name == "the invalidation" { // which may be completed by now
						w.rollback.To = "1abc"
					}
					result, told, err = w.run(t.Context())
				}
				if err != nil {
					t.Fatalf("%v\n%s", err, told)
				}
				w.has(t, whole)
				if result.To.Revision != "1abcdef0123456789" {
					t.Errorf("the result is %+v", result)
				}
				// A job that comes again creates no second invalidation.
				if all := w.cloud.Invalidations(distribution); len(all) < 3 || how != "Ctrl-C" && len(all) > 3 || !clears(all[2], "/b/") {
					t.Errorf("the invalidations are %+v\n%s", all, told)
				}
				w.push(t, mended, "3abcdef0123456789")
				w.has(t, mended)
			})
		}
	}
}

// TestRollbackGoesOn has invalidate fail for good. The next rollback goes on with that one, and the one after goes further
// back.
func TestRollbackGoesOn(t *testing.T) {
	t.Parallel()
	w := newCompiled(t)
	w.push(t, mended, "0abcdef0123456789")
	w.push(t, whole, "1abcdef0123456789")
	w.push(t, broken, "2abcdef0123456789")
	denies := func(c fakeaws.Call) fakeaws.Fault {
		if c.Action == "cloudfront:CreateInvalidation" {
			return fakeaws.Fault{Kind: fakeaws.AccessDenied}
		}
		return fakeaws.Fault{}
	}
	w.fault.Store(&denies)
	if _, told, err := w.run(t.Context()); err == nil || !strings.Contains(told, "Deploy has published the release. To go on with the rollback: make rollback BLOG=my-blog TO=") || !strings.Contains(err.Error(), "Invalidate: ") {
		t.Fatalf("got %v\n%s", err, told)
	}
	w.told = nil
	if err := w.rollback.List(t.Context()); err != nil || !strings.Contains(strings.Join(w.told, "\n"), "live, not cleared yet  files of ") {
		t.Errorf("got %v\n%s", err, strings.Join(w.told, "\n"))
	}
	w.fault.Store(nil)
	result, told, err := w.run(t.Context())
	if err != nil || !strings.Contains(told, "is live, but its changes are not cleared yet: this goes on with it") || result.To.Revision != "1abcdef0123456789" {
		t.Fatalf("got %v\n%s", err, told)
	}
	w.has(t, whole)
	if all := w.cloud.Invalidations(distribution); len(all) != 4 || !clears(all[3], "/b/") {
		t.Errorf("the invalidations are %+v", all)
	}
	if result, told, err = w.run(t.Context()); err != nil || result.To.Revision != "0abcdef0123456789" {
		t.Errorf("got %v\n%s", err, told)
	}
	w.has(t, mended)
}
