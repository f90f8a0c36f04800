package publication

import (
	"context"
	"fmt"
	"maps"
	"time"

	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/redact"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// commit notes that all is done.
func (r *run) commit(ctx context.Context, s situation, p plan, w *writer, why string) (Result, error) {
	isRelease := p.isRelease(s.manifest)
	result := Result{Release: s.state.Current, Unchanged: len(s.files), Removed: len(w.removed), Retired: len(p.retired)}
	if isRelease {
		files := maps.Clone(p.kept)
		maps.Copy(files, w.put)
		m := r.manifest(s, p, w, s.state.Target, files)
		m.Retired = len(p.retired)
		for _, note := range []string{s.moveNote(), why} {
			if note != "" {
				m.Notes = append(m.Notes, note)
			}
		}
		if err := r.Releases.PutManifest(ctx, m); err != nil {
			return Result{}, err
		}
		result = reported(m)
	}
	result.Foreign = p.foreign
	_, err := r.Releases.UpdateFrom(ctx, s.state, func(s *release.State) error { return s.Commit(r.holder, isRelease, p.retired) })
	return result, err
}

// pause notes how far the publication came, as a release that has some files of the build
// before it. The next call then plans as always.
func (r *run) pause(ctx context.Context, s situation, p plan, w *writer) (Result, error) {
	ctx, cancel := r.times.last(ctx)
	defer cancel()
	files := map[string]release.File{}
	if s.manifest != nil && !s.hasMoved() {
		maps.Copy(files, s.manifest.Files)
	}
	maps.Copy(files, p.kept)
	maps.Copy(files, w.put)
	for _, key := range w.removed {
		delete(files, key)
	}
	var unsure []string
	for _, put := range p.puts {
		if _, done := w.put[put.key]; !done {
			unsure = append(unsure, put.key)
		}
	}
	m := r.manifest(s, p, w, release.NewID(time.Now(), r.Job), files)
	m.Unfinished = true
	if err := r.Releases.PutManifest(ctx, m); err != nil {
		return Result{}, err
	}
	_, err := r.Releases.UpdateFrom(ctx, s.state, func(s *release.State) error {
		if err := s.Progress(r.holder, m.ID, unsure); err != nil {
			return err
		}
		s.Leave(r.holder, time.Now().Add(continueWithin))
		return nil
	})
	result := reported(m)
	result.Again = true
	return result, err
}

// manifest returns the manifest of a release. It counts what earlier calls for the job
// did.
func (r *run) manifest(s situation, p plan, w *writer, id string, files map[string]release.File) *release.Manifest {
	m := &release.Manifest{
		ID: id, Number: s.state.Number + 1, Time: time.Now(),
		Job: r.Job, Execution: r.Execution, Revision: r.Revision, Restores: r.Restores, By: r.By,
		Site: r.Settings.site(), Files: files,
		Put: len(w.put), Removed: len(w.removed), Reasons: map[string]int{},
	}
	for _, put := range p.puts {
		if file, done := w.put[put.key]; done {
			m.Bytes += file.Size
			m.Reasons[string(put.reason)]++
		}
	}
	if before := s.manifest; before != nil && before.Unfinished && before.Job == r.Job {
		m.Put, m.Removed, m.Bytes = m.Put+before.Put, m.Removed+before.Removed, m.Bytes+before.Bytes
		for reason, n := range before.Reasons {
			m.Reasons[reason] += n
		}
	}
	return m
}

// reported returns the result that a manifest tells of.
func reported(m *release.Manifest) Result {
	result := Result{
		Release: m.ID, IsNew: true, Put: m.Put, Unchanged: max(0, len(m.Files)-m.Put), Removed: m.Removed, Retired: m.Retired, Bytes: m.Bytes,
		Restores: m.Restores, Reasons: map[Reason]int{}, Notes: m.Notes,
	}
	for reason, n := range m.Reasons {
		result.Reasons[Reason(reason)] = n
	}
	return result
}

// finished returns the result of a job that has published before.
func (r *run) finished(ctx context.Context, state release.State) (Result, error) {
	id, _ := state.Finished(r.Job)
	m, err := r.Releases.Manifest(ctx, id)
	switch {
	case m == nil || err != nil:
		return Result{Release: id}, err
	case m.Job != r.Job: // It had nothing to do, and made no release.
		return Result{Release: id, Unchanged: len(m.Files), Retired: len(state.Retired)}, nil
	case m.Restores != r.Restores:
		return Result{}, &failure.Failure{Kind: failure.Configuration, Message: fmt.Sprintf("nothing was published: the job %s has published something else before, as release %s. Give each request a job of its own", r.Job, id)}
	}
	return reported(m), nil
}

// keepTime limits how long a publication waits for the copy of its build.
const keepTime = 2 * time.Minute

// keepBuild copies the build's archive beside all else, because that takes S3 longer than
// an ordinary publication, which may even be committed before. wait waits for the end. It
// returns a note if the archive was not copied, which is no reason to fail: the blog is
// published.
func (r *run) keepBuild(ctx context.Context, id string) (wait func() string, cancel func()) {
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), min(keepTime, time.Until(r.times.stop)/2))
	copied := make(chan error, 1)
	go func() { copied <- r.Releases.KeepBuild(ctx, id, r.Bucket, r.Key) }()
	return func() string {
		err := <-copied
		if err == nil {
			return ""
		}
		r.log.Warn("build not kept", "error", err.Error())
		return fmt.Sprintf("The build was not kept, so this release cannot be published again: %s.", redact.Line(err.Error(), 120))
	}, cancel
}
