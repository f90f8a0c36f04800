package s3

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// file is an entry of an artifact.
type file struct {
	name, content string
	mode          fs.FileMode
}

// artifact writes a zip file like those of CodeBuild.
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

// listing returns a line for each object in a bucket.
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
	if result.Objects != 5 || result.Bytes != 7+4+3+6 {
		t.Errorf("result: got %+v, want 5 objects and 20 bytes", result)
	}
	wantListing(t, s,
		".well-known/empty 0 application/octet-stream ["+cache+"]",
		"css/site.ABC.css 3 text/css ["+cache+"]",
		"gone.html 4 text/html ["+cache+"]",
		"index.html 7 text/html ["+cache+"]",
		"posts/日本語/index.html 6 text/html ["+cache+"]")

	// The second deployment has no Cache-Control. It uploads unchanged files, too, and they lose theirs.
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
	tests := []struct {
		name   string
		config map[string]string
		want   []string
		asked  []string // the permissions that Deploy needs
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
		{"Extract", config("Extract", "yes"), `ConfigurationError: Extract is "yes", and a rehearsal supports only true`},
		{"unsupported", config("Extract", "false", "CannedACL", "private", "Prefix", "ja"), `ConfigurationError: CannedACL is not a parameter of the S3 deploy action that a rehearsal supports; Extract is "false", and a rehearsal supports only true; Prefix is not a parameter`},
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

// TestDeployOfALargeFile checks that Deploy holds only a small part of a file in memory, and reports its progress.
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
		t.Errorf("Deploy has allocated %d bytes for a file of %d", took, size)
	}
	if len(told) < 10 || !slices.IsSorted(told) || told[len(told)-1] != size {
		t.Errorf("progress: got %d", told)
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
