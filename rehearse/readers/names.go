package readers

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"blog-deploy-pipeline/rehearse/distribution"
	"blog-deploy-pipeline/rehearse/edgefunction"
)

// checkNames warns of addresses that the function of the distribution gets wrong, because it tells files from pages by their
// names alone: files that it mistakes for pages, and old addresses without a slash at the end that it mistakes for files. It
// tries one address of each kind of name.
func (s *Site) checkNames(build *Build) {
	var files, aliases []string
	tried := map[*[]string]map[string]bool{&files: {}, &aliases: {}}
	for _, key := range build.shortestFirst() {
		address, all := "/"+key, &files
		if folder, name := path.Split(key); name == home {
			if folder == "" || !build.isAlias(key) {
				continue
			}
			address, all = "/"+strings.TrimSuffix(folder, "/"), &aliases
		}
		kind := kindOf(address)
		if tried[all][kind] {
			continue
		}
		tried[all][kind] = true
		got, err := objectAt(s.Distribution, address)
		if err != nil {
			return // The function fails, which readers will see.
		}
		if got != key {
			*all = append(*all, address)
		}
	}
	if len(files) > 0 {
		s.Record.Warn("readers get nothing at the addresses of files such as %s: by their names the distribution's function mistakes them for something else (stacks/site/viewerrequest/names.go lists the names that are files to a Site)", some(files))
	}
	if len(aliases) > 0 {
		s.Record.Warn("readers of old addresses (aliases) such as %s get nothing without a slash at the end: by their names the distribution's function mistakes them for files", some(aliases))
	}
}

// isAlias reports whether a page only redirects, as Hugo's aliases do.
func (b *Build) isAlias(key string) bool {
	if b.files[key].UncompressedSize64 > maxAlias {
		return false
	}
	content, err := b.content(key)
	return err == nil && aliasOf(content) != ""
}

// kindOf returns the kind of a name: its extension or, without one, the whole name.
func kindOf(address string) string {
	name := path.Base(address)
	if strings.Contains(address, "+") { // S3 reads it as a space.
		return "+"
	}
	if extension := path.Ext(name); extension != "" && extension != "." {
		return strings.ToLower(extension)
	}
	return name
}

// objectAt returns the key of the object that readers get at an address, after at most one redirect by the function.
func objectAt(d *distribution.Distribution, address string) (key string, err error) {
	for range 2 {
		target := (&url.URL{Path: address}).EscapedPath()
		function := d.Behavior(target).ViewerRequest
		if function == nil {
			return strings.TrimPrefix(address, "/"), nil
		}
		request := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: address}, RequestURI: target}
		if names := d.Names(); len(names) > 0 {
			request.Host = names[0]
		}
		changed, response, err := function.ViewerRequest(request, edgefunction.Context{DistributionID: d.ID, DistributionDomainName: d.DomainName})
		if err != nil {
			return "", err
		}
		if response == nil {
			return url.PathUnescape(strings.ReplaceAll(strings.TrimPrefix(changed.URL.EscapedPath(), "/"), "+", "%20"))
		}
		_ = response.Body.Close() // Only its header is needed.
		next, err := url.Parse(response.Header.Get("Location"))
		if err != nil {
			return "", err
		}
		if next.Path == "" {
			break
		}
		address = next.Path
	}
	return "", nil
}
