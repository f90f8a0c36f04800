package readers

import (
	"archive/zip"
	"bytes"
	"testing"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

// built is a build that has files.
func built(t *testing.T, files map[string]string) *Build {
	t.Helper()
	var content bytes.Buffer
	w := zip.NewWriter(&content)
	for name, text := range files {
		file, err := w.Create(name)
		if err == nil {
			_, err = file.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(content.Bytes()), int64(content.Len()))
	if err != nil {
		t.Fatal(err)
	}
	b := &Build{files: map[string]*zip.File{}}
	for _, file := range r.File {
		b.files[file.Name] = file
	}
	return b
}

// silent returns a record of which a test reads the result.
func silent() *rehearsal.Record {
	return rehearsal.Begin(rehearsal.Result{}, func(rehearsal.Event) {})
}
