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
	if served.SecureURL != "" || len(site.close) != 1 {
		t.Errorf("it is there by https without Secure: %+v", served)
	}
	if err := site.Close(); err != nil {
		t.Error(err)
	}
}
