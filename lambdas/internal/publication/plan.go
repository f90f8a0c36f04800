package publication

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/internal/archive"
	"blog-deploy-pipeline/lambdas/internal/filetype"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// situation is all that a plan depends on.
type situation struct {
	settings Settings
	state    release.State
	// manifest is that of the current release, nil if there is none.
	manifest *release.Manifest
	// objects are the ETags of what is in the bucket, by key, and modified is when each
	// object was put.
	objects  map[string]string
	modified map[string]time.Time
	// files are those of the build.
	files []archive.File
	// hashes are the SHA-256, by name, of the files that an earlier plan was unsure of.
	hashes map[string]string
	now    time.Time
}

// plan is what a publication does.
type plan struct {
	// puts are the files to put, by wave and name.
	puts []put
	// kept has the objects that stay as they are, by key.
	kept map[string]release.File
	// left are the keys of files of the current release that the build does not have.
	left []string
	// pages and assets are the keys to remove.
	pages, assets []string
	// retired has the keys of objects that stay although the build does not have them, with
	// the time at which they left it.
	retired map[string]time.Time
	// foreign are the keys in the bucket that are not the blog's.
	foreign []string
	// unsure are the names of files of which only the hash tells whether they have
	// changed.
	unsure []string
	// repacked is true if the archive has unchanged files in another packing.
	repacked bool
}

// put is a file that is put.
type put struct {
	file    archive.File
	key     string
	headers release.Headers
	reason  Reason
	wave    int
	// replaced is the cache tag with which edge locations have the object; "" if they may
	// have another one.
	replaced string
}

// hasMoved reports whether the owner has left the bucket or folder of the manifest.
func (s situation) hasMoved() bool {
	return s.manifest != nil && s.manifest.Site != s.settings.site()
}

// moveNote returns a sentence for the owner if the blog has moved.
func (s situation) moveNote() string {
	if !s.hasMoved() {
		return ""
	}
	return "The blog has another bucket or folder than before, so all of it was put. What was published before is still in the old place."
}

// plan returns what to do. Nothing is removed that neither the manifest nor the state's
// Retired lists.
func (s situation) plan() plan {
	p := plan{kept: map[string]release.File{}, retired: map[string]time.Time{}}
	var published map[string]release.File
	retired := s.state.Retired
	if s.hasMoved() {
		retired = nil
	} else if s.manifest != nil {
		published = s.manifest.Files
	}

	prefix := s.settings.prefix()
	built := map[string]bool{}
	waves := filetype.NewWaves(func(yield func(string) bool) {
		for _, file := range s.files {
			if !yield(file.Name) {
				return
			}
		}
	})
	for _, file := range s.files {
		key := prefix + file.Name
		built[key] = true
		headers := s.settings.headers(file.Name)
		old, known := published[key]
		reason, changed := s.reason(file, key, headers, old, known)
		switch {
		case changed:
			p.puts = append(p.puts, put{file, key, headers, reason, waves.Of(file.Name), s.cached(key, old, reason)})
			continue
		case old.Packed == file.Packed:
		case s.hashes[file.Name] == "":
			p.unsure = append(p.unsure, file.Name)
		case s.hashes[file.Name] != old.SHA256:
			p.puts = append(p.puts, put{file, key, headers, Content, waves.Of(file.Name), s.cached(key, old, Content)})
			continue
		default:
			old.Packed, p.repacked = file.Packed, true
		}
		old.Replaced = ""
		p.kept[key] = old
	}
	slices.SortFunc(p.puts, func(a, b put) int { return cmp.Or(cmp.Compare(a.wave, b.wave), cmp.Compare(a.key, b.key)) })

	for _, key := range slices.Sorted(maps.Keys(published)) {
		if !built[key] {
			p.left = append(p.left, key)
		}
	}
	for key, since := range retired {
		// After a run that was not finished, a file of the release may still be listed.
		if _, was := published[key]; !was && !built[key] {
			p.depart(s, key, since)
		}
	}
	for _, key := range p.left {
		p.depart(s, key, s.now)
	}
	slices.Sort(p.pages)
	slices.Sort(p.assets)
	for key := range s.objects {
		_, was := published[key]
		_, before := retired[key]
		if !built[key] && !was && !before {
			p.foreign = append(p.foreign, key)
		}
	}
	slices.Sort(p.foreign)
	return p
}

// reason returns why a file has to be put, if it has. It does not compare the packed sizes.
func (s situation) reason(file archive.File, key string, headers release.Headers, old release.File, known bool) (Reason, bool) {
	_, exists := s.objects[key]
	switch {
	case !known:
		return New, true
	case old.Size != file.Size || old.CRC32 != file.CRC32:
		return Content, true
	case !reflect.DeepEqual(old.Headers, headers):
		return Headers, true
	case !exists:
		return Missing, true
	case s.state.Touched[key] > s.state.Number:
		return Unfinished, true
	case s.isEdited(key, old):
		return Edited, true
	}
	return "", false
}

// clockTolerance is by how much the clocks of S3 and of the function may differ.
const clockTolerance = time.Minute

// isEdited reports whether another tool has put an object after the current release. If it
// has put the same content, the ETag is the same, but the headers and the cache tag may be
// others.
func (s situation) isEdited(key string, old release.File) bool {
	return s.objects[key] != old.ETag || s.modified[key].After(s.manifest.Time.Add(clockTolerance))
}

// cached returns the cache tag with which edge locations have an object that is put for a
// reason. It is "" if they may have an earlier one, or what another tool or a run that was
// not finished has put.
func (s situation) cached(key string, old release.File, reason Reason) string {
	if reason != Content && reason != Headers || s.state.ClearAll > 0 || s.state.Touched[key] > 0 || s.isEdited(key, old) {
		return ""
	}
	return old.Tag
}

// depart decides about an object that left the build at a time. Its author takes a page
// back, so it is removed at once. Pages that readers have open may still ask for other
// files. If an unfinished publication has put it, readers have been able to see such a page
// until now.
func (p *plan) depart(s situation, key string, since time.Time) {
	if since.IsZero() {
		since = s.now
	}
	name, ok := strings.CutPrefix(key, s.settings.prefix())
	switch {
	case !ok: // It is in no folder of the blog's.
	case filetype.ClassOf(name).IsPage():
		p.pages = append(p.pages, key)
	case s.now.Sub(since) >= s.settings.Grace:
		p.assets = append(p.assets, key)
	default:
		p.retired[key] = since
	}
}

// maxFirst is how many files the log names.
const maxFirst = 20

// first returns the first files to put, with the reasons, and the first ones to remove.
func (p plan) first() (lines []string) {
	for _, put := range p.puts[:min(len(p.puts), maxFirst)] {
		lines = append(lines, fmt.Sprintf("put %s: %s", put.key, put.reason))
	}
	removals := p.removals()
	for _, key := range removals[:min(len(removals), maxFirst)] {
		lines = append(lines, "remove "+key)
	}
	return lines
}

// writes reports whether the plan changes an object.
func (p plan) writes() bool { return len(p.puts)+len(p.removals()) > 0 }

// removals returns the keys to remove.
func (p plan) removals() []string { return slices.Concat(p.pages, p.assets) }

// isRelease reports whether the blog's files are not those of the current release, whose
// manifest is m.
func (p plan) isRelease(m *release.Manifest) bool {
	return m == nil || m.Unfinished || p.repacked || len(p.puts)+len(p.left) > 0
}

// intent returns what has to be known before the first write. If there is no manifest, a
// next run puts everything again anyway, and the whole cache is cleared.
func (p plan) intent(s situation) release.Intent {
	intent := release.Intent{Everything: s.manifest == nil || s.hasMoved()}
	for _, put := range p.puts {
		_, exists := s.objects[put.key]
		_, retired := s.state.Retired[put.key]
		if put.reason == New && (retired || !exists) {
			intent.New = append(intent.New, put.key)
		}
		if !intent.Everything {
			intent.Touched = append(intent.Touched, put.key)
		}
	}
	intent.Touched = append(intent.Touched, p.removals()...)
	return intent
}
