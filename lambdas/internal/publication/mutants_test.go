package publication

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // S3's ETags
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"blog-deploy-pipeline/lambdas/internal/filetype"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// mutant turns one safeguard off.
type mutant string

const (
	sound     mutant = ""
	noIntent  mutant = "no intent"
	noLease   mutant = "no lease"
	noOrder   mutant = "no order"
	noGrace   mutant = "no grace"
	noMemory  mutant = "no memory of what was not cleared"
	noNumbers mutant = "no numbers of what was cleared"
	noPast    mutant = "no past"
)

// forgetful are releases without an intent.
type forgetful struct{ Releases }

// UpdateFrom implements Releases.
func (f forgetful) UpdateFrom(ctx context.Context, _ release.State, change func(*release.State) error) (release.State, error) {
	return f.Update(ctx, change)
}

// Update implements Releases.
func (f forgetful) Update(ctx context.Context, change func(*release.State) error) (release.State, error) {
	return f.Releases.Update(ctx, func(s *release.State) error {
		number, touched, retired, all := s.Number, maps.Clone(s.Touched), maps.Clone(s.Retired), s.ClearAll
		if err := change(s); err != nil {
			return err
		}
		if s.Number == number {
			s.Touched, s.Retired, s.ClearAll = touched, retired, all
		}
		return nil
	})
}

// selfish are releases without a lease: each run believes that it has it.
type selfish struct {
	Releases
	mu               sync.Mutex
	job, run, target string
}

// UpdateFrom implements Releases.
func (f *selfish) UpdateFrom(ctx context.Context, _ release.State, change func(*release.State) error) (release.State, error) {
	return f.Update(ctx, change)
}

// Update implements Releases.
func (f *selfish) Update(ctx context.Context, change func(*release.State) error) (release.State, error) {
	return f.Releases.Update(ctx, func(s *release.State) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		s.Job, s.Run, s.Target = f.job, f.run, f.target
		if err := change(s); err != nil {
			return err
		}
		if s.Job != "" {
			f.job, f.run, f.target = s.Job, s.Run, s.Target
		}
		return nil
	})
}

// reckless are releases that do not know which jobs are over.
type reckless struct{ Releases }

// UpdateFrom implements Releases.
func (r reckless) UpdateFrom(ctx context.Context, _ release.State, change func(*release.State) error) (release.State, error) {
	return r.Update(ctx, change)
}

// Update implements Releases.
func (r reckless) Update(ctx context.Context, change func(*release.State) error) (release.State, error) {
	return r.Releases.Update(ctx, func(s *release.State) error {
		s.Past = nil
		return change(s)
	})
}

// lazy are an S3 and the releases of one publication, in which what is no page comes last.
type lazy struct {
	*objecttest.Client
	Releases
	mu   sync.Mutex
	late []func()
}

// PutObject implements S3.
func (l *lazy) PutObject(ctx context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	if filetype.ClassOf(*in.Key).IsPage() {
		return l.Client.PutObject(ctx, in)
	}
	content, err := io.ReadAll(in.Body)
	late := *in
	late.Body = bytes.NewReader(content)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.late = append(l.late, func() { _, _ = l.Client.PutObject(ctx, &late) })
	return &s3.PutObjectOutput{ETag: aws.String(fmt.Sprintf("%q", fmt.Sprintf("%x", md5.Sum(content))))}, err //nolint:gosec // as above
}

// PutManifest implements Releases.
func (l *lazy) PutManifest(ctx context.Context, m *release.Manifest) error {
	time.Sleep(time.Second)
	for _, put := range l.late {
		put()
	}
	return l.Releases.PutManifest(ctx, m)
}
