// Package changes finds what an invalidation has to clear because publications have
// changed it, and remembers what was cleared.
package changes

import (
	"context"
	"maps"
	"slices"
	"time"

	"blog-deploy-pipeline/lambdas/internal/cover"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/lambdas/siteurl"
)

// Plan is what an invalidation clears.
type Plan struct {
	// Number is that of the last publication that was committed. What it and those before
	// it have touched is clear when an invalidation of Items that began after it is
	// completed.
	Number int64
	// Release is the current release; "" before the first one.
	Release string
	// Items are paths, and cache tags with "#" before them. There is none if nothing has
	// to be cleared.
	Items []string
	// All is true if everything has to be cleared, because it is not known what the edge
	// locations have.
	All bool
	// Changed is the number of files that were put or removed since CloudFront has cleared
	// them last, Unchanged that of the release's others, and Needless that of the
	// Unchanged that Items evict.
	Changed, Unchanged, Needless int
}

// Releases has the methods of a [release.Store] that a Finder calls.
type Releases interface {
	Load(context.Context) (release.State, error)
	Manifest(ctx context.Context, id string) (*release.Manifest, error)
	Update(context.Context, func(*release.State) error) (release.State, error)
}

// Finder finds what has changed.
type Finder struct {
	Releases Releases
	Settings Settings
}

// Find returns what has to be cleared now.
func (f Finder) Find(ctx context.Context) (Plan, error) { return f.Foresee(ctx, nil) }

// Foresee returns what would have to be cleared after a publication that touches some keys
// besides.
func (f Finder) Foresee(ctx context.Context, touched []string) (Plan, error) {
	state, err := f.Releases.Load(ctx)
	if err != nil {
		return Plan{}, err
	}
	manifest, err := f.Releases.Manifest(ctx, state.Current)
	if err != nil {
		return Plan{}, err
	}
	if manifest != nil && len(touched) > 0 {
		manifest.Number = state.Number + 1
		for _, key := range touched {
			file, there := manifest.Files[key]
			if _, before := state.Touched[key]; there {
				file.Replaced = ""
				if !before {
					file.Replaced = file.Tag
				}
				manifest.Files[key] = file
			}
		}
		state = state.Foresee(touched)
	}
	return find(state, manifest, f.Settings), nil
}

// Published is what publications have made of the blog. It leaves out what a later
// publication has changed since, or is about to change.
type Published struct {
	// Release is the id of the current release, and Time when it was committed.
	Release string
	Time    time.Time
	// Files has the blog's files by their keys.
	Files map[string]release.File
	// Changed are the keys of files that were put, or of all files if everything had to be
	// cleared. Removed are those of files that have left the blog.
	Changed, Removed []string
}

// Published returns what the publication with a number, and those before it, have changed
// since CloudFront has cleared it last. It returns nothing if that cannot be known.
func (f Finder) Published(ctx context.Context, number int64) (Published, error) {
	state, err := f.Releases.Load(ctx)
	if err != nil {
		return Published{}, err
	}
	manifest, err := f.Releases.Manifest(ctx, state.Current)
	if err != nil {
		return Published{}, err
	}
	return published(state, manifest, number), nil
}

// published is Published without its calls.
func published(state release.State, manifest *release.Manifest, number int64) Published {
	// A state that counts fewer publications was lost and has begun anew.
	if manifest == nil || number > state.Number || state.ClearAll > number {
		return Published{}
	}
	p := Published{Release: manifest.ID, Time: manifest.Time, Files: manifest.Files}
	for key, touched := range state.Touched {
		_, exists := p.Files[key]
		_, stays := state.Retired[key]
		switch {
		case touched > number:
			delete(p.Files, key)
		case !exists && !stays:
			p.Removed = append(p.Removed, key)
		case exists:
			p.Changed = append(p.Changed, key)
		}
	}
	if state.ClearAll > 0 {
		p.Changed = slices.Collect(maps.Keys(p.Files))
	}
	slices.Sort(p.Changed)
	slices.Sort(p.Removed)
	return p
}

// Done notes that an invalidation of the items of a plan with this number is completed.
// What was touched since stays to be cleared.
func (f Finder) Done(ctx context.Context, number int64) error {
	_, err := f.Releases.Update(ctx, func(s *release.State) error {
		s.Clear(number)
		return nil
	})
	return err
}

// Everything returns the plan with one item for all files.
func (f Finder) Everything(p Plan) Plan {
	p.Items, p.Needless = []string{siteurl.Everything(f.Settings.Addresses)}, p.Unchanged
	return p
}

// find is Find without its calls.
func find(state release.State, manifest *release.Manifest, settings Settings) Plan {
	plan := Plan{Number: state.Number, Release: state.Current, Changed: len(state.Touched)}
	// A state without a publication, after a publication, was lost.
	plan.All = state.ClearAll != 0 || manifest == nil
	if !plan.All && plan.Changed == 0 {
		plan.Unchanged = len(manifest.Files)
		return plan
	}
	in := cover.Input{
		Everything:   siteurl.Everything(settings.Addresses),
		MaxItems:     settings.MaxPaths,
		QueryStrings: settings.Addresses.QueryStrings,
	}
	object := func(key, tag string) cover.Object {
		if !settings.Addresses.Tags {
			tag = ""
		}
		return cover.Object{URLs: siteurl.Of(settings.Addresses, settings.KeyPrefix, key), Tag: tag}
	}
	if manifest != nil {
		for _, key := range slices.Sorted(maps.Keys(manifest.Files)) {
			if _, touched := state.Touched[key]; !touched {
				in.Unchanged = append(in.Unchanged, object(key, manifest.Files[key].Tag))
			}
		}
	}
	plan.Unchanged = len(in.Unchanged)
	if plan.All {
		plan.Items = []string{in.Everything}
		return plan
	}
	for _, key := range slices.Sorted(maps.Keys(state.Touched)) {
		tag := ""
		if state.Touched[key] == manifest.Number { // the object was replaced once since it was cleared
			tag = manifest.Files[key].Replaced
		}
		in.Required = append(in.Required, object(key, tag))
	}
	found := cover.Find(in)
	plan.Items, plan.Needless = found.Items, found.Needless
	return plan
}
