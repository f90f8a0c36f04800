package e2e

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

// browsers are the names that TestBrowser looks for, in this order.
var browsers = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	"/Applications/Chromium.app/Contents/MacOS/Chromium",
}

func findBrowser(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("CHROME"); path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			t.Fatalf("CHROME=%s is not a browser: %v", path, err)
		}
		return found
	}
	for _, name := range browsers {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	t.Fatal("this machine has neither Chromium nor Chrome. Debian: apt-get install chromium fonts-noto-cjk; macOS: brew install --cask google-chrome; or name one with CHROME=/path/to/it")
	return ""
}

// shots is the folder of the screenshots.
var shots = filepath.Join("dist", "e2e")

// browser is a real browser that reaches the edge by the site's names.
type browser struct {
	ctx context.Context

	// What the visits of all tabs led to.
	visited    []*exchange
	complaints []string
}

// openBrowser starts a browser that finds the names of a site at its edge, and no other name.
func openBrowser(t *testing.T, path string, edge rehearsal.Served) *browser {
	t.Helper()
	insecure, secure := strings.TrimPrefix(edge.URL, "http://"), strings.TrimPrefix(edge.SecureURL, "https://")
	var rules []string
	for _, name := range edge.Names {
		rules = append(rules, "MAP "+name+":80 "+insecure, "MAP "+name+":443 "+secure)
	}
	rules = append(rules, "MAP * ~NOTFOUND")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.Flag("host-resolver-rules", strings.Join(rules, ", ")),
		// No authority signed the edge's certificate, so the browser trusts its key.
		chromedp.Flag("ignore-certificate-errors-spki-list", keyHash(t, secure)),
		// Otherwise the browser itself changes to https, and never sees the redirect.
		chromedp.Flag("disable-features", "HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,Translate"),
		// There is no sandbox for root and in many containers. The browser can reach only the edge.
		chromedp.NoSandbox,
		chromedp.WindowSize(1280, 900),
	)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	t.Cleanup(func() { // This runs first: a browser that ends by itself leaves nothing behind.
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("stop the browser: %v", err)
		}
	})
	if err := os.MkdirAll(shots, 0o755); err != nil {
		t.Fatal(err)
	}
	return &browser{ctx: ctx}
}

// keyHash returns the hash of a server's public key in the form that the browser expects.
func keyHash(t *testing.T, address string) string {
	t.Helper()
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // This connection asks for the key, and sends nothing.
	connection, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer closeIt(t, connection)
	key := sha256.Sum256(connection.(*tls.Conn).ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(key[:])
}

// exchange is one request of a page, or one hop of it, and its answer.
type exchange struct {
	url      string
	kind     network.ResourceType
	status   int // as it was sent, such as 304; 0 without an answer
	header   http.Header
	protocol string
	cached   bool   // The browser had the answer, and asked nobody.
	failed   string // why the browser refused, or got no answer
}

func (e *exchange) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %d %s", readable(e.url), e.status, e.failed))
}

// readable returns a URL as the address bar shows it.
func readable(u string) string {
	if text, err := url.PathUnescape(u); err == nil {
		return text
	}
	return u
}

// tab is a tab of a browser that has never visited the site: its cache is empty, and it knows no HSTS.
type tab struct {
	t       *testing.T
	browser *browser
	ctx     context.Context
	changed chan struct{}

	mu         sync.Mutex
	requests   []*request
	open       map[network.RequestID]*request
	raw        map[network.RequestID][]int
	complaints []string
}

// request is a chain of exchanges: redirects, and the answer to which they lead.
type request struct {
	id    network.RequestID
	page  cdp.LoaderID // the page that asked
	hops  []*exchange
	raw   int // how many of its answers are also reported as they were sent
	ended bool
}

func (r *request) last() *exchange { return r.hops[len(r.hops)-1] }

func (b *browser) tab(t *testing.T) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	tab := &tab{
		t: t, browser: b, ctx: ctx, changed: make(chan struct{}, 1),
		open: map[network.RequestID]*request{}, raw: map[network.RequestID][]int{},
	}
	if err := chromedp.Listen(ctx, tab.event); err != nil {
		t.Fatal(err)
	}
	return tab
}

// event records what a page does.
func (tab *tab) event(ev any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		r := tab.open[ev.RequestID]
		if r == nil {
			r = &request{id: ev.RequestID, page: ev.LoaderID}
			tab.open[ev.RequestID] = r
			tab.requests = append(tab.requests, r)
		} else if ev.RedirectResponse != nil {
			r.answer(ev.RedirectResponse, ev.RedirectHasExtraInfo)
		}
		r.hops = append(r.hops, &exchange{url: ev.Request.URL, kind: ev.Type})
	case *network.EventResponseReceivedExtraInfo: // It may come before the others.
		tab.raw[ev.RequestID] = append(tab.raw[ev.RequestID], int(ev.StatusCode))
	case *network.EventRequestServedFromCache:
		if r := tab.open[ev.RequestID]; r != nil {
			r.last().cached = true // This is the cache in memory; FromDiskCache is the one on disk.
		}
	case *network.EventResponseReceived:
		if r := tab.open[ev.RequestID]; r != nil {
			r.answer(ev.Response, ev.HasExtraInfo)
		}
	case *network.EventLoadingFinished:
		if r := tab.open[ev.RequestID]; r != nil {
			r.ended = true
		}
	case *network.EventLoadingFailed:
		if r := tab.open[ev.RequestID]; r != nil {
			r.ended, r.raw, r.last().failed = true, 0, strings.TrimSpace(ev.ErrorText+" "+string(ev.BlockedReason))
		}
	case *runtime.EventConsoleAPICalled:
		tab.complain("console.%s", ev.Type)
	case *runtime.EventExceptionThrown:
		tab.complain("exception: %s", ev.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		// Statuses are compared elsewhere: for a page that does not exist, 404 is right.
		if !strings.HasPrefix(ev.Entry.Text, "Failed to load resource: the server responded with a status of") {
			tab.complain("%s %s: %s (%s)", ev.Entry.Source, ev.Entry.Level, ev.Entry.Text, readable(ev.Entry.URL))
		}
	}
	select {
	case tab.changed <- struct{}{}:
	default: // A change is already reported.
	}
}

func (tab *tab) complain(format string, args ...any) {
	tab.complaints = append(tab.complaints, fmt.Sprintf(format, args...))
}

func (r *request) answer(response *network.Response, raw bool) {
	e := r.last()
	e.status, e.protocol, e.header = int(response.Status), response.Protocol, http.Header{}
	for name, value := range response.Headers {
		e.header.Add(name, fmt.Sprint(value))
	}
	e.cached = e.cached || response.FromDiskCache
	if raw && !e.cached { // A cached answer is not reported again, whatever the event says.
		r.raw++
	}
}

// settle waits until everything that the page asked for has arrived, and returns it.
func (tab *tab) settle(ctx context.Context) ([]*exchange, error) {
	for {
		came, pending := tab.came()
		if len(pending) == 0 {
			return came, nil
		}
		select {
		case <-tab.changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: still waiting for %v", ctx.Err(), pending)
		}
	}
}

func (tab *tab) came() (came, pending []*exchange) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	var page cdp.LoaderID
	for _, r := range tab.requests {
		if r.last().kind == network.ResourceTypeDocument {
			page = r.page
		}
	}
	for _, r := range tab.requests {
		// Requests of the page before do not count, nor does the tab's icon, which may come late or never. The
		// function look asks for the icon, too.
		if r.page != page || r.last().kind == network.ResourceTypeOther {
			continue
		}
		came = append(came, r.hops...)
		codes := tab.raw[r.id]
		if !r.ended || len(codes) < r.raw {
			pending = append(pending, r.last())
		} else if r.raw > 0 && codes[len(codes)-1] == http.StatusNotModified {
			r.last().status = http.StatusNotModified // Otherwise it is reported with the status of the cached answer.
		}
	}
	return came, pending
}

// sight holds what a reader sees of a page.
type sight struct {
	Address, Title, Language string
	Headings                 []string // of the first level
	Images                   []image
	Overflow                 int // by how many pixels the page is wider than the screen
	exchanges                []*exchange
}

type image struct {
	Address string
	Width   int // 0 if the image could not be decoded
}

// look waits for what arrives late: pictures further down, the icon, fonts.
const look = `(async () => {
	const icon = document.querySelector("link[rel=icon]");
	const images = [...document.images, ...icon ? [Object.assign(new Image(), {src: icon.href})] : []];
	for (const image of images) image.loading = "eager";
	await Promise.all(images.map(image => image.decode().catch(() => {})));
	await document.fonts.ready;
	return {
		Address: location.href,
		Title: document.title ?? "",
		Language: document.documentElement.lang ?? "",
		Headings: [...document.querySelectorAll("h1")].map(heading => heading.textContent.trim()),
		Images: images.map(image => ({Address: image.currentSrc || image.src, Width: image.naturalWidth})),
		Overflow: document.documentElement.scrollWidth - innerWidth,
	};
})()`

// visitTimeout is long enough for a busy machine.
const visitTimeout = 2 * time.Minute

// visit opens an address, and returns when the whole page has arrived.
func (tab *tab) visit(address string) sight {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, visitTimeout)
	defer cancel()
	tab.mu.Lock()
	tab.requests, tab.complaints = nil, nil
	tab.mu.Unlock()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		tab.t.Fatalf("visit %s: %v", address, err)
	}
	seen, err := chromedp.Run(ctx, chromedp.Evaluate[sight](look, chromedp.EvalAwaitPromise))
	if err != nil {
		tab.t.Fatalf("look at %s: %v", address, err)
	}
	if seen.exchanges, err = tab.settle(ctx); err != nil {
		tab.t.Fatalf("visit %s: %v", address, err)
	}
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.browser.visited = append(tab.browser.visited, seen.exchanges...)
	for _, complaint := range tab.complaints {
		tab.browser.complaints = append(tab.browser.complaints, readable(seen.Address)+": "+complaint)
	}
	return seen
}

// fetch requests a file as a script of the page does, since a browser shows a file that is not a page in its own way.
func (tab *tab) fetch(path string) *exchange {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, visitTimeout)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[int](fmt.Sprintf("fetch(%q).then(answer => answer.text()).then(text => text.length)", path), chromedp.EvalAwaitPromise)); err != nil {
		tab.t.Fatalf("fetch %s: %v", path, err)
	}
	came, err := tab.settle(ctx)
	if err != nil {
		tab.t.Fatalf("fetch %s: %v", path, err)
	}
	return came[len(came)-1]
}

// document returns the answer that made the page, and hops returns the redirects that led to it.
func (s sight) document() *exchange { return s.documents()[len(s.documents())-1] }
func (s sight) hops() []*exchange   { return s.documents()[:len(s.documents())-1] }

func (s sight) documents() []*exchange {
	var documents []*exchange
	for _, e := range s.exchanges {
		if e.kind == network.ResourceTypeDocument {
			documents = append(documents, e)
		}
	}
	return documents
}

// shoot saves a picture of the whole page.
func (tab *tab) shoot(name string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, visitTimeout)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(shots, name+".png"), picture, 0o644)
	}
	if err != nil {
		tab.t.Errorf("save a picture of %s: %v", name, err)
	}
}
