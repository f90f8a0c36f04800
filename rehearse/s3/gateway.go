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

// gatewayCommand is the first of two arguments of this program when it is a server's process. The other is the
// folder of the server's files, by which people recognise it in a list of processes.
const gatewayCommand = "s3-server"

// gateway are the other settings of a server. They come through its standard input: every user of the machine
// can read a command line.
type gateway struct{ Address, Region, Health, AccessKey, SecretKey string }

// hasMain says that this program can be started as a server.
var hasMain atomic.Bool

// Main makes a program one that can [Start] servers: a server is the program itself, started anew, because
// a process can hold one versitygw. Call it first in main and in TestMain. In a server's process it does
// not return.
func Main() {
	hasMain.Store(true)
	if len(os.Args) != 3 || os.Args[1] != gatewayCommand {
		return
	}
	fmt.Fprintln(os.Stderr, serve(os.Args[2])) // It goes on until something is wrong.
	os.Exit(1)
}

// serve runs versitygw until its standard input is closed: the end of the process that started it does
// that, too, whatever ended it.
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
		return fmt.Errorf("the file system of %s keeps no extended attributes: %w", dir, err)
	}
	// The numbers are the defaults of the command versitygw.
	//
	// In the file's extended attributes, not in files beside it: an object uploaded again would keep the
	// Cache-Control it had before.
	files, err := posix.New(dir, meta.XattrMeta{}, posix.PosixOpts{Concurrency: 5000})
	if err != nil {
		return err
	}
	return embedgw.RunVersityGW(context.Background(), files, &embedgw.Config{
		RootUserAccess: g.AccessKey, RootUserSecret: g.SecretKey,
		Region: g.Region, Ports: []string{g.Address}, HealthPath: g.Health,
		KeepAlive: true, MaxConnections: 250000, MaxRequests: 100000, MultipartMaxParts: 10000,
	})
}
