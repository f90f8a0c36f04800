package s3

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

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
