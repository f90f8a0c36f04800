// Package s3 stands for Amazon S3 in a rehearsal, and for the CodePipeline action that deploys to it.
//
// A [Server] is versitygw, a real S3 server, on loopback. It runs in a process of its own (see [Main]). [Deploy] is
// CodePipeline's S3 deploy action. [Server.Origin] is a bucket as a CloudFront distribution with origin access control
// sees it.
//
// versitygw stores objects as files, which differs from S3 in two ways: the keys "a" and "a/b" exclude each other, and
// on a file system that ignores case (macOS) "A" and "a" are the same object. The package works on Linux and macOS.
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

	// maxStarts limits the number of ports that Start tries. Another process can use a port before versitygw does.
	maxStarts = 5
	// startLimit limits the time until versitygw answers. It usually needs a tenth of a second.
	startLimit = 30 * time.Second
	startPoll  = 10 * time.Millisecond
)

// Options configure a [Server].
type Options struct {
	// Dir is an existing folder on a file system with extended attributes (not a tmpfs of Linux before 6.6). The server
	// makes a folder in it for its files and removes that folder at its end. Required.
	Dir string
	// Region is the Region for which requests must be signed. Default "us-east-1".
	Region string

	address func() (string, error) // for tests; default: a free port on loopback
	program string                 // for tests; default: this program
}

// Server is a running versitygw whose credentials only this process has. It ends with Close or when the context of
// Start is done. It is safe for concurrent use.
type Server struct {
	root        string // the folder of its files
	region      string
	address     string
	credentials aws.CredentialsProvider
	client      *awss3.Client
	log         *lockedBuffer
	pid         int

	stop   context.CancelFunc
	exited chan struct{} // closed when the process has been reaped and its folder has been removed
	exit   error         // the error of the process or of the removal; valid after exited is closed
}

// errPortTaken is the error after which Start tries another port.
var errPortTaken = errors.New("port is taken")

// Start runs versitygw and returns when it answers. The server also ends when ctx is done or this process ends. The
// caller must Close it, which removes its files.
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
		return fmt.Errorf("the folder %q for its files does not exist", o.Dir)
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

// freeAddress returns an address on loopback with a port that is free at the moment.
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
	// Only this process knows the path, so that it cannot mistake another server on the same port for this one.
	health := "/health-" + rand.Text()
	ctx, stop := context.WithCancel(ctx)
	s := &Server{
		root:        root,
		region:      opts.Region,
		address:     address,
		credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		log:         &lockedBuffer{},
		stop:        stop,
		exited:      make(chan struct{}),
	}
	cmd := exec.CommandContext(ctx, opts.program, gatewayCommand, root)
	cmd.Dir = root
	// The server inherits no variables, which could contain the user's credentials.
	cmd.Env = []string{}
	cmd.Stdout, cmd.Stderr = s.log, s.log
	// The server leads a process group of its own, so that killGroup also ends the processes that it starts.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	killGroup := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Cancel = killGroup
	cmd.WaitDelay = time.Second // A child that has left the group can hold the log open.
	// The server ends when its standard input is closed, and the system closes it at the end of this process.
	alive, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		stop()
		return nil, errors.Join(err, remove())
	}
	// An error means that the server has ended, which await notices.
	//nolint:gosec // The keys are random, and only the child process receives them.
	_ = json.NewEncoder(alive).Encode(gateway{Address: address, Region: opts.Region, Health: health, AccessKey: accessKey, SecretKey: secretKey})
	s.pid = cmd.Process.Pid
	go func() {
		err := cmd.Wait()
		if ctx.Err() != nil {
			err = nil // This process has ended the server.
		} else {
			err = fmt.Errorf("it ended by itself: %w", cmp.Or(err, errors.New("exit status 0")))
		}
		_ = killGroup()   // An error means that no other process of the group runs.
		_ = alive.Close() // Nobody reads it any more.
		s.exit = errors.Join(err, remove())
		close(s.exited)
	}()

	s.client = awss3.New(awss3.Options{
		BaseEndpoint: aws.String(s.Endpoint()),
		Region:       opts.Region,
		Credentials:  s.credentials,
		UsePathStyle: true, // Loopback has no host names for buckets.
		// By default the SDK adds a CRC, although the signature contains a SHA-256.
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

// await waits until the server answers.
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

// withLastWords adds the last line of the server's output to err.
func (s *Server) withLastWords(err error) error {
	lines := strings.Split(strings.TrimSpace(s.Log()), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return fmt.Errorf("%w; its last line of output: %s", err, last)
	}
	return err
}

// Close ends the server and removes its files. It returns an error if the server had already ended by itself, or if
// its files could not be removed.
func (s *Server) Close() error {
	s.stop()
	<-s.exited
	if s.exit != nil {
		return fmt.Errorf("close versitygw: %w", s.withLastWords(s.exit))
	}
	return nil
}

// Log returns the server's output so far, which has a line for each request.
func (s *Server) Log() string { return s.log.String() }

// Endpoint returns the server's URL, such as "http://127.0.0.1:7070".
func (s *Server) Endpoint() string { return "http://" + s.address }

// Client returns an S3 client with the server's credentials.
func (s *Server) Client() *awss3.Client { return s.client }

// lockedBuffer is a bytes.Buffer for concurrent use.
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
