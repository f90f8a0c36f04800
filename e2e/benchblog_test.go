package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // The ETag of an object is the MD5 of its content.
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

// benchBlog is a generated blog in the folder public of a Hugo project. It is the same in each run.
type benchBlog struct {
	project string
	names   []string // those that change first
	size    int64
	// changed is true if the files are those after a post, and md5 has their hashes.
	changed bool
	md5     map[string]string
}

// changedFiles is how many files one post changes.
const changedFiles = 86

func newBenchBlog(b *testing.B) *benchBlog {
	b.Helper()
	blog := &benchBlog{project: b.TempDir()}
	add := func(format string, from, to int) {
		for i := from; i < to; i++ {
			blog.names = append(blog.names, fmt.Sprintf(format, i))
		}
	}
	const (
		list, tag, feed, post = "posts/page/%d/index.html", "tags/t%03d/index.html", "tags/t%03d/index.xml", "posts/%04d-a-day-in-november/index.html"
	)
	// What one post changes comes first: lists, feeds, and posts that lead to it.
	blog.names = []string{"index.html", "sitemap.xml", "index.xml", "index.json"}
	add(list, 0, 30)
	add(tag, 0, 20)
	add(feed, 0, 17)
	add(post, 0, 15)
	add(list, 30, 58)
	add(tag, 20, 120)
	add(feed, 17, 110)
	add(post, 15, 900)
	add("posts/%04d-a-day-in-november/cover.jpg", 0, 797)
	add("css/main-%d.css", 0, 30)
	blog.write(b, false)
	for _, name := range blog.names {
		info, err := os.Stat(filepath.Join(blog.public(), name))
		if err != nil {
			b.Fatal(err)
		}
		blog.size += info.Size()
	}
	return blog
}

func (blog *benchBlog) public() string { return filepath.Join(blog.project, "public") }

// content returns a file of the blog, before or after a post.
func (blog *benchBlog) content(i int, changed bool) []byte {
	random := rand.New(rand.NewPCG(13, uint64(i)))
	var content bytes.Buffer
	name := blog.names[i]
	if strings.HasSuffix(name, ".jpg") { // It cannot be compressed.
		image := make([]byte, 40_000+random.IntN(130_000))
		for i := range image {
			image[i] = byte(random.Uint32())
		}
		return image
	}
	if changed && i < changedFiles {
		content.WriteString("<!-- one more post -->\n")
	}
	size := 4_000 + random.IntN(16_000)
	if !strings.Contains(name, "/") {
		size *= 20
	}
	words := strings.Fields("the a of and quick brown fox dog river winter letter window <p> </p> <a href=/posts/> </a> 日記 写真 言葉")
	for content.Len() < size {
		content.WriteString(words[random.IntN(len(words))])
		content.WriteByte(" \n"[random.IntN(2)])
	}
	return content.Bytes()
}

// write makes all files anew.
func (blog *benchBlog) write(b *testing.B, changed bool) {
	b.Helper()
	blog.changed, blog.md5 = changed, map[string]string{}
	for i, name := range blog.names {
		content := blog.content(i, changed)
		hash := md5.Sum(content) //nolint:gosec // It is compared with an ETag.
		blog.md5[name] = hex.EncodeToString(hash[:])
		path := filepath.Join(blog.public(), name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

// zip returns the archive of a build, as CodeBuild uploads it.
func (blog *benchBlog) zip(b *testing.B, changed bool) []byte {
	b.Helper()
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for i, name := range blog.names {
		file, err := w.Create(name)
		if err == nil {
			_, err = file.Write(blog.content(i, changed))
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return archive.Bytes()
}

// peers returns the other tools, with the settings that make each of them fastest here.
func (blog *benchBlog) peers() []*uploader {
	return []*uploader{
		{name: "s5cmd", program: ".cache/bin/github.com/peak/s5cmd/v2@*/s5cmd",
			args: "--log=error --endpoint-url=$URL sync --delete $PUBLIC/ s3://$BUCKET/"},
		{name: "rclone", program: ".cache/bin/github.com/rclone/rclone@*/rclone",
			args: "sync --config= --checksum --fast-list --transfers=64 --checkers=64 --s3-provider=Other --s3-env-auth --s3-region=us-east-1 " +
				"--s3-endpoint=$URL --s3-force-path-style --s3-no-check-bucket --s3-no-head $PUBLIC :s3:$BUCKET"},
		{name: "hugo deploy", program: ".cache/bin/github.com/gohugoio/hugo@*/hugo",
			args: "deploy --source=$PROJECT --workers=64 --maxDeletes=-1 --invalidateCDN=false --logLevel=error"},
		// The first line of the script aws names Python, which does not work in a folder with a space.
		{name: "aws s3 sync", program: ".cache/venv/bin/python",
			args: "-m awscli --endpoint-url=$URL s3 sync --delete --only-show-errors $PUBLIC s3://$BUCKET"},
	}
}

// find looks for a peer's program, and returns why it is not used, or "".
func (u *uploader) find() (reason string) {
	found, err := filepath.Glob(u.program)
	if err != nil || len(found) == 0 {
		return "there is no " + u.program + "; see what make peers says"
	}
	if u.program, err = filepath.Abs(found[len(found)-1]); err != nil {
		return err.Error()
	}
	return ""
}

// upload runs a peer.
func (blog *benchBlog) upload(b *testing.B, w *benchS3, u *uploader) (use, error) {
	b.Helper()
	// Hugo reads its target from a file.
	config := fmt.Sprintf("[[deployment.targets]]\nname = 'bench'\nURL = 's3://%s?region=us-east-1&endpoint=%s&use_path_style=true'\n", u.bucket(), w.proxy.URL)
	if err := os.WriteFile(filepath.Join(blog.project, "hugo.toml"), []byte(config), 0o644); err != nil {
		return use{}, err
	}
	args := strings.Fields(u.args)
	for i, arg := range args {
		args[i] = os.Expand(arg, func(name string) string {
			return map[string]string{"URL": w.proxy.URL, "BUCKET": u.bucket(), "PUBLIC": blog.public(), "PROJECT": blog.project}[name]
		})
	}
	cmd := exec.CommandContext(b.Context(), u.program, args...)
	cmd.Env = []string{"HOME=" + blog.project, "PATH=" + os.Getenv("PATH"), "AWS_EC2_METADATA_DISABLED=true"}
	for _, name := range slices.Sorted(maps.Keys(w.env)) {
		if w.env[name] != "" {
			cmd.Env = append(cmd.Env, name+"="+w.env[name])
		}
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return use{}, err
	}
	// The memory that the system tells at the end includes this process's, of which the command was a part before it
	// was a process of its own.
	var used use
	ctx, ended := context.WithCancel(b.Context())
	var watch sync.WaitGroup
	watch.Go(func() {
		for ctx.Err() == nil {
			used.rssKB = max(used.rssKB, lambdaruntime.PeakRSS(cmd.Process.Pid))
			time.Sleep(2 * time.Millisecond)
		}
	})
	err := cmd.Wait()
	used.wall = time.Since(start)
	ended()
	watch.Wait()
	if err != nil {
		return use{}, fmt.Errorf("%w\n%s", err, out.String())
	}
	used.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return used, nil
}
