package readers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// maxBroken limits the broken views that are told.
const maxBroken = 100

// Crawler is a reader who goes on while the site is published. He visits a page after each change of the bucket, and
// loads what the page names. He is always at an edge location where nobody has been before, so that no cache hides what
// the bucket does not have. He also loads what the pages of before name, which caches and browsers still have.
type Crawler struct {
	*Site

	mu    sync.Mutex // one change is looked at after the other
	pages []string   // the keys of all pages, to visit in turn
	turn  int
	// fine has the addresses of what he has got. Only a removal can make it go missing.
	fine map[string]bool
	// wrong has the addresses at which readers do not get what the bucket has. No order of changes helps there.
	wrong []string
	saw   rehearsal.Crawl
	took  time.Duration
	err   error
}

// Crawl returns a reader for a publication that begins. The edge has its copies by now.
func (s *Site) Crawl() *Crawler {
	c := &Crawler{Site: s, fine: map[string]bool{}}
	for key := range s.built {
		if isPage(key) {
			c.pages = append(c.pages, key)
		}
	}
	for key := range s.had {
		if isPage(key) && !s.built[key] {
			c.pages = append(c.pages, key)
		}
	}
	slices.Sort(c.pages)
	s.written = map[string]bool{}
	return c
}

func isPage(key string) bool { return strings.HasSuffix(key, ".html") }

// Written has the reader visit a page after an object of the bucket was put or removed: that page or, if it is none, the
// next one. Several goroutines may call it. What goes wrong here is told at the end.
func (c *Crawler) Written(ctx context.Context, key string, removed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	began := time.Now()
	defer func() { c.took += time.Since(began) }()
	c.written[key] = true
	after := "put " + key
	if removed {
		after = "removed " + key
		clear(c.fine)
	}
	if !isPage(key) {
		if len(c.pages) == 0 {
			return
		}
		c.turn++
		key = c.pages[c.turn%len(c.pages)]
	}
	if c.err == nil {
		c.err = c.view(ctx, key, after)
	}
}

// End has the reader visit each page once more, and ends his visits. took is the time that all of them needed. The
// error is a [rehearsal.Failure] if something was missing in a view.
func (c *Crawler) End(ctx context.Context) (took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.fine)
	for _, key := range c.pages {
		if c.err == nil {
			c.err = c.view(ctx, key, "all changes")
		}
	}
	c.Record.Change(func(r *rehearsal.Result) { r.Crawl = &c.saw })
	if len(c.wrong) > 0 {
		c.Record.Warn("pages name files that were built, which readers do not get by that address: %s", some(c.wrong))
	}
	if c.err != nil || len(c.saw.Broken) == 0 {
		return c.took, c.err
	}
	var missing []string
	for _, b := range c.saw.Broken {
		missing = append(missing, b.String())
	}
	return c.took, &rehearsal.Failure{
		Code:   "BrokenViews",
		Reason: "readers who came while the site was published missed parts of pages: " + some(missing),
		Look:   "the order in which the function puts and removes files",
	}
}

// view visits a page as the bucket has it now, and loads what it names. It does the same with the edge's copy of the page.
func (c *Crawler) view(ctx context.Context, key, after string) error {
	here, err := edge.New(c.edge)
	if err != nil {
		return err
	}
	v := view{Crawler: c, here: here, page: page{key: key}.address(), after: after}
	now := v.get(ctx, c.asked(v.page))
	isOld := now.status == http.StatusOK && md5Sum(now.body) == c.had[key]
	switch {
	case now.status == http.StatusOK:
		if err := v.load(ctx, assetsOf, now.body, c.asked(v.page), isOld); err != nil {
			return err
		}
		c.saw.Views++
	case now.missing() && c.built[key] && c.held[key]: // It never leaves.
		c.broken(rehearsal.BrokenView{Page: v.page, Missing: v.page, Status: now.status, After: after})
	}
	if !c.held[key] || isOld {
		return nil
	}
	copied, err := c.get(ctx, c.asked(v.page))
	if err != nil || copied.status != http.StatusOK {
		return err
	}
	v.old = true
	c.saw.Views++
	return v.load(ctx, assetsOf, copied.body, c.asked(v.page), true)
}

// view is a visit of a page.
type view struct {
	*Crawler

	here  http.Handler // an edge location without copies
	page  string       // its address
	old   bool         // the page is the edge's copy
	after string       // the last change of the bucket
}

// get asks the edge location for an address.
func (v view) get(ctx context.Context, address string) answer { return v.at(ctx, v.here, address) }

// load loads what a page or a style sheet at an address names, as far as it was in the bucket before if the content is
// old, and otherwise as far as it was built.
func (v view) load(ctx context.Context, assets func([]byte, *url.URL) []*url.URL, content []byte, address string, old bool) error {
	base, err := url.Parse(cmp.Or(v.address, v.url) + address)
	if err != nil {
		return fmt.Errorf("load what %s names: %w", address, err)
	}
	for _, to := range assets(content, base) {
		key, at := v.objectFor(to, old), to.RequestURI()
		if key == "" || v.fine[at] || to.Host != base.Host && !v.named(to.Hostname()) {
			continue
		}
		got := v.get(ctx, at)
		v.saw.Loaded++
		if got.missing() {
			if err := v.miss(ctx, to, key, got.status); err != nil {
				return err
			}
			continue
		}
		v.fine[at] = true
		if kind, _, _ := mime.ParseMediaType(got.header.Get("Content-Type")); kind == "text/css" {
			if err := v.load(ctx, assetsOfStyle, got.body, at, md5Sum(got.body) == v.had[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

// objectFor returns the key of the object at an address, in the bucket as it was or as it was built; "" for none.
func (v view) objectFor(to *url.URL, old bool) string {
	if !old {
		return v.builtFor(to)
	}
	key := strings.TrimPrefix(to.Path, "/")
	if _, there := v.had[key]; there {
		return key
	}
	return ""
}

// miss tells that something was missing in a view, unless readers do not get it there at any time.
func (v view) miss(ctx context.Context, to *url.URL, key string, status int) error {
	missed := rehearsal.BrokenView{Page: v.page, Old: v.old, Missing: to.Path, Status: status, After: v.after}
	_, err := v.S3.Client().HeadObject(ctx, &awss3.HeadObjectInput{Bucket: aws.String(v.Bucket), Key: aws.String(key)})
	if refused, ok := errors.AsType[smithy.APIError](err); ok && refused.ErrorCode() == "NotFound" {
		v.broken(missed)
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for %s in the bucket: %w", key, err)
	}
	elsewhere, err := edge.New(v.edge)
	if err != nil {
		return err
	}
	if !v.at(ctx, elsewhere, to.RequestURI()).missing() { // It came too late.
		v.broken(missed)
	} else if !slices.Contains(v.wrong, to.Path) {
		v.wrong = append(v.wrong, to.Path)
	}
	return nil
}

// broken adds a broken view, once.
func (c *Crawler) broken(b rehearsal.BrokenView) {
	same := func(other rehearsal.BrokenView) bool { return other.Page == b.Page && other.Missing == b.Missing }
	if len(c.saw.Broken) < maxBroken && !slices.ContainsFunc(c.saw.Broken, same) {
		c.saw.Broken = append(c.saw.Broken, b)
	}
}
