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
		{"parent", file{name: "../evil.html"}, `"../evil.html" is refused: the path of a file must be like a/b.html`},
		{"parent folder", file{name: "../", mode: fs.ModeDir | 0o755}, `"../" is refused`},
		{"inner parent", file{name: "a/../../evil.html"}, "is refused: the path of a file"},
		{"harmless inner parent", file{name: "a/../b.html"}, "is refused: the path of a file"},
		{"absolute", file{name: "/etc/passwd"}, `"/etc/passwd" is refused`},
		{"itself", file{name: "."}, "is refused"},
		{"dot", file{name: "./a.html"}, "is refused"},
		{"double slash", file{name: "a//b.html"}, "is refused"},
		{"symbolic link", file{name: "link", content: "/etc/passwd", mode: fs.ModeSymlink | 0o777}, `"link" is refused: it is not a regular file (L`},
		{"twice", file{name: "index.html"}, `"index.html" is refused: the artifact has it twice`},
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
				t.Errorf("uploads: got %d, want none, because the artifact is refused", uploads)
			}
		})
	}
}

// TestDeployOfAnyName tries keys that S3 accepts, keys that S3 refuses, and keys that only the rehearsal's server
// refuses.
func TestDeployOfAnyName(t *testing.T) {
	s := startServer(t)
	createBucket(t, s, "blog")
	accepted := []string{
		"*", "a*b?.html", "tags/c#/%41.html", "new\nline", "re\rturn", "tab\t", `back\slash`, `\`, "with space ", "+", "é", "e\u0301", "'\"<>&", "😀", "-", "~", "$x", "{a}[b]",
		strings.Repeat("n", 255), strings.Repeat("日", 85), strings.Repeat("n/", 511) + "xy",
	}
	var files []file
	for _, name := range accepted {
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
	slices.Sort(accepted)
	slices.Sort(keys)
	if err != nil || !slices.Equal(keys, accepted) {
		t.Errorf("objects: got %q, %v; want %q", keys, err, accepted)
	}

	createBucket(t, s, "other")
	for _, tt := range []struct {
		name, key, code, want string
	}{
		{"one byte too long", strings.Repeat("m/", 511) + "xyz", "KeyTooLongError", "Your key is too long (1025 bytes, the limit is 1024: m/m/"},
		{"not UTF-8", "caf\xe9.html", "InvalidURI", `the name "caf\xe9.html" is not UTF-8`},
		{"control character", "a\x01b", "", `the name "a\x01b" has a character that XML does not allow: S3 accepts it, but the rehearsal's S3 server cannot list it`},
		{"file that is a folder", "posts/a", "", "upload posts/a to other: a file and a folder have the same name"},
		{"folder that is a file", "about/index.html", "", "upload about/index.html to other: a file and a folder have the same name"},
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
