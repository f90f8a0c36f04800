package readers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/edgefunction"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// hello is a CloudFront Function that answers everything.
type hello struct{}

func (hello) ViewerRequest(r *http.Request, _ edgefunction.Context) (*http.Request, *http.Response, error) {
	return nil, &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("hello, " + r.Host))}, nil
}

func TestASiteIsServedByTheNamesOfItsDistribution(t *testing.T) {
	d := edge.Distribution{ID: "E1", DomainName: "d1.cloudfront.net", Aliases: []string{"blog.example.com", "www.example.com"}, Behaviors: []edge.Behavior{
		{PathPattern: "*", ViewerProtocol: "redirect-to-https", ViewerRequest: hello{}},
	}}
	open := func(t *testing.T, secure bool) (*Site, rehearsal.Served) {
		t.Helper()
		s := &Site{Options: Options{Record: silent(), Secure: secure}, client: &http.Client{}}
		if err := s.serve(edge.Options{Distribution: d, Origin: http.DefaultTransport}); err != nil {
			t.Fatal(err)
		}
		return s, s.Served()
	}

	site, served := open(t, true)
	var proof *x509.Certificate
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(state tls.ConnectionState) error { //nolint:gosec // Checked by hand.
			proof = state.PeerCertificates[0]
			roots := x509.NewCertPool()
			roots.AddCert(proof)
			_, err := proof.Verify(x509.VerifyOptions{DNSName: state.ServerName, Roots: roots})
			return err
		}},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			to := served.URL
			if strings.HasSuffix(address, ":443") {
				to = served.SecureURL
			}
			_, to, _ = strings.Cut(to, "://")
			return new(net.Dialer).DialContext(ctx, network, to)
		},
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	tests := []struct {
		name, url string
		want      string
	}{
		{"alias", "https://blog.example.com/", "HTTP/2.0 200 hello, blog.example.com"},
		{"other alias", "https://www.example.com/", "HTTP/2.0 200 hello, www.example.com"},
		{"the distribution's own name", "https://d1.cloudfront.net/", "HTTP/2.0 200 hello, d1.cloudfront.net"},
		{"loopback", "https://127.0.0.1/", "HTTP/2.0 200 hello, blog.example.com"},
		{"http", "http://blog.example.com/a?x=1", "HTTP/1.1 301 https://blog.example.com/a?x=1"},
		{"loopback by http", "http://localhost:8080/", "HTTP/1.1 200 hello, blog.example.com"},
		{"another's name", "https://evil.example/", "x509: certificate is valid for localhost, blog.example.com, www.example.com, d1.cloudfront.net, not evil.example"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, test.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Do(request)
			if err != nil {
				if !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %s", err, test.want)
				}
				return
			}
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			got := fmt.Sprintf("%s %d %s", response.Proto, response.StatusCode, body)
			if location := response.Header.Get("Location"); location != "" {
				got = fmt.Sprintf("%s %d %s", response.Proto, response.StatusCode, location)
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	if now := time.Now(); proof.IsCA || proof.NotAfter.After(now.AddDate(0, 1, 0)) || proof.NotBefore.After(now) {
		t.Errorf("the certificate: authority %t, from %v to %v", proof.IsCA, proof.NotBefore, proof.NotAfter)
	}
	transport.CloseIdleConnections()
	if err := site.Close(); err != nil {
		t.Error(err)
	}
	for _, address := range []string{served.URL, served.SecureURL} {
		_, address, _ = strings.Cut(address, "://")
		if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address); err == nil {
			t.Errorf("%s is still there: %v", address, conn.Close())
		}
	}

	site, served = open(t, false)
	if served.SecureURL != "" || len(site.close) != 2 {
		t.Errorf("it is there by https without Secure: %+v", served)
	}
	if err := site.Close(); err != nil {
		t.Error(err)
	}
}

// origin answers each path with the path.
type origin struct{}

func (origin) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Etag": {`"e"`}}, Body: io.NopCloser(strings.NewReader(r.URL.Path)), Request: r}, nil
}

// TestAFunctionLooksAtTheSite visits a site as the function does that looks whether a publication is live.
func TestAFunctionLooksAtTheSite(t *testing.T) {
	d := edge.Distribution{ID: "E1", Aliases: []string{"blog.example.com"}, DefaultRootObject: home, Behaviors: []edge.Behavior{{PathPattern: "*", ViewerProtocol: "redirect-to-https"}}}
	site := &Site{client: &http.Client{}, Options: Options{Record: silent(), Intercept: func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/blocked" {
			w.WriteHeader(http.StatusAccepted)
		}
		return r.URL.Path == "/blocked"
	}}}
	if err := site.serve(edge.Options{Distribution: d, Origin: origin{}}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := site.Close(); err != nil {
			t.Error(err)
		}
	}()
	if got, err := site.get(t.Context(), "/shared"); err != nil || got.cache() != "Miss" {
		t.Fatalf("a reader gets %+v, %v", got, err)
	}
	for _, tt := range []struct {
		host, path string
		status     int
		cache      string
	}{
		{"blog.example.com", "/", http.StatusOK, "Miss"},
		{"blog.example.com", "/a%2Bb", http.StatusOK, "Miss"},
		{"blog.example.com", "/shared", http.StatusOK, "Hit"}, // by a reader
		{"www.example.com", "/", http.StatusForbidden, "Error"},
		{"blog.example.com", "/blocked", http.StatusAccepted, ""},
		{"blog.example.com", "/plain", http.StatusOK, "Miss"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+site.LookAt()+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = tt.host
		if tt.path == "/plain" {
			request.Header.Set("Accept-Encoding", "identity")
		}
		response, err := site.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close() // Only the header is compared.
		if got := (answer{header: response.Header}).cache(); response.StatusCode != tt.status || got != tt.cache {
			t.Errorf("%s%s: got %s (%s), want %d (%s)", tt.host, tt.path, response.Status, got, tt.status, tt.cache)
		}
	}
	for key, want := range map[string]bool{home: true, "a+b": true, "shared": false, "plain": false} {
		if site.again.has(key) != want {
			t.Errorf("the edge has fetched %s again for the function: %t, want %t", key, !want, want)
		}
	}
}
