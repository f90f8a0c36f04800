package fakeaws_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"blog-deploy-pipeline/rehearse/s3"
)

func TestMain(m *testing.M) {
	s3.Main()
	os.Exit(run(m))
}

// s3Server starts the package's only S3 server, when a test needs it.
var s3Server func() (*s3.Server, error)

func run(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "fakeaws")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // A folder that remains does no harm.
	closeServer := func() error { return nil }
	s3Server = sync.OnceValues(func() (*s3.Server, error) {
		server, err := s3.Start(context.Background(), s3.Options{Dir: dir})
		if err == nil {
			closeServer = server.Close
		}
		return server, err
	})
	code = m.Run()
	if err := closeServer(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
