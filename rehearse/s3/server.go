// Package s3 is the rehearsal's Amazon S3, and the CodePipeline action that deploys into it.
//
// A [Server] is a real S3 server, versitygw, on loopback: this program itself, started anew (see [Main]). [Deploy] is CodePipeline's S3 deploy action,
// and [Server.Origin] is what a CloudFront distribution with origin access control sees of a bucket.
//
// What versitygw's posix backend does not do as S3 does: an object and a folder cannot have the same
// name ("a" beside "a/b"), and on a file system that takes "A" and "a" for the same name (macOS), so do
// the objects. It works on Linux and macOS.
//
// https://github.com/versity/versitygw
package s3

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"blog-deploy-pipeline/rehearse/leftovers"
)

const (
	defaultRegion = "us-east-1"

	// maxStarts bounds how often a port is picked: between picking one and versitygw's listening on it,
	// another process can take it.
	maxStarts = 5
	// startLimit is how long versitygw may take until it answers; it needs a tenth of a second.
	startLimit = 30 * time.Second
	startPoll  = 10 * time.Millisecond
)

// Options configure a [Server].
type Options struct {
	// Dir is an existing folder for the server's files, on a file system with extended attributes (not
	// a tmpfs of Linux before 6.6). The server works in a folder of its own in there and removes it when
	// it ends. Required.
	Dir string
	// Region is what requests must be signed for. Default "us-east-1".
	Region string

	address func() (string, error) // Tests name the port. Default: a free one.
	program string                 // Tests have another one. Default: this one.
}

// Server is a running versitygw that nobody else has the credentials of. It ends with Close or with
// the context it was started with. It is safe for concurrent use.
type Server struct {
	region      string
	address     string
	credentials aws.CredentialsProvider
	client      *awss3.Client
	log         *lockedBuffer
	pid         int

	stop   context.CancelFunc
	exited chan struct{} // closed once the process is reaped and its folder is gone
	exit   error         // how the process ended, and whether its folder could be removed; read only after exited
}

// errPortTaken is why a start is tried again.
var errPortTaken = errors.New("port is taken")

// Start runs versitygw and returns once it answers. The server also ends when ctx does, or this process.
// The caller must Close it, and then finds Options.Dir as it was.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if err := opts.check(); err != nil {
		return nil, fmt.Errorf("start versitygw: %w", err)
	}
	var err error
	for range maxStarts {
		var s *Server
		if s, err = start(ctx, opts); err == nil {
			return s, nil
		}
		if !errors.Is(err, errPortTaken) {
			break
		}
	}
	return nil, fmt.Errorf("start versitygw: %w", err)
}

func (o *Options) check() error {
	if !hasMain.Load() {
		return errors.New("this program does not call s3.Main first in main or TestMain")
	}
	if info, err := os.Stat(o.Dir); err != nil || !info.IsDir() {
		return fmt.Errorf("folder %q for its files does not exist", o.Dir)
	}
	if o.program == "" {
		var err error
		if o.program, err = os.Executable(); err != nil {
			return err
		}
	}
	if o.Region == "" {
		o.Region = defaultRegion
	}
	if o.address == nil {
		o.address = freeAddress
	}
	return nil
}

// freeAddress picks a port on loopback that nobody listens on at the moment.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

func start(ctx context.Context, opts Options) (*Server, error) {
	address, err := opts.address()
	if err != nil {
		return nil, err
	}
	root, remove, err := leftovers.TempDir(opts.Dir, "s3")
	if err != nil {
		return nil, err
	}
	accessKey, secretKey := "REHEARSAL"+rand.Text()[:11], rand.Text()+rand.Text()
	// Only this process knows it, so that another server on the same port is not taken for this one.
	health := "/health-" + rand.Text()
	ctx, stop := context.WithCancel(ctx)
	s := &Server{
		region:      opts.Region,
		address:     address,
		credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		log:         &lockedBuffer{},
		stop:        stop,
		exited:      make(chan struct{}),
	}
	cmd := exec.CommandContext(ctx, opts.program, gatewayCommand, root)
	cmd.Dir = root
	// Nothing is inherited: the credentials of this machine's user are none of versitygw's business.
	cmd.Env = []string{}
	cmd.Stdout, cmd.Stderr = s.log, s.log
	// A group of its own, so that whatever it starts dies with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	killGroup := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Cancel = killGroup
	cmd.WaitDelay = time.Second // for a child that left the group and holds the log open
	// It ends when this is closed, which is when this process ends.
	alive, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		stop()
		return nil, errors.Join(err, remove())
	}
	// An error means that it has ended, which is found out below.
	//nolint:gosec // the keys are made up, and go to the child alone
	_ = json.NewEncoder(alive).Encode(gateway{Address: address, Region: opts.Region, Health: health, AccessKey: accessKey, SecretKey: secretKey})
	s.pid = cmd.Process.Pid
	go func() {
		err := cmd.Wait()
		if ctx.Err() != nil {
			err = nil // It was ended, and that is how it should end.
		} else {
			err = fmt.Errorf("it ended by itself: %w", cmp.Or(err, errors.New("exit status 0")))
		}
		_ = killGroup()   // What it left running; an error means that there is nothing.
		_ = alive.Close() // Nobody reads it any more.
		s.exit = errors.Join(err, remove())
		close(s.exited)
	}()

	s.client = awss3.New(awss3.Options{
		BaseEndpoint: aws.String(s.Endpoint()),
		Region:       opts.Region,
		Credentials:  s.credentials,
		UsePathStyle: true, // Bucket names are no host names here.
		// The SDK's own default adds a CRC to what is signed with a SHA-256 already.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})
	if err := s.await(ctx, s.Endpoint()+health); err != nil {
		stop()
		<-s.exited
		return nil, err
	}
	return s, nil
}

// await returns once the server answers.
func (s *Server) await(ctx context.Context, url string) error {
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	poll := time.NewTicker(startPoll)
	defer poll.Stop()
	for {
		select {
		case <-s.exited:
			if err := ctx.Err(); err != nil {
				return err
			}
			if strings.Contains(s.Log(), "address already in use") {
				return fmt.Errorf("listen on %s: %w", s.address, errPortTaken)
			}
			return s.withLastWords(s.exit)
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return s.withLastWords(fmt.Errorf("no answer on %s within %v", s.address, startLimit))
		case <-poll.C:
			if answers(ctx, url) {
				return nil
			}
		}
	}
}

func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK && response.Header.Get("Server") == "VERSITYGW"
}

// withLastWords adds to err the last line the server wrote.
func (s *Server) withLastWords(err error) error {
	lines := strings.Split(strings.TrimSpace(s.Log()), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return fmt.Errorf("%w; its last words: %s", err, last)
	}
	return err
}

// Close ends the server and everything it started, and removes its files. It returns an error when the
// server had ended by itself or its files could not be removed.
func (s *Server) Close() error {
	s.stop()
	<-s.exited
	if s.exit != nil {
		return fmt.Errorf("close versitygw: %w", s.withLastWords(s.exit))
	}
	return nil
}

// Log returns what the server has written so far: a line for each request.
func (s *Server) Log() string { return s.log.String() }

// Endpoint is the server's URL, such as "http://127.0.0.1:7070".
func (s *Server) Endpoint() string { return "http://" + s.address }

// Client is an S3 client with the credentials of this server's owner.
func (s *Server) Client() *awss3.Client { return s.client }

// lockedBuffer is a bytes.Buffer for a process to write and others to read.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
