package awsenv

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// A connection for objects may be slow, but not silent.
func TestSilenceEndsAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		conn := watched{ours}
		defer func() { _ = errors.Join(conn.Close(), theirs.Close()) }()
		go func() {
			for range 10 {
				time.Sleep(objectSilence * 3 / 4)
				_, _ = theirs.Write([]byte("x"))
			}
		}()
		for n := range 10 {
			if _, err := conn.Read(make([]byte, 9)); err != nil {
				t.Fatalf("a slow answer, after %d bytes: %v", n, err)
			}
		}
		// What is sent is a sign of life, too, while an answer is awaited.
		go func() {
			for range 3 {
				time.Sleep(objectSilence * 3 / 4)
				_, _ = conn.Write([]byte("x"))
			}
		}()
		go func() {
			for range 3 {
				_, _ = theirs.Read(make([]byte, 9))
			}
		}()
		start := time.Now()
		_, err := conn.Read(make([]byte, 9))
		if want := objectSilence*9/4 + objectSilence; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != want {
			t.Errorf("a silent one: %v after %v, want a timeout after %v", err, time.Since(start), want)
		}
		if _, err := conn.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("nobody reads: %v, want a timeout", err)
		}
	})
}
