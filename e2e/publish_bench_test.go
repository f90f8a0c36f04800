package e2e

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/s3"
)

// s3Delay is what each request to S3 takes longer than on this machine, as from a function to S3.
const s3Delay = 25 * time.Millisecond

// publications are what the tools do in turn. As in CI, all files are new before each one, and most have the content
// that they had before.
var publications = []string{"full", "nothing changed", "86 changed"}

// BenchmarkPublish compares the function publish, which starts anew and reads the build's archive from S3, with tools that
// upload a folder.
func BenchmarkPublish(b *testing.B) {
	blog := newBenchBlog(b)
	binary := filepath.Join(b.TempDir(), "bootstrap")
	if err := lambdaruntime.Compile(b.Context(), "./lambdas/publish", binary, "-trimpath"); err != nil {
		b.Fatal(err)
	}
	uploads := []*uploader{{name: "publish", program: binary}}
	for _, peer := range blog.peers() {
		if reason := peer.find(); reason != "" {
			fmt.Printf("%s is left out: %s\n", peer.name, reason)
		} else {
			uploads = append(uploads, peer)
		}
	}
	for turn := 0; b.Loop(); turn++ {
		w := newBenchS3(b, blog, uploads)
		for i, publication := range publications {
			blog.write(b, i == len(publications)-1)
			for n := range uploads {
				u := uploads[(n+turn)%len(uploads)]
				syscall.Sync() // What the last command has written must not slow the next one down.
				before := w.requests.Load()
				upload := blog.upload
				if u == uploads[0] {
					upload = blog.publish
				}
				used, err := upload(b, w, u)
				if err != nil {
					b.Fatalf("%s, %s: %v", u.name, publication, err)
				}
				used.requests = w.requests.Load() - before
				if err := w.check(b.Context(), blog, u.bucket()); err != nil {
					b.Fatalf("%s, %s: %v", u.name, publication, err)
				}
				u.used[i] = append(u.used[i], used)
			}
		}
		w.close()
	}
	reportUploads(b, blog, uploads)
}

// uploader is a tool that uploads the blog to a bucket.
type uploader struct {
	name string
	// program is the function, or a pattern of a peer's path. args are a peer's, with variables.
	program, args string
	used          [3][]use // by publication
}

func (u *uploader) bucket() string { return strings.ReplaceAll(u.name, " ", "-") }

// use is what one publication needed.
type use struct {
	requests  int64
	wall, cpu time.Duration
	rssKB     int64
}

// medians returns the median of each field.
func medians(all []use) use {
	return use{
		requests: median(all, func(u use) int64 { return u.requests }),
		wall:     median(all, func(u use) time.Duration { return u.wall }),
		cpu:      median(all, func(u use) time.Duration { return u.cpu }),
		rssKB:    median(all, func(u use) int64 { return u.rssKB }),
	}
}

func median[T cmp.Ordered](all []use, field func(use) T) T {
	var values []T
	for _, u := range all {
		values = append(values, field(u))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func reportUploads(b *testing.B, blog *benchBlog, uploads []*uploader) {
	b.Helper()
	fmt.Printf("\nA blog of %d files, %.1f MB, published to S3 at a distance of %v (medians of %d, in turns)\n",
		len(blog.names), float64(blog.size)/1e6, s3Delay, len(uploads[0].used[0]))
	for i, publication := range publications {
		var text strings.Builder
		fmt.Fprintf(&text, "%s\trequests\twall\tratio\tCPU\tpeak memory\t\n", publication)
		ours := medians(uploads[0].used[i])
		best := time.Duration(0)
		for n, u := range uploads {
			used := medians(u.used[i])
			fmt.Fprintf(&text, "%s\t%d\t%.2f s\t× %.2f\t%.2f s\t%d MB\t\n", u.name, used.requests, used.wall.Seconds(),
				used.wall.Seconds()/ours.wall.Seconds(), used.cpu.Seconds(), used.rssKB>>10)
			if n > 0 && (best == 0 || used.wall < best) {
				best = used.wall
			}
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', tabwriter.AlignRight)
		_, err := io.WriteString(w, text.String())
		if err := cmp.Or(err, w.Flush()); err != nil {
			b.Fatal(err)
		}
		unit := "-" + strings.ReplaceAll(publication, " ", "-")
		b.ReportMetric(float64(ours.requests), "requests"+unit)
		b.ReportMetric(float64(ours.rssKB)/1024, "MB"+unit)
		if best > 0 {
			b.ReportMetric(ours.wall.Seconds()/best.Seconds(), "x(ours/best-peer)"+unit)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// benchS3 is an S3 server behind a proxy that delays each request.
type benchS3 struct {
	server   *s3.Server
	proxy    *httptest.Server
	env      map[string]string // the credentials
	requests atomic.Int64
	pipeline *benchPipeline
	close    func()
}

// artifacts is the bucket that the builds are in, and releases is the suffix of the function's own.
const artifacts, releases = "artifacts", "-releases"

func newBenchS3(b *testing.B, blog *benchBlog, uploads []*uploader) *benchS3 {
	b.Helper()
	server, err := s3.Start(b.Context(), s3.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	credentials, err := server.Client().Options().Credentials.Retrieve(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	w := &benchS3{server: server, pipeline: &benchPipeline{}, env: map[string]string{
		"AWS_ACCESS_KEY_ID": credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY": credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN": "", "AWS_REGION": "us-east-1",
	}}
	target, err := url.Parse(server.Endpoint())
	if err != nil {
		b.Fatal(err)
	}
	pass := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // as the client has signed it
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true},
	}
	w.proxy = httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") != "" {
			w.pipeline.ServeHTTP(response, r)
			return
		}
		w.requests.Add(1)
		time.Sleep(s3Delay)
		pass.ServeHTTP(response, r)
	}))
	w.close = func() { w.proxy.Close(); closeIt(b, server) }
	buckets := []string{artifacts, uploads[0].bucket() + releases}
	for _, u := range uploads {
		buckets = append(buckets, u.bucket())
	}
	for _, bucket := range buckets {
		if err := server.CreateBucket(b.Context(), bucket); err != nil {
			b.Fatal(err)
		}
	}
	for _, changed := range []bool{false, true} {
		build := blog.zip(b, changed)
		object := s3.Object{Key: artifactKey(changed), Size: int64(len(build))}
		if err := server.PutObject(b.Context(), artifacts, object, bytes.NewReader(build)); err != nil {
			b.Fatal(err)
		}
	}
	return w
}

func artifactKey(changed bool) string { return fmt.Sprintf("blog/build-%t.zip", changed) }

// check returns an error unless a bucket has the blog's files.
func (w *benchS3) check(ctx context.Context, blog *benchBlog, bucket string) error {
	found := map[string]string{}
	pages := awss3.NewListObjectsV2Paginator(w.server.Client(), &awss3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, object := range page.Contents {
			found[aws.ToString(object.Key)] = strings.Trim(aws.ToString(object.ETag), `"`)
		}
	}
	if !maps.Equal(found, blog.md5) {
		return fmt.Errorf("the bucket has not the blog's %d files, but %d, or other contents", len(blog.md5), len(found))
	}
	return nil
}

// benchPipeline is what the function reports to.
type benchPipeline struct {
	mu      sync.Mutex
	reports []string
}

func (p *benchPipeline) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // What is missing of a report, publish below misses.
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reports = append(p.reports, r.Header.Get("X-Amz-Target")+" "+string(body))
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_, _ = io.WriteString(w, "{}")
}

// publish runs the function once, in a process of its own, and returns an error unless it reports success.
func (blog *benchBlog) publish(b *testing.B, w *benchS3, u *uploader) (use, error) {
	b.Helper()
	env := map[string]string{
		"AWS_ENDPOINT_URL":     w.proxy.URL,
		contract.EnvSiteBucket: u.bucket(),
		contract.EnvReleases:   u.bucket() + releases,
		contract.EnvAddresses:  "{}",
		contract.EnvGrace:      "24h",
		contract.EnvPollEvery:  "1s",
		contract.EnvMaxPaths:   "30",
	}
	maps.Copy(env, w.env)
	function, err := lambdaruntime.Start(lambdaruntime.Function{Binary: u.program, Name: "publish", Timeout: 15 * time.Minute, MemoryMB: 1024, Env: env})
	if err != nil {
		return use{}, err
	}
	defer closeIt(b, function)
	job, err := fakeaws.New(fakeaws.Options{}).StartAction(fakeaws.Action{
		FunctionName:   "publish",
		UserParameters: contract.JSON(contract.PublishParameters{PipelineName: "blog"}),
		Input:          fakeaws.Artifact{Name: "Build", Bucket: artifacts, Key: artifactKey(blog.changed)},
	})
	if err != nil {
		return use{}, err
	}
	reports := len(w.pipeline.reports)
	result, err := function.Invoke(b.Context(), job.Event())
	if err != nil || result.Err != nil {
		return use{}, fmt.Errorf("%w\n%s", cmp.Or[error](err, result.Err), function.Logs())
	}
	w.pipeline.mu.Lock()
	defer w.pipeline.mu.Unlock()
	told := strings.Join(w.pipeline.reports[reports:], "\n")
	if !strings.Contains(told, ".PutJobSuccessResult ") || strings.Contains(told, `"continuationToken"`) {
		return use{}, fmt.Errorf("the function reported %s\n%s", told, function.Logs())
	}
	return use{wall: result.InitDuration + result.Duration, cpu: result.CPU, rssKB: result.MaxRSSKB}, nil
}
