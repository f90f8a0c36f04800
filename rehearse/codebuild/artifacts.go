package codebuild

import (
	"archive/zip"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// clientError is a message of CodeBuild that has the code CLIENT_ERROR.
type clientError string

func (e clientError) Error() string { return string(e) }

// upload collects the artifacts.
func (r *run) upload(ctx context.Context, values map[string]string) error {
	if r.Spec.Artifacts == nil {
		return nil
	}
	primary, err := r.collect(ctx, r.Spec.Artifacts, values, "")
	if err != nil {
		return err
	}
	secondary := make(map[string]*Artifact)
	for _, id := range slices.Sorted(maps.Keys(r.Spec.Artifacts.Secondary)) {
		if secondary[id], err = r.collect(ctx, r.Spec.Artifacts.Secondary[id], values, id); err != nil {
			return err
		}
	}
	r.result.Artifact, r.result.Secondary = primary, secondary
	return nil
}

// entry is a file of an artifact.
type entry struct {
	name string // the path in the artifact
	file string
	link string // the target of a symbolic link that is kept
}

func (r *run) collect(ctx context.Context, a *Artifacts, values map[string]string, id string) (*Artifact, error) {
	bases, err := r.bases(expand(a.BaseDirectory, values))
	if err != nil {
		return nil, err
	}
	found := make(map[string]entry)
	for _, base := range bases {
		entries, err := r.match(ctx, base, a, values)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if a.DiscardPaths {
				e.name = path.Base(e.name)
			}
			if other, twice := found[e.name]; twice && other.file != e.file {
				r.warn(fmt.Sprintf("artifacts: %s and %s have the same name in the artifact; CodeBuild does not document which of them it keeps", r.inSource(other.file), r.inSource(e.file)))
			}
			found[e.name] = e
		}
	}
	if len(found) == 0 {
		message := "no matching artifact paths found"
		if id != "" {
			message += " for " + id
		}
		return nil, clientError(message)
	}
	r.say(UploadArtifacts, fmt.Sprintf("Found %d file(s)", len(found)))

	artifact := &Artifact{Files: slices.Sorted(maps.Keys(found))}
	if artifact.Zip, err = archive(ctx, r.Artifacts, found, artifact.Files); err != nil {
		return nil, err
	}
	if a.Name != "" {
		if artifact.Name, err = r.shell.evaluate(ctx, a.Name); err != nil {
			return nil, clientError(fmt.Sprintf("cannot evaluate the artifact's name %q: %v", a.Name, err))
		}
	}
	return artifact, nil
}

func (r *run) inSource(file string) string {
	if rel, err := filepath.Rel(r.src, file); err == nil {
		return rel
	}
	return file
}

// bases returns the folders that base-directory names. It is relative to the source, even if the commands have changed the
// folder.
func (r *run) bases(pattern string) ([]string, error) {
	if pattern == "" {
		pattern = "."
	}
	r.say(UploadArtifacts, "Expanding base directory path: "+pattern)
	r.say(UploadArtifacts, "Assembling file list")
	r.say(UploadArtifacts, "Expanding "+pattern)
	full := pattern
	if !filepath.IsAbs(full) {
		// The path of the source is not a pattern.
		full = globEscape(r.src) + "/" + full
	}
	matches, err := filepath.Glob(filepath.Clean(full))
	if err != nil {
		return nil, clientError(fmt.Sprintf("invalid base directory path %s: %v", pattern, err))
	}
	var dirs []string
	for _, m := range matches {
		if info, err := os.Stat(m); err == nil && info.IsDir() {
			dirs = append(dirs, m)
		}
	}
	if len(dirs) == 0 {
		if !strings.ContainsAny(pattern, "*?[") {
			r.say(UploadArtifacts, "Skipping invalid file path "+pattern)
		}
		return nil, clientError("no matching base directory path found for " + pattern)
	}
	return dirs, nil
}

// match returns the files below base that match files and do not match exclude-paths.
func (r *run) match(ctx context.Context, base string, a *Artifacts, values map[string]string) ([]entry, error) {
	all, err := r.list(ctx, base, bool(a.EnableSymlinks))
	if err != nil {
		return nil, err
	}
	patterns := func(texts []string) ([]*regexp.Regexp, error) {
		var res []*regexp.Regexp
		for _, text := range texts {
			text = expand(text, values)
			// A pattern may be an absolute path below base.
			if rel, ok := strings.CutPrefix(text, base+"/"); ok {
				text = rel
			}
			if strings.HasPrefix(text, "/") {
				return nil, fmt.Errorf("artifacts: %q is outside of the base directory %s, which the rehearsal does not support", text, base)
			}
			re, err := globPattern(text)
			if err != nil {
				return nil, clientError(err.Error())
			}
			res = append(res, re)
		}
		return res, nil
	}
	files, err := patterns(a.Files)
	if err != nil {
		return nil, err
	}
	excludes, err := patterns(a.ExcludePaths)
	if err != nil {
		return nil, err
	}
	r.say(UploadArtifacts, "Expanding file paths for base directory "+r.inSource(base))
	r.say(UploadArtifacts, "Assembling file list")
	matched := make([]bool, len(files))
	var entries []entry
	for _, e := range all {
		hit := false
		for i, re := range files {
			if re.MatchString(e.name) {
				hit, matched[i] = true, true
			}
		}
		if hit && !slices.ContainsFunc(excludes, func(re *regexp.Regexp) bool { return re.MatchString(e.name) }) {
			entries = append(entries, e)
		}
	}
	for i, pattern := range a.Files {
		r.say(UploadArtifacts, "Expanding "+pattern)
		if !matched[i] && !strings.ContainsAny(pattern, "*?[") {
			r.say(UploadArtifacts, "Skipping invalid file path "+pattern)
		}
	}
	return entries, nil
}

// list returns all files below base. A symbolic link to a file counts as that file, unless links are kept and the target is
// below base. list does not follow links to folders.
func (r *run) list(ctx context.Context, base string, keepLinks bool) ([]entry, error) {
	root, err := filepath.EvalSymlinks(base)
	if err != nil {
		return nil, err
	}
	var entries []entry
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		e := entry{name: filepath.ToSlash(name), file: file}
		switch {
		case d.Type().IsRegular():
			entries = append(entries, e)
		case d.Type()&fs.ModeSymlink == 0:
			r.warn(fmt.Sprintf("artifacts: %s is neither a file nor a folder, so the artifact does not contain it", e.name))
		case keepLinks && staysBelow(root, file):
			if e.link, err = os.Readlink(file); err != nil {
				return err
			}
			entries = append(entries, e)
		default:
			info, err := os.Stat(file)
			switch {
			case err != nil:
				r.warn(fmt.Sprintf("artifacts: the symbolic link %s leads nowhere, so the artifact does not contain it", e.name))
			case info.Mode().IsRegular():
				entries = append(entries, e)
			default:
				r.warn(fmt.Sprintf("artifacts: the symbolic link %s leads to a folder, so the artifact does not contain it; enable-symlinks keeps such links", e.name))
			}
		}
		return nil
	})
	return entries, err
}

// staysBelow reports whether the target of a symbolic link is below root.
func staysBelow(root, link string) bool {
	target, err := filepath.EvalSymlinks(link)
	return err == nil && strings.HasPrefix(target, root+string(filepath.Separator))
}

// archive writes entries to a new zip file in dir, in the order of names, and returns its path.
func archive(ctx context.Context, dir string, entries map[string]entry, names []string) (_ string, err error) {
	file, err := os.CreateTemp(dir, "artifact-*.zip")
	if err != nil {
		return "", fmt.Errorf("make the artifact: %w", err)
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	zw := zip.NewWriter(file)
	// Large files are mostly pictures and films, which more effort does not make smaller.
	zw.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for _, name := range names {
		if err := errors.Join(ctx.Err(), add(zw, entries[name])); err != nil {
			return "", fmt.Errorf("zip %s: %w", name, err)
		}
	}
	return file.Name(), zw.Close()
}

func add(zw *zip.Writer, e entry) error {
	header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	if e.link != "" {
		header.SetMode(fs.ModeSymlink | 0o777)
		w, err := zw.CreateHeader(header)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, e.link)
		return err
	}
	file, err := os.Open(e.file)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // It was only read.
	info, err := file.Stat()
	if err != nil {
		return err
	}
	header.SetMode(info.Mode().Perm())
	w, err := zw.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, file)
	return err
}
