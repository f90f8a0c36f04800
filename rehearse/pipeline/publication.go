package pipeline

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"strconv"
	"sync"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/readers"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// publication is a site that an action publishes, with the readers who visit it.
type publication struct {
	*job

	what    rehearsal.Site
	visited *readers.Site    // nil if nobody visits it
	crawler *readers.Crawler // while a function publishes what is visited
	built   map[string]bool

	mu           sync.Mutex
	put, removed map[string]bool // keys
}

// publication compares an artifact with the bucket that it is about to be published to, and has readers visit what is
// there before.
func (j *job) publication(ctx context.Context, what rehearsal.Site, prefix, artifact string) (*publication, error) {
	p := &publication{job: j, what: what, built: map[string]bool{}, put: map[string]bool{}, removed: map[string]bool{}}
	build, err := readers.OpenBuild(artifact, prefix)
	if err != nil {
		return nil, err
	}
	defer build.Close()
	for _, key := range build.Keys() {
		p.built[key] = true
	}
	objects, err := j.s3.List(ctx, what.Bucket)
	if err != nil {
		return nil, err
	}
	if err := build.Compare(objects, &p.what); err != nil {
		return nil, err
	}
	if j.front.id == "" {
		j.record.Note("readers do not visit the site: no action says which distribution it clears")
		return p, nil
	}
	if j.visited {
		j.record.Note("readers visit the site of the first deploy action only")
		return p, nil
	}
	p.visited, err = readers.Open(ctx, readers.Options{
		Record: j.record, S3: j.s3, Bucket: what.Bucket, CacheControl: what.CacheControl,
		DistributionID: j.front.id, Distribution: j.front.distribution, Invalidations: j.atEdge(), Intercept: j.intercept, Now: j.clock.Now, Skip: j.clock.Skip,
		Account: j.account, Early: j.front.early, Unique: j.id[:8], Secure: j.Serve, Kept: j.keptCopies(j.front.id),
	}, build)
	if err != nil {
		return nil, err
	}
	j.onClose(p.visited.Close)
	j.visiting = p.visited
	if err := p.visited.Visit(ctx, rehearsal.BeforeDeploy); err != nil {
		return nil, err
	}
	return p, p.visited.Fill(ctx)
}

// byFunction has a function publish. A reader visits pages meanwhile, who must never miss a part of one.
func (p *publication) byFunction(ctx context.Context, publish func() (outcome, error)) (outcome, error) {
	p.watch(ctx)
	done, err := publish()
	p.publishing.Store(nil)
	if ctx.Err() != nil {
		return done, err
	}
	if p.crawler != nil {
		took, broken := p.crawler.End(ctx)
		done.work = max(0, done.work-took)
		err = cmp.Or(err, broken)
	}
	if err != nil {
		return done, p.fail(ctx, err)
	}
	if err := p.counted(ctx); err != nil {
		return done, err
	}
	p.what.Retired, _ = strconv.Atoi(done.variables[retiredVariable])
	return done, p.succeed(ctx, &done)
}

// retiredVariable is the function's output variable with the number of files that it will remove later.
const retiredVariable = "Retired"

// watch has what the function writes noted, and readers come.
func (p *publication) watch(ctx context.Context) {
	if p.visited != nil {
		p.crawler = p.visited.Crawl()
	}
	look := func(change fakeaws.Write) {
		if change.Bucket == p.what.Bucket {
			p.written(ctx, change.Key, change.Deleted)
		}
	}
	p.publishing.Store(&look)
}

// written notes that the function has put or removed an object, and has a reader look.
func (p *publication) written(ctx context.Context, key string, removed bool) {
	p.mu.Lock()
	p.put[key], p.removed[key] = !removed, removed
	e := p.event(rehearsal.Progressed, key)
	e.Done = len(p.put)
	p.mu.Unlock()
	p.record.Tell(e)
	if p.crawler != nil {
		p.crawler.Written(ctx, key, removed)
	}
}

// counted counts what the function has done to the bucket.
func (p *publication) counted(ctx context.Context) error {
	objects, err := p.s3.List(ctx, p.what.Bucket)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what.Left, p.what.Unchanged = 0, len(p.built)
	for _, object := range objects {
		if p.put[object.Key] {
			p.what.Uploaded++
			p.what.Bytes += object.Size
		}
		switch {
		case !p.built[object.Key]:
			p.what.Left++
		case p.put[object.Key]:
			p.what.Unchanged--
		}
	}
	for removed := range maps.Values(p.removed) {
		if removed {
			p.what.Removed++
		}
	}
	return nil
}

// fail completes the failure of a publication: nothing stays that the rehearsal itself has put there.
func (p *publication) fail(ctx context.Context, err error) error {
	if p.visited == nil || ctx.Err() != nil {
		return err
	}
	return errors.Join(err, p.visited.RemoveStandIns(ctx))
}

// succeed tells what was published, and has readers visit it.
func (p *publication) succeed(ctx context.Context, done *outcome) error {
	p.record.Change(func(r *rehearsal.Result) { r.Site = &p.what })
	if done.site = p.visited; done.site == nil {
		return nil
	}
	return done.site.Visit(ctx, rehearsal.AfterDeploy)
}
