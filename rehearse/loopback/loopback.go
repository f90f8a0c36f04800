// Package loopback serves HTTP on this machine, for this machine only.
package loopback

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Serve serves a handler until the server is closed.
func Serve(handler http.Handler) (_ *http.Server, url string, err error) {
	server, listener, err := listen(handler)
	if err != nil {
		return nil, "", err
	}
	go func() { _ = server.Serve(listener) }() // It returns ErrServerClosed in the end.
	return server, "http://" + listener.Addr().String(), nil
}

// ServeTLS serves a handler by https, HTTP/2 included, until the server is closed.
func ServeTLS(handler http.Handler, certificate tls.Certificate) (_ *http.Server, url string, err error) {
	server, listener, err := listen(handler)
	if err != nil {
		return nil, "", err
	}
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.ErrorLog = log.New(io.Discard, "", 0)          // It would name each browser that does not trust the certificate.
	go func() { _ = server.ServeTLS(listener, "", "") }() // It returns ErrServerClosed in the end.
	return server, "https://" + listener.Addr().String(), nil
}

func listen(handler http.Handler) (*http.Server, net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listen on loopback: %w", err)
	}
	return &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}, listener, nil
}
