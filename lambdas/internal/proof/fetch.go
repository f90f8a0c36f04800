package proof

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/andybalholm/brotli"

	"blog-deploy-pipeline/lambdas/internal/redact"
)

const (
	// atOnce is how many addresses are asked at the same time.
	atOnce = 4
	// maxHeader limits the header of an answer, in bytes.
	maxHeader = 64 << 10
	// maxPacking is by how much compression may make a content longer, in bytes.
	maxPacking = 64 << 10
	// asReaders is what a request accepts, as a browser's does. CloudFront has a copy for
	// those who accept compression, and another one for those who accept none, which
	// nobody but this function would ask for.
	// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ParametersInCacheKeyAndForwardedToOrigin.html
	asReaders = "gzip, br"
	// maxQuote limits what a message quotes of an answer, in characters.
	maxQuote = 200
)

// UserAgent is what each request has in that header, for rules of web ACLs and for access
// logs.
const UserAgent = "blog-deploy-pipeline (proof of live)"

// NewClient returns the client with which the function looks at a site. It follows no
// redirect and keeps no cookies.
func NewClient(s Settings) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = maxHeader
	if s.At != "" {
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, s.At)
		}
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answer is what came for one request.
type answer struct {
	status int
	header http.Header
	// size is the length of the content, and sum its SHA-256 in hexadecimal. Of a content that
	// is longer than what can be compared, they are those of one byte more than that.
	size int64
	sum  string
	// err is that of an answer that did not come, or not whole.
	err error
}

// fetch requests a path of a site. It reads no more of the answer than can be compared.
func fetch(ctx context.Context, client *http.Client, s Settings, path string, t target) answer {
	site := s.Site
	if s.At != "" {
		site = strings.Replace(site, "https:", "http:", 1)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, site+path, http.NoBody)
	if err != nil {
		return answer{err: err}
	}
	request.Header.Set("User-Agent", UserAgent)
	request.Header.Set("Accept", "*/*")
	request.Header.Set("Accept-Encoding", asReaders)
	response, err := client.Do(request)
	if err != nil {
		return answer{err: readable(err)}
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode, header: response.Header}
	if a.status != http.StatusOK {
		return a
	}
	limit := t.file.Size
	if t.removed {
		limit = maxSize
	}
	a.size, a.sum, a.err = read(response, limit)
	return a
}

// read returns the length of a response's content and its SHA-256. It reads at most one
// byte more than limit of it.
func read(response *http.Response, limit int64) (size int64, sum string, err error) {
	content := io.LimitReader(response.Body, limit+maxPacking)
	switch encoding := response.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		if content, err = gzip.NewReader(content); err != nil {
			return 0, "", readable(err)
		}
	case "br":
		content = brotli.NewReader(content)
	default:
		return 0, "", fmt.Errorf("the Content-Encoding is %s, which nobody asked for", redact.Line(encoding, maxQuote))
	}
	hash := sha256.New()
	if size, err = io.Copy(hash, io.LimitReader(content, limit+1)); err != nil {
		return 0, "", readable(err)
	}
	return size, hex.EncodeToString(hash.Sum(nil)), nil
}

// readable returns an error in one line. Two of them have words of their own.
func readable(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errors.New("the time for it was over")
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it broke off")
	}
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err // The caller knows the address.
	}
	return errors.New(strings.TrimRight(redact.Line(err.Error(), maxQuote), " .:;,"))
}
