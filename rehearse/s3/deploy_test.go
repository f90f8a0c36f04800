package s3

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

// file is one entry of an artifact.
type file struct {
	name, content string
	mode          fs.FileMode
}

// artifact writes a zip file as CodeBuild uploads them.
func artifact(t *testing.T, files ...file) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "artifact.zip")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(out)
	for _, file := range files {
		header := &zip.FileHeader{Name: file.name, Method: zip.Deflate}
		if file.mode == 0 {
			file.mode = 0o644
		}
		header.SetMode(file.mode)
		entry, err := archive.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write([]byte(file.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func config(pairs ...string) map[string]string {
	values := map[string]string{"BucketName": "blog", "Extract": "true"}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return values
}

// listing is what a bucket holds, a line for each object.
func listing(t *testing.T, s *Server, bucket string) []string {
	t.Helper()
	objects, err := s.Objects(t.Context(), bucket)
	if err != nil {
		t.Fatalf("Objects: %v", err)
	}
	var lines []string
	for _, o := range objects {
		lines = append(lines, fmt.Sprintf("%s %d %s [%s]", o.Key, o.Size, o.ContentType, o.CacheControl))
	}
	return lines
}

func wantListing(t *testing.T, s *Server, want ...string) {
	t.Helper()
	if got := listing(t, s, "blog"); !slices.Equal(got, want) {
		t.Errorf("objects:\n got %q\nwant %q", got, want)
	}
}

func TestDeployUploadsEveryFileEachTimeAndDeletesNothing(t *testing.T) {
	s := startServer(t)
	createBucket(t, s, "blog")
	const cache = "public, max-age=0, must-revalidate"
	action := Action{Configuration: config("CacheControl", cache)}

	first := artifact(t,
		file{name: "index.html", content: "<h1>one"}, file{name: "gone.html", content: "gone"},
		file{name: "css/", mode: fs.ModeDir | 0o755}, file{name: "css/site.ABC.css", content: "a{}"},
		file{name: "posts/日本語/index.html", content: "記事"}, file{name: ".well-known/empty"})
	result, err := Deploy(t.Context(), s.Client(), action, first)
	if err != nil {
		t.Fatalf("Deploy: %v", err)
	}
	if result.Objects != 5 || result.Bytes != 7+4+3+6 || len(result.Notes) != 0 {
		t.Errorf("result: got %+v, want 5 objects, 20 bytes, no notes", result)
	}
	wantListing(t, s,
		".well-known/empty 0 application/octet-stream ["+cache+"]",
		"css/site.ABC.css 3 text/css ["+cache+"]",
		"gone.html 4 text/html ["+cache+"]",
		"index.html 7 text/html ["+cache+"]",
		"posts/日本語/index.html 6 text/html ["+cache+"]")

	// The second time without Cache-Control: even what has not changed is uploaded, and loses it.
	second := artifact(t, file{name: "index.html", content: "<h1>two!"}, file{name: "css/site.ABC.css", content: "a{}"})
	if result, err = Deploy(t.Context(), s.Client(), Action{Configuration: config()}, second); err != nil {
		t.Fatalf("second Deploy: %v", err)
	}
	if result.Objects != 2 || result.Bytes != 8+3 {
		t.Errorf("second result: got %+v, want 2 objects, 11 bytes", result)
	}
	wantListing(t, s,
		".well-known/empty 0 application/octet-stream ["+cache+"]",
		"css/site.ABC.css 3 text/css []",
		"gone.html 4 text/html ["+cache+"]",
		"index.html 8 text/html []",
		"posts/日本語/index.html 6 text/html ["+cache+"]")
	if _, content, err := s.Object(t.Context(), "blog", "index.html"); err != nil || string(content) != "<h1>two!" {
		t.Errorf("index.html: got %q, %v; want the new page", content, err)
	}
}

func TestDeployByConfiguration(t *testing.T) {
	s := startServer(t)
	files := []file{{name: "index.html", content: "hello"}, {name: "a/b.xml", content: "<a/>"}}
	zipped := artifact(t, files...)
	info, err := os.Stat(zipped)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		config map[string]string
		want   []string
		asked  []string // permissions
		note   string
	}{
		{
			name: "extract", config: config(),
			want:  []string{"a/b.xml 4 application/xml []", "index.html 5 text/html []"},
			asked: []string{"s3:PutObject a/b.xml", "s3:PutObject index.html"},
		},
		{
			name: "prefix", config: config("ObjectKey", "ja/notes"),
			want:  []string{"ja/notes/a/b.xml 4 application/xml []", "ja/notes/index.html 5 text/html []"},
			asked: []string{"s3:PutObject ja/notes/a/b.xml", "s3:PutObject ja/notes/index.html"},
		},
		{
			name: "prefix with a slash", config: config("ObjectKey", "ja/"),
			want:  []string{"ja/a/b.xml 4 application/xml []", "ja/index.html 5 text/html []"},
			asked: []string{"s3:PutObject ja/a/b.xml", "s3:PutObject ja/index.html"},
		},
		{
			name: "no extract", config: config("Extract", "false", "ObjectKey", "releases/site.zip", "CacheControl", "no-store"),
			want:  []string{fmt.Sprintf("releases/site.zip %d application/zip [no-store]", info.Size())},
			asked: []string{"s3:PutObject releases/site.zip"},
		},
		{
			name: "ACL", config: config("CannedACL", "bucket-owner-full-control"),
			want: []string{"a/b.xml 4 application/xml []", "index.html 5 text/html []"},
			asked: []string{
				"s3:PutObject a/b.xml", "s3:PutObject index.html", "s3:PutObjectAcl a/b.xml", "s3:PutObjectAcl index.html",
			},
			note: "CannedACL is not rehearsed",
		},
		{
			name: "KMS", config: config("KMSEncryptionKeyARN", "arn:aws:kms:us-east-1:123456789012:key/1"),
			want:  []string{"a/b.xml 4 application/xml []", "index.html 5 text/html []"},
			asked: []string{"s3:PutObject a/b.xml", "s3:PutObject index.html"},
			note:  "KMSEncryptionKeyARN is not rehearsed",
		},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bucket := fmt.Sprintf("blog-%d", i)
			createBucket(t, s, bucket)
			test.config["BucketName"] = bucket
			var asked []string
			var progress []Progress
			result, err := Deploy(t.Context(), s.Client(), Action{
				Configuration: test.config,
				Authorize: func(action, resource string) error {
					key, ok := strings.CutPrefix(resource, "arn:aws:s3:::"+bucket+"/")
					if !ok {
						t.Errorf("resource: got %q, want one in %s", resource, bucket)
					}
					asked = append(asked, action+" "+key)
					return nil
				},
				Progress: func(p Progress) { progress = append(progress, p) },
			}, zipped)
			if err != nil {
				t.Fatalf("Deploy: %v", err)
			}
			if got := listing(t, s, bucket); !slices.Equal(got, test.want) {
				t.Errorf("objects:\n got %q\nwant %q", got, test.want)
			}
			slices.Sort(asked)
			if !slices.Equal(asked, test.asked) {
				t.Errorf("permissions asked for:\n got %q\nwant %q", asked, test.asked)
			}
			if notes := strings.Join(result.Notes, "\n"); !strings.HasPrefix(notes, test.note) || test.note == "" && notes != "" {
				t.Errorf("notes: got %q, want %q", notes, test.note)
			}
			if len(progress) != len(test.want) {
				t.Fatalf("progress: got %+v, want %d reports", progress, len(test.want))
			}
			last := progress[len(progress)-1]
			if last.Objects != result.Objects || last.Total != len(test.want) || last.Bytes != result.Bytes || last.Key == "" {
				t.Errorf("last progress: got %+v, want the result's %+v", last, result)
			}
		})
	}
}

func TestDeployChecksItsConfiguration(t *testing.T) {
	tests := []struct {
		name   string
		config map[string]string
		want   string
	}{
		{"nothing", nil, "ConfigurationError: BucketName is missing; Extract is missing"},
		{"no key", config("Extract", "false"), "ConfigurationError: ObjectKey is missing; it is required when Extract is false"},
		{"Extract", config("Extract", "yes"), `ConfigurationError: Extract is "yes"; it must be true or false`},
		{"ACL", config("CannedACL", "PublicRead"), `ConfigurationError: CannedACL is "PublicRead"; it must be one of [private public-read`},
		{"unknown", config("Extract", "No", "Cachecontrol", "no-store", "Prefix", "ja"), `ConfigurationError: Cachecontrol is no parameter of the S3 deploy action; Extract is "No"; it must be true or false; Prefix is no parameter of the S3 deploy action`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Deploy(t.Context(), nil, Action{Configuration: test.config}, "unread.zip")
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("Deploy: got %v, want %s", err, test.want)
			}
		})
	}
}

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
	_, err = Deploy(t.Context(), s.Client(), Action{Configuration: config("CannedACL", "private"), Authorize: func(action, _ string) error {
		if action == "s3:PutObjectAcl" {
			return denied
		}
		return nil
	}}, site)
	if !errors.Is(err, denied) {
		t.Errorf("Deploy with an ACL and without s3:PutObjectAcl: got %v, want AccessDenied", err)
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
		t.Errorf("Deploy: got %v after %d questions, want an error and no more questions than are under way", err, asked)
	}
}

func TestDeployRefusesPathsThatAreNotPlain(t *testing.T) {
	tests := []struct {
		name string
		file file
		want string
	}{
		{"parent", file{name: "../evil.html"}, `"../evil.html" is refused: a file of an artifact has a path like a/b.html`},
		{"parent folder", file{name: "../", mode: fs.ModeDir | 0o755}, `"../" is refused`},
		{"inner parent", file{name: "a/../../evil.html"}, "is refused: a file of an artifact"},
		{"harmless inner parent", file{name: "a/../b.html"}, "is refused: a file of an artifact"},
		{"absolute", file{name: "/etc/passwd"}, `"/etc/passwd" is refused`},
		{"itself", file{name: "."}, "is refused"},
		{"dot", file{name: "./a.html"}, "is refused"},
		{"double slash", file{name: "a//b.html"}, "is refused"},
		{"symbolic link", file{name: "link", content: "/etc/passwd", mode: fs.ModeSymlink | 0o777}, `"link" is refused: it is no regular file (L`},
		{"twice", file{name: "index.html"}, `"index.html" is refused: it is in there twice`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			site := artifact(t, file{name: "index.html", content: "harmless"}, test.file)
			uploads := 0
			server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { uploads++ }))
			defer server.Close()
			client := awss3.New(awss3.Options{BaseEndpoint: aws.String(server.URL), Region: "us-east-1", UsePathStyle: true,
				Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", "")})
			_, err := Deploy(t.Context(), client, Action{Configuration: config()}, site)
			if failure := (*Error)(nil); !errors.As(err, &failure) || failure.Code != "JobFailed" || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Deploy: got %v, want JobFailed: … %s", err, test.want)
			}
			if uploads != 0 {
				t.Errorf("uploads: got %d, want none of an artifact that is refused", uploads)
			}
		})
	}
}

// TestDeployOfAnyName has what S3 takes for a key, what it refuses, and what only the server here cannot do.
func TestDeployOfAnyName(t *testing.T) {
	s := startServer(t)
	createBucket(t, s, "blog")
	takes := []string{
		"*", "a*b?.html", "tags/c#/%41.html", "new\nline", "re\rturn", "tab\t", `back\slash`, `\`, "with space ", "+", "é", "e\u0301", "'\"<>&", "😀", "-", "~", "$x", "{a}[b]",
		strings.Repeat("n", 255), strings.Repeat("日", 85), strings.Repeat("n/", 511) + "xy",
	}
	var files []file
	for _, name := range takes {
		files = append(files, file{name: name, content: "x"})
	}
	if _, err := Deploy(t.Context(), s.Client(), Action{Configuration: config()}, artifact(t, files...)); err != nil {
		t.Errorf("Deploy: %v", err)
	}
	objects, err := s.Objects(t.Context(), "blog")
	var keys []string
	for _, o := range objects {
		keys = append(keys, o.Key)
	}
	slices.Sort(takes)
	slices.Sort(keys)
	if err != nil || !slices.Equal(keys, takes) {
		t.Errorf("objects: got %q, %v; want %q", keys, err, takes)
	}

	createBucket(t, s, "other")
	for _, tt := range []struct {
		name, key, code, want string
	}{
		{"as long as a key can be and one byte", strings.Repeat("m/", 511) + "xyz", "KeyTooLongError", "Your key is too long (1025 bytes, and 1024 is the most: m/m/"},
		{"not UTF-8", "caf\xe9.html", "InvalidURI", `the name of "caf\xe9.html" is not UTF-8`},
		{"control character", "a\x01b", "", `the name of "a\x01b" has a character that XML cannot have: S3 takes it, and the S3 server of rehearsals cannot list it`},
		{"file that is a folder", "posts/a", "", "upload posts/a to other: a name is there for a file and for a folder"},
		{"folder that is a file", "about/index.html", "", "upload about/index.html to other: a name is there for a file and for a folder"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			there := artifact(t, file{name: "posts/a/index.html"}, file{name: "about"})
			if _, err := Deploy(t.Context(), s.Client(), Action{Configuration: config("BucketName", "other")}, there); err != nil {
				t.Fatal(err)
			}
			_, err := Deploy(t.Context(), s.Client(), Action{Configuration: config("BucketName", "other")}, artifact(t, file{name: tt.key}))
			var code string
			if refused := (*Error)(nil); errors.As(err, &refused) {
				code = refused.Code
			}
			if err == nil || code != tt.code || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Deploy: got %v with the code %q, want %s and %q", err, code, tt.want, tt.code)
			}
		})
	}
}

// TestDeployOfALargeFile holds little of it in memory, and tells how far it is.
func TestDeployOfALargeFile(t *testing.T) {
	s := startServer(t)
	createBucket(t, s, "blog")
	const size = 256 << 20
	site := artifact(t, file{name: "a.mp4", content: strings.Repeat("x", size)})
	debug.FreeOSMemory()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var told []int64
	result, err := Deploy(t.Context(), s.Client(), Action{Configuration: config(), Progress: func(p Progress) { told = append(told, p.Bytes) }}, site)
	runtime.ReadMemStats(&after)
	if err != nil || result.Objects != 1 || result.Bytes != size {
		t.Errorf("Deploy: got %+v, %v", result, err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > size/4 {
		t.Errorf("it has allocated %d bytes, of a file of %d", took, size)
	}
	if len(told) < 10 || !slices.IsSorted(told) || told[len(told)-1] != size {
		t.Errorf("progress: got %d", told)
	}
}

// TestDeployTellsOfTypes that browsers do not take for what they are.
func TestDeployTellsOfTypes(t *testing.T) {
	s := startServer(t)
	createBucket(t, s, "blog")
	site := artifact(t,
		file{name: "index.html", content: "日本"}, file{name: "style.css", content: "/* 日本 */"}, file{name: "robots.txt", content: "ascii"},
		file{name: "llms.txt", content: strings.Repeat("a", 70000) + "日本"}, file{name: "data.csv", content: "é"},
		file{name: "lib.wasm"}, file{name: "b/app.mjs"}, file{name: "a/app.MJS"}, file{name: "CNAME"})
	result, err := Deploy(t.Context(), s.Client(), Action{Configuration: config()}, site)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"published as application/octet-stream, which browsers download and do not show or run, by the guess of CodePipeline's S3 action (unverified): 4 of 9 files, .mjs .wasm without an extension; the first is CNAME",
		"published without a charset, in which browsers show all but ASCII garbled, by the guess of CodePipeline's S3 action (unverified): 2 of 9 files, .csv .txt; the first is data.csv",
	} {
		if len(result.Warnings) != 2 || !strings.HasPrefix(result.Warnings[i], want) {
			t.Errorf("warnings: got %q, want %q", result.Warnings, want)
		}
	}
	if len(result.Types) != 2 || !strings.HasSuffix(result.Types[0], ": CNAME, a/app.MJS, b/app.mjs, lib.wasm") {
		t.Errorf("types: got %q", result.Types)
	}
	if got, want := extensions(strings.Fields("x.a x.b x.c x.d x.e x.f x.g x.h x.i x.j x.k x.l x.m x.n")), ".a .b .c .d .e .f .g .h .i .j .k .l and 2 more extensions"; got != want {
		t.Errorf("extensions: got %q, want %q", got, want)
	}
}

func TestDeployOfNoArtifact(t *testing.T) {
	notZip := filepath.Join(t.TempDir(), "artifact.zip")
	if err := os.WriteFile(notZip, []byte("not a zip file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{notZip, "no/such/artifact.zip"} {
		if _, err := Deploy(t.Context(), nil, Action{Configuration: config()}, path); err == nil || !strings.Contains(err.Error(), "read artifact: ") {
			t.Errorf("Deploy of %s: got %v, want an error that says so", path, err)
		}
	}
	result, err := Deploy(t.Context(), nil, Action{Configuration: config()}, artifact(t))
	if err != nil || result.Objects != 0 {
		t.Errorf("Deploy of an empty artifact: got %+v, %v; want nothing and no error", result, err)
	}
}

func TestDeployOfManyFilesIsConcurrentAndExact(t *testing.T) {
	s := startServer(t)
	createBucket(t, s, "blog")
	var files []file
	want := make(map[string]string)
	for i := range 300 {
		key, content := fmt.Sprintf("posts/%03d/index.html", i), strings.Repeat("x", i)
		files = append(files, file{name: key, content: content})
		want[key] = content
	}
	var reports int
	result, err := Deploy(t.Context(), s.Client(), Action{Configuration: config(), Progress: func(p Progress) {
		if reports++; p.Objects != reports {
			t.Errorf("progress: got object %d in report %d, want each once and in order", p.Objects, reports)
		}
	}}, artifact(t, files...))
	if err != nil {
		t.Fatalf("Deploy: %v", err)
	}
	if result.Objects != 300 || result.Bytes != 299*300/2 || reports != 300 {
		t.Errorf("got %+v and %d reports, want 300 objects of 44,850 bytes", result, reports)
	}
	for _, key := range slices.Sorted(maps.Keys(want))[:20] {
		if _, content, err := s.Object(t.Context(), "blog", key); err != nil || string(content) != want[key] {
			t.Errorf("%s: got %d bytes, %v; want %d", key, len(content), err, len(want[key]))
		}
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

	// Also when it ends between two uploads, and none of them fails.
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := Deploy(ended, client, Action{Configuration: config()}, artifact(t, files...)); !errors.Is(err, context.Canceled) {
		t.Errorf("Deploy in an ended context: got %v, want %v", err, context.Canceled)
	}
}

func TestContentType(t *testing.T) {
	tests := map[string]string{
		"index.html":              "text/html", // No charset: the page's own <meta charset> decides.
		"PHOTO.JPG":               "image/jpeg",
		"posts/index.xml":         "application/xml",
		"feed.rss":                "application/rss+xml",
		"css/main.min.0a1b2c.css": "text/css",
		"js/app.js":               "application/javascript",
		"fonts/a.woff2":           "font/woff2",
		"favicon.ico":             "image/x-icon",
		"logo.svg":                "image/svg+xml",
		"robots.txt":              "text/plain",
		"index.json":              "application/json",
		"image.webp":              "image/webp",
		"image.avif":              "application/octet-stream",
		"site.webmanifest":        "application/octet-stream",
		"CNAME":                   "application/octet-stream",
		"v1.2/README":             "application/octet-stream",
		".nojekyll":               "application/octet-stream",
		"html":                    "application/octet-stream",
	}
	for name, want := range tests {
		if got := contentType(name); got != want {
			t.Errorf("contentType(%q): got %q, want %q", name, got, want)
		}
	}
}
