package pipeline

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"crypto/md5" //nolint:gosec // S3's ETag is one; nothing is secured by it.
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/s3"
)

const (
	// maxPages is how many pages readers visit, besides one that does not exist and those of [chooseFiles].
	maxPages = 5
	// maxPage is how large they may be: what readers get is held in memory, and compared.
	maxPage = 16 << 20
)

// readers visit pages through an edge in front of the bucket, as the readers of the blog would.
type readers struct {
	url          string // of the edge
	served       Served
	client       *http.Client
	bucket       string
	distribution string
	// known says that the distribution is in the template, with its functions.
	known bool
	// site is how readers' addresses begin, such as "https://blog.example.com"; "" where it is not known.
	site  string
	pages []page
	// built has the keys of all that was built.
	built   map[string]bool
	front   page   // whose links are followed
	missing string // a path at which nothing is
	// notFound is what the distribution answers there; nil where any error will do.
	notFound *notFound
	// refused is why S3 would refuse the distribution, if it would.
	refused *failure
	// early is the action that clears the distribution before anything is uploaded, or "".
	early string
	// proved says that readers have come after Invalidate.
	proved bool
}

// notFound is the blog's own page for what is not there.
type notFound struct {
	path   string
	built  []byte
	status int
	// instead is why readers get another, if it is known.
	instead *failure
}

// page is one that readers visit.
type page struct {
	key   string
	built []byte
	// old is what the bucket had before; nil for nothing.
	old []byte
	// standIn says that old was put there for the rehearsal.
	standIn bool
}

// home is the object behind a site's "/".
const home = "index.html"

// address is where a page is for readers: folders have their index.html.
func (p page) address() string {
	if dir, file := path.Split(p.key); file == home {
		return "/" + dir
	}
	return "/" + p.key
}

// expectReaders compares what was built with what is in the bucket, and opens the edge. Its Site has
// all but what is uploaded.
func (r *rehearsal) expectReaders(ctx context.Context, a *Action, configuration map[string]string, input artifact) (Site, error) {
	site := Site{Bucket: configuration["BucketName"], CacheControl: configuration["CacheControl"]}
	if configuration["Extract"] != "true" {
		r.note("readers do not visit what %s uploads: it is an archive (Extract)", a)
		return site, nil
	}
	archive, built, err := openZip(input.zip, strings.Trim(configuration["ObjectKey"], "/"))
	if err != nil {
		return site, err
	}
	defer func() { _ = archive.Close() }() // It was only read.
	objects, err := r.s3.Objects(ctx, site.Bucket)
	if err != nil {
		return site, err
	}
	site.First = len(objects) == 0
	there := map[string]string{}
	for _, object := range objects {
		there[object.Key] = strings.Trim(object.ETag, `"`)
		if _, again := built[object.Key]; !again {
			site.Left++
		}
	}
	state := map[string]Edition{}
	for key, file := range built {
		etag, known := there[key]
		if !known {
			state[key] = Missing
			site.New++
			continue
		}
		sum, err := md5Of(file)
		if err != nil {
			return site, err
		}
		if state[key] = Same; etag != sum {
			state[key] = Old
			site.Changed++
		}
	}
	distribution, early := r.distributionOfSite(a)
	if distribution == "" {
		r.note("readers do not visit the site: no action says which distribution it clears")
		return site, nil
	}
	if r.readers != nil {
		r.note("readers visit the site of the first deploy action only")
		return site, nil
	}
	if err := r.openEdge(ctx, site.Bucket, distribution, strings.Trim(configuration["ObjectKey"], "/"), built); err != nil {
		return site, err
	}
	r.checkNames(r.plan.Distributions[distribution], built)
	r.readers.early = early
	r.readers.built = map[string]bool{}
	for key := range built {
		r.readers.built[key] = true
	}
	first := path.Join(strings.Trim(configuration["ObjectKey"], "/"), home)
	if r.readers.front, err = r.readers.frontPage(built, first); err != nil {
		return site, err
	}
	chosen := choosePages(state, first)
	for _, key := range append(chosen, chooseFiles(r.plan.Distributions[distribution], built)...) {
		if built[key].UncompressedSize64 > maxPage {
			continue
		}
		p := page{key: key}
		if p.built, err = contentOf(built[key]); err != nil {
			return site, err
		}
		switch {
		case state[key] != Missing:
			if _, p.old, err = r.s3.Object(ctx, site.Bucket, key); err != nil {
				return site, err
			}
		case site.First:
			p.old, p.standIn = standIn(p), true
			if err := r.put(ctx, site.Bucket, s3.Object{Key: key, Size: int64(len(p.old)), ContentType: "text/html", CacheControl: site.CacheControl}, bytes.NewReader(p.old)); err != nil {
				return site, err
			}
		}
		r.readers.pages = append(r.readers.pages, p)
	}
	for _, key := range slices.Sorted(maps.Keys(built)) {
		if p := (page{key: key}); !r.readers.known && strings.Contains(key, "+") {
			r.note("%s has a + in its address: S3 takes a bare one for a space, and unless a function of the distribution sends %%2B in its place, links to it must be %s (a Site has such a function)", p.address(), escaped(p.address()))
			break // One is enough to know it of the others.
		}
	}
	if site.First && len(r.readers.pages) > 0 {
		r.note("the bucket was empty: so that there is something to be stale, an old edition of %s was put there before the first publication", Count(len(r.readers.pages), "page"))
	}
	return site, nil
}

// distributionOfSite is the one that the next function clears or, if none does, the one that a function
// has cleared too early.
func (r *rehearsal) distributionOfSite(deploy *Action) (id, early string) {
	var after bool
	for _, stage := range r.plan.Stages {
		for _, a := range stage.Actions {
			after = after || a == deploy
			cleared := distributionOf(a.Configuration["UserParameters"])
			switch {
			case a.Provider != providerLambda || cleared == "":
			case after:
				return cleared, ""
			default:
				id, early = cleared, a.String()
			}
		}
	}
	return id, early
}

// openEdge puts an edge in front of the bucket.
func (r *rehearsal) openEdge(ctx context.Context, bucket, distribution, prefix string, built map[string]*zip.File) error {
	readers := &readers{
		bucket: bucket, distribution: distribution, missing: "/" + path.Join(prefix, "there-is-no-such-page-"+r.execution[:8]) + "/",
		client: &http.Client{
			Transport:     &http.Transport{}, // No proxy: it is on this machine.
			Timeout:       time.Minute,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	options := edge.Options{Invalidations: r.cloud, Now: r.clock.Now}
	if d := r.plan.Distributions[distribution]; d != nil {
		access, err := r.readFrom(ctx, d, readers, built)
		if err != nil {
			return err
		}
		readers.known = true
		options.Distribution, options.Origin = d.Distribution, r.s3.OriginWith(d.Origin, access)
	} else {
		options.Distribution, options.Origin = r.assumed(distribution, prefix, built), r.s3.Origin(bucket)
	}
	if err := r.serveSite(readers, options); err != nil {
		return err
	}
	r.readers = readers
	r.onClose(func() error { r.readers.client.CloseIdleConnections(); return nil })
	return nil
}

// serveSite serves what readers visit. Where the site is to be looked at, and the distribution has names,
// it is there by https, too.
func (r *rehearsal) serveSite(readers *readers, options edge.Options) error {
	handler, err := edge.New(options)
	if err != nil {
		return err
	}
	// To the edge, a loopback address is the first of the distribution's names, under https.
	if readers.url, err = r.serve(byHTTP(handler)); err != nil {
		return err
	}
	readers.served = Served{URL: readers.url, Names: options.Distribution.Names()}
	if r.Serve && len(readers.served.Names) > 0 {
		r.note("at its http address the site is served without what sends browsers to https: %s, and %s of %s; its https address has them", hsts, upgradeInsecureRequests, contentSecurityPolicy)
		readers.served.SecureURL, err = r.serveSecurely(handler, readers.served.Names)
	}
	return err
}

// assumed is what a distribution that is not in the assembly is taken to be.
func (r *rehearsal) assumed(id, prefix string, built map[string]*zip.File) edge.Distribution {
	distribution := edge.Assumed(id)
	assumed := "index.html for folders (a CloudFront Function), the cache policy CachingOptimized"
	page := path.Join(prefix, "404.html")
	if _, ok := built[page]; ok {
		response := edge.ErrorResponse{PagePath: (&url.URL{Path: "/" + page}).EscapedPath(), Status: http.StatusNotFound}
		distribution.Errors = map[int]edge.ErrorResponse{http.StatusForbidden: response, http.StatusNotFound: response}
		assumed += ", /" + page + " for what is not there"
	}
	r.note("the distribution %s is not in the template; assumed are %s", id, assumed)
	return distribution
}

// choosePages picks the pages to visit: the first of all, then those that change, those that are new, and
// others; among them one whose address is not ASCII, if there is one.
func choosePages(state map[string]Edition, first string) []string {
	rank := map[Edition]int{Old: 1, Missing: 2, Same: 3}
	var pages []string
	for key := range state {
		if strings.HasSuffix(key, ".html") && path.Base(key) != "404.html" {
			pages = append(pages, key)
		}
	}
	order := func(key string) int {
		if key == first {
			return 0
		}
		return rank[state[key]]
	}
	slices.SortFunc(pages, func(a, b string) int {
		return cmp.Or(order(a)-order(b), strings.Compare(a, b))
	})
	chosen := slices.Clone(pages[:min(maxPages, len(pages))])
	if !slices.ContainsFunc(chosen, notASCII) {
		if i := slices.IndexFunc(pages, notASCII); i >= 0 {
			chosen[len(chosen)-1] = pages[i]
		}
	}
	return chosen
}

// chooseFiles picks a file to visit for each way in which other cache behaviours than the pages' answer:
// a function may fail there while all pages look well. Nobody knows the behaviours of a distribution
// outside of the assembly.
func chooseFiles(d *Distribution, built map[string]*zip.File) []string {
	if d == nil {
		return nil
	}
	var files []string
	tried := []edge.Behavior{d.Behaviors[len(d.Behaviors)-1]}
	for _, key := range slices.SortedFunc(maps.Keys(built), byLength) {
		behavior := *d.Behavior((&url.URL{Path: "/" + key}).EscapedPath())
		known := slices.ContainsFunc(tried, func(other edge.Behavior) bool {
			other.PathPattern = behavior.PathPattern
			return reflect.DeepEqual(other, behavior)
		})
		if !known && !strings.HasSuffix(key, ".html") {
			tried, files = append(tried, behavior), append(files, key)
		}
	}
	return files
}

// byLength orders keys, the shortest first.
func byLength(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) }

func notASCII(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f })
}

// standIn is an old edition of a page.
func standIn(p page) []byte {
	return fmt.Appendf(nil, "<!doctype html>\n<title>Old edition</title>\n<h1>Old edition</h1>\n<p>%s, before the first publication.\n", p.key)
}

// removeStandIns takes back what a failed deployment has not replaced.
func (r *rehearsal) removeStandIns(ctx context.Context) error {
	if r.readers == nil || ctx.Err() != nil {
		return nil //nolint:nilerr // It was stopped: the bucket is not kept.
	}
	var errs []error
	for _, p := range r.readers.pages {
		if !p.standIn {
			continue
		}
		_, content, err := r.s3.Object(ctx, r.readers.bucket, p.key)
		if err == nil && bytes.Equal(content, p.old) {
			_, err = r.s3.Client().DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: aws.String(r.readers.bucket), Key: aws.String(p.key)})
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// visit has readers visit their pages. After Invalidate each must be the one that was built.
func (r *rehearsal) visit(ctx context.Context, when When) error {
	if r.readers == nil {
		return nil
	}
	var stale []string
	var old *page
	var failed *failure
	r.readers.proved = r.readers.proved || when == AfterInvalidate
	for _, p := range r.readers.pages {
		visit, body, err := r.readers.get(ctx, when, p)
		if err != nil {
			return err
		}
		failed = cmp.Or(failed, failedFunction(visit, body))
		if when == AfterInvalidate {
			visit.Wanted = New
			if bytes.Equal(p.old, p.built) {
				visit.Wanted = Same
			}
			if visit.Edition != visit.Wanted {
				stale = append(stale, fmt.Sprintf("%s (%s, %d)", visit.Path, visit.Edition, visit.Status))
				if visit.Edition == Old {
					old = &p
				}
			}
		}
		r.visited(visit)
	}
	visit, body, err := r.readers.get(ctx, when, page{key: strings.TrimPrefix(r.readers.missing, "/")})
	if err != nil {
		return err
	}
	var instead *failure
	if when == AfterInvalidate {
		visit.Wanted = Missing
		switch own := r.readers.notFound; {
		case visit.Edition != Missing:
			stale = append(stale, fmt.Sprintf("%s (%d, and nothing is there)", visit.Path, visit.Status))
		case own != nil && (visit.Status != own.status || !bytes.Equal(body, own.built)):
			visit.Edition, instead = Unknown, own.instead
			stale = append(stale, fmt.Sprintf("%s (%d, and not %s with %d)", visit.Path, visit.Status, own.path, own.status))
		}
	}
	r.visited(visit)
	switch {
	case len(stale) > 0:
	case when == AfterInvalidate:
		return r.followLinks(ctx)
	default:
		return nil
	}
	if failed != nil {
		failed.Look = r.plan.Distributions[r.readers.distribution].look("the functions")
	}
	if refused := cmp.Or(failed, r.readers.refused, instead); refused != nil {
		return &failure{Code: refused.Code, Reason: refused.Reason + "; readers do not get what was built: " + strings.Join(stale, ", "), Look: refused.Look}
	}
	why := &failure{
		Code:   "StaleReaders",
		Reason: "the pipeline says that the cache is cleared, and readers do not get what was built: " + strings.Join(stale, ", "),
		Look:   "what the bucket has at these addresses, and how the distribution answers them",
	}
	switch {
	case r.readers.early != "":
		why.Reason = fmt.Sprintf("the invalidation (%s) ran before the upload, and readers do not get what was built: %s", r.readers.early, strings.Join(stale, ", "))
		why.Look = "the order of the stages: " + r.readers.early + " must come after the upload"
	case old != nil:
		why.Look = "the paths of the invalidation: do they cover these pages?"
		if file := "/" + old.key; file != old.address() {
			why.Look = fmt.Sprintf("the paths of the invalidation: do they cover these pages by both of their names, such as %s and %s?", old.address(), file)
		}
	}
	return why
}

// failedFunction is why a function of the distribution failed, if that is what a reader got: CloudFront
// names it in X-Cache, and the edge's page, unlike CloudFront's, has the error itself.
func failedFunction(visit Visit, page []byte) *failure {
	if visit.Cache != "FunctionExecutionError" && visit.Cache != "FunctionValidationError" {
		return nil
	}
	_, why, _ := strings.Cut(string(page), "<p>")
	return &failure{Code: visit.Cache, Reason: strings.TrimSpace(html.UnescapeString(why))}
}

func (r *rehearsal) visited(v Visit) {
	r.mu.Lock()
	r.result.Visits = append(r.result.Visits, v)
	r.mu.Unlock()
	r.emit(Event{Kind: Visited, Visit: &v})
}

// escaped is a path as S3 takes it: a bare + is a space there.
func escaped(path string) string {
	return strings.ReplaceAll((&url.URL{Path: path}).EscapedPath(), "+", "%2B")
}

// asked is a path as readers ask for it: as links have it, unless nobody knows what the distribution makes of
// a plus.
func (r *readers) asked(path string) string {
	if r.known {
		return (&url.URL{Path: path}).EscapedPath()
	}
	return escaped(path)
}

// get is one reader's visit, and what was sent.
func (r *readers) get(ctx context.Context, when When, p page) (_ Visit, body []byte, _ error) {
	visit := Visit{When: when, Path: p.address()}
	if r.site != "" {
		visit.URL = r.site + visit.Path
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+r.asked(visit.Path), nil)
	if err != nil {
		return visit, nil, err
	}
	began := time.Now()
	response, err := r.client.Do(request)
	if err != nil {
		return visit, nil, fmt.Errorf("visit %s: %w", visit.Path, err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	if err != nil {
		return visit, nil, fmt.Errorf("visit %s: %w", visit.Path, err)
	}
	visit.Took, visit.Status = time.Since(began), response.StatusCode
	visit.Cache, _, _ = strings.Cut(response.Header.Get("X-Cache"), " ")
	if seconds, err := strconv.Atoi(response.Header.Get("Age")); err == nil {
		visit.Age = time.Duration(seconds) * time.Second
	}
	switch {
	case visit.Status >= http.StatusBadRequest:
		visit.Edition = Missing
	case visit.Status != http.StatusOK || p.built == nil:
		visit.Edition = Unknown
	case bytes.Equal(body, p.built) && bytes.Equal(p.old, p.built):
		visit.Edition = Same
	case bytes.Equal(body, p.built):
		visit.Edition = New
	case p.old != nil && bytes.Equal(body, p.old):
		visit.Edition = Old
	default:
		visit.Edition = Unknown
	}
	return visit, body, nil
}

// openZip opens an artifact, and has its files by the keys that they are uploaded to.
func openZip(name, prefix string) (io.Closer, map[string]*zip.File, error) {
	archive, err := zip.OpenReader(name)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // Those the deploy action refuses by name.
		return nil, nil, fmt.Errorf("read the artifact: %w", err)
	}
	files := map[string]*zip.File{}
	for _, file := range archive.File {
		if file.Mode().IsRegular() {
			files[path.Join(prefix, file.Name)] = file //nolint:gosec // A key of S3, not a path on disk.
		}
	}
	return archive, files, nil
}

func contentOf(file *zip.File) ([]byte, error) {
	content := bytes.NewBuffer([]byte{}) // Not nil, which is for no file.
	err := readFile(file, content)
	return content.Bytes(), err
}

// md5Of is what S3 has for a file's ETag.
func md5Of(file *zip.File) (string, error) {
	sum := md5.New() //nolint:gosec // As above.
	err := readFile(file, sum)
	return hex.EncodeToString(sum.Sum(nil)), err
}

func readFile(file *zip.File, to io.Writer) error {
	in, err := file.Open()
	if err == nil {
		defer in.Close()
		_, err = io.Copy(to, in) //nolint:gosec // The artifact is the owner's.
	}
	if err != nil {
		return fmt.Errorf("read the artifact's %s: %w", file.Name, err)
	}
	return nil
}

// zipSize counts an artifact's files and their bytes.
func zipSize(name string) (files int, size int64, err error) {
	archive, err := zip.OpenReader(name)
	if err != nil {
		return 0, 0, fmt.Errorf("read the artifact: %w", err)
	}
	defer func() { _ = archive.Close() }() // It was only read.
	for _, file := range archive.File {
		if !file.Mode().IsDir() {
			files, size = files+1, size+int64(file.UncompressedSize64) //nolint:gosec // No artifact has 8 EiB.
		}
	}
	return files, size, nil
}
