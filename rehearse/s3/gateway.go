package s3

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

// gatewayCommand is the first argument of this program in a server's process. The second argument is the folder of
// the server's files, so that a person can recognise the process in a list.
const gatewayCommand = "s3-server"

// gateway holds the other settings of a server. The process reads them from its standard input, because every user of
// the machine can read a command line.
type gateway struct{ Address, Region, Health, AccessKey, SecretKey string }

// hasMain says whether this program can run as a server's process.
var hasMain atomic.Bool

// Main allows a program to [Start] servers. A server's process runs the same program, because a process can hold only
// one versitygw. Call Main first in main and in TestMain. In a server's process it does not return.
func Main() {
	hasMain.Store(true)
	if len(os.Args) != 3 || os.Args[1] != gatewayCommand {
		return
	}
	fmt.Fprintln(os.Stderr, serve(os.Args[2])) // serve returns only after an error.
	os.Exit(1)
}

// serve runs versitygw until its standard input is closed. The system closes it when the parent process ends, even
// if that is killed.
func serve(dir string) error {
	var g gateway
	input := json.NewDecoder(os.Stdin)
	if err := input.Decode(&g); err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	if err := (meta.XattrMeta{}).Test(dir); err != nil {
		return fmt.Errorf("the file system of %s does not support extended attributes: %w", dir, err)
	}
	// The numbers are the defaults of the command versitygw. Metadata is in extended attributes and not in files: with
	// files, an object that is uploaded again would keep its earlier Cache-Control.
	files, err := posix.New(dir, meta.XattrMeta{}, posix.PosixOpts{Concurrency: 5000, CopyObjectThreshold: 5 << 30})
	if err != nil {
		return err
	}
	return embedgw.RunVersityGW(context.Background(), files, &embedgw.Config{
		RootUserAccess: g.AccessKey, RootUserSecret: g.SecretKey,
		Region: g.Region, Ports: []string{g.Address}, HealthPath: g.Health,
		KeepAlive: true, MaxConnections: 250000, MaxRequests: 100000, MultipartMaxParts: 10000,
	})
}
