package readers

import (
	"archive/zip"
	"bytes"
	"cmp"
	"crypto/md5" //nolint:gosec // S3's ETag is one; nothing is secured by it.
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/rehearse/s3"
)

// maxPage limits the size of the files that readers visit: they are held in memory, and compared.
const maxPage = 16 << 20

// Build has the files that an action is about to publish.
type Build struct {
	archive io.Closer
	prefix  string
	files   map[string]*zip.File // by the key of their object
	// editions says of each file what the bucket has at its key: Missing, Same, or Old for other content.
	editions map[string]rehearsal.Edition
	first    bool // the bucket is empty
}

// OpenBuild opens an artifact whose files are published below a prefix. The caller closes it.
func OpenBuild(name, prefix string) (*Build, error) {
	archive, err := zip.OpenReader(name)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // The deploy action names such paths, and refuses them.
		return nil, fmt.Errorf("read the artifact: %w", err)
	}
	b := &Build{archive: archive, prefix: prefix, files: map[string]*zip.File{}, editions: map[string]rehearsal.Edition{}}
	for _, file := range archive.File {
		if file.Mode().IsRegular() {
			b.files[path.Join(prefix, file.Name)] = file //nolint:gosec // A key of S3, not a path on disk.
		}
	}
	return b, nil
}

// Close closes the artifact.
func (b *Build) Close() { _ = b.archive.Close() } // It was only read.

// Keys returns the keys of all files.
func (b *Build) Keys() []string { return b.shortestFirst() }

// Compare compares the files with what the bucket has, and counts into site what is first, new, changed and left.
func (b *Build) Compare(objects []s3.Object, site *rehearsal.Site) error {
	b.first = len(objects) == 0
	site.First = b.first
	etags := map[string]string{}
	for _, object := range objects {
		etags[object.Key] = strings.Trim(object.ETag, `"`)
		if _, built := b.files[object.Key]; !built {
			site.Left++
		}
	}
	for key, file := range b.files {
		etag, known := etags[key]
		if !known {
			b.editions[key] = rehearsal.Missing
			site.New++
			continue
		}
		sum, err := md5Of(file)
		if err != nil {
			return err
		}
		if b.editions[key] = rehearsal.Same; etag != sum {
			b.editions[key] = rehearsal.Old
			site.Changed++
		}
	}
	return nil
}

// content returns the content of a file that was built; it is not nil.
func (b *Build) content(key string) ([]byte, error) {
	content := bytes.NewBuffer([]byte{})
	err := readFile(b.files[key], content)
	return content.Bytes(), err
}

// small reports whether a file was built that can be held in memory.
func (b *Build) small(key string) bool {
	return b.files[key] != nil && b.files[key].UncompressedSize64 <= maxPage
}

// shortestFirst returns the keys of all files, ordered by their length.
func (b *Build) shortestFirst() []string {
	return slices.SortedFunc(maps.Keys(b.files), func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
}

// md5Of returns the ETag that S3 gives a file.
func md5Of(file *zip.File) (string, error) {
	sum := md5.New() //nolint:gosec // As above.
	err := readFile(file, sum)
	return hex.EncodeToString(sum.Sum(nil)), err
}

func md5Sum(content []byte) string {
	sum := md5.Sum(content) //nolint:gosec // As above.
	return hex.EncodeToString(sum[:])
}

func readFile(file *zip.File, to io.Writer) error {
	in, err := file.Open()
	if err == nil {
		defer in.Close()
		_, err = io.Copy(to, in) //nolint:gosec // The artifact is the owner's.
	}
	if err != nil {
		return fmt.Errorf("read the artifact's %s: %w", file.Name, err)
	}
	return nil
}
