package hugo

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// pinned holds the SHA-256 sums of the archives of the recipe's default version. The sums of other versions come from
// the list that Hugo publishes with them, as in the recipe.
// https://github.com/gohugoio/hugo/releases/download/v0.164.0/hugo_0.164.0_checksums.txt
var pinned = map[string]string{
	"hugo_0.164.0_linux-amd64.tar.gz":          "d9c8b17285ea4ec004d9f814273ea910f2051ce02c284993fd1f91ba455ae50d",
	"hugo_0.164.0_linux-arm64.tar.gz":          "948ee5f0ed30175f31937d592d63a2712f0761a69f1cbe812f780eb918a08b8e",
	"hugo_0.164.0_darwin-universal.pkg":        "c994e2cc6946838bb76521039509a7ce71282827e7035e344b6c225a83a5d0d3",
	"hugo_extended_0.164.0_linux-amd64.tar.gz": "fea17b8c076f950bb2e9f9486667bdaa29422883888d509d63931c73e8a9b3a4",
	"hugo_extended_0.164.0_linux-arm64.tar.gz": "232d3bc2d1d9510625985ff7c89767598ffea5bc6e5e2882c791313f5a43f723",
}

// archive returns the name of a release's archive for a platform.
func archive(w Wanted, platform string) (string, error) {
	edition := ""
	if w.Extended {
		edition = "extended_"
	}
	ends := map[string]string{
		"linux/amd64": "linux-amd64.tar.gz", "linux/arm64": "linux-arm64.tar.gz",
		"darwin/amd64": "darwin-universal.pkg", "darwin/arm64": "darwin-universal.pkg",
	}
	end := ends[platform]
	if end == "" {
		return "", fmt.Errorf("there is no binary of Hugo for %s", platform)
	}
	if w.before(firstPkg) {
		end = strings.Replace(end, ".pkg", ".tar.gz", 1)
	}
	return "hugo_" + edition + w.Version + "_" + end, nil
}

// download downloads a release and puts its binary into dir.
func (i Installer) download(ctx context.Context, w Wanted, dir string) (binary string, err error) {
	name, err := archive(w, i.platform)
	if err != nil {
		return "", err
	}
	i.limits.setDefaults()
	ctx, cancel := context.WithTimeoutCause(ctx, i.limits.Whole, fmt.Errorf("the download is not complete after %v", i.limits.Whole))
	defer cancel()
	from := strings.TrimRight(cmp.Or(i.Releases, Releases), "/") + "/v" + w.Version + "/"
	if err := safe(from); err != nil {
		return "", err
	}
	sums := i.sums
	if sums == nil {
		sums = pinned
	}
	want := sums[name]
	if want == "" {
		if want, err = i.listed(ctx, from, w.Version, name); err != nil {
			return "", err
		}
	}
	file := filepath.Join(dir, name)
	done := i.waiting("Downloading " + from + name)
	got, err := i.fetch(ctx, from+name, file)
	done()
	if err != nil {
		return "", err
	}
	if got != want {
		return "", fmt.Errorf("the SHA-256 of %s is %s, want %s; the file was not used", from+name, got, want)
	}
	if strings.HasSuffix(name, ".pkg") {
		binary, err = unpack(ctx, file, dir)
	} else {
		binary, err = extract(file, dir, i.limits.Binary)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if binary, err = checked(ctx, w, binary); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return binary, nil
}

// listed returns the sum of an archive from the release's own list.
func (i Installer) listed(ctx context.Context, from, version, name string) (string, error) {
	list := "hugo_" + version + "_checksums.txt"
	body, err := i.get(ctx, from+list)
	if err != nil {
		return "", err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, 1e6))
	if err != nil {
		return "", fmt.Errorf("download %s: %w", from+list, cause(ctx, err))
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 2 && strings.TrimPrefix(fields[1], "*") == name {
			found = append(found, fields[0])
		}
	}
	if len(found) != 1 || len(found[0]) != hex.EncodedLen(sha256.Size) {
		return "", fmt.Errorf("%s must list %s exactly once, with its SHA-256", from+list, name)
	}
	return strings.ToLower(found[0]), nil
}

// fetch downloads a file and returns its SHA-256.
func (i Installer) fetch(ctx context.Context, from, to string) (sum string, err error) {
	body, err := i.get(ctx, from)
	if err != nil {
		return "", err
	}
	defer body.Close()
	file, err := os.Create(to)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, hash), io.LimitReader(body, i.limits.Bytes+1))
	if err != nil {
		return "", fmt.Errorf("download %s: %w", from, cause(ctx, err))
	}
	if n > i.limits.Bytes {
		return "", fmt.Errorf("download %s: the file has more than %d MB", from, i.limits.Bytes/1e6)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// get makes one request. It does not try again, so that a person without a network gets the error at once.
func (i Installer) get(ctx context.Context, from string) (io.ReadCloser, error) {
	client := &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: i.limits.Connect}).DialContext,
			TLSHandshakeTimeout:   i.limits.Connect,
			ResponseHeaderTimeout: i.limits.Answer,
			ForceAttemptHTTP2:     true,
			DisableKeepAlives:     true,
		},
		CheckRedirect: func(next *http.Request, past []*http.Request) error {
			if len(past) >= 10 {
				return errors.New("more than ten redirects")
			}
			return safe(next.URL.String())
		},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		if failed := (*url.Error)(nil); errors.As(err, &failed) {
			err = failed.Err // The outer error contains the address of the last redirect, which has hundreds of characters.
		}
		return nil, fmt.Errorf("download %s: %w", from, cause(ctx, err))
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close() // Nobody reads it.
		return nil, fmt.Errorf("download %s: %s", from, response.Status)
	}
	return response.Body, nil
}

// cause returns the reason why ctx is done, or err if ctx is not done.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// safe refuses an address whose content could be changed on the way.
func safe(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("the address of Hugo's releases: %w", err)
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "https" && u.Host != "" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) {
		return nil
	}
	return fmt.Errorf("the address of Hugo's releases is %q; it must begin with https://, or with http:// and this machine's name", address)
}

// extract extracts the binary from a release's archive for Linux.
func extract(archive, dir string, limit int64) (string, error) {
	file, err := os.Open(archive)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // It was only read.
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return "", err
	}
	entries := tar.NewReader(unzipped)
	for {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return "", errors.New("it contains no hugo")
		}
		if err != nil {
			return "", err
		}
		if path.Clean(entry.Name) != "hugo" || entry.Typeflag != tar.TypeReg {
			continue
		}
		if entry.Size > limit {
			return "", fmt.Errorf("its hugo has %d MB, and the limit is %d MB", entry.Size/1e6, limit/1e6)
		}
		binary := filepath.Join(dir, "hugo")
		to, err := os.OpenFile(binary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755) //nolint:gosec // A program.
		if err != nil {
			return "", err
		}
		_, err = io.Copy(to, entries) //nolint:gosec // Its size is known.
		return binary, errors.Join(err, to.Close())
	}
}

// unpack extracts the binary from a release's package for macOS without installing the package.
func unpack(ctx context.Context, pkg, dir string) (binary string, err error) {
	expanded := filepath.Join(dir, "expanded")
	if out, err := exec.CommandContext(ctx, "pkgutil", "--expand-full", pkg, expanded).CombinedOutput(); err != nil {
		return "", fmt.Errorf("pkgutil: %w: %s", err, strings.TrimSpace(string(out)))
	}
	err = filepath.WalkDir(expanded, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "hugo" && d.Type().IsRegular() {
			binary = path
			return filepath.SkipAll
		}
		return err
	})
	if err == nil && binary == "" {
		err = errors.New("it contains no hugo")
	}
	return binary, err
}
